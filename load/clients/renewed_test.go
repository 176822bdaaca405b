package clients

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/hit"
	"agstest/load/lab"
	"agstest/mock"
)

// A short run judges few answers by chance: what is wrong in every token must show in it all the same.
func TestAShortRunFindsWhatIsWrongInEveryToken(t *testing.T) {
	fault, ok := mock.FaultByName("token-exp-milliseconds")
	require.True(t, ok)
	s := newService(t, mock.Config{Faults: []mock.Fault{fault}}, nil)
	c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 20, JudgeEvery: 1000000}, 40, 10)
	f := s.drive(t, c, 40, 2)
	assert.Equal(t, 40, f.wrong["refresh token"], "%v %v", f.wrong, f.right)
	assert.NotZero(t, c.Judging().AllRules)
}

func TestOnlyTheFirstAnswersAreAllJudged(t *testing.T) {
	const clients = 200
	c, answer := signedInCrowd(t, clients)
	assert.InDelta(t, judgedFirst+1, c.Judging().AllRules, 1, "the first of the sign-ons, and 1 of 100 of the others")
	for n := range uint32(clients) {
		outcome, kept := c.judge(&sender{client: n, step: stepRefresh}, &hit.Answer{Status: http.StatusOK, Body: answer(n, clients+int(n)), Sent: time.Now(), Received: time.Now()})
		require.Empty(t, outcome)
		require.True(t, kept)
	}
	assert.InDelta(t, 2*judgedFirst, c.Judging().AllRules, 5)
	assert.LessOrEqual(t, len(c.sampled.pairs), judgedFirst+clients/50, "pairs are kept for few")
}

func TestTokensThatAreNotNew(t *testing.T) {
	now := time.Now()
	body := func(serial string, exp time.Time) []byte {
		return []byte(`{"access_token":"` + lab.Token("DevAuthN", "L1", "LOAD_1", serial, exp.Unix()) + `","refresh_token":"` + lab.Token("RefreshAuthN", "L1", "LOAD_1", serial, exp.Unix()+169200) +
			`","client_id":"LOAD_1","accountId":"L1","token_type":"bearer","expires_in":3600,"refresh_expires_in":172800,"fixed_refresh_expires_in":2592000}`)
	}
	hour := now.Add(time.Hour)
	type came struct {
		after  time.Duration
		serial string
		exp    time.Time
		says   string
	}
	set := map[string]time.Duration{"the same within a second, and the clock is set": time.Hour, "again and again, and the clock is set back": -time.Hour}
	for name, answers := range map[string][]came{
		"a new one each time":                            {{0, "1", hour, ""}, {2 * time.Second, "2", hour, ""}, {4 * time.Second, "3", hour, ""}},
		"the same within a second":                       {{0, "1", hour, ""}, {300 * time.Millisecond, "1", hour, ""}, {600 * time.Millisecond, "1", hour, ""}},
		"the same within a second, and the clock is set": {{0, "1", hour.Add(time.Hour), ""}, {300 * time.Millisecond, "1", hour.Add(time.Hour), ""}, {600 * time.Millisecond, "1", hour.Add(time.Hour), ""}},
		"again and again, and the clock is set back":     {{0, "1", hour, ""}, {2 * time.Second, "1", hour, ""}, {4 * time.Second, "1", hour, "2 refreshes in 4s brought it again"}},
		"the same, but late":                             {{0, "1", hour, ""}, {300 * time.Millisecond, "1", hour, ""}, {9 * time.Second, "1", hour, ""}},
		"once again, of another node":                    {{0, "1", hour, ""}, {5 * time.Second, "1", hour, ""}, {10 * time.Second, "2", hour, ""}},
		"again and again":                                {{0, "1", hour, ""}, {2 * time.Second, "1", hour, ""}, {4 * time.Second, "1", hour, "2 refreshes in 4s brought it again"}},
		"expired":                                        {{0, "1", now.Add(-2 * time.Hour), "had expired 2 h 0 min"}},
		"expired by a clock that is behind":              {{0, "1", now.Add(-time.Minute), ""}},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := signedInCrowd(t, 2)
			pastFirst(c)
			for _, a := range answers {
				at := now.Add(a.after)
				if by := set[name]; a.after > 0 {
					at = lab.WithClockSet(t, at, by)
				}
				sent := at
				if name == "the same, but late" {
					sent = now.Add(min(a.after, 400*time.Millisecond)) // the answer was minted then, and held up
				}
				outcome, kept := c.judge(&sender{client: 0, step: stepRefresh}, &hit.Answer{Status: http.StatusOK, Body: body(a.serial, a.exp), Sent: sent, Received: at})
				assert.True(t, kept)
				if a.says == "" {
					require.Empty(t, outcome)
					continue
				}
				require.Equal(t, hit.KindToken, outcome.Kind)
				require.Contains(t, outcome.Message, a.says)
			}
		})
	}
}
