// Package export_tenter_hooks_module is what generated code calls for the interface `module`.
package export_tenter_hooks_module

import (
	"tenter/internal/bind/tenter_hooks_module"
	"tenter/internal/hook"
)

// Describe tells static facts.
func Describe() tenter_hooks_module.Descriptor {
	return hook.Module.Describe()
}

// Configure sets handlers up.
func Configure(config string) hook.Requests {
	return hook.Module.Configure(config)
}
