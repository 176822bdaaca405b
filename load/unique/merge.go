package unique

import (
	"container/heap"
	"fmt"
	"io"
	"strings"

	"agstest/load/hit"
	"agstest/reports"
)

// AllShards is what is listed that shows only in the union of the shards. It is in no figure, and fails the run.
const AllShards = "all shards"

// maxNamed bounds how many shards a sentence names.
const maxNamed = 6

// Union is what the merge of what shards saw has found.
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

// Left is what a shard of a run left: its name, the folder of its record, whether it kept watch and whether it came to
// its end. One that did not has left no file, and nobody asks for it.
type Left struct {
	Name, Folder    string
	Watching, Ended bool
}

// Across finds what came to clients of two shards. It reads the files of all shards side by side, value by value, so
// that its memory does not grow with their size.
func Across(shards []*Left, of int) Union {
	var u Union
	var readers seenHeap
	defer func() {
		for _, r := range readers {
			r.file.Close()
		}
	}()
	watching, checked, level := false, 0, 0
	var missing []string
	lost := func(s *Left, why error) {
		if s.Ended { // of one that broke off there is none, which its state tells
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
	// Each one reads its first value before they are ordered by it.
	opened := readers
	readers = readers[:0:0]
	advance := func(r *seenReader) bool {
		err := r.next()
		if err == nil {
			return true
		}
		r.file.Close()
		if err != io.EOF {
			checked--
			lost(r.shard, err)
		}
		return false
	}
	for _, r := range opened {
		if advance(r) {
			readers = append(readers, r)
		}
	}
	heap.Init(&readers)
	found := map[string][]meeting{}
	times := map[string]int64{}
	var last seenEntry
	var first *seenReader
	for len(readers) > 0 {
		r := readers[0]
		if first != nil && r.entry.Digest == last.Digest {
			what := whatIs(last.Hash)
			if times[what]++; len(found[what]) < hit.MaxExamples {
				found[what] = append(found[what], meeting{seenOwner{first.shard, last.owner},
					seenOwner{r.shard, r.entry.owner}})
			}
		}
		first, last = r, r.entry
		if advance(r) {
			heap.Fix(&readers, 0)
		} else {
			heap.Pop(&readers)
		}
	}
	u.tell(found, times)
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

// tell says what came to two shards, with some examples of each kind, and how often that was in all.
func (u *Union) tell(found map[string][]meeting, times map[string]int64) {
	all := int64(0)
	for _, n := range times {
		all += n
	}
	for _, what := range []string{seenJTI, seenSession, seenDevice} {
		for _, m := range found[what] {
			u.Wrong = append(u.Wrong, reports.Wrong{Operation: AllShards, Kind: hit.KindDuplicate, Times: all,
				Message: fmt.Sprintf("%s came to two shards: to %s in shard %s and to %s in shard %s",
					what, seenName(m.a.shard, m.a.owner), m.a.shard.Name, seenName(m.b.shard, m.b.owner), m.b.shard.Name)})
		}
	}
	u.Wrong = u.Wrong[:min(len(u.Wrong), 3*hit.MaxExamples)]
}

const (
	seenJTI     = "a jti"
	seenSession = "a session token"
	seenDevice  = "the device of a first-time sign-on"
)

// whatIs reads from the hash of a sharded run what it is a hash of.
func whatIs(hash uint64) string {
	switch hash >> spaceAt & 3 {
	case sharedJTI:
		return seenJTI
	case sharedSession:
		return seenSession
	}
	return seenDevice
}

// seenHeap orders shards by the value that each has read.
type seenHeap []*seenReader

func (h seenHeap) Len() int           { return len(h) }
func (h seenHeap) Less(i, j int) bool { return h[i].entry.compare(h[j].entry.Digest) < 0 }
func (h seenHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *seenHeap) Push(x any)        { *h = append(*h, x.(*seenReader)) }
func (h *seenHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
