package tally

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/reports"
)

// sentHit is a hit of a test: its request, its time, its shard and its answer.
type sentHit struct {
	shard          int
	number         uint64
	operation, who int
	due, lag, took time.Duration
	status         int
	kind           string
}

var keptOperations = []string{"signon", "refresh"}

const keptLength = 8 * time.Second

// tallied counts the hits of some shards of a run, each with a tally of its own, and merges their frames, which went
// over the disk, as a merge does.
func tallied(t require.TestingT, hits []sentHit, shards int, closed bool) *reports.Load {
	began := time.Unix(1_800_000_000, 0)
	plan := &reports.Plan{Seed: 7, Seconds: keptLength.Seconds(), Closed: closed}
	ledger := NewLedger(keptOperations, closed).Draws(plan)
	seconds := make([][]*Frame, int(keptLength/time.Second)+3)
	for shard := range shards {
		counting := New(keptOperations, closed, false, began)
		counting.Keep(Keeping{
			Seed: 7, Length: keptLength, Shard: fmt.Sprintf("%d/%d", shard+1, shards),
			Name: func(who uint32) string { return fmt.Sprint("client ", who) },
			Show: func(x *Exchange) *reports.Exchange {
				return &reports.Exchange{Method: x.Method, RequestBody: string(x.Body), ResponseBody: string(x.AnswerBody), Status: x.Status}
			},
		})
		at := 0
		keep := func(f *Frame) {
			text, err := json.Marshal(f)
			require.NoError(t, err)
			read := new(Frame)
			require.NoError(t, json.Unmarshal(text, read))
			seconds[read.Second] = append(seconds[read.Second], read)
		}
		for _, h := range hits {
			if h.shard != shard {
				continue
			}
			sent := began.Add(h.due + h.lag)
			received := sent.Add(h.took)
			for ; at < int(received.Sub(began)/time.Second); at++ {
				keep(counting.Take())
			}
			counting.Send(h.operation, began.Add(h.due), sent)
			counting.End(h.number, began.Add(h.due), &hit.Request{Operation: h.operation, Method: "POST", Who: uint32(h.who), Body: fmt.Appendf(nil, "asked %d", h.number), CorrelationID: fmt.Sprintf("%d-%d", h.shard, h.number)},
				&hit.Answer{Status: h.status, Body: fmt.Appendf(nil, "answered %d", h.number), Sent: sent, Received: received},
				&hit.Outcome{Kind: h.kind, Message: h.kind}, &hit.Phases{})
		}
		for ; at <= len(seconds)-2; at++ {
			keep(counting.Take())
		}
		f := counting.Take()
		counting.Complete(f)
		f.End = &Ending{}
		keep(f)
	}
	for second, parts := range seconds {
		sum, err := new(adder).addFrames(second, parts)
		require.NoError(t, err)
		require.NoError(t, ledger.Add(sum))
	}
	r := &reports.Load{Run: reports.Run{Start: began}, Plan: *plan}
	ledger.report(r)
	return r
}

// drawHits draws hits in the order of their answers.
func drawHits(t *rapid.T, shards int) []sentHit {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	hits := make([]sentHit, rapid.IntRange(0, 500).Draw(t, "hits"))
	span := rapid.IntRange(1, 7_900).Draw(t, "span") // milliseconds in which they are due
	for i := range hits {
		h := &hits[i]
		*h = sentHit{
			shard: random.IntN(shards), operation: random.IntN(2), due: time.Duration(random.IntN(span)) * time.Millisecond,
			lag: time.Duration(random.IntN(4)) * time.Millisecond, took: time.Duration(1+random.IntN(60)) * time.Millisecond, status: 201,
		}
		// Half of them are wrong, most of these of one kind.
		h.kind = []string{"", "", "", "", "status", "status", "status", "identity"}[random.IntN(8)]
		if h.kind == "status" {
			h.status = 500 + 3*random.IntN(2)
		}
	}
	numbers := make([]uint64, shards)
	slices.SortStableFunc(hits, func(a, b sentHit) int { return cmp.Compare(a.due+a.lag+a.took, b.due+b.lag+b.took) })
	for i := range hits {
		hits[i].number = numbers[hits[i].shard]
		hits[i].who = hits[i].shard + 1 + shards*int(hits[i].number%9) // clients belong to one shard
		numbers[hits[i].shard]++
	}
	return hits
}

// The kept hits of the shards of a run, and of its seconds, are those that all hits together would give: the slowest,
// the first and the last wrong answers of each kind, and the clients that got most of them.
func TestKeptHitsOfShardsAreThoseOfAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shards := rapid.IntRange(1, 4).Draw(t, "shards")
		closed := rapid.Bool().Draw(t, "closed")
		hits := drawHits(t, shards)
		r := tallied(t, hits, shards, closed)
		id := func(h *sentHit) string { return fmt.Sprintf("%d-%d", h.shard, h.number) }
		for operation, name := range keptOperations {
			for _, right := range []bool{true, false} {
				var all []reports.Hit
				for i := range hits {
					if h := &hits[i]; h.operation == operation && (h.kind == "") == right {
						one := reports.Hit{Shard: fmt.Sprintf("%d/%d", h.shard+1, shards), Number: h.number, Sent: int64(h.due + h.lag), Service: int64(h.took), CorrelationID: id(h)}
						if !closed {
							one.Response = int64(h.lag + h.took)
						}
						all = append(all, one)
					}
				}
				slices.SortFunc(all, func(a, b reports.Hit) int { return reports.CompareSlow(&a, &b) })
				assert.Equal(t, correlations(all[:min(len(all), reports.KeptSlow)]), correlations(r.SlowestOf(name, right)), "%s %t", name, right)
			}
			for _, kind := range []string{"status", "identity"} {
				var all []*sentHit
				times := map[string]int64{}
				statuses := map[string]int64{}
				for i := range hits {
					if h := &hits[i]; h.operation == operation && h.kind == kind {
						all = append(all, h)
						times[fmt.Sprint("client ", h.who)]++
						statuses[fmt.Sprint(h.status)]++
					}
				}
				slices.SortFunc(all, func(a, b *sentHit) int {
					return cmp.Or(cmp.Compare(a.due+a.lag+a.took, b.due+b.lag+b.took), cmp.Compare(a.shard, b.shard), cmp.Compare(a.number, b.number))
				})
				want := all
				if n := reports.KeptWrong; len(all) > 2*n {
					want = slices.Concat(all[:n], all[len(all)-n:])
				}
				var got, between []string
				for _, w := range r.ExamplesOf(name, kind) {
					require.NotNil(t, w.Exchange, "every example has its exchange in the end")
					require.Equal(t, fmt.Sprint("answered ", w.Hit.Number), w.Exchange.ResponseBody)
					if w.Place == reports.PlaceBetween {
						between = append(between, w.Hit.CorrelationID)
					}
					if w.Place != reports.PlaceBetween || len(all) <= 2*reports.KeptWrong {
						got = append(got, w.Hit.CorrelationID)
					}
				}
				var wanted []string
				for _, h := range want {
					wanted = append(wanted, id(h))
				}
				require.Equal(t, wanted, got)
				require.Len(t, between, min(reports.KeptWrong, max(0, len(all)-2*reports.KeptWrong)))
				at := slices.IndexFunc(r.WrongKinds, func(k reports.WrongKind) bool { return k.Operation == name && k.Kind == kind })
				if len(all) == 0 {
					require.Equal(t, -1, at)
					continue
				}
				k := r.WrongKinds[at]
				require.EqualValues(t, len(all), k.Times)
				require.Equal(t, statuses, k.Statuses)
				require.Equal(t, len(times), k.Clients)
				sum := int64(0)
				for _, s := range k.Seconds {
					sum += s[1]
				}
				require.EqualValues(t, len(all), sum)
				for i, c := range k.Most {
					require.Equal(t, times[c.Client], c.Times)
					require.True(t, i == 0 || k.Most[i-1].Times >= c.Times)
				}
				require.Len(t, k.Most, min(len(times), reports.KeptClients))
			}
		}
	})
}

func correlations(hits []reports.Hit) []string {
	var ids []string
	for _, h := range hits {
		ids = append(ids, h.CorrelationID)
	}
	return ids
}

// Those between are spread over the run: a burst of thousands in one second does not hide the few of the others.
func TestExamplesBetweenAreSpreadOverTheRun(t *testing.T) {
	t.Parallel()
	var hits []sentHit
	wrong := func(due time.Duration) {
		hits = append(hits, sentHit{number: uint64(len(hits)), due: due, took: time.Millisecond, status: 500, kind: "status", who: 1})
	}
	for i := range 2000 {
		wrong(time.Duration(i) * 100 * time.Microsecond) // in the first fifth of a second
	}
	for i := range 6 {
		wrong(time.Duration(i+1) * time.Second)
	}
	for i := range 2000 {
		wrong(7500*time.Millisecond + time.Duration(i)*100*time.Microsecond)
	}
	seconds := map[int64]int{}
	r := tallied(t, hits, 1, false)
	for _, w := range r.ExamplesOf("signon", "status") {
		if w.Place == reports.PlaceBetween {
			seconds[w.Hit.Sent/1e9]++
		}
	}
	for second := range int64(8) {
		assert.Positive(t, seconds[second], "second %d", second)
	}
	assert.Equal(t, r.Wrong, tallied(t, hits, 1, false).Wrong, "the same seed draws the same")
	assert.Len(t, r.Wrong, 3*reports.KeptWrong)
	// As two shards they are drawn anew, since the numbers of hits are others, and are as many.
	for i := range hits {
		hits[i].shard, hits[i].number = i%2, uint64(i/2)
	}
	assert.Len(t, tallied(t, hits, 2, false).Wrong, 3*reports.KeptWrong)
}

// A record that broke off has the figures of each kind, its first examples with their exchanges and the last without,
// and does not know whose they were.
func TestKeptHitsOfARunThatBrokeOff(t *testing.T) {
	t.Parallel()
	began := time.Unix(1_800_000_000, 0)
	counting := New(keptOperations, false, false, began)
	counting.Keep(Keeping{Seed: 1, Length: 2 * time.Second, Show: func(*Exchange) *reports.Exchange { return &reports.Exchange{Method: "POST"} }})
	for n := range uint64(100) {
		sent := began.Add(time.Duration(n) * time.Millisecond)
		counting.Send(0, sent, sent)
		counting.End(n, sent, &hit.Request{Who: 3}, &hit.Answer{Status: 500, Sent: sent, Received: sent.Add(1e6)}, &hit.Outcome{Kind: "status"}, &hit.Phases{})
	}
	ledger := NewLedger(keptOperations, false).Draws(&reports.Plan{Seed: 1, Seconds: 2})
	require.NoError(t, ledger.Add(counting.Take()))
	r := &reports.Load{Run: reports.Run{Start: began}}
	ledger.report(r)
	require.Len(t, r.Wrong, 3*reports.KeptWrong)
	for _, w := range r.Wrong {
		assert.Equal(t, w.Place == reports.PlaceFirst, w.Exchange != nil, w.Place)
		assert.Equal(t, w.Hit.Sent, w.Hit.SentAt.Sub(began).Nanoseconds())
	}
	assert.Equal(t, -1, r.WrongKinds[0].Clients)
}

// The kept data does not grow with the hits, and an exchange with a body of any size takes little.
func TestKeptHitsAreBounded(t *testing.T) {
	t.Parallel()
	began := time.Unix(1_800_000_000, 0)
	counting := New(keptOperations, false, false, began)
	counting.Keep(Keeping{Seed: 1, Length: time.Second})
	long := []byte(strings.Repeat("x", keptBody+1))
	var found *examples
	for n := range uint64(30_000) {
		sent := began.Add(time.Duration(n) * 10 * time.Microsecond)
		counting.Send(0, sent, sent)
		counting.End(n, sent, &hit.Request{Who: uint32(n) + 1, Body: long}, &hit.Answer{Status: 500, Body: long, Sent: sent, Received: sent.Add(1e6)}, &hit.Outcome{Kind: "status"}, &hit.Phases{})
		found = counting.wrong[wrongKey{0, "status"}]
	}
	require.LessOrEqual(t, len(found.all()), 2*reports.KeptWrong+keptParts+keptDrawn)
	for _, e := range found.all() {
		require.Empty(t, e.exchange.AnswerBody, "half a secret would not be recognised")
		require.Equal(t, keptBody+1, e.exchange.AnswerSize)
	}
	culprits := counting.culprits[wrongKey{0, "status"}]
	require.Len(t, culprits.times, maxCulprits)
	require.EqualValues(t, 20_000, culprits.beyond)
}

// BenchmarkKept measures the cost of keeping hits: a right one that is not among the slowest, as most are, one that is,
// and a wrong one.
func BenchmarkKept(b *testing.B) {
	began := time.Now()
	request := &hit.Request{Method: "POST", Path: "/ags/refresh", Who: 5, CorrelationID: "agstest-1-2-3", Body: make([]byte, 700), Header: make([]hit.HeaderField, 6)}
	due, body := began.Add(time.Millisecond), make([]byte, 2500)
	for name, c := range map[string]struct {
		kind  string
		grows time.Duration
	}{"right": {"", 0}, "slow": {"", 1}, "wrong": {"status", 0}} {
		b.Run(name, func(b *testing.B) {
			counting := New(keptOperations, false, false, began)
			counting.Keep(Keeping{Seed: 1, Length: time.Hour})
			outcome, answer := &hit.Outcome{Kind: c.kind, Message: "no"}, &hit.Answer{Status: 200, Body: body, Sent: due}
			n, took := uint64(0), time.Millisecond
			b.ReportAllocs()
			for b.Loop() {
				n++
				took += c.grows
				answer.Received = due.Add(took - time.Duration(n%8)*c.grows/8)
				if c.grows == 0 {
					answer.Received = due.Add(time.Millisecond - time.Duration(n%1000))
				}
				counting.End(n, due, request, answer, outcome, &hit.Phases{})
			}
			var with, without runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&with)
			runtime.KeepAlive(counting)
			counting.slow, counting.wrong, counting.culprits = nil, nil, nil
			runtime.GC()
			runtime.ReadMemStats(&without)
			runtime.KeepAlive(counting)
			b.ReportMetric(float64(with.HeapAlloc-without.HeapAlloc)/1e3, "kB-held")
		})
	}
}

// A merged run names the moment of a hit by the clock of the machine that sent it, beside whose logs it is looked for.
func TestKeptHitsOfShardsHaveTheClockOfTheirMachine(t *testing.T) {
	t.Parallel()
	var folders []string
	var began [2]time.Time
	for i := range 2 {
		folders = append(folders, recorded(t, schedule.Shard{Index: i + 1, Of: 2}, 8, func(head *Head, seconds []*Frame) {
			head.Began = head.Began.Add(time.Duration(i) * 300 * time.Millisecond)
			began[i] = head.Began
			shard := head.Report.Shard
			seconds[1].Slow = []reports.Hit{{Operation: "a", Shard: shard, Sent: 1.5e9, Service: int64(20+i) * 1e6, Response: int64(20+i) * 1e6}}
			seconds[1].Wrong = []reports.Wrong{{Operation: "a", Kind: "status", Hit: &reports.Hit{Operation: "a", Kind: "status", Shard: shard, Sent: 1.6e9, Service: 1e6}}}
		}))
	}
	r, err := Merge(folders...)
	require.NoError(t, err)
	require.Len(t, r.Slowest, 2)
	for i, shard := range []int{1, 0} { // the slowest first
		assert.Equal(t, fmt.Sprintf("%d/2", shard+1), r.Slowest[i].Shard)
		assert.Equal(t, began[shard].Add(1500*time.Millisecond), r.Slowest[i].SentAt)
		assert.Equal(t, began[i].Add(1600*time.Millisecond), r.Wrong[i].Hit.SentAt)
	}
}

// The exchange of a wrong answer shows the token that was sent, whose room the next request of its worker uses again.
func TestKeptExchangeHasTheAuthorization(t *testing.T) {
	counting := New(keptOperations, false, false, time.Now())
	request := &hit.Request{Method: "POST", Header: []hit.HeaderField{{Name: "a", Value: "b"}}, Authorization: []byte("Bearer one")}
	answer := &hit.Answer{Status: 500, Sent: time.Now(), Received: time.Now()}
	counting.End(1, answer.Sent, request, answer, &hit.Outcome{Kind: "status"}, &hit.Phases{})
	copy(request.Authorization, "another one")
	kept := counting.wrong[wrongKey{0, "status"}].all()
	require.Len(t, kept, 1)
	assert.Equal(t, []hit.HeaderField{{Name: "a", Value: "b"}, {Name: "Authorization", Value: "Bearer one"}}, kept[0].exchange.Header)
	assert.Len(t, request.Header, 1)
}
