package transport

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// winsockSelect is select of Winsock. Go's sockets wait for completions, so that there is no other way to look without
// reading.
var winsockSelect = windows.NewLazySystemDLL("ws2_32.dll").NewProc("select")

// waits tells whether a read of a socket would return at once: with bytes, the end, or an error.
func waits(fd uintptr) bool {
	set := struct {
		count   uint32
		sockets [64]uintptr
	}{count: 1}
	set.sockets[0] = fd
	var now struct{ seconds, micros int32 } // zero: look and return
	n, _, _ := winsockSelect.Call(0, uintptr(unsafe.Pointer(&set)), 0, 0, uintptr(unsafe.Pointer(&now)))
	return int32(n) != 0
}
