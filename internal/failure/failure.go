// Package failure keeps apart why a command could not do its work, so that a pipeline can tell a broken pipeline from a
// broken service.
//
// Start with Usagef and Setupf, which make an error of a kind, and KindOf, which finds the kind of an error; it becomes
// the exit code of the command. What has no kind is our own mistake (Internal). A text is one sentence: what was tried,
// why it failed, what to do; it holds no secret.
//
//	if err := os.MkdirAll(folder, 0o700); err != nil {
//		return failure.Setupf("making the folder of the run: %w", err)
//	}
//
// Every goroutine that we start defers Guard, so that a panic is told without the values of the program. DidYouMean and
// OrNearest propose the word that was meant by a mistyped one. All functions may be called at the same time.
package failure

import (
	"errors"
	"fmt"
)

// Kind says whose fault it is. Its value is the exit code.
type Kind int

// The kinds. Usage: a flag or a file is wrong, nothing was sent. Setup: the service is not reachable, or did not give
// something that a run needs, so nothing was judged. Output: the results could not be written. Internal: our own fault.
const (
	Usage    Kind = 2
	Setup    Kind = 3
	Output   Kind = 6
	Internal Kind = 70
)

// failure is an error of a kind; its text is one sentence that names the attempt and what to do, without a secret in
// it.
type failure struct {
	kind Kind
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Usagef is an error of the kind Usage.
func Usagef(format string, args ...any) error { return &failure{Usage, fmt.Errorf(format, args...)} }

// Setupf is an error of the kind Setup.
func Setupf(format string, args ...any) error { return &failure{Setup, fmt.Errorf(format, args...)} }

// Outputf is an error of the kind Output.
func Outputf(format string, args ...any) error { return &failure{Output, fmt.Errorf(format, args...)} }

// KindOf returns the kind of an error: the outermost one in its chain, Internal if it has none.
func KindOf(err error) Kind {
	var f *failure
	if errors.As(err, &f) {
		return f.kind
	}
	return Internal
}
