package runtime

import "unsafe"

// The host asks for memory here, for what it hands over. Nothing is called from in here: the component model forbids
// that a component calls out of it.
//
//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	memory := allocate(uintptr(size), uintptr(align))
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(memory), size), unsafe.Slice((*byte)(old), oldSize))
	}
	if size > 0 {
		held = append(held, memory)
	}
	return memory
}
