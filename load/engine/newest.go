package engine

import (
	"sync"

	"agstest/internal/redact"
	"agstest/load/hit"
	"agstest/reports"
)

// maxNewest is how many wrong answers of a second are told, the latest ones.
const maxNewest = 5

// newest keeps the latest wrong answers for live views. The tally keeps those of the report.
type newest struct {
	names   []string // of operations
	secrets *redact.Redactor

	mutex sync.Mutex // guards what follows
	ring  [maxNewest]newestWrong
	count int // since the last take
}

type newestWrong struct {
	operation int
	outcome   hit.Outcome
}

// note keeps an outcome where it is wrong. A nil one keeps nothing.
func (n *newest) note(operation int, outcome *hit.Outcome) {
	if n == nil || outcome.Kind == "" {
		return
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.ring[n.count%maxNewest] = newestWrong{operation, *outcome}
	n.count++
}

// take gives what came since the last time, in the order in which it came, without secrets.
func (n *newest) take() []reports.Wrong {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	var all []reports.Wrong
	for at := max(0, n.count-maxNewest); at < n.count; at++ {
		w := &n.ring[at%maxNewest]
		message := w.outcome.Message
		if n.secrets != nil {
			message = n.secrets.Text(message)
		}
		all = append(all, reports.Wrong{Operation: n.names[w.operation], Kind: w.outcome.Kind, Times: 1,
			Message: message, Requirement: w.outcome.Requirement})
	}
	n.ring, n.count = [maxNewest]newestWrong{}, 0
	return all
}
