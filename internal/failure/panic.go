package failure

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
)

// crashed is told of a panic by Guard.
var crashed atomic.Pointer[func(place string)]

// OnPanic sets the function that Guard calls at a panic, with the place in our code where it began. Tell ends the
// process and does not return. Until OnPanic is called, and after OnPanic(nil), a panic goes on as Go's own.
func OnPanic(tell func(place string)) {
	if tell == nil {
		crashed.Store(nil)
		return
	}
	crashed.Store(&tell)
}

// Guard is deferred in every goroutine that we start, and in every function that a library calls on a goroutine of its
// own, as the last deferred call: so nobody who waits for the goroutine goes on before the process ends. Without it the
// runtime prints the value of a panic, which may hold a secret, and ends with the exit code of a usage error.
func Guard() {
	tell := crashed.Load()
	if tell == nil {
		return
	}
	if r := recover(); r != nil {
		(*tell)(PanickedAt())
		select {} // another goroutine ends the process
	}
}

// PanickedAt names the function of ours that panicked, and its line. It is called while the panic is being recovered.
func PanickedAt() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicking := false
	for {
		frame, more := frames.Next()
		if panicking && (strings.HasPrefix(frame.Function, "agstest/") || strings.HasPrefix(frame.Function, "main.")) {
			return fmt.Sprintf("%s, line %d", frame.Function, frame.Line)
		}
		panicking = panicking || frame.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}
