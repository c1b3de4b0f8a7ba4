package tenter

import (
	"runtime/debug"
	"unsafe"

	"tenter/internal/bind/tenter_hooks_log"
	_ "tenter/internal/bind/wit_exports" // what the host calls
)

func writeLog(level uint8, message string) { tenter_hooks_log.Write(level, message) }

// The adapter puts lines of standard output together here; see adapter/adapter.wat.
var room [4096]byte

//go:wasmimport wasi_snapshot_preview1 tenter_room
func adapterRoom(address unsafe.Pointer, size uint32)

//go:wasmimport wasi_snapshot_preview1 tenter_begin
func adapterBegin()

//go:wasmimport wasi_snapshot_preview1 tenter_end
func adapterEnd()

// memoryGoal is below the default limit of a call, so that memory is collected before the host ends the instance.
const memoryGoal = 44 << 20

func init() {
	adapterRoom(unsafe.Pointer(&room), uint32(len(room)))
	debug.SetMemoryLimit(memoryGoal)
	begin, end = adapterBegin, adapterEnd
	bind()
}
