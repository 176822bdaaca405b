package steps_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/reports"
	"agstest/steps"
)

// TestExpectedIsJudged: what agstest env --expect writes for a file is judged by a run of it, whatever the file gives.
func TestExpectedIsJudged(t *testing.T) {
	for name, change := range map[string]func(*environment.Environment){
		"everything":                 nil,
		"no operator":                func(e *environment.Environment) { e.Operator = nil },
		"no first-time sign-ons":     func(e *environment.Environment) { e.Allow.FirstTime = false },
		"nothing allowed":            func(e *environment.Environment) { e.Allow = environment.Allow{} },
		"no active":                  func(e *environment.Environment) { delete(e.Situations, "active") },
		"no active, nothing allowed": func(e *environment.Environment) { delete(e.Situations, "active"); e.Allow = environment.Allow{} },
		"no credentials":             func(e *environment.Environment) { delete(e.Situations, "credentials") },
		"no discovered service":      func(e *environment.Environment) { e.Service = "" },
		"session tokens only": func(e *environment.Environment) {
			e.Operator, e.Allow = nil, environment.Allow{}
			for _, name := range []string{"credentials", "multi-account", "registration", "multi-registration"} {
				delete(e.Situations, name)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := live(t, change)
			names := e.Expectable()
			require.NotEmpty(t, names)
			e.Coverage = environment.Coverage(strings.Join(names, ", "))
			report := run(t, steps.Options{Environment: e})
			require.NotNil(t, report.Coverage)
			for _, lack := range report.Coverage.Lacks {
				t.Errorf("%s: %s (%s)", lack.Situation, lack.Why, lack.Write)
			}
			assert.True(t, report.Coverage.Kept)
			assert.NotContains(t, []reports.Verdict{reports.NotEnough, reports.Fail}, report.Verdict, report.Reason)
		})
	}
}

// TestCoverageIsHeldAgainst: a run that judges less than it must is not enough checked, and says what is missing and
// what to write.
func TestCoverageIsHeldAgainst(t *testing.T) {
	lean := func(e *environment.Environment) {
		e.Operator, e.Situations, e.Allow = nil, environment.Situations{}, environment.Allow{}
	}
	for _, c := range []struct {
		name    string
		change  func(*environment.Environment)
		file    environment.Coverage
		options steps.Options
		verdict reports.Verdict
		said    string // in the reason
	}{
		{"a lean file and a share", lean, "90%", steps.Options{}, reports.NotEnough, `^[0-9] of 72 documented requirements judged \([0-9.]+ %\), and coverage asks for 90%; write: .* \(for [0-9]+ requirements?\)`},
		{"a lean file and a list", lean, "active, vpn", steps.Options{}, reports.NotEnough, `not judged: active, vpn; write: active: \{sessionToken: `},
		{"a lean file that asks for nothing", lean, "", steps.Options{}, reports.Pass, `^on [0-9]+ of 214 requirements`},
		{"a whole file and a share", nil, "90%", steps.Options{}, reports.Pass, `^[0-9]+ requirements hold`},
		{"a whole file and too high a share", nil, "100%", steps.Options{}, reports.NotEnough, `and coverage asks for 100%`},
		{"the flag is higher than the file", nil, "50%", steps.Options{Coverage: "100%"}, reports.NotEnough, `coverage asks for 100%`},
		{"the flag is lower than the file", nil, "100%", steps.Options{Coverage: "50%"}, reports.Pass, `^[0-9]+ requirements hold`},
		{"the flag asks for nothing", lean, "100%", steps.Options{Coverage: environment.NoCoverage}, reports.Pass, `^on [0-9]+ of 214`},
		{"narrowed to what the file can do", nil, "100%, suspended-account, vpn", steps.Options{Only: []string{"SOST-01"}}, reports.Pass, `hold`},
		{"narrowed to what the file cannot do", func(e *environment.Environment) { delete(e.Situations, "disabled-device") }, "disabled-device, vpn",
			steps.Options{Only: []string{"SOST-01", "DEV-06"}}, reports.NotEnough, `not judged: disabled-device; write: disabled-device: \{clientId: PUB_990\}`},
		{"calm", nil, "90%, device-limit", steps.Options{Calm: "--yes staging.example.com"}, reports.NotEnough, `not judged: device-limit`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := live(t, c.change)
			e.Coverage = c.file
			c.options.Environment = e
			report := run(t, c.options)
			assert.Equal(t, c.verdict, report.Verdict, report.Reason)
			assert.Regexp(t, c.said, report.Reason)
			if report.Coverage == nil {
				assert.NotEqual(t, reports.NotEnough, report.Verdict)
				return
			}
			assert.Equal(t, report.Verdict != reports.NotEnough, report.Coverage.Kept)
			assert.Equal(t, report.Coverage.Kept, len(report.Coverage.Lacks) == 0)
		})
	}
}

// TestIdleSituationsAreNotJudged: a made-up situation does nothing, so it is no coverage; a failure stays one and says
// it too.
func TestIdleSituationsAreNotJudged(t *testing.T) {
	e := live(t, func(e *environment.Environment) {
		for _, name := range []string{"suspended-account", "deleted-device"} {
			s := e.Situations[name]
			s.SessionToken, s.ClientID = "invented"+s.SessionToken, "invented"+s.ClientID
			if name == "deleted-device" {
				s.SessionToken = ""
			}
			e.Situations[name] = s
		}
		e.Coverage = "active, suspended-account, deleted-device, cancelled-account"
	})
	report := run(t, steps.Options{Environment: e})
	assert.Equal(t, reports.NotEnough, report.Verdict, report.Reason)
	var names []string
	for _, l := range report.Coverage.Lacks {
		names = append(names, l.Situation)
		assert.Contains(t, l.Why, "made-up values", l.Situation)
		assert.NotEmpty(t, l.Write)
		assert.NotEmpty(t, l.Requirements)
	}
	assert.Equal(t, []string{"suspended-account", "deleted-device"}, names)
}
