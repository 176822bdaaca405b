package steps

import (
	"regexp"

	"agstest/steps/script"
)

var (
	// secondsLater matches sentences that wait because only seconds show their result; see scene.Late.
	secondsLater = regexp.MustCompile(`some seconds later$`)
	// letsTimePass are sentences that wait as long as they say, in scenarios that may.
	letsTimePass = regexp.MustCompile(` pass(es)?$| expires$`)
)

// longSteps are sentences that wait for many answers, one after the other, and about how many.
var longSteps = []struct {
	step   *regexp.Regexp
	length int
}{
	{secondsLater, 60},
	{regexp.MustCompile(`^odd requests are sent to signOut$`), 40},
	{regexp.MustCompile(`^random sequences of calls`), 35},
	{regexp.MustCompile(`near misses of the password`), 20},
	{regexp.MustCompile(`^every listed (path leads to a call|service is known)$`), 15},
	{regexp.MustCompile(`^(near misses|odd requests|generated requests|bodies that are broken|requests that are odd|the client refreshes its tokens .* times)`), 8},
}

// lengthOf is about how many answers a scenario waits for, one after the other.
func lengthOf(s *script.Scenario) (length int) {
	for _, act := range actsOf(s) {
		one := 1
		if s.Tagged(script.TagSlow) && letsTimePass.MatchString(act) {
			one = 1000
		}
		for _, long := range longSteps {
			if long.step.MatchString(act) {
				one = long.length
				break
			}
		}
		length += one
	}
	return length
}
