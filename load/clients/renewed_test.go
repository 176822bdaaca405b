package clients

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
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

// What is wrong in one answer of many shows too: an answer that is unlike those that were found good is judged.
func TestAnAnswerUnlikeTheOthersIsJudged(t *testing.T) {
	c, answer := signedInCrowd(t, 2)
	c.JudgeEvery = 1 << 30
	for i := range c.sampled.first {
		c.sampled.first[i].Store(judgedFirst)
	}
	serial := 10
	judge := func(old, new string) hit.Outcome {
		serial++
		now := time.Now()
		body := bytes.Replace(answer(0, serial), []byte(old), []byte(new), 1)
		outcome, _ := c.judge(&sender{client: 0, step: stepRefresh},
			&hit.Answer{Status: http.StatusOK, Body: body, Sent: now, Received: now})
		return outcome
	}
	before := c.Judging().AllRules
	for range 50 {
		require.Empty(t, judge("", ""))
	}
	assert.Equal(t, before+1, c.Judging().AllRules, "the first of its shape")
	for range 3 {
		outcome := judge(`"expires_in":3600`, `"expires_in":"3600"`)
		assert.Equal(t, hit.KindToken, outcome.Kind)
		assert.Contains(t, outcome.Message, "expires_in")
	}
	assert.Equal(t, before+4, c.Judging().AllRules)
	for range 3 {
		assert.Empty(t, judge(`{`, `{"more":true,`), "a service may tell more")
	}
	assert.Equal(t, before+5, c.Judging().AllRules, "once is enough")
	for i := range 2 * maxNovel {
		judge(`{`, fmt.Sprintf(`{"more%d":true,`, i))
	}
	assert.LessOrEqual(t, c.Judging().AllRules, before+maxNovel+5, "where each is unlike all others, the sample does")
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

// A gateway that keeps answers gives one of many a second time. Tokens made in the same second, also on another node,
// may be alike and are none of those.
func TestATokenThatIsStoredSomewhere(t *testing.T) {
	type node struct {
		behind time.Duration
		drawn  bool // its tokens differ though they are of the same second
	}
	type came struct {
		at time.Duration
		by node
	}
	// Refreshes of one client, after those of the others at the same pace.
	every := func(pace time.Duration, nodes ...node) (answers []came) {
		for i := range 30 {
			answers = append(answers, came{time.Duration(i) * pace, nodes[i%len(nodes)]})
		}
		return answers
	}
	const pace = 400 * time.Millisecond
	for name, run := range map[string]struct {
		answers []came
		again   map[int]int // answers that are those of another one
		wrong   []int
	}{
		"seconds later":                      {every(3*time.Second, node{drawn: true}), map[int]int{20: 19}, []int{20}},
		"tokens by the second, a later one":  {every(3*time.Second, node{}), map[int]int{20: 19}, []int{20}},
		"the one before the last":            {every(3*time.Second, node{drawn: true}), map[int]int{20: 18}, []int{20}},
		"within a second":                    {every(pace, node{drawn: true}), map[int]int{20: 19, 25: 24}, nil},
		"at the start":                       {every(3*time.Second, node{drawn: true}), map[int]int{1: 0}, nil},
		"all are new":                        {every(pace, node{drawn: true}), nil, nil},
		"made of the second":                 {every(pace, node{}), nil, nil},
		"made of the second, two clocks":     {every(pace, node{}, node{behind: 3 * time.Second}), nil, nil},
		"made of the second by one of two":   {every(pace, node{}, node{}, node{drawn: true}), nil, nil},
		"a clock that is behind by the pace": {every(3*time.Second, node{}, node{behind: 3 * time.Second}), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := signedInCrowd(t, 2)
			pastFirst(c)
			second := c.made.Round(0).Truncate(time.Second).Add(time.Minute)
			var wrong []int
			var bodies [][]byte
			for i, a := range run.answers {
				made, serial := second.Add(a.at-a.by.behind).Unix(), ""
				if a.by.drawn {
					serial = strconv.Itoa(i)
				}
				body := fmt.Appendf(nil, `{"access_token":%q,"refresh_token":%q,"client_id":"LOAD_1","accountId":"L1","token_type":"bearer","expires_in":3600,"refresh_expires_in":172800,"fixed_refresh_expires_in":2592000}`,
					lab.Token("DevAuthN", "L1", "LOAD_1", serial+"9", made+3600),
					lab.Token("RefreshAuthN", "L1", "LOAD_1", serial+"9", made+172800))
				if of, stored := run.again[i]; stored {
					body = bodies[of]
				}
				bodies = append(bodies, body)
				at := c.made.Add(second.Add(a.at).Sub(c.made.Round(0)))
				answer := hit.Answer{Status: http.StatusOK, Body: body, Sent: at, Received: at.Add(time.Millisecond)}
				outcome, kept := c.judge(&sender{client: 0, step: stepRefresh}, &answer)
				require.True(t, kept)
				if outcome.Kind != "" {
					require.Equal(t, hit.KindToken, outcome.Kind)
					require.Contains(t, outcome.Message, "one that it was given")
					wrong = append(wrong, i)
				}
			}
			assert.Equal(t, run.wrong, wrong)
		})
	}
}
