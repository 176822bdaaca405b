package clients

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/load/hit"
	"agstest/mock"
)

// A load must see a service's faults under load: the owner of an answer on every hit, the rules of tokens where all are
// judged.
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
		"session-no-client-id":        {WorkloadSignOn, []string{hit.KindShape}, 240, 240, 2}, // more than all rules judge
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
		// Of two, no answer to a sign-on shows anything: uniqueness is another test's, and the last one shows at refresh.
		if len(requirement) < 4 || requirement[:4] != "TOK-" || !gates(requirement) || requirement == "TOK-26" || fault.Name == "refresh-same-told-anew" {
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

// A refusal in place of tokens, or beside them, is one of the gateway, however it is written.
func TestARefusalBesideTokensIsARefusal(t *testing.T) {
	for name, test := range map[string]struct{ with, kind string }{
		"tokens alone":      {``, ""},
		"another code":      {`"resultCode":"0",`, ""},
		"a refusal":         {`"resultCode":"99999:403",`, hit.KindStatus},
		"written otherwise": {`"result\u0043ode":"\u00399999:403",`, hit.KindStatus},
		"deeper":            {`"more":{"resultCode":"99999:403"},`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, answer := signedInCrowd(t, 1)
			body := bytes.Replace(answer(0, 9), []byte("{"), []byte("{"+test.with), 1)
			outcome, kept := c.judge(&sender{client: 0, step: stepRefresh}, &hit.Answer{Status: http.StatusOK, Body: body, Sent: time.Now(), Received: time.Now()})
			assert.Equal(t, test.kind, outcome.Kind, outcome.Message)
			assert.Equal(t, test.kind == "", kept)
		})
	}
}

// Few clients keep their tokens as they are, however many more could take their place.
func TestFewClientsKeepTheirTokensAsTheyAre(t *testing.T) {
	for clients, plain := range map[int]bool{50: true, fewClients: true, fewClients + 1: false} {
		e := &environment.Environment{Name: "lab", Tenant: "nagra", Service: "SSO",
			Load: environment.Load{Clients: environment.Clients{Count: 3 * fewClients, SessionToken: "load-{n}", ClientID: "LOAD_{n}", AccountID: "L{n}"}}}
		c, err := New(e, Traffic{Workload: WorkloadRefresh, Clients: clients}, Part{Peak: 100, Seed: 3})
		require.NoError(t, err)
		assert.Len(t, c.clients, 3*fewClients)
		assert.Equal(t, plain, c.seal.plain, clients)
		c.hold(0, holdsRefresh, []byte("a.e30.YWJj"))
		assert.Equal(t, plain, c.clients[0].token[0] == rawToken, clients)
		assert.Equal(t, "a.e30.YWJj", string(c.seal.opened(make([]byte, 0, 64), c.clients[0].token)))
		c.retire(0)
		assert.Nil(t, c.clients[0].token, "who retires keeps no token")
	}
}
