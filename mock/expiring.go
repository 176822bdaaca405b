package mock

import "time"

// expiring keeps values until their time is over. It holds at most limit live ones; the expired are swept when the map has grown to
// twice what the last sweep left, so that a sweep costs little a put. The caller holds the mutex of the state.
type expiring[V any] struct {
	limit   int
	entries map[string]expiringEntry[V]
	sweepAt int
}

type expiringEntry[V any] struct {
	value   V
	expires time.Time
}

const smallestSweep = 4096

func newExpiring[V any](limit int) expiring[V] {
	return expiring[V]{limit: limit, entries: map[string]expiringEntry[V]{}, sweepAt: smallestSweep}
}

// put keeps a value; false tells that there is no room for it.
func (e *expiring[V]) put(key string, value V, expires, now time.Time) bool {
	if len(e.entries) >= e.sweepAt {
		for k, entry := range e.entries {
			if entry.expires.Before(now) {
				delete(e.entries, k)
			}
		}
		e.sweepAt = max(smallestSweep, 2*len(e.entries))
	}
	if len(e.entries) >= e.limit {
		return false
	}
	e.entries[key] = expiringEntry[V]{value, expires}
	return true
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
