package tenter

import (
	"fmt"
	"strings"
	"time"

	"tenter/internal/bind/tenter_hooks_cases"
	"tenter/internal/bind/tenter_hooks_ingest"
	"tenter/internal/bind/tenter_hooks_schedule"
	"tenter/internal/bind/tenter_hooks_snapshot"
	wit "tenter/internal/bind/tenter_hooks_types"
	"tenter/internal/bind/tenter_hooks_update"
	"tenter/internal/hook"
	"tenter/internal/wit/types"
)

// Verdict is the answer to "may this entity be?".
type Verdict struct{ wit wit.Verdict }

// Allow lets it be.
func Allow() Verdict { return Verdict{wit.MakeVerdictAllow()} }

// Deny ends the task, with the reason.
func Deny(format string, args ...any) Verdict {
	return Verdict{wit.MakeVerdictDeny(text(fmt.Sprintf(format, args...)))}
}

func bindSubscriptions() {
	hook.Ingest.Subscriptions = func() []tenter_hooks_ingest.Subscription {
		return wishes("ingest", func(s *Subscription) tenter_hooks_ingest.Subscription {
			return tenter_hooks_ingest.Subscription{Id: s.id, Moment: s.ingest()}
		})
	}
	hook.Snapshot.Subscriptions = func() []tenter_hooks_snapshot.Subscription {
		return wishes("snapshot", func(s *Subscription) tenter_hooks_snapshot.Subscription {
			return tenter_hooks_snapshot.Subscription{Id: s.id, Moment: s.snapshot()}
		})
	}
	hook.Update.Subscriptions = func() []tenter_hooks_update.Subscription {
		return wishes("update", func(s *Subscription) tenter_hooks_update.Subscription {
			return tenter_hooks_update.Subscription{Id: s.id, Moment: s.update()}
		})
	}
	hook.Schedule.Subscriptions = func() []tenter_hooks_schedule.Subscription {
		return wishes("schedule", func(s *Subscription) tenter_hooks_schedule.Subscription {
			return tenter_hooks_schedule.Subscription{Id: s.id, Moment: s.schedule()}
		})
	}
	hook.Cases.Subscriptions = func() []tenter_hooks_cases.Subscription {
		return wishes("cases", func(s *Subscription) tenter_hooks_cases.Subscription {
			return tenter_hooks_cases.Subscription{Id: s.id, Moment: s.cases()}
		})
	}
}

// wishes are the subscriptions of a family, in order of declaration; none before configure.
func wishes[S any](family string, change func(*Subscription) S) []S {
	all := []S{}
	if live == nil {
		return all
	}
	for _, s := range live.all {
		if s.family == family {
			all = append(all, change(s))
		}
	}
	return all
}

func (s *Subscription) ingest() tenter_hooks_ingest.Moment {
	switch s.kind {
	case "on-task-start":
		return tenter_hooks_ingest.MakeMomentOnTaskStart()
	case "allow-entity-creation":
		return tenter_hooks_ingest.MakeMomentAllowEntityCreation(text(s.etype))
	case "on-entity-creation":
		return tenter_hooks_ingest.MakeMomentOnEntityCreation(
			tenter_hooks_ingest.Creation{Etype: text(s.etype), Refresh: s.refresh, MayChange: paths(s.mayChange)})
	default:
		return tenter_hooks_ingest.MakeMomentOnNewAttribute(tenter_hooks_ingest.AttributeWatch{
			Etype: text(s.etype), Attr: text(s.attr), Refresh: s.refresh, MayChange: paths(s.mayChange)})
	}
}

func (s *Subscription) snapshot() tenter_hooks_snapshot.Moment {
	correlation := tenter_hooks_snapshot.Correlation{
		Etype: text(s.etype), DependsOn: paths(s.dependsOn), MayChange: paths(s.mayChange), Whole: s.whole,
	}
	switch s.kind {
	case "snapshot-init":
		return tenter_hooks_snapshot.MakeMomentSnapshotInit()
	case "snapshot-finalize":
		return tenter_hooks_snapshot.MakeMomentSnapshotFinalize()
	case "timeseries":
		return tenter_hooks_snapshot.MakeMomentTimeseries(wit.AttributeRef{Etype: text(s.etype), Attr: text(s.attr)})
	case "correlate":
		return tenter_hooks_snapshot.MakeMomentCorrelate(correlation)
	default:
		return tenter_hooks_snapshot.MakeMomentCorrelateWithRecord(correlation)
	}
}

func (s *Subscription) update() tenter_hooks_update.Moment {
	sweep := tenter_hooks_update.Sweep{Etype: text(s.etype), PeriodSeconds: uint64(s.period / time.Second)}
	if s.kind == "update-record" {
		return tenter_hooks_update.MakeMomentUpdateRecord(sweep)
	}
	return tenter_hooks_update.MakeMomentUpdateEntity(sweep)
}

func (s *Subscription) schedule() tenter_hooks_schedule.Moment {
	timing := tenter_hooks_schedule.MakeTimingOnceAtStart()
	if s.cron != nil {
		zone := s.cron.Timezone
		if zone == "" {
			zone = "UTC"
		}
		timing = tenter_hooks_schedule.MakeTimingFields(tenter_hooks_schedule.CronFields{
			Year: optional(s.cron.Year), Month: optional(s.cron.Month), Day: optional(s.cron.Day),
			Week: optional(s.cron.Week), DayOfWeek: optional(s.cron.DayOfWeek), Hour: optional(s.cron.Hour),
			Minute: optional(s.cron.Minute), Second: optional(s.cron.Second), Timezone: zone,
		})
	}
	return tenter_hooks_schedule.MakeMomentCron(tenter_hooks_schedule.Timer{
		Timing: timing, GraceSeconds: uint32(s.grace / time.Second), Arguments: text(s.arguments)})
}

func (s *Subscription) cases() tenter_hooks_cases.Moment {
	switch s.kind {
	case "before":
		return tenter_hooks_cases.MakeMomentBefore(
			tenter_hooks_cases.CaseFilter{Object: named(s.object), Action: named(s.action)})
	case "after":
		return tenter_hooks_cases.MakeMomentAfter(tenter_hooks_cases.AfterFilter{
			Object: named(s.object), Action: named(s.action), Synchronous: s.synchronous})
	default:
		return tenter_hooks_cases.MakeMomentManual(
			tenter_hooks_cases.MenuEntry{Object: text(s.object), Title: text(s.title)})
	}
}

// named is nothing for "*", which is every name.
func named(name string) types.Option[string] {
	if name == "*" {
		return types.None[string]()
	}
	return types.Some(text(name))
}

func paths(paths []string) [][]string {
	return each(paths, func(path string) []string { return strings.Split(text(path), ".") })
}
