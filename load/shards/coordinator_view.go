package shards

import (
	"sync"
	"time"
)

// view is the newest sight of every shard.
type view struct {
	mutex   sync.Mutex // guards what follows
	sights  []seen
	changed chan struct{} // closed at the next change
}

// seen is a sight and when it was told.
type seen struct {
	Sight
	at time.Time // zero: never
}

func newView(shards int) *view {
	v := &view{sights: make([]seen, shards), changed: make(chan struct{})}
	for i := range v.sights {
		v.sights[i].Sight = Sight{Index: i, State: Pending}
	}
	return v
}

// follow takes what an engine tells until it tells no more.
func (v *view) follow(told <-chan []Sight) {
	for sights := range told {
		v.mutex.Lock()
		for _, s := range sights {
			if s.Index < 0 || s.Index >= len(v.sights) {
				continue
			}
			if s.Node == "" { // it is known from before that it ran there
				s.Node = v.sights[s.Index].Node
			}
			if s.Name == "" {
				s.Name = v.sights[s.Index].Name
			}
			if s.Message == nil {
				s.Message = v.sights[s.Index].Message
			}
			v.sights[s.Index] = seen{Sight: s, at: time.Now()}
		}
		close(v.changed)
		v.changed = make(chan struct{})
		v.mutex.Unlock()
	}
}

// all returns every sight, and a channel that closes when one of them changes.
func (v *view) all() ([]seen, <-chan struct{}) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return append([]seen(nil), v.sights...), v.changed
}

func (v *view) of(index int) (seen, <-chan struct{}) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.sights[index], v.changed
}

// over tells that the process of a shard has ended, or that there is nothing left of it.
func (s State) over() bool { return s == Succeeded || s == Failed || s == Gone }

// waits returns how long the cause in its sight has held a shard up; 0 if none does.
func (s seen) waits() time.Duration {
	if s.State != Pending || s.Reason == "" || s.at.IsZero() {
		return 0
	}
	return s.Since + time.Since(s.at)
}
