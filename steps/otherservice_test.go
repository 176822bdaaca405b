package steps_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestSessionTokensOfOneService: tokens from a source of the environment file are for the service that the file names.
// Another listed service that refuses them has said nothing about its name (DISC-14), unless by 400.
func TestSessionTokensOfOneService(t *testing.T) {
	t.Parallel()
	choice, found := mock.ChoiceByName("session-tokens-of-one-service")
	require.True(t, found)
	for name, c := range map[string]struct {
		config mock.Config
		want   reports.Verdict
	}{
		"refused":                                {mock.Config{Choices: []mock.Choice{choice}}, reports.Observed},
		"refused, as strange ones are, with 400": {mock.Config{Choices: []mock.Choice{choice}, Behaviour: mock.Behaviour{UnknownSession: 400}}, reports.Observed},
		"a listed name is no service":            {mock.Config{Faults: []mock.Fault{fault(t, "discovery-advertises-refused")}}, reports.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, end, err := started(c.config, itself)
			require.NoError(t, err)
			defer end()
			pool := filepath.Join(t.TempDir(), "tokens.txt")
			var tokens strings.Builder
			for range 20 {
				tokens.WriteString(mintSessionToken(t, e) + "\n")
			}
			require.NoError(t, os.WriteFile(pool, []byte(tokens.String()), 0o600))
			active := e.Situations["active"]
			active.SessionTokens = &environment.TokenSource{Pool: pool}
			e.Situations = map[string]environment.Situation{"active": active}
			e.Mock, e.Operator = nil, nil
			report := run(t, steps.Options{Environment: e, Only: []string{"DISC-14"}})
			assert.Equal(t, c.want, requirement(t, report, "DISC-14").Verdict, requirement(t, report, "DISC-14").Reason)
		})
	}
}

// TestClientBesideADeviceOfAnother: where the file names no device of the account, a scenario that names one of another
// account signs its own on for the first time, and does not act as the other.
func TestClientBesideADeviceOfAnother(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]reports.Verdict{"makes one": reports.Pass, "has none": reports.Skipped} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, end, err := started(mock.Config{}, itself)
			require.NoError(t, err)
			defer end()
			active := e.Situations["active"]
			active.ClientID = ""
			e.Situations = map[string]environment.Situation{"active": active, "foreign-device": e.Situations["foreign-device"]}
			e.Mock, e.Allow.FirstTime = nil, want == reports.Pass
			report := run(t, steps.Options{Environment: e, Only: []string{"REF-12"}})
			assert.Equal(t, want, requirement(t, report, "REF-12").Verdict, requirement(t, report, "REF-12").Reason)
		})
	}
}
