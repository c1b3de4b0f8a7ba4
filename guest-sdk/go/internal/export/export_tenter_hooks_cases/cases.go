// Package export_tenter_hooks_cases is what generated code calls for the interface `cases`.
package export_tenter_hooks_cases

import (
	"tenter/internal/bind/tenter_hooks_cases"
	"tenter/internal/hook"
)

func init() { hook.Exported = append(hook.Exported, "cases") }

// Subscriptions tells the wishes of this family.
func Subscriptions() []tenter_hooks_cases.Subscription {
	return hook.Cases.Subscriptions()
}

// Before calls the handler of the subscription.
func Before(id string, context hook.Context, event hook.Event, proposal tenter_hooks_cases.Proposal) hook.Judgement {
	return hook.Cases.Before(id, context, event, proposal)
}

// After calls the handler of the subscription.
func After(id string, context hook.Context, event hook.Event, objects []tenter_hooks_cases.Written) hook.Outcome {
	return hook.Cases.After(id, context, event, objects)
}

// Manual calls the handler of the subscription.
func Manual(id string, context hook.Context, event hook.Event, objects []tenter_hooks_cases.CaseObject) hook.Manual {
	return hook.Cases.Manual(id, context, event, objects)
}
