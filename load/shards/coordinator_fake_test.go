package shards

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/load/engine"
	"agstest/load/schedule"
	"agstest/reports"
)

// fakeEngine runs agents in this process. Everything it does is done in the time of a synctest bubble, over pipes, so
// that minutes of a run take no time and come out the same each time.
type fakeEngine struct {
	t      *testing.T
	check  error // of Check
	create error // of Create
	shards []*fakeShard
	stays  error // of Remove
	sent   atomic.Int64
	load   func(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) // nil: plainLoad

	mutex   sync.Mutex // guards what follows
	work    *Work
	calls   []string
	watches map[chan []Sight]bool
	ended   context.CancelFunc
	group   sync.WaitGroup
}

// fakeShard is one shard and its faults.
type fakeShard struct {
	index     int
	starts    time.Duration // from creation until it runs
	never     Sight         // what the engine reports instead of a running shard, if State is given
	leaves    time.Duration // from the moment when it runs to when leaving is told; 0: never
	leaving   Sight
	dies      bool                 // then, in place of being told to end
	skew      time.Duration        // of its clock
	drifts    time.Duration        // of it in a second
	there     func() time.Duration // time of a request on its way; nil: 1 ms
	back      func() time.Duration
	version   string                                                       // of its program; empty: the right one
	intercept func(w http.ResponseWriter, r *http.Request) (answered bool) // sees each request first
	unreach   func() bool                                                  // true: connections fail
	cut       func() bool                                                  // true: connections break too
	mute      bool                                                         // its log is lost
	unheard   func() bool                                                  // true: its log cannot be read, and one that is followed breaks off
	folder    string

	engine   *fakeEngine
	listener *pipeListener
	front    *pipeListener
	evict    context.CancelFunc // SIGTERM
	kill     func()             // ends its connections for good
	outputMu sync.Mutex         // guards output and silent
	output   bytes.Buffer
	silent   bool  // its process has ended
	sight    Sight // as last told; guarded by the engine's mutex
	words    Ending
}

func newFakeEngine(t *testing.T, shards int) *fakeEngine {
	e := &fakeEngine{t: t, watches: map[chan []Sight]bool{}}
	for i := range shards {
		e.shards = append(e.shards, &fakeShard{index: i, engine: e})
	}
	return e
}

// plan returns the plan of the work.
func (e *fakeEngine) plan() (p Plan) {
	_ = json.Unmarshal(e.work.Files[PlanFile], &p)
	return p
}

func (e *fakeEngine) note(call string) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.calls = append(e.calls, call)
}

func (e *fakeEngine) noted() []string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return slices.Clone(e.calls)
}

func (e *fakeEngine) Check(context.Context) error {
	e.note("check")
	return e.check
}

func (e *fakeEngine) Create(ctx context.Context, work Work) error {
	e.note("create")
	if e.create != nil {
		return e.create
	}
	e.work = &work
	ctx, e.ended = context.WithCancel(context.WithoutCancel(ctx))
	for _, s := range e.shards {
		s.tell(Sight{State: Pending})
		e.group.Go(func() {
			if pause(ctx, s.starts) != nil {
				return
			}
			if s.never.State != "" {
				s.tell(s.never)
				return
			}
			s.live(ctx)
		})
	}
	return nil
}

func (e *fakeEngine) Watch(ctx context.Context, run string) <-chan []Sight {
	told := make(chan []Sight, 1000)
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.watches[told] = true
	var all []Sight
	for _, s := range e.shards {
		if s.sight.State != "" {
			all = append(all, s.sight)
		}
	}
	told <- all
	context.AfterFunc(ctx, func() {
		e.mutex.Lock()
		defer e.mutex.Unlock()
		delete(e.watches, told)
		close(told)
	})
	return told
}

func (s *fakeShard) tell(sight Sight) {
	sight.Index, sight.Name = s.index, "pod"
	if sight.Node == "" && sight.State != Pending {
		sight.Node = "node-" + string(rune('a'+s.index))
	}
	s.engine.mutex.Lock()
	defer s.engine.mutex.Unlock()
	s.sight = sight
	for told := range s.engine.watches {
		told <- []Sight{sight}
	}
}

func (e *fakeEngine) Dial(ctx context.Context, run string, index int) (net.Conn, error) {
	s := e.shards[index]
	e.mutex.Lock()
	front := s.front
	e.mutex.Unlock()
	if front == nil || s.unreach != nil && s.unreach() || s.cut != nil && s.cut() {
		return nil, errors.New("forwarding a port: the pod cannot be reached")
	}
	return front.dial(ctx)
}

func (e *fakeEngine) Log(ctx context.Context, run string, index int, o LogOptions) (io.ReadCloser, error) {
	s := e.shards[index]
	e.mutex.Lock()
	gone := s.sight.State == Gone || s.mute || s.sight.State == Unsure
	e.mutex.Unlock()
	if gone || s.unheard != nil && s.unheard() {
		return nil, errors.New("the pod is gone")
	}
	if o.Follow {
		return &followedLog{ctx: ctx, shard: s}, nil
	}
	way(s.there)
	defer way(s.back)
	s.outputMu.Lock()
	defer s.outputMu.Unlock()
	text := s.output.String()
	if o.Tail > 0 {
		lines := strings.SplitAfter(text, "\n")
		text = strings.Join(lines[max(0, len(lines)-1-o.Tail):], "")
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// followedLog is the output of a shard while it grows.
type followedLog struct {
	ctx   context.Context
	shard *fakeShard
	read  int
}

func (l *followedLog) Read(p []byte) (int, error) {
	for {
		l.shard.outputMu.Lock()
		n := copy(p, l.shard.output.Bytes()[l.read:])
		ended := l.shard.silent
		l.shard.outputMu.Unlock()
		l.read += n
		switch {
		case n > 0:
			return n, nil
		case ended:
			return 0, io.EOF
		case l.shard.unheard != nil && l.shard.unheard():
			return 0, io.ErrUnexpectedEOF
		case pause(l.ctx, 10*time.Millisecond) != nil:
			return 0, l.ctx.Err()
		}
	}
}

func (l *followedLog) Close() error { return nil }

func (e *fakeEngine) Find(ctx context.Context, run string) (*Work, error) {
	if e.work == nil || e.work.Run != run {
		return nil, failure.Setupf("there is no run %s", run)
	}
	found := *e.work
	found.Secrets = map[string][]byte{TokenFile: e.work.Secrets[TokenFile]}
	return &found, nil
}

func (e *fakeEngine) Remove(ctx context.Context, run string) error {
	e.note("remove")
	if e.stays != nil {
		return e.stays
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e.ended != nil {
		e.ended()
	}
	return nil
}

// close ends what was not removed.
func (e *fakeEngine) close() {
	if e.ended != nil {
		e.ended()
	}
	e.group.Wait()
	time.Sleep(time.Hour) // of the bubble: what is on its way arrives
}

func (s *fakeShard) Write(p []byte) (int, error) {
	s.outputMu.Lock()
	defer s.outputMu.Unlock()
	return s.output.Write(p)
}

// live is the life of a shard's process.
func (s *fakeShard) live(ctx context.Context) {
	e := s.engine
	folder := e.t.TempDir()
	s.folder = folder
	listener, front := newPipeListener(), newPipeListener()
	process, evict := context.WithCancel(ctx)
	var plan Plan
	_ = json.Unmarshal(e.work.Files[PlanFile], &plan)
	version := plan.Version
	if s.version != "" {
		version = s.version
	}
	work := e.load
	if work == nil {
		work = plainLoad(plan)
	}
	counted := work
	work = func(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
		before := int64(0)
		return counted(index, ctx, barrier, func(at engine.Progress) {
			e.sent.Add(at.Sent - before)
			before = at.Sent
			progress(at)
		})
	}
	a := &Agent{
		Index: s.index, Plan: e.work.Files[PlanFile], Version: version, Token: e.work.Secrets[TokenFile], Folder: folder, Output: s,
		ResultsURL: string(e.work.Secrets["results-url"]),
		LastWords: func(last Ending) {
			e.mutex.Lock()
			defer e.mutex.Unlock()
			s.words = last
		},
		Load: func(ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
			report, err := work(s.index, ctx, barrier, progress)
			if report != nil && err == nil {
				require.NoError(e.t, os.WriteFile(filepath.Join(folder, "load.record"), []byte("record of shard "+report.Shard), 0o600))
			}
			return report, err
		},
	}
	server := &http.Server{Handler: s.between(listener), ErrorLog: log.New(io.Discard, "", 0)}
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = server.Serve(front)
	})
	kill := sync.OnceFunc(func() {
		front.Close()
		_ = server.Close()
	})
	e.mutex.Lock()
	s.listener, s.front, s.evict, s.kill = listener, front, evict, kill
	e.mutex.Unlock()
	s.tell(Sight{State: Running})
	if s.leaves > 0 {
		gone := time.AfterFunc(s.leaves, func() {
			if s.dies {
				kill()
			}
			s.tell(s.leaving)
			if s.leaving.State != Unsure {
				evict()
			}
		})
		defer gone.Stop()
	}
	var err error
	if Alone(a.Plan) {
		a.now = func() time.Time { return time.Now().Add(s.skew) }
		err = a.Run(process, nil)
	} else {
		err = a.Run(process, listener)
	}
	s.outputMu.Lock()
	s.silent = true
	s.outputMu.Unlock()
	kill()
	serving.Wait()
	evict()
	e.mutex.Lock()
	last := s.sight.State
	message, _ := json.Marshal(s.words)
	e.mutex.Unlock()
	switch {
	case ctx.Err() != nil: // it was removed
		s.tell(Sight{State: Gone})
	case last == Leaving && Alone(a.Plan):
		s.tell(Sight{State: Gone, Reason: s.leaving.Reason})
	case last == Gone || last == Unsure || last == Leaving:
	case err != nil:
		s.tell(Sight{State: Failed, Reason: "its container ended with an exit code of " + string(rune('0'+int(failure.KindOf(err))%10)), Message: message})
	default:
		s.tell(Sight{State: Succeeded, Message: message})
	}
}

// between stands between a coordinator and an agent: the way takes time, and the clock of the shard is off.
func (s *fakeShard) between(agent *pipeListener) http.Handler {
	began := time.Now()
	proxy := &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0),
		Rewrite:  func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "agent" },
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return agent.dial(ctx)
		}},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.Path != PathClock || r.StatusCode != http.StatusOK {
				return nil
			}
			var c Clock
			if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
				return err
			}
			r.Body.Close()
			c.Now += int64(s.skew) + int64(float64(s.drifts)*time.Since(began).Seconds())
			text, _ := json.Marshal(c)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			r.Header.Del("Content-Length")
			return nil
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		way(s.there)
		defer way(s.back)
		if s.cut != nil && s.cut() {
			panic(http.ErrAbortHandler)
		}
		if s.intercept != nil && s.intercept(w, r) {
			return
		}
		if r.URL.Path == PathStart { // the skew shifts the time that the shard takes for its own
			var start Start
			_ = json.NewDecoder(r.Body).Decode(&start)
			start.At -= int64(s.skew)
			text, _ := json.Marshal(start)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		}
		proxy.ServeHTTP(w, r)
	})
}

// way is the time of a request, or of an answer, on its way.
func way(of func() time.Duration) {
	d := time.Millisecond
	if of != nil {
		d = of()
	}
	time.Sleep(d)
}

// noteStarts lets the shards run plain loads, and notes the instant that each of them is given to start at.
func (e *fakeEngine) noteStarts() map[int]time.Time {
	var mutex sync.Mutex
	starts := map[int]time.Time{}
	e.load = func(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
		return plainLoad(e.plan())(index, ctx, func(ctx context.Context, ready engine.Ready) (time.Time, error) {
			at, err := barrier(ctx, ready)
			mutex.Lock()
			defer mutex.Unlock()
			starts[index] = at
			return at, err
		}, progress)
	}
	return starts
}

// secondNotReady is a plain load whose second shard cannot be set up.
func (e *fakeEngine) secondNotReady(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
	if index == 1 {
		return nil, failure.Setupf("set-up: the service is not reachable")
	}
	return plainLoad(e.plan())(index, ctx, barrier, progress)
}

// plainLoad sends for the duration of the plan, one hit a second and shard, and reports it.
func plainLoad(plan Plan) func(int, context.Context, engine.Barrier, func(engine.Progress)) (*reports.Load, error) {
	return func(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
		if err := pause(ctx, 3*time.Second); err != nil { // set-up
			return nil, context.Cause(ctx)
		}
		at, err := barrier(ctx, engine.Ready{Hits: int64(plan.Duration / time.Second), Length: plan.Duration, Clients: 10})
		if err != nil {
			return nil, err
		}
		if err := pause(ctx, time.Until(at)); err != nil {
			return nil, context.Cause(ctx)
		}
		report := &reports.Load{Shard: schedule.Shard{Index: index + 1, Of: plan.Shards}.String(), Plan: reports.Plan{Hits: int64(plan.Duration / time.Second)}, Total: &reports.Operation{}}
		report.Generator.StartLate = int64(time.Since(at))
		for report.Total.Sent < report.Plan.Hits && pause(ctx, time.Second) == nil {
			report.Total.Sent++
			elapsed := time.Since(at)
			progress(engine.Progress{Elapsed: elapsed, Left: max(0, plan.Duration-elapsed), Sent: report.Total.Sent, Rate: 1, P99: int64(20+index) * int64(time.Millisecond)})
		}
		if ctx.Err() != nil {
			report.Run.Partial = "it was ended: " + context.Cause(ctx).Error()
		}
		return report, nil
	}
}

// pipeListener listens on pipes in memory, which a synctest bubble can wait for.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, errors.New("the connection was refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// told holds the messages of a coordinator.
type told struct {
	mutex     sync.Mutex
	sentences []string
	warnings  []string
	progress  []Whole
}

func (l *told) add(to *[]string) func(string) {
	return func(s string) {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		*to = append(*to, s)
	}
}

// newRun is a coordinator with its work for a load of 20 s.
func newRun(t *testing.T, e *fakeEngine) (*Coordinator, Work, *told) {
	l := &told{}
	c := &Coordinator{Engine: e, Folder: t.TempDir(), Tell: l.add(&l.sentences), Warn: l.add(&l.warnings), Progress: func(w Whole) { l.progress = append(l.progress, w) }}
	return c, newWork(t, c, e), l
}

// newWork is the work of a load of 20 s.
func newWork(t *testing.T, c *Coordinator, e *fakeEngine) Work {
	work, err := c.NewWork(Plan{Run: "r1", Version: "v1.2.3", Shards: len(e.shards), Arguments: []string{"--rate=1/s", "--seed=1"}, Env: "environment.yaml", Duration: 20 * time.Second, Drain: 10 * time.Second},
		map[string][]byte{"environment.yaml": []byte("url: x")}, map[string][]byte{"OPERATOR": []byte("secret")})
	require.NoError(t, err)
	return work
}

// results returns the folders that came home, with their contents.
func results(o *Outcome) map[int]string {
	found := map[int]string{}
	for _, s := range o.Shards {
		if s.Folder != "" {
			text, _ := os.ReadFile(filepath.Join(s.Folder, "load.record"))
			found[s.Index] = string(text)
		}
	}
	return found
}
