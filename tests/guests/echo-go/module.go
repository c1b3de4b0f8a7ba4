// The guest of the conformance suite, in Go; tests/conformance/README.md says what it does.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tenter"
)

// echo is the module, configured.
type echo struct {
	Command string `json:"command"`
}

func init() {
	tenter.Export(tenter.Module{
		Title:       "Echo",
		Description: "Says what it hears.",
		Version:     "1.0.0",
		Parameters:  []tenter.Parameter{{Name: "command", Kind: "string", Title: "Command", Default: "echo"}},
		Configure:   configure,
	})
}

func configure(config tenter.Config, on *tenter.Registrar) error {
	var e echo
	if err := config.Decode(&e); err != nil {
		return err
	}
	if e.Command == "refuse" {
		return tenter.Failed("refused")
	}
	for _, ask := range [][2]string{
		{"state", ""}, {"read-entities", "thing"}, {"delete-entity", "thing"}, {"http", "* https://echo.example/*"},
		{"resolver", ""}, {"secret", "echo"}, {"case-write", "ioc"},
	} {
		on.Request(ask[0], ask[1])
	}
	on.OnTaskStart(e.onTaskStart).ID("on-task-start")
	on.AllowEntityCreation("thing", e.allow).ID("allow-entity-creation")
	on.OnEntityCreation("thing", e.onCreation).ID("on-entity-creation")
	on.OnNewAttribute("thing", "value", e.onNewAttribute).ID("on-new-attribute")
	on.SnapshotInit(e.run).ID("snapshot-init")
	on.SnapshotFinalize(e.run).ID("snapshot-finalize")
	on.Timeseries("thing", "series", e.timeseries).ID("timeseries")
	dependsOn, mayChange := []string{"value", "link.value"}, []string{"echo"}
	on.Correlate("thing", dependsOn, mayChange, e.correlate).Whole().ID("correlate")
	on.CorrelateWithRecord("thing", dependsOn, mayChange, e.correlateWithRecord).Whole().ID("correlate-with-record")
	on.UpdateRecord("thing", time.Hour, e.updateRecord).ID("update-record")
	on.UpdateEntity("thing", time.Hour, e.updateEntity).ID("update-entity")
	on.Cron(tenter.Cron{Minute: "0"}, e.cron).Grace(time.Minute).Arguments(map[string]int{"n": 1}).ID("cron")
	on.Before("ioc", "create", e.before).ID("before")
	on.After("ioc", "*", e.after).ID("after")
	on.Manual("ioc", "Echo", e.manual).ID("manual")
	return nil
}

var kept [][]byte

// obey does what every hook does first.
func (e echo) obey() error {
	switch e.Command {
	case "invalid-input":
		return tenter.InvalidInput("the data is to blame")
	case "unavailable":
		return tenter.Unavailable("something outside is to blame")
	case "failed":
		return tenter.Failed("the module is to blame")
	case "exception":
		panic("thrown")
	case "loop":
		for {
		}
	case "memory":
		for {
			block := make([]byte, 1<<20)
			for i := range block {
				block[i] = 1
			}
			kept = append(kept, block)
		}
	}
	return nil
}

func (e echo) onTaskStart(task tenter.Task) error {
	if err := e.obey(); err != nil {
		return err
	}
	tenter.Infof("task %s %d", task.Entity, len(task.Datapoints))
	return nil
}

func (e echo) allow(task tenter.Task) (tenter.Verdict, error) {
	if err := e.obey(); err != nil {
		return tenter.Verdict{}, err
	}
	if strings.HasPrefix(task.Entity.ID, "deny") {
		return tenter.Deny("%s", task.Entity.ID), nil
	}
	return tenter.Allow(), nil
}

func (e echo) onCreation(task tenter.Task) ([]tenter.Task, error) {
	return task.List(), e.obey()
}

func (e echo) onNewAttribute(entity tenter.EntityRef, datapoint tenter.Datapoint) ([]tenter.Task, error) {
	if err := e.obey(); err != nil {
		return nil, err
	}
	datapoint.Attr = "echo"
	switch e.Command {
	case "many":
		many := make([]tenter.Task, 300)
		for i := range many {
			many[i] = tenter.NewTask(entity).With(datapoint)
		}
		return many, nil
	case "large":
		datapoint.Value = strings.Repeat("x", 2<<20)
	case "log":
		logs()
	case "call":
		calls()
	case "state":
		if err := states(); err != nil {
			return nil, err
		}
	case "entities":
		entities(entity)
	case "http":
		requests()
	case "resolver":
		lookups()
	case "secrets":
		secrets()
	}
	return tenter.NewTask(entity).With(datapoint).List(), nil
}

func (e echo) run(run tenter.Run) ([]tenter.Task, error) {
	return tenter.TaskOn("thing", run.ID).Plain("echo", run.Time).List(), e.obey()
}

func (e echo) timeseries(entity tenter.EntityRef, attr string, history []tenter.Chunk) ([]tenter.Task, error) {
	return withChunks(tenter.NewTask(entity), attr, history).List(), e.obey()
}

func withChunks(task tenter.Task, attr string, history []tenter.Chunk) tenter.Task {
	for _, chunk := range history {
		task = task.Observation(attr, chunk.Columns, chunk.T1, chunk.T2)
	}
	return task
}

func (e echo) correlate(view *tenter.View) ([]tenter.Task, error) {
	if err := e.obey(); err != nil {
		return nil, err
	}
	if e.Command == "views" {
		for _, eid := range []string{"beyond", "none"} {
			logView(eid)
		}
	}
	for _, seen := range append([]*tenter.EntityView{view.EntityView}, view.Linked...) {
		for _, value := range seen.Values {
			seen.Replace(value.Attr, value)
		}
	}
	return nil, nil
}

func logView(eid string) {
	seen, err := tenter.FetchView(tenter.EntityRef{Type: "thing", ID: eid})
	switch {
	case err != nil:
		tenter.Infof("%s %s", eid, name(err))
	case seen == nil:
		tenter.Infof("%s -", eid)
	default:
		tenter.Infof("%s %d", eid, len(seen.Values))
	}
}

func (e echo) correlateWithRecord(view *tenter.View, record tenter.MasterRecord) ([]tenter.Task, error) {
	if _, err := e.correlate(view); err != nil {
		return nil, err
	}
	return e.updateRecord(record)
}

func (e echo) updateRecord(record tenter.MasterRecord) ([]tenter.Task, error) {
	task := tenter.NewTask(record.Entity)
	task.TTLTokens = record.TTLTokens
	created := "-"
	if record.Created != (time.Time{}) {
		created = fmt.Sprint(record.Created.UnixMicro())
	}
	task = task.Tag(fmt.Sprintf("revision %d", record.Revision), "created "+created)
	for _, stored := range record.Attributes {
		if stored.Plain != nil {
			task = task.With(tenter.Datapoint{Attr: stored.Attr, Value: stored.Plain.Value, T1: stored.Plain.Updated})
		}
		for _, row := range stored.Observations {
			task = task.With(tenter.Datapoint{
				Attr: stored.Attr, Value: row.Value, T1: row.T1, T2: row.T2, Confidence: tenter.Confidence(row.Confidence),
			})
		}
		task = withChunks(task, stored.Attr, stored.Timeseries)
	}
	return task.List(), e.obey()
}

func (e echo) updateEntity(entity tenter.EntityRef) ([]tenter.Task, error) {
	return tenter.NewTask(entity).Plain("echo", entity.ID).List(), e.obey()
}

func (e echo) cron(arguments json.RawMessage) error {
	if err := e.obey(); err != nil {
		return err
	}
	ids, err := tenter.SubmitTasks(tenter.TaskOn("thing", "cron").Plain("echo", arguments))
	if err == nil {
		tenter.Infof("submitted %d", len(ids))
	}
	return err
}

func (e echo) before(context tenter.Context, event tenter.Event, proposal tenter.Proposal) (tenter.Judgement, error) {
	if err := e.obey(); err != nil {
		return tenter.Judgement{}, err
	}
	logContext(context, event)
	tenter.Infof("proposal %s", orDash(proposal.ID != 0, proposal.ID))
	switch e.Command {
	case "keep":
		return tenter.Unchanged(), nil
	case "deny":
		return tenter.Denied("denied"), nil
	}
	return tenter.Replaced(proposal.Body)
}

func (e echo) after(context tenter.Context, event tenter.Event, objects []tenter.Written) (tenter.Outcome, error) {
	var outcome tenter.Outcome
	if err := e.obey(); err != nil {
		return outcome, err
	}
	logContext(context, event)
	for _, object := range objects {
		for _, attachment := range object.Attachments {
			tenter.Infof("attachment %s %s %d", attachment.Name, attachment.MediaType, len(attachment.Content))
		}
		if object.New == nil {
			if object.Old != nil {
				tenter.Infof("deleted %d", object.Old.ID)
			}
			continue
		}
		patch := object.New.Patch().AddTag("echo").RemoveTag("old").AppendDescription("echoed").
			SetField("ioc_value", object.New.Body).SetCustomField("Echo", "Body", "input_string", "echoed")
		outcome.Effects = append(outcome.Effects, patch)
		task := tenter.TaskOn("thing", fmt.Sprint(object.New.ID)).Plain("echo", object.New.Body)
		outcome.Tasks = append(outcome.Tasks, task)
	}
	outcome.Effects = append(outcome.Effects, tenter.NewObject{
		Object: "ioc",
		Body:   map[string]string{"ioc_value": "made"},
		Attachments: []tenter.Attachment{
			{Name: "echo.bin", MediaType: "application/octet-stream", Content: []byte{0, 1, 254, 255}},
		},
	})
	return outcome, nil
}

func (e echo) manual(context tenter.Context, event tenter.Event, objects []tenter.CaseObject) (tenter.ManualOutcome, error) {
	var outcome tenter.ManualOutcome
	if err := e.obey(); err != nil {
		return outcome, err
	}
	logContext(context, event)
	content := "null"
	for i, object := range objects {
		if i == 0 {
			content = string(object.Body)
		}
		outcome.Effects = append(outcome.Effects, tenter.Patch{Object: object.Object, ID: object.ID}.AddTag("echo"))
	}
	outcome.Report = &tenter.Report{Message: fmt.Sprintf("%d objects", len(objects)), Media: "json", Content: content}
	return outcome, nil
}

func logContext(context tenter.Context, event tenter.Event) {
	login := "-"
	if context.User != nil {
		login = context.User.Login
	}
	tenter.Infof("%s %s %s %s %s %s", orDash(context.CaseID != 0, context.CaseID),
		orDash(context.CaseName != "", context.CaseName), login, context.Trigger, event.Object,
		orDash(event.Action != "", event.Action))
}

func orDash(there bool, value any) string {
	if !there {
		return "-"
	}
	return fmt.Sprint(value)
}

// name is the case of the contract that an error stands for.
func name(err error) string {
	for _, known := range []struct {
		err  error
		name string
	}{
		{tenter.ErrDenied, "denied"}, {tenter.ErrTooLarge, "too-large"}, {tenter.ErrQuota, "quota"},
		{tenter.ErrUnknownType, "unknown-type"}, {tenter.ErrNotFound, "not-found"}, {tenter.ErrTimedOut, "timed-out"},
		{tenter.ErrUnreachable, "unreachable"}, {tenter.ErrInvalid, "invalid"}, {tenter.ErrNotSet, "not-set"},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return "other"
}

func main() {}
