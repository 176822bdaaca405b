package shards

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
)

const testToken = "the-token-of-the-run"

// longest ends a test that hangs; it says nothing of how fast anything is.
const longest = 3 * time.Minute

// runningAgent is an agent behind a real listener, and its client.
type runningAgent struct {
	t      *testing.T
	agent  *Agent
	url    string
	plan   Plan
	stop   context.CancelCauseFunc // SIGTERM
	ended  chan error
	over   bool         // ended has told
	output bytes.Buffer // to be read when it has ended

	mu    sync.Mutex // guards words
	words []Ending
}

// agentOf starts an agent; change may alter it and its plan before.
func agentOf(t *testing.T, do Load, change func(*Agent, *Plan)) *runningAgent {
	t.Helper()
	r := &runningAgent{t: t, ended: make(chan error, 1)}
	r.plan = Plan{Schema: PlanSchema, Run: "r1", Version: "1.2.3", Shards: 3, ReadyWithin: time.Minute, Duration: time.Minute, Linger: time.Minute}
	r.agent = &Agent{
		Index: 1, Version: "1.2.3", Token: []byte(testToken), Folder: t.TempDir(), Load: do, Output: &r.output, Grace: 50 * time.Millisecond, FailedLinger: time.Minute,
		LastWords: func(e Ending) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.words = append(r.words, e)
		},
	}
	if change != nil {
		change(r.agent, &r.plan)
	}
	var err error
	r.agent.Plan, err = json.Marshal(r.plan)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancelCause(context.Background())
	r.stop = stop
	go func() { r.ended <- r.agent.Run(ctx, listener) }()
	t.Cleanup(func() {
		stop(nil)
		if !r.over {
			_ = r.end()
		}
	})
	return r
}

// end waits for the agent.
func (r *runningAgent) end() error {
	r.t.Helper()
	select {
	case err := <-r.ended:
		r.over = true
		return err
	case <-time.After(longest):
		require.Fail(r.t, "the agent does not end")
		return nil
	}
}

func (r *runningAgent) lastWords() Ending {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.words[len(r.words)-1]
}

func (r *runningAgent) send(method, path, token string, message any, header ...string) (int, []byte, http.Header) {
	r.t.Helper()
	var body io.Reader
	if message != nil {
		text, err := json.Marshal(message)
		require.NoError(r.t, err)
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, r.url+path, body)
	require.NoError(r.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	require.NoError(r.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, text, response.Header
}

func (r *runningAgent) post(path string, message any) (int, Status) {
	r.t.Helper()
	code, text, _ := r.send("POST", path, testToken, message)
	var s Status
	if len(text) > 0 {
		require.NoError(r.t, json.Unmarshal(text, &s), "%s", text)
	}
	return code, s
}

func (r *runningAgent) state() Status {
	r.t.Helper()
	_, text, _ := r.send("GET", PathState, testToken, nil)
	var s Status
	require.NoError(r.t, json.Unmarshal(text, &s))
	return s
}

// reaches waits for a phase.
func (r *runningAgent) reaches(phase Phase) Status {
	r.t.Helper()
	var s Status
	require.Eventually(r.t, func() bool { s = r.state(); return s.Phase == phase }, longest, time.Millisecond, "the phase %s", phase)
	return s
}

func (r *runningAgent) prepare() (int, Status) {
	return r.post(PathPrepare, Prepare{Plan: HashOf(r.agent.Plan), Version: "1.2.3"})
}

// ready prepares and waits until the agent is set up.
func (r *runningAgent) ready() Status {
	r.t.Helper()
	code, s := r.prepare()
	require.Equal(r.t, 200, code, "%+v", s)
	return r.reaches(PhaseReady)
}

// starts tells of an instant so far ahead, or farther where this machine stands still for longer.
func (r *runningAgent) starts(lead time.Duration) (at int64) {
	r.t.Helper()
	for ; ; lead *= 4 {
		at = time.Now().Add(lead).UnixNano()
		code, s := r.post(PathStart, Start{At: at})
		if code != 409 || !strings.Contains(s.Error, "has passed") || lead > time.Minute {
			require.Equal(r.t, 200, code, "%+v", s)
			assert.Contains(r.t, []Phase{PhaseArmed, PhaseRunning}, s.Phase)
			return at
		}
	}
}

// begun starts the load, in a moment.
func (r *runningAgent) begun() {
	r.t.Helper()
	r.ready()
	r.starts(100 * time.Millisecond)
}

// pretended is a load without a service: it is set up at once, tells of one second, and is over when it is released.
func pretended(folder *string, release <-chan struct{}) Load {
	return func(ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
		if _, err := barrier(ctx, engine.Ready{Hits: 300, Length: 30 * time.Second, Clients: 7}); err != nil {
			return nil, err
		}
		progress(engine.Progress{Elapsed: time.Second, Left: 29 * time.Second, Sent: 10, Wrong: 2, Rate: 10, P50: 1e6, P99: 2e6})
		partial := ""
		select {
		case <-release:
		case <-ctx.Done():
			partial = context.Cause(ctx).Error()
		}
		if err := os.WriteFile(filepath.Join(*folder, "load.record"), []byte("figures"), 0o600); err != nil {
			return nil, err
		}
		return &reports.Load{
			Run: reports.Run{Partial: partial}, Plan: reports.Plan{Hits: 300}, Total: &reports.Operation{Sent: 299},
			Generator: reports.Generator{StartLate: 3e6, Throttled: 5e6, ThrottledTimes: 2, CPUSeconds: 1.5},
		}, nil
	}
}

func pretending(t *testing.T, change func(*Agent, *Plan)) (*runningAgent, chan struct{}) {
	release := make(chan struct{})
	folder := new(string)
	return agentOf(t, pretended(folder, release), func(a *Agent, p *Plan) {
		*folder = a.Folder
		if change != nil {
			change(a, p)
		}
	}), release
}

// fetch reads the result and its files.
func (r *runningAgent) fetch() ([]byte, map[string]string) {
	r.t.Helper()
	code, text, header := r.send("GET", PathResult, testToken, nil)
	require.Equal(r.t, 200, code, "%s", text)
	assert.Equal(r.t, HashOf(text), header.Get(headerSHA256))
	return text, unpacked(r.t, text)
}

func unpacked(t *testing.T, result []byte) map[string]string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, Unpack(bytes.NewReader(result), folder))
	files := map[string]string{}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		require.NoError(t, err)
		files[e.Name()] = string(text)
	}
	return files
}

func TestAgentDoesItsPartAndHandsItOver(t *testing.T) {
	t.Parallel()
	r, release := pretending(t, nil)
	assert.Equal(t, Status{Index: 1, Phase: PhaseWaiting, Version: "1.2.3", Plan: HashOf(r.agent.Plan)}, r.reaches(PhaseWaiting))
	code, _ := r.post(PathStart, Start{At: time.Now().Add(time.Second).UnixNano()})
	assert.Equal(t, 409, code, "it is not ready")
	ready := r.ready()
	assert.EqualValues(t, []int64{300, 7}, []int64{ready.Planned, int64(ready.Clients)})
	code, again := r.prepare()
	assert.Equal(t, 200, code, "a second /prepare changes nothing")
	assert.Equal(t, PhaseReady, again.Phase)

	at := r.starts(time.Second)
	code, _ = r.post(PathStart, Start{At: at})
	assert.Equal(t, 200, code, "the same start told twice is one")
	code, s := r.post(PathStart, Start{At: at + 1})
	assert.Equal(t, 409, code)
	assert.Contains(t, s.Error, "cannot be started")
	r.reaches(PhaseRunning)
	code, _, _ = r.send("GET", PathResult, testToken, nil)
	assert.Equal(t, 409, code, "there is none yet")
	code, _ = r.post(PathAck, Ack{SHA256: HashOf(nil)})
	assert.Equal(t, 409, code)
	var p Progress
	_, text, _ := r.send("GET", PathProgress, testToken, nil)
	require.NoError(t, json.Unmarshal(text, &p))
	whole := &engine.Progress{Elapsed: time.Second, Left: 29 * time.Second, Sent: 10, Wrong: 2, Rate: 10, P50: 1e6, P99: 2e6}
	assert.Equal(t, Progress{Elapsed: time.Second, Left: 29 * time.Second, Sent: 10, Wrong: 2, Rate: 10, P50: time.Millisecond, P99: 2 * time.Millisecond, Whole: whole}, p)
	var c Clock
	before := time.Now().UnixNano()
	_, text, _ = r.send("GET", PathClock, testToken, nil)
	require.NoError(t, json.Unmarshal(text, &c))
	assert.LessOrEqual(t, before, c.Now)
	assert.LessOrEqual(t, c.Now, time.Now().UnixNano())

	close(release)
	done := r.reaches(PhaseDone)
	result, files := r.fetch()
	assert.Equal(t, map[string]string{"load.record": "figures"}, files)
	assert.Equal(t, &Result{Bytes: int64(len(result)), SHA256: HashOf(result)}, done.Result)
	code, part, header := r.send("GET", PathResult, testToken, nil, "Range", "bytes=100-199")
	assert.Equal(t, 206, code)
	assert.Equal(t, result[100:200], part)
	assert.Equal(t, HashOf(result), header.Get(headerSHA256), "that of the whole")
	code, _ = r.post(PathAck, Ack{SHA256: HashOf(part)})
	assert.Equal(t, 409, code, "another result")
	code, _ = r.post(PathAck, Ack{SHA256: HashOf(result)})
	assert.Equal(t, 204, code)
	require.NoError(t, r.end())
	assert.Empty(t, r.output.String(), "what was fetched is not logged")
	assert.Equal(t, Ending{
		Index: 1, Phase: PhaseDone, Result: done.Result, Planned: 300, Sent: 299, StartLate: 3 * time.Millisecond,
		Throttled: 5 * time.Millisecond, ThrottledTimes: 2, CPU: 1500 * time.Millisecond, Elapsed: time.Second,
	}, r.lastWords())
}

func TestAgentTellsNobodyWithoutTheToken(t *testing.T) {
	t.Parallel()
	r, _ := pretending(t, nil)
	for _, token := range []string{"", "the-token-of-the-ruN", testToken + "x"} {
		for _, path := range []string{PathState, PathResult, PathClock, "/nothing"} {
			code, text, _ := r.send("GET", path, token, nil)
			assert.Equal(t, 401, code)
			assert.NotContains(t, string(text), testToken)
		}
		code, _, _ := r.send("POST", PathAbort, token, nil)
		assert.Equal(t, 401, code)
	}
	assert.Equal(t, PhaseWaiting, r.state().Phase)
	code, _, _ := r.send("POST", PathPrepare, testToken, "no message")
	assert.Equal(t, 400, code)
	code, _, _ = r.send("DELETE", PathState, testToken, nil)
	assert.Equal(t, 405, code)

	open, _ := pretending(t, func(a *Agent, _ *Plan) { a.Token = nil })
	code, _, _ = open.send("GET", PathState, "", nil)
	assert.Equal(t, 401, code, "no token is no way in")
}

func TestAgentRefusesAnotherPlan(t *testing.T) {
	t.Parallel()
	r, _ := pretending(t, nil)
	code, s := r.post(PathPrepare, Prepare{Plan: HashOf([]byte("stale")), Version: "1.2.3"})
	assert.Equal(t, 409, code)
	assert.Equal(t, "this shard holds another plan than the one that was asked for; nothing was sent", s.Error)
	code, s = r.post(PathPrepare, Prepare{Plan: HashOf(r.agent.Plan), Version: "1.2.4"})
	assert.Equal(t, 409, code)
	assert.Contains(t, s.Error, "this shard is agstest 1.2.3 and its coordinator 1.2.4")
	assert.Equal(t, Status{Index: 1, Phase: PhaseWaiting, Version: "1.2.3", Plan: HashOf(r.agent.Plan)}, r.state(), "it waits for the right one")

	for says, change := range map[string]func(*Agent, *Plan){
		"was made by agstest 1.2.4 and the image holds 1.2.3": func(_ *Agent, p *Plan) { p.Version = "1.2.4" },
		`is of the form "agstest/shard-plan/9"`:               func(_ *Agent, p *Plan) { p.Schema = "agstest/shard-plan/9" },
		"there is no shard 3 in a run of 3 shards":            func(a *Agent, _ *Plan) { a.Index = 3 },
	} {
		r, _ := pretending(t, change)
		failed := r.reaches(PhaseFailed)
		assert.Contains(t, failed.Error, says)
		assert.Equal(t, 2, failed.Exit)
		code, s := r.prepare()
		assert.Equal(t, 409, code)
		assert.Contains(t, s.Error, says)
		r.post(PathAbort, nil)
		code, _ = r.post(PathAck, Ack{})
		assert.Equal(t, 204, code, "who has read why may let it end")
		err := r.end()
		assert.ErrorContains(t, err, says)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
		assert.Equal(t, PhaseFailed, r.lastWords().Phase)
	}
}

func TestAgentRefusesAnInstantThatHasPassed(t *testing.T) {
	t.Parallel()
	r, release := pretending(t, nil)
	r.ready()
	code, s := r.post(PathStart, Start{At: time.Now().Add(-10 * time.Minute).UnixNano()})
	assert.Equal(t, 409, code)
	assert.Contains(t, s.Error, "has passed 10m")
	code, s = r.post(PathStart, Start{At: time.Now().Add(2 * time.Hour).UnixNano()})
	assert.Equal(t, 409, code)
	assert.Contains(t, s.Error, "2h0m0s ahead")
	assert.Equal(t, PhaseReady, r.state().Phase, "a right one may still come")
	r.starts(time.Second)
	close(release)
	r.reaches(PhaseDone)
}

func TestAgentThatIsAborted(t *testing.T) {
	t.Parallel()
	t.Run("before it is asked to prepare", func(t *testing.T) {
		r, _ := pretending(t, nil)
		r.post(PathAbort, nil)
		failed := r.reaches(PhaseFailed)
		assert.Equal(t, "the shard sent nothing: its coordinator told it to stop", failed.Error)
		assert.Equal(t, 3, failed.Exit)
	})
	t.Run("before the start", func(t *testing.T) {
		r, _ := pretending(t, func(a *Agent, _ *Plan) { a.FailedLinger = time.Millisecond })
		r.ready()
		r.post(PathAbort, nil)
		assert.ErrorContains(t, r.end(), "the shard sent nothing: its coordinator told it to stop")
		assert.Zero(t, r.lastWords().Sent)
	})
	t.Run("while it runs", func(t *testing.T) {
		r, _ := pretending(t, nil)
		r.begun()
		r.post(PathAbort, nil)
		r.reaches(PhaseDone)
		_, files := r.fetch()
		assert.Contains(t, files, "load.record", "what was measured is kept")
	})
}

func TestAgentThatIsToldToStop(t *testing.T) {
	t.Parallel()
	t.Run("while it runs it keeps its result until it is fetched", func(t *testing.T) {
		r, _ := pretending(t, func(a *Agent, _ *Plan) { a.Grace = time.Minute })
		r.begun()
		r.stop(errors.New("the run was told to stop (SIGTERM)"))
		r.reaches(PhaseDone)
		result, _ := r.fetch()
		r.post(PathAck, Ack{SHA256: HashOf(result)})
		assert.NoError(t, r.end())
	})
	t.Run("nobody comes before the grace is over, so the result is logged", func(t *testing.T) {
		r, _ := pretending(t, func(a *Agent, _ *Plan) { a.Grace = 300 * time.Millisecond })
		r.begun()
		r.stop(errors.New("SIGTERM"))
		assert.NoError(t, r.end())
		assert.True(t, r.lastWords().Logged)
		result, said, err := readFrame(strings.NewReader("agstest: a line before\n"+r.output.String()), 1)
		require.NoError(t, err)
		assert.Equal(t, r.lastWords().Result, said)
		assert.Equal(t, map[string]string{"load.record": "figures"}, unpacked(t, result))
	})
	t.Run("of a result that is too large for a log the record alone is logged", func(t *testing.T) {
		r, _ := pretending(t, func(a *Agent, _ *Plan) {
			a.Grace = 300 * time.Millisecond
			large := make([]byte, 20_000)
			a.MostLogged = 10_000
			_, _ = rand.Read(large)
			require.NoError(t, os.WriteFile(filepath.Join(a.Folder, "load.seen"), large, 0o600))
		})
		r.begun()
		r.stop(errors.New("SIGTERM"))
		assert.NoError(t, r.end())
		result, _, err := readFrame(&r.output, 1)
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"load.record": "figures"}, unpacked(t, result))
	})
	t.Run("before the start it sends nothing", func(t *testing.T) {
		r, _ := pretending(t, func(a *Agent, _ *Plan) { a.FailedLinger = time.Millisecond })
		r.ready()
		r.stop(errors.New("the run was told to stop (SIGTERM)"))
		assert.ErrorContains(t, r.end(), "the shard sent nothing: the run was told to stop (SIGTERM)")
	})
}

func TestAgentThatNobodyStartsGivesUp(t *testing.T) {
	t.Parallel()
	s := newStanding(&Agent{}, nil)
	ctx, cancel := context.WithCancelCause(context.Background())
	s.abort = cancel
	close(s.able)
	s.asked = 1
	s.giveUp(errUnasked)
	assert.NoError(t, ctx.Err(), "it was started")
	s.asked = 0
	s.giveUp(errUnasked)
	assert.Equal(t, errUnasked, context.Cause(ctx))
}

func TestAgentWhoseLoadFails(t *testing.T) {
	t.Parallel()
	r := agentOf(t, func(context.Context, engine.Barrier, func(engine.Progress)) (*reports.Load, error) {
		return nil, failure.Setupf("set-up: a session token could not be had")
	}, nil)
	r.prepare()
	failed := r.reaches(PhaseFailed)
	assert.Equal(t, "set-up: a session token could not be had", failed.Error)
	assert.Equal(t, 3, failed.Exit)
	r.post(PathAck, Ack{})
	assert.Equal(t, failure.Setup, failure.KindOf(r.end()))
}

func TestAgentStoresItsResult(t *testing.T) {
	t.Parallel()
	var got []byte
	calls := 0
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		text, _ := io.ReadAll(r.Body)
		if r.Method == "PUT" && r.URL.Path == "/bucket/1.tar" && r.URL.Query().Get("sig") == "s3cret" && r.ContentLength == int64(len(text)) {
			got = text
			return
		}
		w.WriteHeader(403)
	}))
	defer store.Close()
	r, release := pretending(t, func(a *Agent, p *Plan) {
		a.ResultsURL, p.Linger = store.URL+"/bucket/{index}.tar?sig=s3cret", 300*time.Millisecond
	})
	r.begun()
	close(release)
	require.NoError(t, r.end())
	assert.Equal(t, map[string]string{"load.record": "figures"}, unpacked(t, got))
	assert.True(t, r.lastWords().Stored)
	assert.Empty(t, r.output.String(), "it need not be logged too")

	r, release = pretending(t, func(a *Agent, p *Plan) {
		a.ResultsURL, p.Linger = store.URL+"/bucket/{index}.tar?sig=w0rng", 10*time.Millisecond
	})
	r.begun()
	close(release)
	err := r.end()
	assert.ErrorContains(t, err, "could not be stored at 127.0.0.1:")
	assert.ErrorContains(t, err, "it was answered 403")
	assert.NotContains(t, err.Error(), "w0rng", "the URL is a secret")
	assert.True(t, r.lastWords().Logged)
	assert.Equal(t, 2, calls, "a refusal is not tried again")
}

// One shard with a real load: its requests reach the service, and its record can be merged.
func TestAgentLoadsAService(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Config{Seed: 3})
	server := httptest.NewServer(m)
	defer server.Close()
	e, err := environment.Parse(m.Environment(server.URL, "", ""), "mock.yaml", t.TempDir(), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	var agents []*runningAgent
	for index := range 3 {
		folder := new(string)
		agents = append(agents, agentOf(t, func(ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
			return load.Run(ctx, load.Options{
				Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh}, Rate: schedule.Rate{Hits: 90, Per: time.Second}, Duration: time.Second, Seed: 5,
				Shard: schedule.Shard{Index: index + 1, Of: 3}, Barrier: barrier, Progress: progress, Record: *folder, MaxLag: time.Minute,
			})
		}, func(a *Agent, _ *Plan) { a.Index, *folder = index, a.Folder }))
	}
	for _, r := range agents {
		r.prepare()
	}
	for _, r := range agents {
		r.reaches(PhaseReady)
	}
	at := time.Now().Add(3 * time.Second).UnixNano() // telling all of it may take a second
	for _, r := range agents {
		code, s := r.post(PathStart, Start{At: at})
		require.Equal(t, 200, code, "%+v", s)
	}
	var folders []string
	for i, r := range agents {
		assert.EqualValues(t, 30, r.reaches(PhaseDone).Planned)
		result, _ := r.fetch()
		folder := filepath.Join(t.TempDir(), fmt.Sprint(i))
		require.NoError(t, Unpack(bytes.NewReader(result), folder))
		folders = append(folders, folder)
		r.post(PathAck, Ack{SHA256: HashOf(result)})
		require.NoError(t, r.end())
		assert.EqualValues(t, []int64{30, 30}, []int64{r.lastWords().Planned, r.lastWords().Sent})
	}
	o := Outcome{Run: "r1"}
	for i, folder := range folders {
		o.Shards = append(o.Shards, Shard{Index: i + 1, Of: 3, Folder: folder, Node: "n1"})
	}
	merged, err := o.Merge("one more note")
	require.NoError(t, err)
	assert.EqualValues(t, []int64{90, 90, 90}, []int64{merged.Total.Asked, merged.Total.Sent, merged.Total.Right}, "%v", merged.Wrong)
	assert.Empty(t, merged.Run.Partial)
	assert.Subset(t, merged.Notes, []string{"one more note", "3 shards shared the node n1, its processors and its network: 1/3, 2/3, 3/3", "uniqueness was checked over 3 of 3 shards"})
}
