package clients

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/load/hit"
	"agstest/load/lab"
	"agstest/mock"
	"agstest/reports"
)

// service is a mock with virtual clients.
type service struct{ *lab.Service }

func newService(t testing.TB, config mock.Config, middleware func(http.Handler) http.Handler) *service {
	t.Helper()
	return &service{lab.New(t, config, middleware)}
}

// found is what a test run saw.
type found struct {
	mu       sync.Mutex
	right    map[string]int
	wrong    map[string]int // by operation and kind
	messages []string
	starved  atomic.Int64
}

func (f *found) count(operation string, outcome hit.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if outcome.Kind == "" {
		f.right[operation]++
		return
	}
	f.wrong[operation+" "+outcome.Kind]++
	f.messages = append(f.messages, outcome.Message)
}

// ready plans a crowd and sets it up.
func (s *service) ready(t testing.TB, traffic Traffic, hits uint64, peak float64) (*Crowd, []reports.Wrong) {
	t.Helper()
	c, err := New(s.Environment, traffic, Part{Hits: hits, Peak: peak, Seed: 5})
	require.NoError(t, err)
	target, err := s.Environment.Target()
	require.NoError(t, err)
	client, err := wire.NewClient(target)
	require.NoError(t, err)
	defer client.Close()
	wrong, err := c.SetUp(context.Background(), client, 0, nil)
	require.NoError(t, err)
	return c, wrong
}

// drive sends the hits of a crowd from several goroutines, the way the engine does, without a schedule.
func (s *service) drive(t testing.TB, c *Crowd, hits uint64, workers int) *found {
	t.Helper()
	f := &found{right: map[string]int{}, wrong: map[string]int{}}
	transport := &http.Transport{MaxIdleConnsPerHost: workers}
	defer transport.CloseIdleConnections()
	var seq atomic.Uint64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			var request hit.Request
			for {
				n := seq.Add(1) - 1
				if n >= hits {
					return
				}
				for !c.Begin(n, &request) {
					if err := c.Exhausted(n); err != nil {
						return
					}
					f.starved.Add(1)
					runtime.Gosched() // a busy client becomes ready when its answer is in
				}
				operation := c.Operations()[request.Operation]
				answer := s.exchange(transport, &request)
				f.count(operation, c.End(&request, answer))
			}
		})
	}
	group.Wait()
	return f
}

func (s *service) exchange(transport *http.Transport, request *hit.Request) *hit.Answer {
	answer := &hit.Answer{Sent: time.Now()}
	r, err := http.NewRequest(request.Method, s.Server.URL+request.Path, bytes.NewReader(request.Body))
	if err != nil {
		answer.Err = err
		return answer
	}
	for _, field := range request.Header {
		r.Header[field.Name] = append(r.Header[field.Name], field.Value)
	}
	if len(request.Authorization) > 0 {
		r.Header.Add("Authorization", string(request.Authorization))
	}
	response, err := transport.RoundTrip(r)
	if err == nil {
		answer.Status, answer.RetryAfter = response.StatusCode, response.Header.Get("Retry-After")
		answer.Body, err = io.ReadAll(response.Body)
		response.Body.Close()
	}
	answer.Err, answer.Received = err, time.Now()
	return answer
}

func TestWorkloadsAreAllRightOnAConformingService(t *testing.T) {
	strict := mock.Behaviour{PopulationOnce: true, RevokeOnRefresh: true}
	for name, test := range map[string]struct {
		traffic   Traffic
		behaviour mock.Behaviour
		minted    bool
		want      map[string]int
	}{
		"signon":                           {Traffic{Workload: WorkloadSignOn}, strict, false, map[string]int{hit.OpSignOn: 200}},
		"signon with minted tokens":        {Traffic{Workload: WorkloadSignOn, Clients: 20}, strict, true, map[string]int{hit.OpSignOn: 200}},
		"signon with tokens used again":    {Traffic{Workload: WorkloadSignOn, Clients: 20, ReuseSessions: true}, mock.Behaviour{}, false, map[string]int{hit.OpSignOn: 200}},
		"refresh":                          {Traffic{Workload: WorkloadRefresh, Clients: 30}, strict, false, map[string]int{hit.OpRefresh: 200}},
		"refresh with minted tokens":       {Traffic{Workload: WorkloadRefresh, Clients: 30}, strict, true, map[string]int{hit.OpRefresh: 200}},
		"refresh that keeps its jti":       {Traffic{Workload: WorkloadRefresh, Clients: 30}, mock.Behaviour{KeepTokenID: true}, false, map[string]int{hit.OpRefresh: 200}},
		"one jti for each device":          {Traffic{Workload: WorkloadRefresh, Clients: 30}, mock.Behaviour{TokenIDForm: "device"}, false, map[string]int{hit.OpRefresh: 200}},
		"refresh without client_id":        {Traffic{Workload: WorkloadRefresh, Clients: 30}, mock.Behaviour{NoClientIDOnRefresh: true}, false, map[string]int{hit.OpRefresh: 200}},
		"refresh tokens without jti":       {Traffic{Workload: WorkloadRefresh, Clients: 30}, mock.Behaviour{NoRefreshSessionControl: true}, false, map[string]int{hit.OpRefresh: 200}},
		"bodies with escapes":              {Traffic{Workload: WorkloadRefresh, Clients: 30}, mock.Behaviour{Escaped: true, ReversedMembers: true}, false, map[string]int{hit.OpRefresh: 200}},
		"mixed with escapes":               {Traffic{Workload: WorkloadMixed, Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 8, hit.OpDiscover: 1}}, mock.Behaviour{Escaped: true, Pretty: true}, false, map[string]int{hit.OpSignOn: 20, hit.OpRefresh: 160, hit.OpDiscover: 20}},
		"mixed":                            {Traffic{Workload: WorkloadMixed, Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 8, hit.OpDiscover: 1}}, strict, false, map[string]int{hit.OpSignOn: 20, hit.OpRefresh: 160, hit.OpDiscover: 20}},
		"mixed of many with minted tokens": {Traffic{Workload: WorkloadMixed, Clients: 40, Mix: map[string]int{hit.OpSignOn: 3, hit.OpRefresh: 7}}, strict, true, map[string]int{hit.OpSignOn: 60, hit.OpRefresh: 140}},
		"first-time":                       {Traffic{Workload: WorkloadSignOnFirst}, mock.Behaviour{}, false, map[string]int{hit.OpSignOnFirst: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, mock.Config{Behaviour: test.behaviour}, nil)
			if test.minted {
				s.Environment.Load.Clients.SessionToken = ""
			}
			test.traffic.JudgeEvery = 3
			c, wrong := s.ready(t, test.traffic, 200, 10)
			require.Empty(t, wrong)
			f := s.drive(t, c, 200, 8)
			assert.Empty(t, f.wrong, "%v", f.messages[:min(3, len(f.messages))])
			assert.Equal(t, test.want, f.right)
			assert.Zero(t, c.broken.Load())
			assert.NotZero(t, c.judged.Load())
		})
	}
}

func TestLifecycleGoesThroughAllItsCalls(t *testing.T) {
	s := newService(t, mock.Config{Behaviour: mock.Behaviour{PopulationOnce: true, RevokeOnRefresh: true}}, nil)
	c, _ := s.ready(t, Traffic{Workload: WorkloadLifecycle, Refreshes: 2, JudgeEvery: 3}, 500, 10)
	f := s.drive(t, c, 500, 8)
	assert.Empty(t, f.wrong, "%v", f.messages[:min(3, len(f.messages))])
	sum := 0
	for _, operation := range []string{hit.OpDiscover, hit.OpSignOn, hit.OpRefresh, hit.OpSignOut} {
		assert.Greater(t, f.right[operation], 60, operation)
		sum += f.right[operation]
	}
	assert.Equal(t, 500, sum)
	assert.Equal(t, []string{hit.OpDiscover, hit.OpSignOn, hit.OpRefresh, hit.OpSignOut}, c.Measures()[:4])
}

func TestHeadEndMintsAndSignsOn(t *testing.T) {
	s := newService(t, mock.Config{}, nil)
	c, _ := s.ready(t, Traffic{Workload: WorkloadHeadEnd, JudgeEvery: 1}, 400, 10)
	f := s.drive(t, c, 400, 8)
	assert.Empty(t, f.wrong, "%v", f.messages[:min(3, len(f.messages))])
	assert.Equal(t, 400, f.right[hit.OpMint]+f.right[hit.OpSignOn])
	assert.InDelta(t, 200, f.right[hit.OpSignOn], 20)
}

func TestASessionTokenMayBeGivenToItsAccountAgain(t *testing.T) {
	choice, ok := mock.ChoiceByName("same-session-token")
	require.True(t, ok)
	for _, workload := range []string{WorkloadSignOn, WorkloadHeadEnd} {
		s := newService(t, mock.Config{Choices: []mock.Choice{choice}}, nil)
		s.Environment.Load.Clients.SessionToken = ""
		c, _ := s.ready(t, Traffic{Workload: workload, Clients: 20}, 200, 10)
		f := s.drive(t, c, 200, 4)
		assert.Empty(t, f.wrong, "%v", f.messages[:min(3, len(f.messages))])
		assert.Contains(t, strings.Join(c.Notes(), "; "), "times getSessionToken gave an account the session token that it had given it before")
	}
}

func TestSetUpFindsTheServiceWhereTheEnvironmentNamesNone(t *testing.T) {
	s := newService(t, mock.Config{}, nil)
	want := s.Environment.Service
	s.Environment.Service = ""
	c, _ := s.ready(t, Traffic{Workload: WorkloadSignOn}, 20, 10)
	assert.Equal(t, want, c.service)
	f := s.drive(t, c, 20, 2)
	assert.Equal(t, map[string]int{hit.OpSignOn: 20}, f.right)
}

func TestSetUpThatFailsIsNoVerdict(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		says   string
	}{
		"refusal":   {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"code":20002}`, http.StatusForbidden) }, "could not be signed on: signon was answered 403 with code 20002, not 201"},
		"cut":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "signon got no whole answer"},
		"throttled": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, "signon was answered 429"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, mock.Config{}, func(http.Handler) http.Handler { return http.HandlerFunc(test.answer) })
			c, err := New(s.Environment, Traffic{Workload: WorkloadRefresh, Clients: 20}, Part{Hits: 100, Peak: 10, Seed: 5})
			require.NoError(t, err)
			target, _ := s.Environment.Target()
			client, err := wire.NewClient(target)
			require.NoError(t, err)
			defer client.Close()
			c.standing.pause = time.Millisecond
			_, err = c.SetUp(context.Background(), client, 0, nil)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "; set-up: 0 of 20 clients signed on")
			assert.Equal(t, failure.Setup, failure.KindOf(err))
			s.NoSecretsIn(t, err.Error())
		})
	}
}

func TestAnswerOfAnotherClientIsFoundAndBothAreNamed(t *testing.T) {
	var mu sync.Mutex
	var kept []byte
	s := newService(t, mock.Config{}, lab.Spoiled("/refresh", 0, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		body := recorder.Body.Bytes()
		mu.Lock()
		if n%200 == 199 {
			kept = body
		}
		if n%200 == 0 {
			body = kept
		}
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(recorder.Code)
		w.Write(body)
	}))
	c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 40}, 1050, 10)
	f := s.drive(t, c, 1050, 1)
	assert.Equal(t, map[string]int{"refresh identity": 5}, f.wrong)
	assert.Equal(t, 1045, f.right[hit.OpRefresh]+f.right[hit.OpSignOn])
	assert.Equal(t, 5, f.right[hit.OpSignOn], "the client does not use what is not its own: it signs on again, or a spare one does")
	require.NotEmpty(t, f.messages)
	assert.Regexp(t, `^the answer to the refresh of client \d+ \(device L[^)]*…[\d_]*, account L…\) is not its own: client_id is .+, which belongs to client \d+ \(device .+\)$`, f.messages[0])
	s.NoSecretsIn(t, f.messages...)
}

// forged answers every call with a token body of the given claims.
func forged(status int, make func(device string, n int64) string) func(http.Handler) http.Handler {
	return lab.Spoiled("/signOnWithSessionToken", 0, func(n int64, w http.ResponseWriter, r *http.Request, _ http.Handler) {
		body, _ := io.ReadAll(r.Body)
		_, rest, _ := strings.Cut(string(body), `"clientId":"`)
		device, _, _ := strings.Cut(rest, `"`)
		w.WriteHeader(status)
		io.WriteString(w, make(device, n))
	})
}

func TestWrongBodiesAreWrongHoweverFast(t *testing.T) {
	account := func(device string) string { return "L" + strings.TrimPrefix(device, "LOAD_") }
	for name, test := range map[string]struct {
		body  func(device string, n int64) string
		kind  string
		says  string
		every int
	}{
		"other account in the access token": {func(d string, n int64) string { return lab.TokenBody(account(d), d, "L999", d, fmt.Sprint(n)) }, hit.KindIdentity, "the accountId of the access token is L…", 100},
		"other device in the access token": {func(d string, n int64) string {
			return lab.TokenBody(account(d), d, account(d), "LOAD_999", fmt.Sprint(n))
		}, hit.KindIdentity, "the deviceId of the access token is LO…99, which belongs to client 999", 100},
		"other account": {func(d string, n int64) string { return lab.TokenBody("L77777", d, "L77777", d, fmt.Sprint(n)) }, hit.KindIdentity, "accountId is L7…77", 100},
		"one jti for all": {func(d string, _ int64) string {
			return lab.TokenBody(account(d), d, account(d), d, "7000000000000000007")
		}, hit.KindDuplicate, "have the jti 700…007, which those of client", 100},
		"other tenant": {func(d string, n int64) string {
			return strings.ReplaceAll(lab.TokenBody(account(d), d, account(d), d, fmt.Sprint(n)), "eyJ2ZXIiOiIxLjAiLCJ0ZW5hbnRJZCI6Im5hZ3JhIi", "eyJ2ZXIiOiIxLjAiLCJ0ZW5hbnRJZCI6ImFjbWUhIi")
		}, hit.KindIdentity, "the tenantId of the access token is", 100},
		"HTML page":        {func(string, int64) string { return "<html>welcome</html>" }, hit.KindShape, "is no token body", 100},
		"no refresh token": {func(string, int64) string { return `{"access_token":"a.b.c"}` }, hit.KindShape, "refresh_token", 100},
		"gateway refusal":  {func(string, int64) string { return `{"resultCode":"99999:403","localeMessage":"none"}` }, hit.KindStatus, "refusal of the gateway", 100},
		"rules of tokens": {func(d string, n int64) string {
			return strings.Replace(lab.TokenBody(account(d), d, account(d), d, fmt.Sprint(n)), `"expires_in":3600`, `"expires_in":60`, 1)
		}, hit.KindToken, "breaks TOK-11", 1},
		"empty body": {func(string, int64) string { return "" }, hit.KindShape, "is no token body", 100},
		"truncated halfway": {func(d string, n int64) string {
			return lab.TokenBody(account(d), d, account(d), d, fmt.Sprint(n))[:300]
		}, hit.KindShape, "is no token body", 100},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, mock.Config{}, forged(201, test.body))
			c, _ := s.ready(t, Traffic{Workload: WorkloadSignOn, JudgeEvery: test.every}, 30, 10)
			f := s.drive(t, c, 30, 1)
			wrong := f.wrong[hit.OpSignOn+" "+test.kind]
			assert.GreaterOrEqual(t, wrong, 29, "%v %v", f.wrong, f.messages[:min(1, len(f.messages))])
			require.NotEmpty(t, f.messages)
			assert.Contains(t, f.messages[0], test.says)
			s.NoSecretsIn(t, f.messages...)
		})
	}
}

func TestAccountIsLearnedWhereTheEnvironmentDoesNotSay(t *testing.T) {
	s := newService(t, mock.Config{}, forged(201, func(d string, n int64) string {
		account := "A1"
		if n > 20 {
			account = "A2"
		}
		return lab.TokenBody(account, d, account, d, fmt.Sprint(n))
	}))
	s.Environment.Load.Clients.AccountID = ""
	s.Environment.Load.Clients.Count = 20
	c, _ := s.ready(t, Traffic{Workload: WorkloadSignOn, Clients: 20, ReuseSessions: true}, 40, 10)
	f := s.drive(t, c, 40, 1)
	assert.Equal(t, map[string]int{hit.OpSignOn: 20}, f.right)
	assert.Equal(t, map[string]int{"signon identity": 20}, f.wrong)
	assert.Contains(t, f.messages[0], "an accountId other than in the client's first answer")
}

func TestStatusIsWrongWithItsCode(t *testing.T) {
	s := newService(t, mock.Config{}, lab.Spoiled("/refresh", 0, func(_ int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(403)
		io.WriteString(w, `{"code":20004,"message":"device disabled"}`)
	}))
	s.Environment.Load.Clients.Count = 10
	c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 10}, 30, 10)
	f := s.drive(t, c, 30, 1)
	assert.Equal(t, map[string]int{"refresh status": 30}, f.wrong, "who has no session token left is refused at each turn")
	assert.Equal(t, "refresh was answered 403 with code 20004, not 200", f.messages[29])
	assert.NoError(t, c.Exhausted(0), "it is the service that fails, and no client that is missing")
	assert.EqualValues(t, 10, c.broken.Load(), "each client once")
}

// What is under way when a set-up fails is judged all the same: it may be graver than the failure.
func TestASetUpThatFailsJudgesWhatIsUnderWay(t *testing.T) {
	refused := make(chan struct{})
	var came sync.WaitGroup
	came.Add(setUpWorkers)
	s := newService(t, mock.Config{}, lab.Spoiled("/signOnWithSessionToken", 0, func(n int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		came.Done()
		came.Wait()
		if n == 1 {
			w.WriteHeader(http.StatusForbidden)
			w.(http.Flusher).Flush()
			close(refused)
			return
		}
		<-refused
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, lab.TokenBody("L777", "LOAD_777", "L777", "LOAD_777", fmt.Sprint(n)))
	}))
	c, err := New(s.Environment, Traffic{Workload: WorkloadRefresh, Clients: setUpWorkers}, Part{Hits: 100, Peak: 10, Seed: 5})
	require.NoError(t, err)
	target, err := s.Environment.Target()
	require.NoError(t, err)
	client, err := wire.NewClient(target)
	require.NoError(t, err)
	defer client.Close()
	wrong, err := c.SetUp(t.Context(), client, 0, nil)
	require.ErrorContains(t, err, "signon was answered 403, not 201; besides, the answer to the signon of client")
	require.NotEmpty(t, wrong)
	assert.EqualValues(t, setUpWorkers-1, wrong[0].Times)
}

// Users who are shut out are as large a part of the answers as of the clients, however long the run.
func TestClientsThatAreRefusedForGoodKeepTheirTurns(t *testing.T) {
	for name, traffic := range map[string]Traffic{
		"refresh": {Workload: WorkloadRefresh, Clients: 50},
		"mixed":   {Workload: WorkloadMixed, Clients: 150, Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, lab.RefusingSome(3))
			c, wrong := s.ready(t, traffic, 1100, 10)
			require.Empty(t, wrong)
			chains := c.planned.chains
			require.Zero(t, chains%10, "of %d the refused ones are three in ten", chains)
			f := s.drive(t, c, 1100, 1)
			refreshes := f.right[hit.OpRefresh] + f.wrong["refresh status"]
			assert.InDelta(t, 0.3, float64(f.wrong["refresh status"])/float64(refreshes), 0.01, "%v", f.wrong)
			assert.Len(t, f.wrong, 1)
			assert.NoError(t, c.Exhausted(0))
			assert.Contains(t, strings.Join(c.Notes(), "\n"), fmt.Sprintf("%d times a chain of refreshes broke; %[1]d clients of the %d that stay signed in (30.00 %%) had nothing to sign on with again and were refused for good, at each of their turns", chains*3/10, chains))
		})
	}
}

// Of clients that can sign on again, too, those who are refused are as large a part of the refreshes as of the clients.
// One that cannot be signed on takes no turns of others.
func TestClientsThatAreRefusedAndSignOnAgainKeepTheirTurns(t *testing.T) {
	for name, test := range map[string]struct {
		mintFails bool
		wrong     float64
	}{"signed on again": {false, 0.3}, "no session tokens any more": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			failing := false
			s := newService(t, mock.Config{}, func(next http.Handler) http.Handler {
				refusing := lab.RefusingSome(3)(next)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if failing && strings.HasSuffix(r.URL.Path, "/getSessionToken") {
						w.WriteHeader(http.StatusForbidden)
						return
					}
					refusing.ServeHTTP(w, r)
				})
			})
			s.Environment.Load.Clients.SessionToken = ""
			c, wrong := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 50}, 1600, 10)
			require.Empty(t, wrong)
			failing = test.mintFails
			f := s.drive(t, c, 1600, 1)
			refused, refreshes := f.wrong["refresh status"], f.right[hit.OpRefresh]+f.wrong["refresh status"]
			if test.mintFails {
				assert.Equal(t, 15, refused, "each once")
				assert.InDelta(t, 0.3, float64(f.wrong["mint status"])/1600, 0.02, "%v", f.wrong)
				return
			}
			assert.InDelta(t, test.wrong, float64(refused)/float64(refreshes), 0.01, "%v %v", f.right, f.wrong)
			assert.Equal(t, 1000, refreshes, "each refusal takes two hits more")
		})
	}
}

// A service that refuses at once and refreshes slowly does not meet those whom it refuses more often than the others.
func TestClientsThatAreRefusedAtOnceHaveNoMoreTurns(t *testing.T) {
	s := newService(t, mock.Config{}, nil)
	synctest.Test(t, func(t *testing.T) {
		const clients = 100
		c, err := New(s.Environment, Traffic{Workload: WorkloadRefresh, Clients: clients}, Part{Hits: 3000, Peak: 100, Seed: 5})
		require.NoError(t, err)
		require.Equal(t, clients, c.planned.chains)
		body := func(n uint32, jti uint64) string {
			ids := c.ClientIDs(n + 1)
			return lab.TokenBody(ids[1], ids[0], ids[1], ids[0], fmt.Sprint(jti))
		}
		refresh := regexp.MustCompile(`"refresh_token":"([^"]+)"`)
		for n := range uint32(clients) {
			c.hold(n, holdsRefresh, []byte(refresh.FindStringSubmatch(body(n, uint64(n)))[1]))
			c.clients[n].used = 1 // there is no session token left
			c.ongoing.push(n)
		}
		var asked, refused atomic.Int64
		var answers sync.WaitGroup
		for seq := range uint64(3000) {
			request := new(hit.Request)
			for !c.Begin(seq, request) {
				time.Sleep(time.Millisecond)
			}
			asked.Add(1)
			answers.Go(func() {
				n := request.Who - 1
				answer := &hit.Answer{Sent: time.Now(), Status: 200, Body: []byte(body(n, 1000+seq))}
				if n%10 < 3 {
					time.Sleep(5 * time.Millisecond)
					answer.Status, answer.Body = 401, nil
					refused.Add(1)
				} else {
					time.Sleep(500 * time.Millisecond)
				}
				answer.Received = time.Now()
				if outcome := c.End(request, answer); n%10 >= 3 {
					assert.Empty(t, outcome.Message)
				}
			})
			time.Sleep(10 * time.Millisecond)
		}
		answers.Wait()
		assert.InDelta(t, 0.3, float64(refused.Load())/float64(asked.Load()), 0.01)
		assert.NotContains(t, strings.Join(c.Notes(), "\n"), "Retry-After", "nobody was asked to wait")
	})
}

// A refusal that may be of our own doing is no word about the user: the client goes, and a spare one takes its place.
func TestClientsWhoseTokenMayBeUsedUpOrExpiredRetire(t *testing.T) {
	for name, test := range map[string]struct {
		lost  bool
		wrong map[string]int
	}{
		"an answer was lost":     {true, map[string]int{"refresh reset": 3, "refresh status": 3}},
		"the tokens had expired": {false, map[string]int{"refresh status": 3}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, lab.Spoiled("/refresh", 0, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if test.lost && n <= 3 {
					next.ServeHTTP(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				}
				next.ServeHTTP(w, r)
			}))
			c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 3}, 30, 10)
			for n := range uint32(3) {
				if !test.lost {
					c.hold(n, holdsRefresh, []byte(lab.Token("RefreshAuthN", "L1", "LOAD_1", "one", time.Now().Unix()-600)))
				}
			}
			f := s.drive(t, c, 30, 1)
			assert.Equal(t, test.wrong, f.wrong)
			assert.Equal(t, 3, f.right[hit.OpSignOn], "of spare clients")
			assert.Contains(t, strings.Join(c.Notes(), "\n"), "3 times a chain of refreshes broke; 3 clients of 6 (50.00 %) had nothing to sign on with again and took no further part")
		})
	}
}

// A load whose sign-ons have used up all session tokens cannot do what was asked, though others stay signed in.
func TestEachKindOfClientRunsOut(t *testing.T) {
	s := newService(t, mock.Config{}, nil)
	s.Environment.Load.Clients.Count = 40
	c, _ := s.ready(t, Traffic{Workload: WorkloadMixed, Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 1}}, 0, 10)
	require.Positive(t, c.planned.starters)
	f := s.drive(t, c, 1000, 1)
	assert.Equal(t, c.planned.starters, f.right[hit.OpSignOn])
	assert.Less(t, f.right[hit.OpRefresh], 500, "it ends there")
	var ends []string
	for seq := range uint64(20) {
		if err := c.Exhausted(seq); err != nil {
			ends = append(ends, err.Error())
		}
	}
	require.Len(t, ends, 10, "of sign-ons alone")
	assert.Equal(t, "no virtual client is left that signs on: all session tokens are used", ends[0])
}

// A success of another status than the wanted one is wrong, and its client goes on with the tokens that it brought.
func TestAWrongStatusEndsNoChain(t *testing.T) {
	s := newService(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, lab.Spoiled("/refresh", 0, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		if n%3 == 0 {
			recorder.Code = http.StatusCreated
		}
		w.WriteHeader(recorder.Code)
		w.Write(recorder.Body.Bytes())
	}))
	c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 10}, 90, 10)
	f := s.drive(t, c, 90, 1)
	assert.Equal(t, map[string]int{hit.OpRefresh: 60}, f.right)
	assert.Equal(t, map[string]int{"refresh status": 30}, f.wrong)
	assert.Zero(t, c.broken.Load())

	stranger, _ := c.judge(&sender{client: 0, step: stepRefresh}, &hit.Answer{Status: http.StatusCreated, Body: []byte(lab.TokenBody("L7", "LOAD_7", "L7", "LOAD_7", "one"))})
	assert.Equal(t, hit.KindIdentity, stranger.Kind, "a mix-up is one under any status")
	empty, kept := c.judge(&sender{client: 0, step: stepRefresh}, &hit.Answer{Status: http.StatusNoContent})
	assert.Equal(t, hit.KindStatus, empty.Kind)
	assert.False(t, kept)
}

// A token that had expired before its turn came is refused by right: the words and a note say so.
func TestARefusalOfATokenThatWasTooOldSaysSo(t *testing.T) {
	s := newService(t, mock.Config{}, nil)
	c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 3}, 10, 10)
	now := time.Now()
	for n, test := range []struct {
		token  string
		status int
		want   string
	}{
		{lab.Token("RefreshAuthN", "L1", "LOAD_1", "one", now.Unix()-600), 401, "refresh was answered 401, not 200; its refresh token had expired before it was sent"},
		{lab.Token("RefreshAuthN", "L2", "LOAD_2", "two", now.Unix()+600), 401, "refresh was answered 401, not 200"},
		{"opaque", 401, "refresh was answered 401, not 200"},
		{lab.Token("RefreshAuthN", "L1", "LOAD_1", "one", now.Unix()-600), 502, "refresh was answered 502, not 200"},
	} {
		client := uint32(n % 3)
		c.hold(client, holdsRefresh, []byte(test.token))
		outcome := c.refused(&sender{client: client, step: stepRefresh}, &hit.Answer{Status: test.status, Sent: now, Received: now})
		assert.Equal(t, hit.KindStatus, outcome.Kind)
		assert.Equal(t, test.want, outcome.Message)
	}
	assert.Contains(t, c.Notes(), "1 refresh was refused whose token had expired before: the turns of a client lie further apart than its refresh token lives; give fewer --clients, or a higher rate")
}

// Whether a token had expired is a question of the service's clock, not of one that somebody sets meanwhile.
func TestATokenIsTooOldByTheClockOfTheService(t *testing.T) {
	s := newService(t, mock.Config{}, nil)
	c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 3}, 10, 10)
	now := time.Now()
	date := func(at time.Time) string { return at.UTC().Format(http.TimeFormat) }
	for name, test := range map[string]struct {
		expires time.Duration // from now
		set     time.Duration // the clock of this machine, since the run was planned
		date    string
		old     bool
	}{
		"it had":                            {-10 * time.Minute, 0, "", true},
		"it had not":                        {10 * time.Minute, 0, "", false},
		"both clocks may differ":            {-time.Minute, 0, "", false},
		"the clock was set an hour on":      {10 * time.Minute, time.Hour, "", false},
		"the clock was set an hour back":    {-10 * time.Minute, -time.Hour, "", true},
		"by the clock of the service":       {-time.Minute, 0, date(now), true},
		"not by the clock of the service":   {-10 * time.Minute, 0, date(now.Add(-time.Hour)), false},
		"by the service, ours was set back": {-time.Minute, -time.Hour, date(now), true},
		"a Date that is none":               {-10 * time.Minute, 0, "today", true},
	} {
		at := lab.WithClockSet(t, now, test.set)
		assert.Equal(t, test.old, c.hadExpired(now.Add(test.expires), &hit.Answer{Sent: at, Received: at, Date: test.date}), name)
	}
}

func TestBrokenChainGoesOn(t *testing.T) {
	broken := lab.Spoiled("/refresh", 10, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n <= 5 {
			w.WriteHeader(401)
			return
		}
		next.ServeHTTP(w, r)
	})
	for name, test := range map[string]struct {
		traffic Traffic
		minted  bool
		want    map[string]int
	}{
		"with the same token":                {Traffic{Workload: WorkloadRefresh, Clients: 10}, false, map[string]int{hit.OpRefresh: 90}},
		"with its session token":             {Traffic{Workload: WorkloadRefresh, Clients: 10, ReuseSessions: true}, false, map[string]int{hit.OpRefresh: 85, hit.OpSignOn: 5}},
		"with a session token that it mints": {Traffic{Workload: WorkloadRefresh, Clients: 10}, true, map[string]int{hit.OpRefresh: 80, hit.OpSignOn: 5, hit.OpMint: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, broken)
			if test.minted {
				s.Environment.Load.Clients.SessionToken = ""
			}
			c, _ := s.ready(t, test.traffic, 95, 10)
			f := s.drive(t, c, 95, 1)
			assert.Equal(t, map[string]int{"refresh status": 5}, f.wrong)
			assert.Equal(t, test.want, f.right)
			assert.NoError(t, c.Exhausted(0))
			note := "5 times a chain of refreshes broke and its client signed on again"
			if name == "with the same token" {
				note = "5 times a chain of refreshes was refused, and taken up again at the next turn of its client"
			}
			assert.Contains(t, strings.Join(c.Notes(), "\n"), note)
			assert.Equal(t, []string{hit.OpRefresh}, c.Measures())
		})
	}
}

// An answer of a service or gateway in trouble says nothing of a token: the operation that was due stays due, and no
// client retires.
func TestOutageUsesNoTokenUp(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"502": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
		"503": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>Service Unavailable</html>", http.StatusServiceUnavailable)
		},
		"504":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(504) },
		"429":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		"408":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(408) },
		"a login": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/login"); w.WriteHeader(302) },
		"a page":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "\n<html>Back soon</html>") },
		"a page 403": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<html>Forbidden</html>")
		},
		"a page 404": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); io.WriteString(w, "<html>") },
		"no way":     func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"lost":       func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, answer := range answers {
		for _, test := range []struct {
			name, path string
			traffic    Traffic
			minted     bool
			hits       uint64
			operation  string
		}{
			{"refresh of clients of the file", "/refresh", Traffic{Workload: WorkloadRefresh, Clients: 10}, false, 90, hit.OpRefresh},
			{"refresh of clients that mint", "/refresh", Traffic{Workload: WorkloadRefresh, Clients: 10}, true, 90, hit.OpRefresh},
			{"sign-on with single-use tokens", "/signOnWithSessionToken", Traffic{Workload: WorkloadSignOn}, false, 90, hit.OpSignOn},
			{"sign-on with minted tokens", "/signOnWithSessionToken", Traffic{Workload: WorkloadSignOn, Clients: 10}, true, 90, hit.OpSignOn},
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				s := newService(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true, PopulationOnce: true}}, lab.Spoiled(test.path, 0, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
					if n > 20 && n <= 50 {
						answer(w, r)
						return
					}
					next.ServeHTTP(w, r)
				}))
				if test.minted {
					s.Environment.Load.Clients.SessionToken = ""
				}
				c, wrong := s.ready(t, test.traffic, test.hits, 10)
				require.Empty(t, wrong)
				f := s.drive(t, c, test.hits, 1)
				assert.Equal(t, map[string]int{test.operation: int(test.hits) - 30}, f.right)
				sum := 0
				for key, n := range f.wrong {
					assert.True(t, strings.HasPrefix(key, test.operation+" "), key)
					sum += n
				}
				assert.Equal(t, 30, sum, "%v", f.wrong)
				assert.NoError(t, c.Exhausted(0))
				assert.Zero(t, c.broken.Load())
			})
		}
	}
}

// A life goes on where it was, whatever call of it fails.
func TestOutageLeavesALifeWhereItWas(t *testing.T) {
	for _, path := range []string{"/signOnWithSessionToken", "/refresh", "/signOut"} {
		t.Run(path, func(t *testing.T) {
			s := newService(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, lab.Spoiled(path, 5, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if n <= 10 {
					w.WriteHeader(502)
					return
				}
				next.ServeHTTP(w, r)
			}))
			c, _ := s.ready(t, Traffic{Workload: WorkloadLifecycle, Refreshes: 2}, 300, 10)
			f := s.drive(t, c, 300, 1)
			assert.Len(t, f.wrong, 1, "%v", f.wrong)
			right := 0
			for _, n := range f.right {
				right += n
			}
			assert.Equal(t, 290, right)
		})
	}
}

// An answer that got lost behind the service has used the token up all the same: the next one says so, and the client
// signs on again.
func TestLostAnswerOfATokenThatWasTaken(t *testing.T) {
	s := newService(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, lab.Spoiled("/refresh", 10, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n == 1 {
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	}))
	s.Environment.Load.Clients.SessionToken = ""
	c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 5}, 60, 10)
	f := s.drive(t, c, 60, 1)
	assert.Equal(t, map[string]int{"refresh reset": 1, "refresh status": 1}, f.wrong)
	assert.Equal(t, map[string]int{hit.OpRefresh: 56, hit.OpSignOn: 1, hit.OpMint: 1}, f.right)
	assert.Contains(t, strings.Join(f.messages, "\n"), "an earlier try with the same token got no answer that says whether it was taken")
}

func TestThrottledClientsWaitOrNot(t *testing.T) {
	throttle := lab.Spoiled("/refresh", 0, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n <= 10 {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(503)
			return
		}
		next.ServeHTTP(w, r)
	})
	for _, ignore := range []bool{false, true} {
		t.Run(fmt.Sprint("ignored ", ignore), func(t *testing.T) {
			s := newService(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, throttle)
			c, _ := s.ready(t, Traffic{Workload: WorkloadRefresh, Clients: 20, IgnoreRetryAfter: ignore}, 100, 10)
			f := s.drive(t, c, 100, 1)
			assert.Equal(t, map[string]int{"refresh throttled": 10}, f.wrong)
			assert.Equal(t, map[string]int{hit.OpRefresh: 90}, f.right, "the token of a throttled client is still good")
			assert.Zero(t, c.broken.Load())
			ready := 0
			for {
				if _, _, ok := c.ongoing.pop(); !ok {
					break
				}
				ready++
			}
			assert.Equal(t, map[bool]int{false: 10, true: 20}[ignore], ready)
			told := strings.Contains(strings.Join(c.Notes(), "\n"), "10 clients of 20 had been asked with Retry-After to come again after the end of the run")
			assert.Equal(t, !ignore, told)
		})
	}
}

func TestAWaitIsTakenByTheClockOfTheService(t *testing.T) {
	answer := &hit.Answer{RetryAfter: "Wed, 02 Jan 2030 03:15:00 GMT", Date: "Wed, 02 Jan 2030 03:14:50 GMT", Received: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	assert.Equal(t, 10*time.Second, askedWait(answer), "it is ten minutes ahead of ours")
}

func TestSignOnThatWasThrottledKeepsItsSessionToken(t *testing.T) {
	s := newService(t, mock.Config{Behaviour: mock.Behaviour{PopulationOnce: true}}, lab.Spoiled("/signOnWithSessionToken", 0, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n%2 == 1 {
			w.WriteHeader(429)
			return
		}
		next.ServeHTTP(w, r)
	}))
	s.Environment.Load.Clients.Count = 20
	c, _ := s.ready(t, Traffic{Workload: WorkloadSignOn}, 20, 10)
	f := s.drive(t, c, 20, 1)
	assert.Equal(t, map[string]int{"signon throttled": 10}, f.wrong)
	assert.Equal(t, map[string]int{hit.OpSignOn: 10}, f.right)
	assert.NoError(t, c.Exhausted(0))
}

func TestTooFewClientsAreToldBeforeTheRun(t *testing.T) {
	e := func(clients environment.Clients) *environment.Environment {
		return &environment.Environment{Name: "staging", Service: "SSO", Load: environment.Load{Clients: clients}}
	}
	pattern := environment.Clients{Count: 2000, SessionToken: "load-{n}", ClientID: "LOAD_{n}"}
	one := Traffic{Workload: WorkloadMixed, ReuseSessions: true, Clients: 1,
		Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 1}}
	for name, test := range map[string]struct {
		environment *environment.Environment
		traffic     Traffic
		hits        uint64
		says        string
	}{
		"sign-ons":            {e(pattern), Traffic{Workload: WorkloadSignOn}, 6000, "the workload signon needs 6,000 clients, as each of its sign-ons uses a session token of its own, and load.clients of staging offers 2,000"},
		"mixed":               {e(pattern), Traffic{Workload: WorkloadMixed, Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 2}}, 6000, "the workload mixed needs 2,267 clients, as each of its sign-ons uses a session token of its own and 267 clients stay signed in"},
		"more than offered":   {e(pattern), Traffic{Workload: WorkloadRefresh, Clients: 3000}, 100, "3,000 virtual clients were asked for and load.clients of staging offers 2,000"},
		"fewer than needed":   {e(pattern), Traffic{Workload: WorkloadSignOn, Clients: 10}, 100, "needs 100 clients"},
		"no session tokens":   {e(environment.Clients{Count: 5, ClientID: "C{n}"}), Traffic{Workload: WorkloadSignOn}, 5, "have no session tokens"},
		"no operator":         {e(pattern), Traffic{Workload: WorkloadHeadEnd}, 5, "add operator to staging"},
		"no first time":       {e(pattern), Traffic{Workload: WorkloadSignOnFirst}, 5, "allow: {first-time: true}"},
		"no workload":         {e(pattern), Traffic{}, 5, `a load needs to know what to send: give --workload, one of signon, refresh, mixed, lifecycle, head-end, signon-first; for users who sign on now and then, --workload mixed --mix signon=1,refresh=9`},
		"no such workload":    {e(pattern), Traffic{Workload: "signin"}, 5, `there is no workload "signin"`},
		"mix without mixed":   {e(pattern), Traffic{Workload: WorkloadRefresh, Mix: map[string]int{hit.OpRefresh: 1}}, 5, "a mix belongs to the workload mixed"},
		"mix of nothing":      {e(pattern), Traffic{Workload: WorkloadMixed}, 5, "needs a mix"},
		"one client for two":  {e(pattern), one, 50, "1 virtual client cannot do the workload mixed"},
		"no device":           {e(environment.Clients{Count: 5, SessionToken: "s{n}"}), Traffic{Workload: WorkloadSignOn}, 5, "gives no clientId"},
		"refreshes of others": {e(pattern), Traffic{Workload: WorkloadRefresh, Refreshes: 3}, 5, "a number of refreshes belongs to the workload lifecycle, not to refresh"},
		"negative refreshes":  {e(pattern), Traffic{Workload: WorkloadLifecycle, Refreshes: -1}, 5, "a lifecycle of -1 refreshes"},
		"negative judgements": {e(pattern), Traffic{Workload: WorkloadRefresh, JudgeEvery: -1}, 5, "1 of -1 answers"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(test.environment, test.traffic, Part{Hits: test.hits, Peak: 200, Seed: 1})
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

func TestDiscoveryMustOfferTheService(t *testing.T) {
	for name, test := range map[string]struct{ body, kind string }{
		"no list":         {`{"services":[]}`, hit.KindShape},
		"HTML":            {"<html>", hit.KindShape},
		"empty list":      {`{"availableServices":[]}`, hit.KindIdentity},
		"another service": {`{"availableServices":[{"authServiceName":"Other SSO"}]}`, hit.KindIdentity},
		"right":           {`{"availableServices":[{"authServiceName":"Operator SSO"}]}`, ""},
		"gateway refusal": {`{"resultCode":"\u00399999:403","availableServices":"Operator SSO"}`, hit.KindStatus},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Crowd{service: "Operator SSO"}
			outcome, _ := c.judge(&sender{client: noClient, step: stepDiscover}, &hit.Answer{Status: http.StatusOK, Body: []byte(test.body)})
			assert.Equal(t, test.kind, outcome.Kind, outcome.Message)
		})
	}
}

func TestOneClientStaysSignedIn(t *testing.T) {
	assert.Equal(t, " and 1 client stays signed in", andChains(1))
	assert.Equal(t, " and 267 clients stay signed in", andChains(267))
}
