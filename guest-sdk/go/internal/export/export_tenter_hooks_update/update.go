// Package export_tenter_hooks_update is what generated code calls for the interface `update`.
package export_tenter_hooks_update

import (
	"tenter/internal/bind/tenter_hooks_update"
	"tenter/internal/hook"
)

func init() { hook.Exported = append(hook.Exported, "update") }

// Subscriptions tells the wishes of this family.
func Subscriptions() []tenter_hooks_update.Subscription {
	return hook.Update.Subscriptions()
}

// UpdateRecord calls the handler of the subscription.
func UpdateRecord(id string, record hook.Record) hook.Tasks {
	return hook.Update.UpdateRecord(id, record)
}

// UpdateEntity calls the handler of the subscription.
func UpdateEntity(id string, entity hook.Entity) hook.Tasks {
	return hook.Update.UpdateEntity(id, entity)
}
