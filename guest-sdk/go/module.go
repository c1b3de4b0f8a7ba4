package tenter

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Module is what a program exports; see Export.
type Module struct {
	// Title is shown to people.
	Title string
	// Description tells what the module does.
	Description string
	// Version is a semantic version, such as "1.2.0".
	Version string
	// Parameters are the entries of the module's configuration.
	Parameters []Parameter
	// Configure reads the configuration and registers handlers. It is called first in every instance, and again when
	// the configuration changes; what it registers must follow from the configuration alone.
	Configure func(config Config, on *Registrar) error
}

// Parameter is one entry of the configuration.
type Parameter struct {
	// Name is the key in the configuration.
	Name string
	// Kind is string, secret, boolean, integer, float, json, html or markdown.
	Kind string
	// Title and Description are shown to people; the title is the name when it is empty.
	Title, Description string
	// Section groups entries in forms.
	Section string
	// Mandatory entries must be set by the operator.
	Mandatory bool
	// Default is the value of an entry that is not set, as Go's encoding/json writes it; nil for none.
	Default any
}

// Config is the configuration: a JSON object, defaults filled in, without secrets.
type Config json.RawMessage

// Decode reads the configuration into a struct, as encoding/json does; an error names the entry.
func (c Config) Decode(into any) error {
	err := json.Unmarshal(c, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return InvalidInput("%s: expected %s, found a JSON %s", wrong.Field, wrong.Type, wrong.Value)
	}
	if err != nil {
		return InvalidInput("the configuration cannot be read: %v", err)
	}
	return nil
}

var module Module

// Export makes this the module of the program. Call it once, from an init function.
func Export(m Module) {
	if module.Configure != nil {
		panic("tenter.Export was called twice: a program is one module")
	}
	if m.Configure == nil {
		panic("tenter.Export: Module.Configure is not set")
	}
	module = m
}

// Error is an error with the part that is to blame.
type Error struct {
	kind    errorKind
	message string
}

type errorKind uint8

const (
	blamesInput errorKind = iota
	blamesOutside
	blamesModule
)

// Error is the text.
func (e *Error) Error() string { return e.message }

// InvalidInput blames the data that a hook was given.
func InvalidInput(format string, args ...any) error {
	return &Error{blamesInput, fmt.Sprintf(format, args...)}
}

// Unavailable blames something outside; the host tries again where the kind of hook has retries.
func Unavailable(format string, args ...any) error {
	return &Error{blamesOutside, fmt.Sprintf(format, args...)}
}

// Failed blames the module, as any error of another type does.
func Failed(format string, args ...any) error {
	return &Error{blamesModule, fmt.Sprintf(format, args...)}
}
