// Package export_tenter_hooks_snapshot is what generated code calls for the interface `snapshot`.
package export_tenter_hooks_snapshot

import (
	"tenter/internal/bind/tenter_hooks_snapshot"
	"tenter/internal/bind/tenter_hooks_types"
	"tenter/internal/hook"
)

func init() { hook.Exported = append(hook.Exported, "snapshot") }

// Subscriptions tells the wishes of this family.
func Subscriptions() []tenter_hooks_snapshot.Subscription {
	return hook.Snapshot.Subscriptions()
}

// SnapshotInit calls the handler of the subscription.
func SnapshotInit(id string, run tenter_hooks_snapshot.Run) hook.Tasks {
	return hook.Snapshot.SnapshotInit(id, run)
}

// SnapshotFinalize calls the handler of the subscription.
func SnapshotFinalize(id string, run tenter_hooks_snapshot.Run) hook.Tasks {
	return hook.Snapshot.SnapshotFinalize(id, run)
}

// Timeseries calls the handler of the subscription.
func Timeseries(id string, entity hook.Entity, attr string, history []tenter_hooks_types.Chunk) hook.Tasks {
	return hook.Snapshot.Timeseries(id, entity, attr, history)
}

// Correlate calls the handler of the subscription.
func Correlate(id string, view tenter_hooks_snapshot.View) hook.Changes {
	return hook.Snapshot.Correlate(id, view)
}

// CorrelateWithRecord calls the handler of the subscription.
func CorrelateWithRecord(id string, view tenter_hooks_snapshot.View, record hook.Record) hook.Changes {
	return hook.Snapshot.CorrelateWithRecord(id, view, record)
}
