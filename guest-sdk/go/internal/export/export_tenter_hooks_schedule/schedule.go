// Package export_tenter_hooks_schedule is what generated code calls for the interface `schedule`.
package export_tenter_hooks_schedule

import (
	"tenter/internal/bind/tenter_hooks_schedule"
	"tenter/internal/hook"
)

func init() { hook.Exported = append(hook.Exported, "schedule") }

// Subscriptions tells the wishes of this family.
func Subscriptions() []tenter_hooks_schedule.Subscription {
	return hook.Schedule.Subscriptions()
}

// Cron calls the handler of the subscription.
func Cron(id string, arguments string) hook.Nothing {
	return hook.Schedule.Cron(id, arguments)
}
