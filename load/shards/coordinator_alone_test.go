package shards

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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

// newRunAlone is newRun on an engine that connects nobody to a shard.
func newRunAlone(t *testing.T, e *fakeEngine) (*Coordinator, Work, *told) {
	for _, s := range e.shards {
		s.unreach = func() bool {
			t.Error("a shard was dialled")
			return true
		}
	}
	c, _, l := newRun(t, e)
	c.WithoutDial = true
	work := newWork(t, c, e)
	require.NotContains(t, work.Secrets, TokenFile, "there is no port to be opened with it")
	return c, work, l
}

// aloneInBubble is inBubble with three shards that nobody can ask.
func aloneInBubble(t *testing.T, test func(t *testing.T, e *fakeEngine, c *Coordinator, work Work, l *told)) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		c, work, l := newRunAlone(t, e)
		test(t, e, c, work, l)
	})
}

func TestShardsThatNobodyCanAskStartTogetherAndComeHome(t *testing.T) {
	aloneInBubble(t, func(t *testing.T, e *fakeEngine, c *Coordinator, work Work, l *told) {
		for i, skew := range []time.Duration{7*time.Minute + 5*time.Millisecond, 7 * time.Minute, 7*time.Minute - 8*time.Millisecond} {
			e.shards[i].skew = skew // that all of them differ from ours does not matter
		}
		e.shards[2].starts = 40 * time.Second
		starts := e.noteStarts()
		began := time.Now()
		// Seven minutes ahead, they would have begun before they were made.
		work.Files[PlanFile] = replan(t, work, func(p *Plan) { p.StartAt += int64(7 * time.Minute) })
		o, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.Equal(t, allHome, results(o))
		for i, s := range o.Shards {
			assert.Empty(t, s.Trouble)
			assert.Equal(t, WayLog, s.Way)
			assert.InDelta(t, float64(e.shards[i].skew), float64(s.ClockAhead), float64(s.ClockError), "shard %d", i)
			assert.LessOrEqual(t, s.ClockError, 15*time.Millisecond)
			assert.Equal(t, 2*time.Minute+5*time.Second+60*time.Millisecond, starts[i].Sub(began)+e.shards[i].skew-7*time.Minute, "the instant of the plan, by its own clock")
		}
		assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
		assert.Empty(t, l.warnings)
		assert.Contains(t, l.sentences, "3 shards send from "+starts[1].Format(time.TimeOnly)+" on, for 20s")
		last := l.progress[len(l.progress)-1]
		assert.Equal(t, 3, last.Heard)
		assert.Equal(t, 22*time.Millisecond, l.progress[10].P99, "that of the slowest shard")
		assert.InDelta(t, 30, l.progress[10].Sent, 8)
		assert.Less(t, time.Since(began), 2*time.Minute+5*time.Second+25*time.Second, "nobody waits for somebody to come")
	})
}

// replan changes the plan of a work.
func replan(t *testing.T, work Work, change func(*Plan)) []byte {
	t.Helper()
	plan, _, err := planOf(&work)
	require.NoError(t, err)
	change(&plan)
	text, err := encode(plan)
	require.NoError(t, err)
	return text
}

// Nothing was sent: each of these ends before the start, with everything removed by then.
func TestShardsThatNobodyCanAskAndNeverStart(t *testing.T) {
	for name, test := range map[string]struct {
		set    func(e *fakeEngine)
		kind   failure.Kind
		want   string
		within time.Duration
	}{
		"a clock that is ahead": {func(e *fakeEngine) { e.shards[1].skew = 300 * time.Millisecond },
			failure.Setup, `^the clock of shard 2/3 on node node-b is 30\d(\.\d)?ms \(± [0-9.]+ms\) ahead of those of the other shards, and each starts by its own clock within 50ms of the others; set the clock of that node, leave the node out, or allow more with --max-clock-error; nothing was sent$`, 10 * time.Second},
		"a clock that is behind": {func(e *fakeEngine) { e.shards[0].skew = -time.Minute },
			failure.Setup, `^the clock of shard 1/3 on node node-a is 1m0s \(± [0-9.]+ms\) behind those of the other shards, .*; nothing was sent$`, 10 * time.Second},
		"a clock that cannot be told": {func(e *fakeEngine) { e.shards[2].back = func() time.Duration { return 400 * time.Millisecond } },
			failure.Setup, `^the clock of shard 3/3 on node node-c is known to ± [0-9.]+ms only, and the shards are to start within 50ms of each other; .*; nothing was sent$`, 15 * time.Second},
		"a clock that is hours off": {func(e *fakeEngine) { e.shards[1].skew = -2 * time.Hour },
			failure.Setup, `^shard 2/3 on node node-b: the shard sent nothing: the instant of the start lies 2h2m2s ahead on the clock of this shard; 1h0m0s is the most; nothing was sent$`, 10 * time.Second},
		"a clock that is past the start": {func(e *fakeEngine) { e.shards[1].skew = time.Hour },
			failure.Setup, `^shard 2/3 on node node-b: the shard sent nothing: the instant of the start has passed 57m57.94s ago on the clock of this shard; nothing was sent$`, 10 * time.Second},
		"another version": {func(e *fakeEngine) { e.shards[1].version = "v9" },
			failure.Usage, `^shard 2/3 on node node-b: the plan of the shards was made by agstest v1\.2\.3 and the image holds v9; use an image of the coordinator's version; nothing was sent$`, 5 * time.Second},
		"the set-up fails": {func(e *fakeEngine) { e.load = e.secondNotReady },
			failure.Setup, `^shard 2/3 on node node-b: set-up: the service is not reachable; nothing was sent$`, 5 * time.Second},
		"the set-up takes too long": {func(e *fakeEngine) {
			e.load = func(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
				if index == 2 {
					_ = pause(ctx, time.Hour)
					return nil, context.Cause(ctx)
				}
				return plainLoad(e.plan())(index, ctx, barrier, progress)
			}
		}, failure.Setup, `^shard 3/3 on node node-c was not set up within 2m0s of its creation: it is still preparing; give more with --ready-within; nothing was sent$`, 125 * time.Second},
		"an output that cannot be read": {func(e *fakeEngine) { e.shards[0].mute = true },
			failure.Setup, `^shard 1/3 on node node-a was not set up within 2m0s of its creation: nothing was heard of it; give more with --ready-within; nothing was sent$`, 125 * time.Second},
		"a shard that does not run in time": {func(e *fakeEngine) { e.shards[0].starts = time.Hour },
			failure.Setup, `^2 of 3 shards run after 2m0s; nothing was sent$`, 125 * time.Second},
		"a shard is taken away while it waits": {func(e *fakeEngine) {
			e.shards[1].leaves, e.shards[1].leaving = 3500*time.Millisecond, Sight{State: Leaving, Reason: "its node is drained"}
		}, failure.Setup, `^shard 2/3 on node node-b (is being taken away|is gone) before the start: its node is drained; nothing was sent$`, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			aloneInBubble(t, func(t *testing.T, e *fakeEngine, c *Coordinator, work Work, l *told) {
				test.set(e)
				began := time.Now()
				_, err := c.Run(context.Background(), work)
				require.Error(t, err)
				assert.Regexp(t, test.want, err.Error())
				assert.Equal(t, test.kind, failure.KindOf(err))
				assert.LessOrEqual(t, time.Since(began), test.within)
				assert.Contains(t, e.noted(), "remove")
				time.Sleep(time.Hour)
				assert.Zero(t, e.sent.Load(), "nothing was sent later either")
			})
		})
	}
}

// Where a shard cannot be removed before the instant that it knows, it may begin, and that is said.
func TestShardThatNobodyCanStop(t *testing.T) {
	aloneInBubble(t, func(t *testing.T, e *fakeEngine, c *Coordinator, work Work, l *told) {
		e.shards[0].skew, e.stays = time.Minute, errors.New("the API server does not answer")
		_, err := c.Run(context.Background(), work)
		require.Error(t, err)
		assert.Regexp(t, `^the clock of shard 1/3 .*; shard 1/3 on node node-a, shard 2/3 on node node-b, shard 3/3 on node node-c could not be told to stop and may have sent something$`, err.Error())
		assert.Contains(t, l.warnings, "what was made for the run r1 could not be removed (the API server does not answer); remove it with: agstest kubernetes clean r1")
	})
}

func TestInterruptOfShardsThatNobodyCanAsk(t *testing.T) {
	for name, test := range map[string]struct {
		after time.Duration
		keep  bool
		home  int
	}{
		"before they are set up":       {2 * time.Second, false, 0},
		"while they wait":              {30 * time.Second, false, 0},
		"while they send":              {2*time.Minute + 15*time.Second, false, 3},
		"while they send and are kept": {2*time.Minute + 15*time.Second, true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			aloneInBubble(t, func(t *testing.T, e *fakeEngine, c *Coordinator, work Work, l *told) {
				c.Keep = test.keep
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(test.after, cancel)
				began := time.Now()
				o, err := c.Run(ctx, work)
				assert.Less(t, time.Since(began)-test.after, 5*time.Second, "nobody who has pressed Ctrl-C waits for long")
				if test.home == 0 {
					assert.ErrorIs(t, err, context.Canceled)
					time.Sleep(time.Hour)
					assert.Zero(t, e.sent.Load())
					return
				}
				require.NoError(t, err)
				assert.Len(t, results(o), test.home)
				for _, s := range o.Shards {
					assert.Empty(t, s.Trouble, "it was we who took it away")
				}
				if test.keep {
					assert.Equal(t, []string{"shards that nobody can reach are stopped by removing them; nothing is kept"}, l.warnings)
				}
			})
		})
	}
}

func TestLossOfShardsThatNobodyCanAsk(t *testing.T) {
	const start = 2*time.Minute + 5*time.Second
	for name, test := range map[string]struct {
		set     func(s *fakeShard)
		home    bool
		trouble string
		within  time.Duration // of the end of the load
	}{
		"it is evicted": {func(s *fakeShard) {
			s.leaves, s.leaving = start+10*time.Second+317*time.Millisecond, Sight{State: Leaving, Reason: "it was evicted: its node has little memory left"}
		}, true, "it was taken away: it was evicted: its node has little memory left; what it had sent until then is in the report", 10 * time.Second},
		"its node is lost": {func(s *fakeShard) {
			s.leaves, s.leaving = start+10*time.Second, Sight{State: Unsure, Reason: "its node does not answer"}
		}, true, "", 10 * time.Second}, // its output had been followed, and the fake's process goes on
		"its output is lost from the start of the load on": {func(s *fakeShard) {
			began := time.Now()
			s.unheard = func() bool { return time.Since(began) > start }
		}, false, "the engine gives no reason", 90 * time.Second},
		"the API server restarts during the load": {func(s *fakeShard) {
			began := time.Now()
			s.unheard = func() bool {
				return time.Since(began) > start+5*time.Second && time.Since(began) < start+12*time.Second
			}
		}, true, "", 10 * time.Second},
		"the API server restarts at its end": {func(s *fakeShard) {
			began := time.Now()
			s.unheard = func() bool {
				return time.Since(began) > start+15*time.Second && time.Since(began) < start+21*time.Second
			}
		}, true, "", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			aloneInBubble(t, func(t *testing.T, e *fakeEngine, c *Coordinator, work Work, l *told) {
				test.set(e.shards[1])
				began := time.Now()
				o, err := c.Run(context.Background(), work)
				require.NoError(t, err)
				assert.Equal(t, test.home, o.Shards[1].Folder != "")
				assert.Equal(t, test.trouble, o.Shards[1].Trouble)
				assert.NotEmpty(t, o.Shards[0].Folder)
				assert.NotEmpty(t, o.Shards[2].Folder)
				assert.Less(t, time.Since(began), start+20*time.Second+test.within)
			})
		})
	}
}

func TestCollectOfShardsThatNobodyCanAsk(t *testing.T) {
	for name, after := range map[string]time.Duration{
		"while they wait": time.Minute, "while they send": 2*time.Minute + 15*time.Second, "when they have ended": 10 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			aloneInBubble(t, func(t *testing.T, e *fakeEngine, c *Coordinator, work Work, l *told) {
				require.NoError(t, e.Create(context.Background(), work)) // and then its coordinator died
				time.Sleep(after)
				o, err := c.Collect(context.Background(), "r1")
				require.NoError(t, err)
				assert.Equal(t, allHome, results(o))
				assert.Equal(t, []string{"create", "remove"}, e.noted())
			})
		})
	}
}

func TestInstantThatIsTooFarAhead(t *testing.T) {
	t.Parallel()
	_, err := (&Coordinator{WithoutDial: true, ReadyWithin: time.Hour}).NewWork(Plan{Shards: 2}, nil, nil)
	assert.EqualError(t, err, "a load that starts by itself 1h0m5.04s after it was made is too far ahead; 1h0m0s is the most")
	assert.Equal(t, failure.Usage, failure.KindOf(err))
}

// A result that is too large for an output goes to the results URL. Without a URL the shard fails, with words that say
// so.
func TestLargeResultOfAnAgentThatNobodyCanAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := Plan{Schema: PlanSchema, Run: "r1", Version: "v1", Shards: 1, Duration: 5 * time.Second, ReadyWithin: time.Minute, StartAt: time.Now().Add(time.Minute).UnixNano()}
		text, err := encode(plan)
		require.NoError(t, err)
		var last Ending
		a := &Agent{Plan: text, Version: "v1", Folder: t.TempDir(), MostLogged: 10, LastWords: func(e Ending) { last = e }, Output: new(fakeShard),
			Load: func(ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
				return plainLoad(plan)(0, ctx, barrier, progress)
			}}
		err = a.Run(context.Background(), nil)
		assert.EqualError(t, err, "the result of the shard could not be handed over: it is too large for the output of a shard; give --results-url")
		assert.Equal(t, failure.Setup, failure.KindOf(err))
		assert.Equal(t, "the result of the shard could not be handed over: it is too large for the output of a shard; give --results-url", last.Error)
		assert.Equal(t, PhaseFailed, last.Phase)
		assert.Equal(t, int64(5), last.Sent)
	})
}

// One of the two ways is enough: the results URL for a large result, the output if the URL refuses.
func TestResultsURLOfAnAgentThatNobodyCanAsk(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status         int
		most           int
		stored, logged bool
		want           string
	}{
		"both":        {200, 0, true, true, ""},
		"too large":   {200, 10, true, false, ""},
		"refused":     {403, 0, false, true, ""},
		"neither way": {403, 10, false, false, "the result of the shard could not be handed over: the result of the shard could not be stored at HOST: it was answered 403"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var put atomic.Int64
			store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				put.Store(r.ContentLength)
				w.WriteHeader(test.status)
			}))
			defer store.Close()
			plan := Plan{Schema: PlanSchema, Run: "r1", Version: "v1", Shards: 1, StartAt: time.Now().Add(time.Minute).UnixNano()}
			text, err := encode(plan)
			require.NoError(t, err)
			var last Ending
			output := new(fakeShard)
			a := &Agent{Plan: text, Version: "v1", Folder: t.TempDir(), MostLogged: test.most, LastWords: func(e Ending) { last = e }, Output: output, ResultsURL: store.URL + "/{index}?sig=s3cret",
				Load: func(ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
					_, err := barrier(ctx, engine.Ready{Hits: 1})
					return &reports.Load{}, err
				}}
			err = a.Run(t.Context(), nil)
			if test.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, strings.ReplaceAll(test.want, "HOST", strings.TrimPrefix(store.URL, "http://")))
			}
			assert.Positive(t, put.Load())
			assert.Equal(t, test.stored, last.Stored)
			assert.Equal(t, test.logged, last.Logged)
			assert.Equal(t, test.logged, strings.Contains(output.output.String(), frameBegin))
			assert.NotContains(t, output.output.String()+last.Error, "s3cret")
		})
	}
}

func TestAgentWithoutAWayToItWantsAnInstant(t *testing.T) {
	t.Parallel()
	text, err := encode(Plan{Schema: PlanSchema, Version: "v1", Shards: 1})
	require.NoError(t, err)
	err = (&Agent{Plan: text, Version: "v1", Folder: t.TempDir()}).Run(t.Context(), nil)
	assert.EqualError(t, err, "the plan of the shards has no instant of the start, and nobody can tell this shard of it: it listens to nothing")
	assert.Equal(t, failure.Usage, failure.KindOf(err))
}

// TestResultsURLFollowsNoRedirect: a result goes nowhere but where the user sends it.
func TestResultsURLFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(store.Close)
	a := &Agent{Folder: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(a.Folder, resultFile), []byte("packed"), 0o600))
	again, err := a.storeOnce(t.Context(), store.URL+"/0.tar?sig=s3cret", &Result{Bytes: 6})
	assert.EqualError(t, err, "it was answered 307")
	assert.False(t, again)
	assert.Zero(t, elsewhere.Load())
}
