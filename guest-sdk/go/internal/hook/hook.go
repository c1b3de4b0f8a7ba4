// Package hook is where the exports of a component find the SDK.
//
// Generated code calls the packages in internal/export, and package tenter links generated code: the functions here keep
// the two from importing each other in a circle. Package tenter sets them when it starts.
package hook

import (
	"tenter/internal/bind/tenter_hooks_cases"
	"tenter/internal/bind/tenter_hooks_ingest"
	"tenter/internal/bind/tenter_hooks_module"
	"tenter/internal/bind/tenter_hooks_schedule"
	"tenter/internal/bind/tenter_hooks_snapshot"
	"tenter/internal/bind/tenter_hooks_types"
	"tenter/internal/bind/tenter_hooks_update"
	"tenter/internal/wit/types"
)

// Exported has the families whose hooks the component exports.
var Exported []string

// Names that make the signatures below readable.
type (
	Task      = tenter_hooks_types.Task
	Error     = tenter_hooks_types.HookError
	Entity    = tenter_hooks_types.EntityRef
	Record    = tenter_hooks_types.MasterRecord
	Nothing   = types.Result[types.Unit, Error]
	Tasks     = types.Result[[]Task, Error]
	Verdict   = types.Result[tenter_hooks_types.Verdict, Error]
	Requests  = types.Result[[]tenter_hooks_module.Request, Error]
	Changes   = types.Result[tenter_hooks_snapshot.Correlated, Error]
	Judgement = types.Result[tenter_hooks_cases.Judgement, Error]
	Outcome   = types.Result[tenter_hooks_cases.Outcome, Error]
	Manual    = types.Result[tenter_hooks_cases.ManualOutcome, Error]
	Context   = tenter_hooks_cases.Context
	Event     = tenter_hooks_cases.Event
)

// Module answers what every module is asked.
var Module struct {
	Describe  func() tenter_hooks_module.Descriptor
	Configure func(config string) Requests
}

// Ingest answers the hooks of the ingestion of a task.
var Ingest struct {
	Subscriptions       func() []tenter_hooks_ingest.Subscription
	OnTaskStart         func(id string, task Task) Nothing
	AllowEntityCreation func(id string, task Task) Verdict
	OnEntityCreation    func(id string, task Task) Tasks
	OnNewAttribute      func(id string, entity Entity, datapoint tenter_hooks_types.Datapoint) Tasks
}

// Snapshot answers the hooks of a snapshot run.
var Snapshot struct {
	Subscriptions       func() []tenter_hooks_snapshot.Subscription
	SnapshotInit        func(id string, run tenter_hooks_snapshot.Run) Tasks
	SnapshotFinalize    func(id string, run tenter_hooks_snapshot.Run) Tasks
	Timeseries          func(id string, entity Entity, attr string, history []tenter_hooks_types.Chunk) Tasks
	Correlate           func(id string, view tenter_hooks_snapshot.View) Changes
	CorrelateWithRecord func(id string, view tenter_hooks_snapshot.View, record Record) Changes
}

// Update answers the hooks of the sweep over stored entities.
var Update struct {
	Subscriptions func() []tenter_hooks_update.Subscription
	UpdateRecord  func(id string, record Record) Tasks
	UpdateEntity  func(id string, entity Entity) Tasks
}

// Schedule answers the hooks at times of the clock.
var Schedule struct {
	Subscriptions func() []tenter_hooks_schedule.Subscription
	Cron          func(id string, arguments string) Nothing
}

// Cases answers the hooks of case management.
var Cases struct {
	Subscriptions func() []tenter_hooks_cases.Subscription
	Before        func(id string, context Context, event Event, proposal tenter_hooks_cases.Proposal) Judgement
	After         func(id string, context Context, event Event, objects []tenter_hooks_cases.Written) Outcome
	Manual        func(id string, context Context, event Event, objects []tenter_hooks_cases.CaseObject) Manual
}
