package tally

import (
	"cmp"
	"slices"

	"agstest/reports"
)

// keptNewest is how many of the newest wrong answers of each kind stand with their exchanges at the end of a record
// that goes on, for a run that is killed.
const keptNewest = 5

// newestFrame is the last block of a record that goes on. The next second is written over it.
type newestFrame struct {
	Newest []reports.Wrong `json:"newest"`
}

// newestKey is one wrong answer.
type newestKey struct {
	wrongKey
	number uint64
}

// newestShown caches the newest wrong answers as they were shown, so that each is prepared for a report only once.
type newestShown map[newestKey]reports.Wrong

// Newest are the newest wrong answers of each kind with their exchanges, but for those that Take gave with theirs. It
// is called by the goroutine that takes.
func (t *Tally) Newest() []reports.Wrong {
	t.mu.Lock()
	var news []newExample
	shown := newestShown{}
	for key, found := range t.wrong {
		last := found.last[max(0, len(found.last)-keptNewest):]
		for _, e := range last {
			if e.fresh || slices.Contains(found.first, e) {
				continue // no frame has it yet, or one has it whole
			}
			id := newestKey{key, e.keptHit.number}
			if w, before := t.newest[id]; before {
				shown[id] = w
				continue
			}
			e.lent = true
			news = append(news, newExample{key, e, true})
		}
	}
	t.mu.Unlock()
	sortExamples(news)
	for i, w := range t.show(news) {
		shown[newestKey{news[i].key, w.Hit.Number}] = w
	}
	t.newest = shown
	all := make([]reports.Wrong, 0, len(shown))
	for _, w := range shown {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b reports.Wrong) int { return cmp.Compare(a.Hit.Number, b.Hit.Number) })
	return all
}
