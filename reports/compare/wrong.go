package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// WrongAnswers are the answers of one kind to one operation of the new load run that were not right.
type WrongAnswers struct {
	Operation string `json:"operation"`
	Kind      string `json:"kind"` // as in Operation.Outcomes of a load
	// Defect: a single answer of this kind is a defect, however rare: another client's answer, something unique that came
	// twice, a token that breaks a rule, a body that the call does not give.
	Defect bool `json:"defect,omitempty"`
	// Failed: the new run failed for them, by a limit or without one.
	Failed bool `json:"failed,omitempty"`
	// Confirming: they are of the run that confirms the new one, whose build is the same.
	Confirming bool  `json:"confirming,omitempty"`
	Count      int64 `json:"count"`
	Sent       int64 `json:"sent"`
	// Old are the answers of the kind in the old run, of OldSent; both 0 where there is no one old run.
	Old     int64 `json:"old,omitempty"`
	OldSent int64 `json:"oldSent,omitempty"`
}

// wrongWords describe the kinds that need words.
var wrongWords = map[string]string{
	"identity": "belonged to another client", "duplicate": "gave what must be unique a second time",
	"token": "held a token that breaks a rule",
	"shape": "had a body that the call does not give", "status": "had a wrong status",
	"throttled": "asked to come again later",
	"timeout":   "did not come in time", "refused": "were not given: the connection was refused",
	"reset": "were not given: the connection was closed",
	"tls":   "were not given: TLS failed", "machine": "were not given: this machine could open no connection",
}

// String returns one sentence without a full stop: "signon: 3 of 200 answers belonged to another client (none of 200
// before)".
func (w WrongAnswers) String() string {
	operation := w.Operation
	if w.Confirming {
		operation += " in the confirming run"
	}
	text := fmt.Sprintf("%s: %s of %s answers %s", operation, figures.Count(w.Count), figures.Count(w.Sent),
		cmp.Or(wrongWords[w.Kind], "were wrong in another way"))
	switch {
	case w.OldSent > 0 && w.Old == 0:
		text += fmt.Sprintf(" (none of %s before)", figures.Count(w.OldSent))
	case w.OldSent > 0:
		text += fmt.Sprintf(" (%s of %s before)", figures.Count(w.Old), figures.Count(w.OldSent))
	}
	return text
}

// wrongOfNew lists the wrong answers of the new run: defects first, in the order of their gravity, and then by their
// number. The old run may be nil.
func wrongOfNew(old, new *reports.Load) []WrongAnswers {
	if new == nil {
		return nil
	}
	operations := new.Operations
	if len(operations) == 0 && new.Total != nil {
		operations = map[string]*reports.Operation{allOperations: new.Total}
	}
	var found []WrongAnswers
	for name, o := range operations {
		if o == nil {
			continue
		}
		for kind, n := range o.Outcomes {
			if n <= 0 {
				continue
			}
			w := WrongAnswers{Operation: name, Kind: kind, Defect: slices.Contains(untrueKinds, kind), Count: n,
				Sent: o.Sent}
			if verdict, _ := new.JudgedWrong(name, kind); new.Verdict == reports.Fail && verdict == reports.Fail {
				w.Failed = true
			}
			if old != nil && old.Operations[name] != nil {
				w.Old, w.OldSent = old.Operations[name].Outcomes[kind], old.Operations[name].Sent
			}
			found = append(found, w)
		}
	}
	sortWrong(found)
	return found
}

// sortWrong puts defects first, in the order of their gravity, and then the most frequent.
func sortWrong(found []WrongAnswers) {
	gravity := func(w WrongAnswers) int {
		if i := slices.Index(untrueKinds, w.Kind); i >= 0 {
			return i
		}
		return len(untrueKinds)
	}
	slices.SortStableFunc(found, func(a, b WrongAnswers) int {
		return cmp.Or(gravity(a)-gravity(b), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Operation, b.Operation),
			cmp.Compare(a.Kind, b.Kind))
	})
}

// confirmWrong adds what the confirming run says: its build is that of the new run, so what was wrong there is wrong,
// and where it failed the comparison ends no milder.
func (c *Comparison) confirmWrong(confirm *reports.Load) {
	for _, w := range wrongOfNew(nil, confirm) {
		w.Confirming = true
		c.Wrong = append(c.Wrong, w)
	}
	sortWrong(c.Wrong)
	if confirm.Verdict != reports.Fail {
		return
	}
	if c.Verdict != reports.Regressed {
		c.Verdict = reports.Graver(c.Verdict, reports.Fail)
	}
	c.Reason = fmt.Sprintf("The confirming load run says %s: %s. %s", confirm.Verdict.Word(),
		strings.TrimSuffix(confirm.Reason, "."), c.Reason)
}
