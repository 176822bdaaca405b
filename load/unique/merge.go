package unique

import (
	"fmt"
	"io"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"

	"agstest/load/hit"
	"agstest/reports"
)

// AllShards stands in place of an operation for faults that show only in the union of the shards. They are in no
// figure, and fail the run.
const AllShards = "all shards"

// maxNamed bounds how many shards a sentence names.
const maxNamed = 6

// Union is the result of merging the values that shards saw.
type Union struct {
	Wrong     []reports.Wrong
	Notes     []string
	Unchecked string // that a shard which came to its end could not be checked; empty: all could
}

// meeting is a value that came to clients of two shards.
type meeting struct{ a, b seenOwner }

type seenOwner struct {
	shard *Left
	owner uint32
}

// Left is one shard's part of the input: its name, the folder of its record, whether it kept watch and whether it came
// to its end. A shard that did not end has left no file, and none is looked for.
type Left struct {
	Name, Folder    string
	Watching, Ended bool
}

// Across finds what came to clients of two shards. It reads the files of all shards side by side, some hundred values
// of each at a time, so that its memory does not grow with their size.
func Across(shards []*Left, of int) Union {
	var u Union
	var readers []*seenReader
	defer func() {
		for _, r := range readers {
			r.file.Close()
		}
	}()
	watching, checked, level := false, 0, 0
	var missing []string
	lost := func(s *Left, why error) {
		if s.Ended { // a shard that broke off has none, as its state tells
			missing = append(missing, fmt.Sprintf("shard %s: %v", s.Name, why))
		}
	}
	for _, s := range shards {
		if !s.Watching {
			continue
		}
		watching = true
		r, err := openSeen(s)
		if err != nil {
			lost(s, err)
			continue
		}
		checked, level = checked+1, max(level, r.head.Level)
		readers = append(readers, r)
	}
	if !watching {
		return u
	}
	m := meetings{factor: rand.Uint64() | 1, found: map[string][]meeting{}, times: map[string]int64{}}
	for len(readers) > 0 {
		readers = slices.DeleteFunc(readers, func(r *seenReader) bool {
			err := r.fill()
			if err == nil {
				return false
			}
			r.file.Close()
			if err != io.EOF {
				checked--
				lost(r.shard, err)
			}
			return true
		})
		m.lookAt(readers)
	}
	u.tell(m.found, m.times)
	note := fmt.Sprintf("uniqueness was checked over %d of %d shards", checked, of)
	if level > 0 {
		note += fmt.Sprintf(", on 1 of %d values", uint64(1)<<level)
	}
	if len(missing) > 0 {
		note += " (" + strings.Join(missing[:min(len(missing), maxNamed)], "; ") + ")"
		u.Unchecked = note
	}
	u.Notes = []string{note}
	return u
}

// meetings finds values that came to two shards.
type meetings struct {
	// slots hold a few bits of each value that is looked at together, 0 where there is none: open addressing, twice as
	// many as values or more, a power of two. They are so few bytes that they stay near the processor; whole values would
	// not, and a map takes five times as long.
	slots  []uint32
	factor uint64 // odd, drawn anew each time, so that no file can be made to fill one corner of the slots
	taken  []taken

	found map[string][]meeting
	times map[string]int64
}

// taken are the values of one shard that are looked at together, in their order.
type taken struct {
	shard  *Left
	values []seenEntry
}

// claim notes the bits of a value, and tells whether they were there before: then the value was, or hardly ever another
// one.
func (m *meetings) claim(value *Digest) (known bool) {
	mask := uint64(len(m.slots) - 1)
	spread := value.Hash * m.factor
	mark := uint32(spread) ^ value.check | 1
	for at := spread >> 32 & mask; ; at = (at + 1) & mask {
		switch m.slots[at] {
		case 0:
			m.slots[at] = mark
			return known
		case mark:
			known = true
		}
	}
}

// owner finds the shard that had a value last, of those that were looked at before.
func (m *meetings) owner(value Digest) (owner seenOwner, found bool) {
	for i := len(m.taken) - 1; i >= 0; i-- {
		t := &m.taken[i]
		if at, found := slices.BinarySearchFunc(t.values, value,
			func(e seenEntry, d Digest) int { return e.compare(d) }); found {
			return seenOwner{t.shard, t.values[at].owner}, true
		}
	}
	return seenOwner{}, false
}

// lookAt takes values from every reader up to the end of the first reader's held ones: equal values are all among them.
func (m *meetings) lookAt(readers []*seenReader) {
	if len(readers) == 0 {
		return
	}
	first := slices.MinFunc(readers, func(a, b *seenReader) int { return a.last.compare(b.last) })
	if need := 2 * readTogether * len(readers); len(m.slots) < need {
		m.slots = make([]uint32, 1<<bits.Len(uint(need-1)))
	}
	clear(m.slots)
	m.taken = m.taken[:0]
	for _, r := range readers {
		values := r.taken(first.last)
		for i := range values {
			if !m.claim(&values[i].Digest) {
				continue
			}
			earlier, again := m.owner(values[i].Digest)
			if !again {
				continue
			}
			what := whatIs(values[i].Hash)
			if m.times[what]++; len(m.found[what]) < hit.MaxExamples {
				m.found[what] = append(m.found[what], meeting{earlier, seenOwner{r.shard, values[i].owner}})
			}
		}
		m.taken = append(m.taken, taken{r.shard, values})
	}
}

// tell reports values that came to two shards, with some examples of each kind, and how often that happened in all.
func (u *Union) tell(found map[string][]meeting, times map[string]int64) {
	all := int64(0)
	for _, n := range times {
		all += n
	}
	for _, what := range []string{seenJTI, seenSession, seenDevice} {
		for _, m := range found[what] {
			u.Wrong = append(u.Wrong, reports.Wrong{Operation: AllShards, Kind: hit.KindDuplicate, Times: all,
				Message: fmt.Sprintf("%s came to two shards: to %s in shard %s and to %s in shard %s",
					what, seenName(m.a.shard, m.a.owner), m.a.shard.Name, seenName(m.b.shard, m.b.owner),
					m.b.shard.Name)})
		}
	}
	u.Wrong = u.Wrong[:min(len(u.Wrong), 3*hit.MaxExamples)]
}

const (
	seenJTI     = "a jti"
	seenSession = "a session token"
	seenDevice  = "the device of a first-time sign-on"
)

// whatIs reads the kind of value from a hash of a sharded run.
func whatIs(hash uint64) string {
	switch hash >> spaceAt & 3 {
	case sharedJTI:
		return seenJTI
	case sharedSession:
		return seenSession
	}
	return seenDevice
}
