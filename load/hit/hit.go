// Package hit holds the types of one request that the packages below load share: the request, its answer and its
// outcome.
//
// The client in load/clients makes a [Request], load/transport carries it and returns an [Answer], and the client
// judges the answer into an [Outcome]. load/tally counts outcomes by their kind. The package has no logic of its own,
// so that these packages need not know each other.
package hit

import (
	"errors"
	"iter"
	"time"
)

// Request is one prepared request. The engine owns the struct and reuses it; the workload fills it in Begin.
type Request struct {
	Operation int
	Method    string
	Path      string // below the target's address
	Header    []HeaderField
	// Authorization is the value of the header of that name, which is sent behind Header; empty: there is none. It is a
	// long one that each request has a new one of, so that its room is used again.
	Authorization []byte
	Body          []byte
	// KeepCookies: the Set-Cookie lines of the answer are wanted.
	KeepCookies bool
	Client      any // the workload's own
	// Who is the number of the virtual client that sends the request, from 1; 0: no client.
	Who uint32
	// CorrelationID and TraceParent are the values of the headers x-correlation-id and traceparent, which Header holds
	// too; empty: there is no such header.
	CorrelationID, TraceParent string
}

// HeaderField is one line of a request header.
type HeaderField struct{ Name, Value string }

// Answer is the answer of the service. Body and Header are valid during End only.
type Answer struct {
	Status int // 0: none
	Body   []byte
	Header Header // nil: none came
	// the trace that the service named in traceresponse or traceparent; empty: it named none, or the request had none
	TraceBack  string
	RetryAfter string
	Date       string   // the service's clock, in answers from 400 on
	SetCookie  []string // where the request asked for them
	Truncated  bool     // the body was longer than the engine reads
	// it provably never reached the service at first, on a connection that was kept open, and was sent once more
	Resent   bool
	Err      error
	Sent     time.Time
	Received time.Time
}

// Header reads the header fields of an answer.
type Header interface {
	// Get returns the first value of a field, whose name may be in any case; empty if there is none.
	Get(name string) string
	// All goes through all fields.
	All() iter.Seq2[string, string]
}

// Outcome says whether the answer was the wanted one.
type Outcome struct {
	// Kind is empty for a right answer; otherwise why it was wrong: status, identity, shape, token, duplicate, throttled,
	// timeout, refused, reset, tls, other.
	Kind string
	// Message explains a wrong answer in one sentence without a secret; the engine keeps the first few of each kind.
	Message string
	// Requirement is the id of the requirement that a wrong answer breaks; empty: it breaks none by name.
	Requirement string
}

// ErrAborted is the error of exchanges that an interrupt cut off. They say nothing about the service.
var ErrAborted = errors.New("the run was interrupted")

// IsAborted tells whether err comes from an exchange that an interrupt cut off, rather than one that failed.
func IsAborted(err error) bool { return errors.Is(err, ErrAborted) }

// Phases is how long the parts of one exchange took; only what happened is above 0.
type Phases struct {
	DNS, Connect, TLS, Wait, Read time.Duration
	NewConnection                 bool
}
