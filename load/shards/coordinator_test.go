package shards

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/load/engine"
	"agstest/reports"
)

// inBubble is a test in time of its own, with three shards.
func inBubble(t *testing.T, test func(t *testing.T, e *fakeEngine)) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine(t, 3)
		defer e.close()
		test(t, e)
	})
}

var allHome = map[int]string{1: "record of shard 1/3", 2: "record of shard 2/3", 3: "record of shard 3/3"}

func TestShardsStartTogetherAndComeHome(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		e.shards[1].skew, e.shards[2].skew = 7*time.Minute, -90*time.Second
		e.shards[2].starts = 12 * time.Second
		starts := e.noteStarts()
		c, work, l := newRun(t, e)
		began := time.Now()
		o, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.Equal(t, allHome, results(o))
		for i, s := range o.Shards {
			assert.Empty(t, s.Trouble)
			assert.Equal(t, WayForward, s.Way)
			assert.Equal(t, fmt.Sprintf("node-%c", 'a'+i), s.Node)
			assert.InDelta(t, float64(e.shards[i].skew), float64(s.ClockAhead), float64(s.ClockError), "shard %d", i)
			assert.LessOrEqual(t, s.ClockError, 10*time.Millisecond)
			assert.LessOrEqual(t, starts[i].Sub(starts[0]).Abs(), s.ClockError+o.Shards[0].ClockError, "one instant, as exactly as the clocks are known")
		}
		assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
		assert.Empty(t, l.warnings)
		last := l.progress[len(l.progress)-1]
		assert.Equal(t, 3, last.Heard)
		assert.Equal(t, 22*time.Millisecond, l.progress[10].P99, "that of the slowest shard")
		assert.Equal(t, 3.0, l.progress[10].Rate)
		assert.InDelta(t, 30, l.progress[10].Sent, 3)
		assert.Less(t, time.Since(began), 45*time.Second, "12 s to the last shard, 3 s of set-up, 5 s of lead, 20 s of load")
	})
}

func TestClocksThatDrift(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		e.shards[1].drifts = 3 * time.Millisecond // a second
		c, work, _ := newRun(t, e)
		o, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.InDelta(t, float64(75*time.Millisecond), float64(o.Shards[1].ClockDrift), float64(20*time.Millisecond), "25 s later")
		assert.Zero(t, o.Shards[0].ClockDrift)
	})
}

// Nothing was sent: each of these ends before the start, with everything removed.
func TestRunsThatNeverStart(t *testing.T) {
	refuse := func(path string, status int, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != path {
				return false
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
			return true
		}
	}
	slow := func() time.Duration { return 60 * time.Millisecond }
	for name, test := range map[string]struct {
		set    func(e *fakeEngine)
		kind   failure.Kind
		want   string
		within time.Duration
	}{
		"the image is missing": {func(e *fakeEngine) {
			e.shards[1].never = Sight{State: Pending, Hopeless: true, Reason: "the image agstest:9 cannot be pulled: not found."}
		}, failure.Setup, "shard 2/3 cannot start: the image agstest:9 cannot be pulled: not found; nothing was sent", time.Second},
		"no node has room": {func(e *fakeEngine) {
			e.shards[2].never = Sight{State: Pending, Reason: "0/2 nodes are available: 2 Insufficient cpu", Since: 10 * time.Second}
		}, failure.Setup, "shard 3/3 has not been able to start for 1m0s: 0/2 nodes are available: 2 Insufficient cpu; nothing was sent", 51 * time.Second},
		"not all run in time": {func(e *fakeEngine) { e.shards[0].starts = time.Hour },
			failure.Setup, "2 of 3 shards run after 5m0s; nothing was sent", 301 * time.Second},
		"a shard ends": {func(e *fakeEngine) {
			e.shards[0].never = Sight{State: Failed, Reason: "exit code 2", Message: []byte(`{"phase":"failed","error":"cannot read the plan","exit":2}`)}
		}, failure.Usage, "shard 1/3 on node node-a: cannot read the plan; nothing was sent", time.Second},
		"a shard is killed": {func(e *fakeEngine) {
			e.shards[0].never = Sight{State: Failed, Reason: "its container was killed: out of memory"}
		}, failure.Setup, "shard 1/3 on node node-a has failed before the start: its container was killed: out of memory; nothing was sent", time.Second},
		"another version": {func(e *fakeEngine) { e.shards[1].version = "v9" },
			failure.Setup, "shard 2/3 on node node-b is agstest v9, and the run was made by v1.2.3; give --image the same version; nothing was sent", 5 * time.Second},
		"another plan": {func(e *fakeEngine) {
			e.shards[1].intercept = refuse(PathState, 200, `{"index":1,"phase":"waiting","version":"v1.2.3","plan":"abc"}`)
		}, failure.Setup, "shard 2/3 on node node-b has another plan than this run, as if something had changed it on its way; nothing was sent", 5 * time.Second},
		"another shard": {func(e *fakeEngine) {
			e.shards[1].intercept = func(w http.ResponseWriter, r *http.Request) bool {
				return refuse(PathState, 200, `{"index":2,"phase":"waiting","version":"v1.2.3","plan":"`+HashOf(e.work.Files[PlanFile])+`"}`)(w, r)
			}
		}, failure.Setup, "shard 2/3 on node node-b says that it is shard 3/3; nothing was sent", 5 * time.Second},
		"another token": {func(e *fakeEngine) { e.shards[0].intercept = refuse(PathState, 401, "no") },
			failure.Setup, "shard 1/3 on node node-a does not know the token of this run; nothing was sent", 5 * time.Second},
		"the set-up fails": {func(e *fakeEngine) { e.load = e.secondNotReady },
			failure.Setup, "shard 2/3 on node node-b: set-up: the service is not reachable; nothing was sent", 5 * time.Second},
		"the set-up finds a mistake": {func(e *fakeEngine) {
			e.load = func(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
				if index == 0 {
					return nil, failure.Usagef("the profile is wrong")
				}
				<-ctx.Done() // the others would take for ever
				return nil, context.Cause(ctx)
			}
		}, failure.Usage, "shard 1/3 on node node-a: the profile is wrong; nothing was sent", 5 * time.Second},
		"the set-up takes too long": {func(e *fakeEngine) {
			e.load = func(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
				if index == 0 {
					<-ctx.Done()
					return nil, context.Cause(ctx)
				}
				return plainLoad(e.plan())(index, ctx, barrier, progress)
			}
		}, failure.Setup, "shard 1/3 on node node-a was not set up within 5m0s of its creation: it is still preparing; nothing was sent", 301 * time.Second},
		"it cannot be reached": {func(e *fakeEngine) { e.shards[2].unreach = func() bool { return true } },
			failure.Setup, "shard 3/3 on node node-c could not be reached within 5m0s of its creation: forwarding a port: the pod cannot be reached; nothing was sent", 301 * time.Second},
		"its clock is not known well": {func(e *fakeEngine) { e.shards[1].there, e.shards[1].back = slow, slow },
			failure.Setup, "the clock of shard 2/3 on node node-b is known to ± 60ms only, and the shards are to start within 50ms of each other; allow more with --max-clock-error, or leave that node out; nothing was sent", 20 * time.Second},
		"its clock cannot be read": {func(e *fakeEngine) { e.shards[1].intercept = refuse(PathClock, 500, "") },
			failure.Setup, "the clock of shard 2/3 on node node-b cannot be read: it answered with status 500; nothing was sent", 20 * time.Second},
		"it goes away while others set up": {func(e *fakeEngine) {
			e.shards[1].leaves, e.shards[1].leaving = time.Second, Sight{State: Leaving, Reason: "the node is drained"}
		}, failure.Setup, "shard 2/3 on node node-b is being taken away before the start: the node is drained; nothing was sent", 5 * time.Second},
		"it does not hear of the start": {func(e *fakeEngine) {
			e.shards[1].intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == PathStart {
					time.Sleep(10 * time.Second)
				}
				return r.URL.Path == PathStart
			}
		}, failure.Setup, "shard 2/3 on node node-b could not be told when to start: no answer came in time; nothing was sent", 20 * time.Second},
		"it does not want to start": {func(e *fakeEngine) {
			e.shards[1].intercept = refuse(PathStart, 409, `{"phase":"ready","error":"the instant has passed"}`)
		}, failure.Setup, "shard 2/3 on node node-b does not start: the instant has passed; nothing was sent", 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *fakeEngine) {
				test.set(e)
				c, work, l := newRun(t, e)
				began := time.Now()
				o, err := c.Run(context.Background(), work)
				assert.Nil(t, o)
				require.EqualError(t, err, test.want)
				assert.Equal(t, test.kind, failure.KindOf(err))
				assert.LessOrEqual(t, time.Since(began), test.within)
				assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
				assert.Empty(t, l.progress)
				time.Sleep(time.Minute)
				assert.Zero(t, e.sent.Load(), "nothing was sent, also not later")
			})
		})
	}
}

func TestAnAbortThatDoesNotArriveIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		deaf := func(path ...string) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if slices.Contains(path, r.URL.Path) {
					time.Sleep(time.Minute)
					return true
				}
				return false
			}
		}
		e.shards[0].intercept, e.shards[1].intercept = deaf(PathAbort), deaf(PathStart)
		c, work, _ := newRun(t, e)
		_, err := c.Run(context.Background(), work)
		assert.EqualError(t, err, "shard 2/3 on node node-b could not be told when to start: no answer came in time; shard 1/3 on node node-a could not be told to stop and may have sent something")
		assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
	})
}

func TestNothingIsMadeWhereTheEngineRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		e.check = failure.Setupf("rights are missing")
		c, work, _ := newRun(t, e)
		_, err := c.Run(context.Background(), work)
		assert.EqualError(t, err, "rights are missing")
		assert.Equal(t, []string{"check"}, e.noted())
	})
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		e.create = failure.Setupf("the quota is used up")
		c, work, _ := newRun(t, e)
		_, err := c.Run(context.Background(), work)
		assert.EqualError(t, err, "the quota is used up")
		assert.Equal(t, []string{"check", "create"}, e.noted(), "an engine removes what it made before an error")
	})
}

func TestInterruptBeforeTheStart(t *testing.T) {
	for name, after := range map[string]time.Duration{"while pods start": 5 * time.Second, "while they set up": 11 * time.Second, "while they wait for the start": 15 * time.Second} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *fakeEngine) {
				e.shards[2].starts = 10 * time.Second
				c, work, l := newRun(t, e)
				ctx, cancel := context.WithTimeoutCause(context.Background(), after, errors.New("Ctrl-C"))
				defer cancel()
				began := time.Now()
				o, err := c.Run(ctx, work)
				assert.Nil(t, o)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Empty(t, l.warnings)
				assert.LessOrEqual(t, time.Since(began), after+time.Second)
				assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
				time.Sleep(time.Minute)
				assert.Zero(t, e.sent.Load())
			})
		})
	}
}

func TestInterruptWhileSending(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		c, work, _ := newRun(t, e)
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		began := time.Now()
		o, err := c.Run(ctx, work)
		require.NoError(t, err)
		assert.Equal(t, allHome, results(o), "what was measured until then")
		assert.Less(t, time.Since(began), 17*time.Second)
		assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
		assert.Less(t, e.sent.Load(), int64(30))
	})
}

func TestInterruptDoesNotWaitLongForAShardThatIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		e.shards[1].cut = between(e, 10*time.Second, time.Hour)
		c, work, _ := newRun(t, e)
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		began := time.Now()
		o, err := c.Run(ctx, work)
		require.NoError(t, err)
		assert.Len(t, results(o), 2)
		assert.LessOrEqual(t, time.Since(began), 15*time.Second+interruptedWithin+time.Second)
		assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
	})
}

func TestALoadThatEndsEarlyIsNoticed(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) { // as a storm whose clients are all signed in
		plan := Plan{Shards: 3, Duration: 4 * time.Second}
		e.load = plainLoad(plan)
		c, work, _ := newRun(t, e)
		began := time.Now()
		o, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.Equal(t, allHome, results(o))
		assert.Less(t, time.Since(began), 20*time.Second, "the plan allows 20 s of load")
	})
}

func TestKeepAndWhatCannotBeRemoved(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		c, work, l := newRun(t, e)
		c.Keep = true
		_, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.Equal(t, []string{"check", "create"}, e.noted())
		assert.Contains(t, l.sentences, "what was made for the run r1 is kept; remove it with: agstest kubernetes clean r1")
	})
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		e.stays = errors.New("the API server does not answer")
		c, work, l := newRun(t, e)
		_, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.Equal(t, []string{"what was made for the run r1 could not be removed (the API server does not answer); remove it with: agstest kubernetes clean r1"}, l.warnings)
	})
}

// A coordinator that is cut off for good stands for one that died: another one collects the run.
func TestCollect(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		c, work, _ := newRun(t, e)
		c.Keep = true
		line := &severed{fakeEngine: e}
		c.Engine = line
		var group sync.WaitGroup
		group.Go(func() {
			_, err := c.Run(context.Background(), work)
			assert.Error(t, err)
		})
		time.Sleep(15 * time.Second) // it has begun to send
		line.sever()
		var progress []Whole
		other := &Coordinator{Engine: e, Folder: t.TempDir(), Progress: func(w Whole) { progress = append(progress, w) }}
		_, err := other.Collect(context.Background(), "r2")
		assert.EqualError(t, err, "there is no run r2")
		o, err := other.Collect(context.Background(), "r1")
		require.NoError(t, err)
		assert.Equal(t, allHome, results(o))
		assert.Equal(t, int64(60), e.sent.Load())
		assert.InDelta(t, float64(20*time.Second), float64(progress[1].Elapsed+progress[1].Left), float64(time.Second), "as the shards know it")
		group.Wait()
	})
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		c, work, _ := newRun(t, e)
		require.NoError(t, e.Create(context.Background(), work))
		time.Sleep(time.Second)
		_, err := c.Collect(context.Background(), "r1")
		assert.EqualError(t, err, "the run r1 was never started: its shards wait for a coordinator that is gone; nothing was sent; remove it with: agstest kubernetes clean r1")
		assert.Equal(t, []string{"create"}, e.noted(), "it is not removed either")
	})
}

// A user who applies the manifests of a run by other means has the run started afterwards.
func TestAdopt(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		c, work, _ := newRun(t, e)
		require.NoError(t, e.Create(context.Background(), work))
		time.Sleep(2 * time.Minute)
		_, err := c.Adopt(context.Background(), "r2")
		assert.EqualError(t, err, "there is no run r2")
		o, err := c.Adopt(context.Background(), "r1")
		require.NoError(t, err)
		assert.Equal(t, allHome, results(o))
		assert.Equal(t, []string{"create", "remove"}, e.noted())
	})
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		e.shards[0].never = Sight{State: Pending, Hopeless: true, Reason: "the image is missing"}
		c, work, _ := newRun(t, e)
		require.NoError(t, e.Create(context.Background(), work))
		_, err := c.Adopt(context.Background(), "r1")
		assert.EqualError(t, err, "shard 1/3 cannot start: the image is missing; nothing was sent")
		assert.Equal(t, []string{"create"}, e.noted(), "what somebody else has made is theirs while nothing was sent")
	})
}

func TestFourClocksAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine(t, 10)
		defer e.close()
		var now, most atomic.Int32
		for _, s := range e.shards {
			s.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == PathClock {
					n := now.Add(1)
					defer now.Add(-1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					}
					time.Sleep(time.Millisecond)
				}
				return false
			}
		}
		c, work, _ := newRun(t, e)
		o, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.Len(t, results(o), 10)
		assert.Equal(t, int32(4), most.Load())
	})
}

// severed is an engine whose coordinator loses its network.
type severed struct {
	*fakeEngine
	mutex sync.Mutex // guards what follows
	dead  bool
	conns []net.Conn
}

func (s *severed) sever() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.dead = true
	for _, c := range s.conns {
		c.Close()
	}
}

func (s *severed) Dial(ctx context.Context, run string, index int) (net.Conn, error) {
	c, err := s.fakeEngine.Dial(ctx, run, index)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.dead || err != nil {
		return nil, errors.New("the network is gone")
	}
	s.conns = append(s.conns, c)
	return c, nil
}

func (s *severed) Log(context.Context, string, int, LogOptions) (io.ReadCloser, error) {
	return nil, errors.New("the network is gone")
}

func TestWorkOfAPlan(t *testing.T) {
	c := &Coordinator{}
	plan := Plan{Run: "r1", Version: "v1", Shards: 2, Duration: 10 * time.Minute, Drain: time.Minute}
	w, err := c.NewWork(plan, map[string][]byte{"environment.yaml": []byte("e")}, map[string][]byte{"KEY": []byte("k")})
	require.NoError(t, err)
	assert.Equal(t, []byte("e"), w.Files["environment.yaml"])
	assert.Equal(t, []byte("k"), w.Secrets["KEY"])
	assert.GreaterOrEqual(t, len(w.Secrets[TokenFile]), 26, "128 bits")
	again, err := c.NewWork(plan, nil, nil)
	require.NoError(t, err)
	assert.NotEqual(t, w.Secrets[TokenFile], again.Secrets[TokenFile])
	read, err := ReadPlan(w.Files[PlanFile], "v1")
	require.NoError(t, err)
	assert.Equal(t, 15*time.Minute, read.Linger)
	assert.Equal(t, 6*time.Minute+5040*time.Millisecond, read.ReadyWithin, "longer than the coordinator waits")
	assert.Equal(t, read.ReadyWithin+10*time.Minute+time.Minute+15*time.Minute+time.Minute, w.Within)
	for _, wrong := range []int{0, -1, 1001} {
		plan.Shards = wrong
		_, err := c.NewWork(plan, nil, nil)
		assert.EqualError(t, err, fmt.Sprintf("a load can have 1 to 1000 shards, not %d", wrong))
	}
	plan.Shards = 2
	_, err = (&Coordinator{Lead: 100 * time.Millisecond}).NewWork(plan, nil, nil)
	assert.EqualError(t, err, "a lead of 100ms is too short for all shards to hear of the start; give 500ms or more")
	_, err = (&Coordinator{ReadyWithin: -1}).NewWork(plan, nil, nil)
	assert.Error(t, err)
}

// A coordinator that takes a run over waits for the time asked for, or refuses a time below zero.
func TestTimesBelowZeroAreRefused(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]*Coordinator{
		"a lead of -5s is too short for all shards to hear of the start; give 500ms or more": {Lead: -5 * time.Second},
		"how long a coordinator waits cannot be below 0":                                     {PlacedWithin: -time.Second},
	} {
		_, err := c.Adopt(t.Context(), "r1")
		assert.EqualError(t, err, want)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
		_, err = c.Collect(t.Context(), "r1")
		assert.EqualError(t, err, want)
		_, err = c.NewWork(Plan{Shards: 1}, nil, nil)
		assert.EqualError(t, err, want)
	}
}
