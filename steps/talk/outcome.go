package talk

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
)

// A step that does not simply hold returns an error of one of these types.

// Missed: the service did something else than the step demands. A soft miss warns.
type Missed struct {
	Expected, Got string
	Soft          bool
	About         string // the one requirement that was missed; empty: each one of the scenario
}

func (m *Missed) Error() string { return "expected " + m.Expected + ", got " + m.Got }

// NotTestable means that the environment lacks something that the scenario needs.
type NotTestable struct {
	Reason string
	Needs  string // what the environment file would need
}

func (n *NotTestable) Error() string { return n.Reason }

// Unknown: it cannot be told whether the service is right, because it did not answer or an earlier call did not work.
type Unknown struct {
	Reason  string
	Passing bool // a limiter or a lost connection stood in the way, so that another try may well tell
}

func (u *Unknown) Error() string { return u.Reason }

// Seen means that the behaviour of the service is recorded, and nothing says whether it is right. The scenario ends
// here.
type Seen struct{ What string }

func (s *Seen) Error() string { return s.What }

func Missf(expected, format string, args ...any) error {
	return &Missed{Expected: expected, Got: fmt.Sprintf(format, args...)}
}

func SoftMissf(expected, format string, args ...any) error {
	return &Missed{Expected: expected, Got: fmt.Sprintf(format, args...), Soft: true}
}

func Unknownf(format string, args ...any) error {
	return &Unknown{Reason: fmt.Sprintf(format, args...)}
}

// Passingf is an unknown of which another try may well tell.
func Passingf(format string, args ...any) error { return &Unknown{fmt.Sprintf(format, args...), true} }

func Lacking(needs, format string, args ...any) error {
	return &NotTestable{fmt.Sprintf(format, args...), needs}
}

// Expectations collects the messages of testify's assertions, for a step that compares several things. It stores
// instead of printing, so that nothing reaches a stream unredacted, and it keeps the text as it is: percent signs stay
// percent signs.
type Expectations struct{ Failures []string }

// Errorf implements assert.TestingT.
func (e *Expectations) Errorf(format string, args ...any) {
	e.Failures = append(e.Failures, withoutTrace(fmt.Sprintf(format, args...)))
}

// errStop ends a step whose require failed.
var errStop = errors.New("stop")

// FailNow implements require.TestingT: the step ends here, its wrapper recovers.
func (e *Expectations) FailNow() { panic(errStop) }

// Helper is called by assertions.
func (e *Expectations) Helper() {}

// err is the miss that the failed assertions make.
func (e *Expectations) err(expected string) error {
	if len(e.Failures) == 0 {
		return nil
	}
	return &Missed{Expected: expected, Got: strings.Join(e.Failures, "; ")}
}

// Checking runs assertions and turns what they say into one miss.
func Checking(expected string, assertions func(e *Expectations)) (err error) {
	e := &Expectations{}
	defer func() {
		if r := recover(); r != nil && r != any(errStop) {
			panic(r)
		}
		err = e.err(expected)
	}()
	assertions(e)
	return nil
}

// withoutTrace returns the subject and the fault of a failed assertion, without its place in this program and the
// difference, which repeats the fault.
func withoutTrace(text string) string {
	var said, about []string
	label := ""
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		for _, l := range []string{"Error Trace:", "Error:", "Messages:", "Test:", "Diff:"} {
			if after, ok := strings.CutPrefix(trimmed, l); ok {
				label, trimmed = l, strings.TrimSpace(after)
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

// Near wants two moments or lifetimes, in seconds, to be the same but for a tolerance.
func Near(e *Expectations, a, b int64, tolerance float64, what string) {
	if apart := math.Abs(float64(a) - float64(b)); apart > tolerance {
		e.Failures = append(e.Failures, fmt.Sprintf("%s: %d and %d are %.0f s apart, and %.0f s are tolerated", what, a,
			b, apart, tolerance))
	}
}
