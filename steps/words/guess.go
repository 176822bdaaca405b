package words

import (
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/steps/talk"
)

// fewestIssued are so many tokens that three which nobody can guess hardly ever come in the order of their size.
const fewestIssued = 4

// unguessable holds tokens that were issued one after the other against each other.
func unguessable(issued []string) error {
	if len(issued) < fewestIssued {
		return talk.Unknownf("%s came in place of %d", figures.Plural(len(issued), "session token"), fewestIssued)
	}
	for i, token := range issued {
		for _, other := range issued[:i] {
			if token == other {
				return &talk.Seen{What: "the same session token came again while it is good, so that nothing shows how the next is made"}
			}
		}
	}
	const expected = "session tokens that nobody can guess from one another"
	switch found, how := check.Guess(issued); found {
	case check.Broken:
		return talk.Missf(expected, "%s", how)
	case check.Soft:
		return talk.SoftMissf(expected, "%s", how)
	}
	return nil
}
