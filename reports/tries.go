package reports

import "fmt"

// Tries counts how often something showed, of the times it could have: a failing scenario is tried again, and --repeat
// plays each several times. A fault that shows each time is always so, one that shows less often is so sometimes, and
// both count.
type Tries struct {
	Times  int `json:"times"`  // how often it was tried and the try told something
	Showed int `json:"showed"` // of those, how often it showed
	// First is the number of the first try in which it showed, counted from 1.
	First int `json:"first"`
}

// Sometimes tells that not each try showed it.
func (t *Tries) Sometimes() bool { return t != nil && t.Showed < t.Times }

// Words say it of a verdict: "fails sometimes (1 of 3)"; empty where there is nothing to say.
func (t *Tries) Words(v Verdict) string {
	if t == nil || t.Times < 2 || t.Showed == 0 {
		return ""
	}
	does := map[Verdict]string{Fail: "fails", Known: "fails", Warn: "warns", Error: "cannot be told"}[v]
	if does == "" {
		return ""
	}
	how := "always"
	if t.Sometimes() {
		how = "sometimes"
	}
	text := fmt.Sprintf("%s %s (%d of %d)", does, how, t.Showed, t.Times)
	if t.Sometimes() && t.First > 1 {
		text += fmt.Sprintf(", first in try %d", t.First)
	}
	return text
}

// said puts the words before a sentence about the same.
func (t *Tries) said(v Verdict, sentence string) string {
	if words := t.Words(v); words != "" {
		return words + ": " + sentence
	}
	return sentence
}
