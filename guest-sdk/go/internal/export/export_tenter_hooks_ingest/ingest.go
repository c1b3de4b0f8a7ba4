// Package export_tenter_hooks_ingest is what generated code calls for the interface `ingest`.
package export_tenter_hooks_ingest

import (
	"tenter/internal/bind/tenter_hooks_ingest"
	"tenter/internal/bind/tenter_hooks_types"
	"tenter/internal/hook"
)

func init() { hook.Exported = append(hook.Exported, "ingest") }

// Subscriptions tells the wishes of this family.
func Subscriptions() []tenter_hooks_ingest.Subscription {
	return hook.Ingest.Subscriptions()
}

// OnTaskStart calls the handler of the subscription.
func OnTaskStart(id string, task hook.Task) hook.Nothing {
	return hook.Ingest.OnTaskStart(id, task)
}

// AllowEntityCreation calls the handler of the subscription.
func AllowEntityCreation(id string, task hook.Task) hook.Verdict {
	return hook.Ingest.AllowEntityCreation(id, task)
}

// OnEntityCreation calls the handler of the subscription.
func OnEntityCreation(id string, task hook.Task) hook.Tasks {
	return hook.Ingest.OnEntityCreation(id, task)
}

// OnNewAttribute calls the handler of the subscription.
func OnNewAttribute(id string, entity hook.Entity, datapoint tenter_hooks_types.Datapoint) hook.Tasks {
	return hook.Ingest.OnNewAttribute(id, entity, datapoint)
}
