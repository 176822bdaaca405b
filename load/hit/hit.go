// Package hit is what the parts of a load say to one another about one request: what is sent, what came back, what it means.
package hit

import (
	"errors"
	"time"
)

// Request is one prepared request. The engine owns the struct and reuses it; the workload fills it in Begin.
type Request struct {
	Operation int
	Method    string
	Path      string // below the target's address
	Header    []HeaderField
	Body      []byte
	Client    any // the workload's own
}

// HeaderField is one line of a request header.
type HeaderField struct{ Name, Value string }

// Answer is what came back. Body is valid during End only.
type Answer struct {
	Status     int // 0: none
	Body       []byte
	RetryAfter string
	Truncated  bool // the body was longer than the engine reads
	Resent     bool // it provably never reached the service at first, on a connection that was kept open, and was sent once more
	Err        error
	Sent       time.Time
	Received   time.Time
}

// Outcome says whether the answer was the wanted one.
type Outcome struct {
	// Kind is empty for a right answer; otherwise why it was wrong: status, identity, shape, token, duplicate, throttled, timeout,
	// refused, reset, tls, other.
	Kind string
	// Message explains a wrong answer in one sentence without a secret; the engine keeps the first few of each kind.
	Message string
	// Requirement is the id of the one that a wrong answer breaks; empty: none can be named.
	Requirement string
}

// ErrAborted is the error of exchanges that an interrupt cut off. They say nothing of the service.
var ErrAborted = errors.New("the run was interrupted")

// IsAborted tells an exchange that an interrupt cut off from one that failed.
func IsAborted(err error) bool { return errors.Is(err, ErrAborted) }

// Phases is how long the parts of one exchange took; only what happened is above 0.
type Phases struct {
	DNS, Connect, TLS, Wait, Read time.Duration
	NewConnection                 bool
}
