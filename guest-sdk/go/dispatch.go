package tenter

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"tenter/internal/bind/tenter_hooks_cases"
	"tenter/internal/bind/tenter_hooks_log"
	"tenter/internal/bind/tenter_hooks_module"
	"tenter/internal/bind/tenter_hooks_snapshot"
	wit "tenter/internal/bind/tenter_hooks_types"
	"tenter/internal/hook"
	"tenter/internal/wit/types"
)

// live is what the module registered in this instance.
var live *Registrar

// The adapter is told of the start and the end of each hook; it stands in a component alone.
var begin, end = func() {}, func() {}

// bind makes the handlers what the component's exports call.
func bind() {
	hook.Module.Describe = describe
	hook.Module.Configure = configure
	bindSubscriptions()
	bindIngest()
	bindSnapshot()
	bindOthers()
	bindCases()
}

// guard runs a handler: errors and panics become the contract's error, never a trap.
func guard[R any](do func() (R, error)) (result types.Result[R, hook.Error]) {
	begin()
	defer end()
	defer func() {
		if reason := recover(); reason != nil {
			logStack(fmt.Sprintf("panic: %v", reason), string(debug.Stack()))
			result = types.Err[R](wit.MakeHookErrorFailed(text(fmt.Sprintf("panic: %v", reason))))
		}
	}()
	answer, err := do()
	if err != nil {
		return types.Err[R](toError(err))
	}
	return types.Ok[R, hook.Error](answer)
}

// call finds the handler of a subscription and guards it. F is the type of the handlers of the kind.
func call[F, R any](kind, id string, event *Event, do func(handler F) (R, error)) types.Result[R, hook.Error] {
	return guard(func() (answer R, err error) {
		subscription, err := live.find(kind, id, event)
		if err != nil {
			return answer, err
		}
		return do(subscription.handler.(F))
	})
}

func toError(err error) hook.Error {
	var named *Error
	message := text(err.Error())
	if !errors.As(err, &named) {
		return wit.MakeHookErrorFailed(message)
	}
	switch named.kind {
	case blamesInput:
		return wit.MakeHookErrorInvalidInput(message)
	case blamesOutside:
		return wit.MakeHookErrorUnavailable(message)
	default:
		return wit.MakeHookErrorFailed(message)
	}
}

// logStack writes line by line, without the frames of what caught the panic.
func logStack(reason, stack string) {
	writeLog(tenter_hooks_log.LevelError, text(reason))
	lines := strings.Split(strings.TrimSpace(stack), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			lines = lines[min(i+2, len(lines)):]
			break
		}
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "tenter.bind") || strings.HasPrefix(line, "tenter.configure") {
			break
		}
		writeLog(tenter_hooks_log.LevelError, text(strings.ReplaceAll(line, "\t", "    ")))
	}
}

func describe() (descriptor tenter_hooks_module.Descriptor) {
	defer func() {
		if reason := recover(); reason != nil {
			logStack(fmt.Sprintf("panic: %v", reason), string(debug.Stack()))
			panic(reason)
		}
	}()
	return tenter_hooks_module.Descriptor{
		Title:       text(module.Title),
		Description: text(module.Description),
		Version:     text(module.Version),
		Parameters:  each(module.Parameters, toParameterOfModule),
	}
}

func toParameterOfModule(p Parameter) tenter_hooks_module.Parameter {
	title := p.Title
	if title == "" {
		title = p.Name
	}
	out := tenter_hooks_module.Parameter{
		Name: text(p.Name), Title: text(title), Description: text(p.Description), Kind: p.Kind,
		Section: optional(text(p.Section)), Mandatory: p.Mandatory,
	}
	if p.Default != nil {
		encoded, err := json.Marshal(p.Default)
		if err != nil {
			panic(fmt.Sprintf("default of parameter %s: %v", p.Name, err))
		}
		out.DefaultValue = types.Some(text(string(encoded)))
	}
	return out
}

func configure(config string) hook.Requests {
	return guard(func() ([]tenter_hooks_module.Request, error) {
		if module.Configure == nil {
			return nil, Failed("the program is no module yet: call tenter.Export in an init function")
		}
		fresh := &Registrar{}
		if err := module.Configure(Config(config), fresh); err != nil {
			return nil, err
		}
		if err := fresh.check(); err != nil {
			return nil, err
		}
		live = fresh
		return each(fresh.requests, func(r [2]string) tenter_hooks_module.Request {
			return tenter_hooks_module.Request{Capability: text(r[0]), Scope: text(r[1])}
		}), nil
	})
}

func bindIngest() {
	hook.Ingest.OnTaskStart = func(id string, task hook.Task) hook.Nothing {
		return call("on-task-start", id, nil, func(handler func(Task) error) (types.Unit, error) {
			return types.Unit{}, handler(fromTask(task))
		})
	}
	hook.Ingest.AllowEntityCreation = func(id string, task hook.Task) hook.Verdict {
		return call("allow-entity-creation", id, nil, func(handler func(Task) (Verdict, error)) (wit.Verdict, error) {
			verdict, err := handler(fromTask(task))
			return verdict.wit, err
		})
	}
	hook.Ingest.OnEntityCreation = func(id string, task hook.Task) hook.Tasks {
		return call("on-entity-creation", id, nil, func(handler func(Task) ([]Task, error)) ([]wit.Task, error) {
			return converted(handler(fromTask(task)))
		})
	}
	hook.Ingest.OnNewAttribute = func(id string, entity hook.Entity, datapoint wit.Datapoint) hook.Tasks {
		type handler = func(EntityRef, Datapoint) ([]Task, error)
		return call("on-new-attribute", id, nil, func(handler handler) ([]wit.Task, error) {
			return converted(handler(fromEntity(entity), fromDatapoint(datapoint)))
		})
	}
}

func converted(tasks []Task, err error) ([]wit.Task, error) {
	if err != nil {
		return nil, err
	}
	return toTasks(tasks)
}

func bindSnapshot() {
	run := func(kind string) func(string, tenter_hooks_snapshot.Run) hook.Tasks {
		return func(id string, run tenter_hooks_snapshot.Run) hook.Tasks {
			return call(kind, id, nil, func(handler func(Run) ([]Task, error)) ([]wit.Task, error) {
				return converted(handler(Run{run.Id, moment(run.Time)}))
			})
		}
	}
	hook.Snapshot.SnapshotInit = run("snapshot-init")
	hook.Snapshot.SnapshotFinalize = run("snapshot-finalize")
	hook.Snapshot.Timeseries = func(id string, entity hook.Entity, attr string, history []wit.Chunk) hook.Tasks {
		type handler = func(EntityRef, string, []Chunk) ([]Task, error)
		return call("timeseries", id, nil, func(handler handler) ([]wit.Task, error) {
			return converted(handler(fromEntity(entity), attr, each(history, fromChunk)))
		})
	}
	hook.Snapshot.Correlate = func(id string, seen tenter_hooks_snapshot.View) hook.Changes {
		type handler = func(*View) ([]Task, error)
		return call("correlate", id, nil, func(handler handler) (tenter_hooks_snapshot.Correlated, error) {
			view := fromView(seen)
			return correlated(view)(handler(view))
		})
	}
	hook.Snapshot.CorrelateWithRecord = func(id string, seen tenter_hooks_snapshot.View, record hook.Record) hook.Changes {
		type handler = func(*View, MasterRecord) ([]Task, error)
		return call("correlate-with-record", id, nil, func(handler handler) (tenter_hooks_snapshot.Correlated, error) {
			view := fromView(seen)
			return correlated(view)(handler(view, fromRecord(record)))
		})
	}
}

func correlated(view *View) func([]Task, error) (tenter_hooks_snapshot.Correlated, error) {
	return func(tasks []Task, err error) (tenter_hooks_snapshot.Correlated, error) {
		if err != nil {
			return tenter_hooks_snapshot.Correlated{}, err
		}
		return toCorrelated(view, tasks)
	}
}

func bindOthers() {
	hook.Update.UpdateRecord = func(id string, record hook.Record) hook.Tasks {
		return call("update-record", id, nil, func(handler func(MasterRecord) ([]Task, error)) ([]wit.Task, error) {
			return converted(handler(fromRecord(record)))
		})
	}
	hook.Update.UpdateEntity = func(id string, entity hook.Entity) hook.Tasks {
		return call("update-entity", id, nil, func(handler func(EntityRef) ([]Task, error)) ([]wit.Task, error) {
			return converted(handler(fromEntity(entity)))
		})
	}
	hook.Schedule.Cron = func(id, arguments string) hook.Nothing {
		return call("cron", id, nil, func(handler func(json.RawMessage) error) (types.Unit, error) {
			return types.Unit{}, handler(json.RawMessage(arguments))
		})
	}
}

func bindCases() {
	hook.Cases.Before = func(id string, c hook.Context, e hook.Event, p tenter_hooks_cases.Proposal) hook.Judgement {
		event := fromEvent(e)
		type handler = func(Context, Event, Proposal) (Judgement, error)
		return call("before", id, &event, func(handler handler) (tenter_hooks_cases.Judgement, error) {
			judgement, err := handler(fromContext(c), event, Proposal{p.Id.Some(), json.RawMessage(p.Body)})
			return judgement.wit, err
		})
	}
	hook.Cases.After = func(id string, c hook.Context, e hook.Event, objects []tenter_hooks_cases.Written) hook.Outcome {
		event := fromEvent(e)
		type handler = func(Context, Event, []Written) (Outcome, error)
		return call("after", id, &event, func(handler handler) (tenter_hooks_cases.Outcome, error) {
			outcome, err := handler(fromContext(c), event, each(objects, fromWritten))
			if err != nil {
				return tenter_hooks_cases.Outcome{}, err
			}
			return toOutcome(outcome)
		})
	}
	hook.Cases.Manual = func(id string, c hook.Context, e hook.Event, objects []tenter_hooks_cases.CaseObject) hook.Manual {
		event := fromEvent(e)
		type handler = func(Context, Event, []CaseObject) (ManualOutcome, error)
		return call("manual", id, &event, func(handler handler) (tenter_hooks_cases.ManualOutcome, error) {
			outcome, err := handler(fromContext(c), event, each(objects, fromCaseObject))
			if err != nil {
				return tenter_hooks_cases.ManualOutcome{}, err
			}
			return toManual(outcome)
		})
	}
}
