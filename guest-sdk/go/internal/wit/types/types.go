// Package types holds what generated bindings need of optional values and results.
//
// It is the part of the generator's own support package that functions without resources, futures and streams use, so
// that a module builds without a module proxy.
package types

// Tags of Option and Result.
const (
	OptionNone uint8 = 0
	OptionSome uint8 = 1
	ResultOk   uint8 = 0
	ResultErr  uint8 = 1
)

// Unit is the value of a result that carries none.
type Unit struct{}

// Option is a value or nothing.
type Option[T any] struct {
	tag   uint8
	value T
}

// None is nothing.
func None[T any]() Option[T] { return Option[T]{} }

// Some is a value.
func Some[T any](value T) Option[T] { return Option[T]{OptionSome, value} }

// Tag tells which it is.
func (o Option[T]) Tag() uint8 { return o.tag }

// Some is the value; the zero value when there is none.
func (o Option[T]) Some() T { return o.value }

// SomeOr is the value or the one given.
func (o Option[T]) SomeOr(otherwise T) T {
	if o.tag == OptionSome {
		return o.value
	}
	return otherwise
}

// Result is a success or a failure.
type Result[T, E any] struct {
	tag uint8
	ok  T
	err E
}

// Ok is a success.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{tag: ResultOk, ok: value} }

// Err is a failure.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{tag: ResultErr, err: err} }

// Tag tells which it is.
func (r Result[T, E]) Tag() uint8 { return r.tag }

// Ok is what came of a success.
func (r Result[T, E]) Ok() T { return r.ok }

// Err is the failure.
func (r Result[T, E]) Err() E { return r.err }
