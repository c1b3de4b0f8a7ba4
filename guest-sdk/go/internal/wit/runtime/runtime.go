// Package runtime gives generated bindings memory that the host may write to and read from.
//
// Go's collector never moves what lies on the heap, so memory stays valid as long as something refers to it: a pinner
// while a result is read by the host, the list here while arguments wait to be read by the bindings.
package runtime

import (
	"runtime"
	"unsafe"
)

// Allocate makes memory that lives at least as long as the pinner holds it.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	memory := allocate(size, align)
	if size != 0 {
		pinner.Pin(memory)
	}
	return memory
}

func allocate(size, align uintptr) unsafe.Pointer {
	switch {
	case size == 0:
		return unsafe.Pointer(align)
	case align > 8:
		panic("no type of the contract asks for an alignment above 8")
	case align == 1:
		return unsafe.Pointer(unsafe.SliceData(make([]byte, size)))
	default:
		return unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	}
}

var held []unsafe.Pointer

// Unpin lets go of the memory of arguments, once bindings have read them.
func Unpin() {
	clear(held)
	held = held[:0]
}
