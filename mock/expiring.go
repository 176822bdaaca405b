package mock

import "time"

// expiring keeps values until their time is over. It holds at most limit; each put looks at two kept ones and drops
// those whose time is over, so that no put takes long and ended values go within half a round. The caller holds the
// mutex of the state.
type expiring[V any] struct {
	limit   int
	entries map[string]expiringEntry[V]
	keys    []string // of entries, and of some that were removed
	hand    int      // where in keys the next look goes
}

type expiringEntry[V any] struct {
	value   V
	expires time.Time
}

// roomForExpired is how many are held before any is dropped, so that small numbers can still be told to be over, not
// unknown.
const roomForExpired = 4096

func newExpiring[V any](limit int) expiring[V] {
	return expiring[V]{limit: limit, entries: map[string]expiringEntry[V]{}}
}

// put keeps a value; false tells that there is no room for it.
func (e *expiring[V]) put(key string, value V, expires, now time.Time) bool {
	if len(e.keys) >= min(roomForExpired, e.limit) {
		e.look(now)
		e.look(now)
	}
	if len(e.entries) >= e.limit {
		return false
	}
	e.entries[key] = expiringEntry[V]{value, expires}
	e.keys = append(e.keys, key)
	return true
}

func (e *expiring[V]) look(now time.Time) {
	if e.hand >= len(e.keys) {
		e.hand = 0
	}
	if len(e.keys) == 0 {
		return
	}
	key := e.keys[e.hand]
	if entry, kept := e.entries[key]; kept && !entry.expires.Before(now) {
		e.hand++
		return
	}
	delete(e.entries, key)
	last := len(e.keys) - 1
	e.keys[e.hand], e.keys[last] = e.keys[last], ""
	e.keys = e.keys[:last]
}

func (e *expiring[V]) get(key string) (V, time.Time, bool) {
	entry, found := e.entries[key]
	return entry.value, entry.expires, found
}

func (e *expiring[V]) change(key string, value V) {
	entry := e.entries[key]
	entry.value = value
	e.entries[key] = entry
}

func (e *expiring[V]) remove(key string) { delete(e.entries, key) }
