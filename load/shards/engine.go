// Package shards runs one load on several generators at once: the shards of one schedule, somewhere else. A Coordinator
// makes them on an Engine, lets them set up, starts them all at one instant of their own clocks, watches them, brings
// their records home and merges them. An Agent runs inside each shard.
//
// Coordinator and Agent talk HTTP on a port that the engine forwards (Dial), with the token of the run; protocol.go has
// the messages. The load needs no connection while it runs, so a forward that breaks changes nothing. If there is no
// way to a shard at all (Coordinator.WithoutDial), the plan holds the instant of the start, and the coordinator only
// reads the output of a shard (frame.go).
package shards

import (
	"context"
	"io"
	"net"
	"time"
)

// Work is the order to an engine, the same for every shard. The engine tells each shard its index and the number of
// shards.
type Work struct {
	Run     string            // the run's id; names every object of it
	Shards  int               // 1 to 1,000
	Files   map[string][]byte // by file name: the plan and the files it names; no secrets
	Secrets map[string][]byte // by file name: only here are secrets
	Within  time.Duration     // from creation to the end of everything, after which the engine itself ends the rest
}

// State is the state of a shard, as the engine sees it from outside.
type State string

const (
	Pending   State = "pending"   // not running yet; Reason says why where something is wrong
	Running   State = "running"   //
	Leaving   State = "leaving"   // told to go (evicted, preempted, drained, deleted): its result must be fetched now
	Unsure    State = "unsure"    // its node no longer answers
	Succeeded State = "succeeded" // its process ended with 0
	Failed    State = "failed"    // its process ended otherwise, or never will run; Reason says why
	Gone      State = "gone"      // there is nothing left of it
)

// Sight is one look at one shard.
type Sight struct {
	Index    int    // from 0
	Name     string // of the pod
	Node     string // empty: not placed yet
	State    State
	Reason   string        // one sentence for people; empty where nothing is wrong
	Since    time.Duration // how long it has been in a Pending with this Reason
	Hopeless bool          // a Pending that will not mend itself: image missing, configuration refused
	Message  []byte        // the process's last words (Ending, as JSON); nil before its end
}

// LogOptions say which part of an output is wanted. The zero value is all that there is at this moment.
type LogOptions struct {
	Follow bool // read on until the process has ended
	Tail   int  // the last lines only; 0: all
}

// Engine starts shards and reaches them. All methods are safe for concurrent use; errors are sentences for people, of
// the kinds of package failure.
type Engine interface {
	// Check says what is missing before anything is made: the engine, its version, rights.
	Check(ctx context.Context) error
	// Create makes everything and lets it start. Before it returns an error it removes all it made.
	Create(ctx context.Context, work Work) error
	// Watch reports every shard at once and then each change, until ctx ends; it survives interruptions of the engine
	// itself. Several changes may come in one. The channel is closed when ctx has ended.
	Watch(ctx context.Context, run string) <-chan []Sight
	// Dial connects to the control port of a shard.
	Dial(ctx context.Context, run string, index int) (net.Conn, error)
	// Log gives the output of a shard, as far as the engine still has it.
	Log(ctx context.Context, run string, index int, o LogOptions) (io.ReadCloser, error)
	// Find reads back the work of a run that another coordinator began, for collecting it; without Secrets but the token
	// of the run.
	Find(ctx context.Context, run string) (*Work, error)
	// Remove deletes everything of a run; nothing to delete is no error.
	Remove(ctx context.Context, run string) error
}
