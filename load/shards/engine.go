// Package shards runs one load on several generators at once: the shards of one schedule, somewhere else. A Coordinator starts them on an
// Engine, has them set up, starts them all at one instant of their own clocks, watches them, brings their records home and has them
// merged. An Agent is what runs inside each of them.
//
// The two talk HTTP on a port that the engine forwards (Dial), with the token of the run; protocol.go has the messages. No connection is
// needed while the load runs, so that a forward that breaks changes nothing. Where there is no way to a shard at all
// (Coordinator.WithoutDial), the plan holds the instant of the start, and the output of a shard is all that is heard of it
// (announcement.go).
package shards

import (
	"context"
	"io"
	"net"
	"time"
)

// Work is what an engine is to start: the same for every shard. Index and number of shards reach each one through the engine.
type Work struct {
	Run     string            // the run's id; names every object of it
	Shards  int               // 1 to 1,000
	Files   map[string][]byte // by file name: the plan and what it names; no secrets
	Secrets map[string][]byte // by file name: only here are secrets
	Within  time.Duration     // from creation to the end of everything, after which the engine ends what is left by itself
}

// State is where a shard stands, as the engine sees it from outside.
type State string

const (
	Pending   State = "pending"   // not running yet; Reason says why where something is wrong
	Running   State = "running"   //
	Leaving   State = "leaving"   // told to go (evicted, preempted, drained, deleted): what it has must be fetched now
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
	Message  []byte        // what the process left at its end (Ending, as JSON); nil before
}

// LogOptions say which part of an output is wanted. The zero value is all that there is at this moment.
type LogOptions struct {
	Follow bool // what is still to come too, until the process has ended
	Tail   int  // the last lines only; 0: all
}

// Engine starts shards and reaches them. All methods are safe for concurrent use; errors are sentences for people, of the kinds of
// package failure.
type Engine interface {
	// Check says before anything is made what is missing: the engine, its version, rights.
	Check(ctx context.Context) error
	// Create makes everything and lets it start. What was made before an error is removed again.
	Create(ctx context.Context, work Work) error
	// Watch tells of every shard at once and then of each change, until ctx ends; it survives interruptions of the engine itself.
	// Several changes may be told in one. The channel is closed when ctx has ended.
	Watch(ctx context.Context, run string) <-chan []Sight
	// Dial connects to the control port of a shard.
	Dial(ctx context.Context, run string, index int) (net.Conn, error)
	// Log gives the output of a shard, as far as the engine still has it.
	Log(ctx context.Context, run string, index int, o LogOptions) (io.ReadCloser, error)
	// Find reads back the work of a run that another coordinator began, for collecting it; without Secrets but the token of the run.
	Find(ctx context.Context, run string) (*Work, error)
	// Remove deletes everything of a run; nothing to delete is no error.
	Remove(ctx context.Context, run string) error
}
