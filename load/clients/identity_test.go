package clients

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/hit"
	"agstest/mock"
)

// What a service does wrong under load must be seen under load: whose an answer is on every hit, the rules of tokens
// where all are judged.
func TestFaultsAreFoundUnderLoad(t *testing.T) {
	for name, test := range map[string]struct {
		workload string
		kinds    []string // one of them
		hits     uint64
		least    int // answers that are wrong
		workers  int
	}{
		"session-other-client":        {WorkloadSignOn, []string{hit.KindIdentity}, 40, 40, 2},
		"session-other-account":       {WorkloadSignOn, []string{hit.KindIdentity}, 40, 40, 2},
		"session-other-tenant":        {WorkloadSignOn, []string{hit.KindIdentity}, 40, 40, 2},
		"session-sign-on-200":         {WorkloadSignOn, []string{hit.KindStatus}, 40, 40, 2},
		"session-no-access-token":     {WorkloadSignOn, []string{hit.KindShape}, 40, 40, 2},
		"session-refresh-token-empty": {WorkloadSignOn, []string{hit.KindShape}, 40, 40, 2},
		"session-text-after-answer":   {WorkloadSignOn, []string{hit.KindShape}, 40, 40, 2},
		"session-duplicate-member":    {WorkloadSignOn, []string{hit.KindShape}, 40, 40, 2},
		"session-no-account":          {WorkloadSignOn, []string{hit.KindIdentity}, 40, 40, 2},
		"refresh-other-account":       {WorkloadRefresh, []string{hit.KindIdentity}, 40, 20, 2},
		"refresh-other-device":        {WorkloadRefresh, []string{hit.KindIdentity}, 40, 20, 2},
		"refresh-other-tenant":        {WorkloadRefresh, []string{hit.KindIdentity}, 40, 20, 2},
		"refresh-somebody-else":       {WorkloadRefresh, []string{hit.KindIdentity}, 40, 20, 2},
		"token-body-other-account":    {WorkloadSignOn, []string{hit.KindIdentity}, 40, 40, 2},
		"token-body-other-client":     {WorkloadSignOn, []string{hit.KindIdentity}, 40, 40, 2},
		"rare-somebody-else":          {WorkloadSignOn, []string{hit.KindIdentity, hit.KindDuplicate}, 600, 2, 8},
		"race-crossed-refreshes":      {WorkloadRefresh, []string{hit.KindIdentity}, 1200, 1, 16},
	} {
		t.Run(name, func(t *testing.T) {
			fault, ok := mock.FaultByName(name)
			require.True(t, ok, "the mock has this fault")
			s := newService(t, mock.Config{Faults: []mock.Fault{fault}}, nil)
			c, before := s.ready(t, Traffic{Workload: test.workload, Clients: 0, JudgeEvery: 50}, test.hits, 10)
			require.Empty(t, before)
			f := s.drive(t, c, test.hits, test.workers)
			wrong := 0
			for _, kind := range test.kinds {
				wrong += f.wrong[test.workload+" "+kind]
			}
			assert.GreaterOrEqual(t, wrong, test.least, "%v %v", f.wrong, f.right)
			s.NoSecretsIn(t, f.messages...)
		})
	}
}

// softOnly are faults in a part of a requirement that only warns, which is no wrong answer under load.
var softOnly = map[string]bool{"token-access-no-fixed-exp": true, "token-sessions-negative": true, "token-sessions-missing": true,
	"token-kid-number": true, "token-access-no-profile": true, "token-access-flag-text": true, "token-refresh-network": true, "token-jti-differs": true,
}

func TestRulesOfTokensAreFoundOnSampledAnswers(t *testing.T) {
	names := 0
	for _, fault := range mock.Faults() {
		requirement := fault.Requirement
		if len(requirement) < 4 || requirement[:4] != "TOK-" || !gates(requirement) {
			continue
		}
		names++
		t.Run(fault.Name, func(t *testing.T) {
			s := newService(t, mock.Config{Faults: []mock.Fault{fault}}, nil)
			s.Environment.Load.Clients.Count = 40
			c, err := New(s.Environment, Traffic{Workload: WorkloadSignOn, JudgeEvery: 1}, Part{Hits: 6, Peak: 10, Seed: 5})
			require.NoError(t, err)
			f := s.drive(t, c, 6, 2)
			assert.Equal(t, softOnly[fault.Name], len(f.wrong) == 0, "%s: %v %v", fault.Summary, f.wrong, f.right)
		})
	}
	assert.NotZero(t, names)
}
