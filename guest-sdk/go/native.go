//go:build !wasip1

package tenter

import (
	"fmt"
	"os"
)

// Outside of a component there is no host: handlers can be called by `go test` as far as they ask it nothing, and what
// they log is printed.
func writeLog(_ uint8, message string) { fmt.Fprintln(os.Stderr, message) }
