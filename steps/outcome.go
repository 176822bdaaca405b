package steps

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
)

// What a step can say beyond "it holds" is an error of one of these types.

// missed: the service did something else than the step demands. A soft miss warns.
type missed struct {
	expected, got string
	soft          bool
	about         string // the one requirement that was missed; empty: each one of the scenario
}

func (m *missed) Error() string { return "expected " + m.expected + ", got " + m.got }

// notTestable: the environment lacks what the scenario needs.
type notTestable struct {
	reason string
	needs  string // what the environment file would need
}

func (n *notTestable) Error() string { return n.reason }

// unknown: it cannot be told whether the service is right, because it did not answer or an earlier call did not work.
type unknown struct {
	reason  string
	passing bool // a limiter or a lost connection stood in the way, so that another try may well tell
}

func (u *unknown) Error() string { return u.reason }

// seen: what the service does is recorded, and nothing says whether it is right. The scenario ends here.
type seen struct{ what string }

func (s *seen) Error() string { return s.what }

func missf(expected, format string, args ...any) error {
	return &missed{expected: expected, got: fmt.Sprintf(format, args...)}
}

func softMissf(expected, format string, args ...any) error {
	return &missed{expected: expected, got: fmt.Sprintf(format, args...), soft: true}
}

func unknownf(format string, args ...any) error {
	return &unknown{reason: fmt.Sprintf(format, args...)}
}

// passingf is an unknown of which another try may well tell.
func passingf(format string, args ...any) error { return &unknown{fmt.Sprintf(format, args...), true} }

func lacking(needs, format string, args ...any) error {
	return &notTestable{fmt.Sprintf(format, args...), needs}
}

// expectations collects what testify's assertions say, for a step that compares several things. It stores instead of printing, so
// that nothing reaches a stream unredacted, and it keeps the text as it is: percent signs stay percent signs.
type expectations struct{ failures []string }

// Errorf implements assert.TestingT.
func (e *expectations) Errorf(format string, args ...any) {
	e.failures = append(e.failures, withoutTrace(fmt.Sprintf(format, args...)))
}

// errStop ends a step whose require failed.
var errStop = errors.New("stop")

// FailNow implements require.TestingT: the step ends here, its wrapper recovers.
func (e *expectations) FailNow() { panic(errStop) }

// Helper is called by assertions.
func (e *expectations) Helper() {}

// err is the miss that the failed assertions make.
func (e *expectations) err(expected string) error {
	if len(e.failures) == 0 {
		return nil
	}
	return &missed{expected: expected, got: strings.Join(e.failures, "; ")}
}

// checking runs assertions and turns what they say into one miss.
func checking(expected string, assertions func(e *expectations)) (err error) {
	e := &expectations{}
	defer func() {
		if r := recover(); r != nil && r != any(errStop) {
			panic(r)
		}
		err = e.err(expected)
	}()
	assertions(e)
	return nil
}

// withoutTrace says what a failed assertion is about and what was wrong, and leaves out where in this program it was made, and the difference, which repeats it.
func withoutTrace(text string) string {
	var said, about []string
	label := ""
	for _, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		for _, l := range []string{"Error Trace:", "Error:", "Messages:", "Test:", "Diff:"} {
			if strings.HasPrefix(trimmed, l) {
				label, trimmed = l, strings.TrimSpace(strings.TrimPrefix(trimmed, l))
			}
		}
		switch {
		case trimmed == "":
		case label == "Messages:":
			about = append(about, trimmed)
		case label == "Error:" || label == "":
			said = append(said, trimmed)
		}
	}
	words := notEqual.ReplaceAllString(strings.Join(said, " "), "expected $1, got $2")
	if len(about) > 0 {
		words = strings.Join(about, " ") + ": " + words
	}
	return words
}

// notEqual is how testify says that two values are not the same.
var notEqual = regexp.MustCompile(`^Not equal: expected\s*: (.*) actual\s*: (.*)$`)

// near wants two moments or lifetimes, in seconds, to be the same but for a tolerance.
func near(e *expectations, a, b int64, tolerance float64, what string) {
	if apart := math.Abs(float64(a) - float64(b)); apart > tolerance {
		e.failures = append(e.failures, fmt.Sprintf("%s: %d and %d are %.0f s apart, and %.0f s are tolerated", what, a, b, apart, tolerance))
	}
}
