package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
)

// LoadSchema names the version of the JSON form of Load.
const LoadSchema = "agstest.load/1.0"

// Load is the result of a load run. All times are in nanoseconds.
type Load struct {
	Schema  string  `json:"schema"`
	Run     Run     `json:"run"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"`
	// Valid: the generator kept its schedule, so that the figures speak of the service. Invalid lists the reasons why not,
	// in words.
	Valid   bool     `json:"valid"`
	Invalid []string `json:"invalid,omitempty"`
	Plan    Plan     `json:"plan"`
	// Operations by name: signon, refresh, discover, signout, mint …
	Operations map[string]*Operation `json:"operations"`
	Total      *Operation            `json:"total"`
	Generator  Generator             `json:"generator"`
	Limits     []Limit               `json:"limits,omitempty"`
	Seconds    []Second              `json:"seconds"`
	// Slowest are the slowest hits of each operation, the slowest first: KeptSlow of those with a right answer, and of the
	// others.
	Slowest []Hit `json:"slowest,omitempty"`
	// Wrong are wrong answers of each kind, redacted: the first, the last, and some between.
	Wrong []Wrong `json:"wrong,omitempty"`
	// WrongKinds are all kinds of wrong answers, with when, to whom and with which status they came.
	WrongKinds []WrongKind `json:"wrongKinds,omitempty"`
	// Trace is set where each request had a traceparent.
	Trace *TraceContext `json:"trace,omitempty"`
	Notes []string      `json:"notes,omitempty"`
	// Capacity is set by a capacity search.
	Capacity *Capacity `json:"capacity,omitempty"`
	Shard    string    `json:"shard,omitempty"`  // such as 2/8
	Shards   []string  `json:"shards,omitempty"` // of a merged run
	// ShardRuns describe each shard of a merged run, also those that left no record.
	ShardRuns []ShardRun `json:"shardRuns,omitempty"`
	Storm     *Storm     `json:"storm,omitempty"`
	// Judging is how its answers were judged; nil: it is not known.
	Judging *Judging `json:"judging,omitempty"`
	// SetUp is how the set-up went where calls of it had to be made again.
	SetUp *SetUp `json:"setUp,omitempty"`
}

// SetUp is how a set-up went that was not smooth.
type SetUp struct {
	Calls int64  `json:"calls"` // before the clock started
	Again int64  `json:"again"` // of them, because the one before got no answer that decided anything
	First string `json:"first"` // why the first of them was made again
}

// Add sums two set-ups up; nil stands for a smooth one.
func (s *SetUp) Add(other *SetUp) *SetUp {
	if other == nil {
		return s
	}
	return &SetUp{Calls: s.Calls + other.Calls, Again: s.Again + other.Again, First: other.First}
}

// String says it in one sentence.
func (s *SetUp) String() string {
	return fmt.Sprintf("before the clock started %s of %s calls had to be made again; the first because %s",
		figures.Count(s.Again), figures.Count(s.Calls), s.First)
}

// Judging is how the answers of a load were judged. Whose an answer is was looked at on each.
type Judging struct {
	AllRules int64 `json:"allRules"` // answers of which all rules of tokens were checked
	Every    int   `json:"every"`    // one in this many answers of a client
	// Shared: session tokens were used more than once, as was asked.
	Shared bool  `json:"shared,omitempty"`
	Broken int64 `json:"broken,omitempty"` // chains of refreshes that broke
}

// Add sums up two parts of one load; nil is a part of which it is not known.
func (j *Judging) Add(other *Judging) *Judging {
	if j == nil || other == nil {
		return cmp.Or(j, other)
	}
	return &Judging{AllRules: j.AllRules + other.AllRules, Every: other.Every, Shared: j.Shared || other.Shared,
		Broken: j.Broken + other.Broken}
}

// Plan is the question of a run.
type Plan struct {
	Workload  string         `json:"workload"`
	Mix       map[string]int `json:"mix,omitempty"`
	Schedule  string         `json:"schedule"` // in words, such as "constant 200/s for 30 s"
	Hits      int64          `json:"hits"`     // that the schedule asks for
	Seconds   float64        `json:"seconds"`
	Clients   int            `json:"clients"`
	Workers   int            `json:"workers"`          // cap on concurrent requests; 0: none
	Transport string         `json:"transport"`        // which HTTP client, and why
	Closed    bool           `json:"closed,omitempty"` // closed loop: response time is not known
	Seed      uint64         `json:"seed"`
	// MaxLag is the highest 99th percentile of the send lag at which the run is valid; 0: the limits on response times
	// decide; without such limits 100 ms, or 10 % of the median response time.
	MaxLag int64 `json:"maxLag,omitempty"`
	// Population is whose refreshes and sign-ons the rate follows from; nil: the rate was given.
	Population *PlannedPopulation `json:"population,omitempty"`
	// Refreshes of one client of the workload lifecycle, and Timeout of an exchange in nanoseconds; 0: the usual ones.
	Refreshes int   `json:"refreshes,omitempty"`
	Timeout   int64 `json:"timeout,omitempty"`
	// clients that were asked to come again later did not wait
	IgnoreRetryAfter bool `json:"ignoreRetryAfter,omitempty"`
	ReuseSessions    bool `json:"reuseSessions,omitempty"` // a session token was used more than once
}

// Options are in words what a plan asks for otherwise than usual; empty: nothing.
func (p *Plan) Options() string {
	var unusual []string
	if p.Refreshes > 0 {
		unusual = append(unusual, fmt.Sprint("refreshes of a client: ", p.Refreshes))
	}
	if p.Timeout > 0 {
		unusual = append(unusual, "a timeout of "+time.Duration(p.Timeout).String())
	}
	if p.IgnoreRetryAfter {
		unusual = append(unusual, "no wait after Retry-After")
	}
	if p.ReuseSessions {
		unusual = append(unusual, "session tokens used again")
	}
	return strings.Join(unusual, ", ")
}

// ClientsKnown are the clients in words, such as "200 clients"; empty where the load ended before they were counted.
func (p *Plan) ClientsKnown() string {
	if p.Clients == 0 {
		return ""
	}
	return figures.Plural(int64(p.Clients), "client")
}

// PlannedPopulation is a number of clients in steady state.
type PlannedPopulation struct {
	Clients        int     `json:"clients"`
	AccessLifetime float64 `json:"accessLifetime"` // seconds: each client refreshes once in that time
	Refreshes      float64 `json:"refreshes"`      // a second, that follow from both and the peak
	Peak           float64 `json:"peak"`           // by which both rates are multiplied
}

// Operation is the figures of one operation over the whole run.
type Operation struct {
	Asked    int64            `json:"asked"` // hits the schedule asked for
	Sent     int64            `json:"sent"`
	Right    int64            `json:"right"`    // wanted status and a right body of the right client
	Wrong    int64            `json:"wrong"`    // any other answer, or none
	Statuses map[string]int64 `json:"statuses"` // "201", "503" …; "none": no answer
	// why wrong: identity, shape, status, timeout, refused, throttled …
	Outcomes map[string]int64 `json:"outcomes,omitempty"`
	Rate     float64          `json:"rate"` // sent per second
	// from the intended send time to the last byte, the time a user waits; right answers
	Response Percentiles `json:"response"`
	Service  Percentiles `json:"service"` // from the actual send time; right answers
	Bytes    int64       `json:"bytes"`
	Phases   *Phases     `json:"phases,omitempty"`
	// Failed is the response time of wrong answers, of those that never came until they were given up.
	Failed Percentiles `json:"failed,omitzero"`
	// Interrupted hits were under way when the run was; they are neither right nor wrong.
	Interrupted int64 `json:"interrupted,omitempty"`
	// Resent requests were sent once more on a fresh connection: the service had closed the kept one, and provably
	// never had the whole request. Their times include both tries. They are right or wrong like all others.
	Resent int64 `json:"resent,omitempty"`
	// Curve is the response-time percentile curve.
	Curve []CurvePoint `json:"curve,omitempty"`
	// Buckets are how many right answers had a response time, in a closed loop a service time, of at most each of 1, 2.5,
	// 5, 10, 25, 50, 100, 250, 500 ms, 1, 2.5, 5, 10 and 30 s and above the one before, and how many took longer than all.
	Buckets []int64 `json:"buckets,omitempty"`
}

// BucketBounds are the upper bounds of Buckets in nanoseconds, as in a classic histogram of Prometheus.
var BucketBounds = []int64{1e6, 2_500_000, 5e6, 10e6, 25e6, 50e6, 100e6, 250e6, 500e6, 1e9, 2_500_000_000, 5e9,
	10e9, 30e9}

// Percentiles in nanoseconds. Count is the number of samples.
type Percentiles struct {
	Count int64 `json:"count"`
	Min   int64 `json:"min"`
	Mean  int64 `json:"mean"`
	P50   int64 `json:"p50"`
	P90   int64 `json:"p90"`
	P95   int64 `json:"p95"`
	P99   int64 `json:"p99"`
	P999  int64 `json:"p999"`
	Max   int64 `json:"max"`
}

// CurvePoint is one point of a percentile curve.
type CurvePoint struct {
	Quantile float64 `json:"q"`
	Value    int64   `json:"ns"`
}

// Phases of an exchange, when traced.
type Phases struct {
	DNS, Connect, TLS, Wait, Read Percentiles
	NewConnections                int64   `json:"newConnections"`
	ReuseRatio                    float64 `json:"reuseRatio"`
}

// Generator is the health of the load generator itself.
type Generator struct {
	Lag         Percentiles `json:"lag"` // actual − intended send time
	MaxInFlight int64       `json:"maxInFlight"`
	CPUSeconds  float64     `json:"cpuSeconds"`
	CPUShare    float64     `json:"cpuShare"` // of the cores it may use
	GCPause     Percentiles `json:"gcPause"`
	AtCap       int64       `json:"atCap"`   // hits that had to wait for a worker
	Starved     int64       `json:"starved"` // hits that had to wait for a client
	Behind      int64       `json:"behind"`  // results that had to wait to be taken up
	ClockStep   int64       `json:"clockStep"`
	Dropped     int64       `json:"dropped"` // hits of the schedule that were never sent
	// StoodStill is for how long no worker of a closed loop had a client to send for, some seconds at once at least; of
	// shards, the longest one's.
	StoodStill int64 `json:"stoodStill,omitempty"`
	// StartLate is how long after the agreed instant the clock was started; of shards, the latest one's.
	StartLate int64 `json:"startLate,omitempty"`
	// Throttled is the time without CPU by the limit of the container that the generator ran in, summed up over its
	// processors, and ThrottledTimes how often that was.
	Throttled      int64 `json:"throttled,omitempty"`
	ThrottledTimes int64 `json:"throttledTimes,omitempty"`
}

// maxClockStep is by how much the clock of a generator may be set during a run whose tokens it judges by their times.
const maxClockStep = 100 * time.Millisecond

// ClockWasSet tells that the times in tokens were compared with a clock that was wrong. What is said of them then is no
// doing of the service, and the run is not valid.
func (l *Load) ClockWasSet() bool { return time.Duration(l.Generator.ClockStep).Abs() > maxClockStep }

// Second is one second of one operation. Asked counts the hits that were due in it, Sent those that were sent in it;
// Right, Wrong and the response times are of the answers that came in it, whenever their hits were due.
type Second struct {
	At        int    `json:"at"` // seconds since the start
	Operation string `json:"operation"`
	Asked     int64  `json:"asked"`
	Sent      int64  `json:"sent"`
	Right     int64  `json:"right"`
	Wrong     int64  `json:"wrong"`
	P50       int64  `json:"p50"`
	P95       int64  `json:"p95"`
	P99       int64  `json:"p99"`
	Max       int64  `json:"max"`
	Lag99     int64  `json:"lag99"`
	// NewConnections of all operations stand in the row of the first one of a second.
	NewConnections int64            `json:"newConnections,omitempty"`
	Statuses       map[string]int64 `json:"statuses,omitempty"` // of wrong answers
}

// Limit is a limit from the command line or a profile, and its result.
type Limit struct {
	Expression string  `json:"expression"`
	Verdict    Verdict `json:"verdict"`
	Value      string  `json:"value"` // as shown, such as 212ms or 0.02%
	Interval   string  `json:"interval,omitempty"`
	Reason     string  `json:"reason,omitempty"`
}

// Wrong is an example of a wrong answer.
type Wrong struct {
	Operation string `json:"operation"`
	Kind      string `json:"kind"` // as in Operation.Outcomes
	Times     int64  `json:"times"`
	Message   string `json:"message"`
	// Requirement is the id of the requirement that it breaks; empty: it breaks none by name.
	Requirement string `json:"requirement,omitempty"`
	// Place is its place among the answers of its kind: first, between or last.
	Place    string    `json:"place,omitempty"`
	Hit      *Hit      `json:"hit,omitempty"` // nil: it came before the clock started, or to several shards
	Exchange *Exchange `json:"exchange,omitempty"`
}

// KindsOfWrong gives each kind of wrong answers of an operation once, with its first example: Wrong may hold several of
// a kind, each with the count of all. Those come first that are the gravest for the run.
func (l *Load) KindsOfWrong() []Wrong {
	var kinds []Wrong
	seen := map[[2]string]bool{}
	for _, wrong := range l.Wrong {
		if kind := [2]string{wrong.Operation, wrong.Kind}; !seen[kind] {
			seen[kind] = true
			kinds = append(kinds, wrong)
		}
	}
	rank := func(w Wrong) int {
		verdict, _ := l.JudgedWrong(w.Operation, w.Kind)
		return verdict.Rank()
	}
	slices.SortStableFunc(kinds, func(a, b Wrong) int { return cmp.Compare(rank(a), rank(b)) })
	return kinds
}

// Capacity is the outcome of a capacity search.
type Capacity struct {
	Rate       float64         `json:"rate"`       // highest rate that keeps the limits, hits/s
	LowerBound bool            `json:"lowerBound"` // stopped by our own generator
	Reason     string          `json:"reason"`
	Knee       float64         `json:"knee,omitempty"`
	Points     []CapacityPoint `json:"points"`
}

// CapacityPoint is one tried rate.
type CapacityPoint struct {
	Rate    float64 `json:"rate"`
	Reached float64 `json:"reached"`
	P50     int64   `json:"p50"`
	P99     int64   `json:"p99"`
	Errors  float64 `json:"errors"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
}

// ShardRun is the result of one shard of a merged run. All times are in nanoseconds.
type ShardRun struct {
	Shard  string `json:"shard"` // such as 2/8
	State  string `json:"state"` // complete, partial, or lost: nothing of it came home
	Node   string `json:"node,omitempty"`
	Pod    string `json:"pod,omitempty"`
	Reason string `json:"reason,omitempty"` // why it is not complete
	// Planned are the hits of its part of the schedule, of a storm its clients; Sent are those that it sent, as far as
	// that is known.
	Planned int64 `json:"planned"`
	Sent    int64 `json:"sent"`
	// Until is from where on it is missing, from the start of the run: the end of a complete one, 0 of a lost one.
	Until          int64   `json:"until"`
	StartLate      int64   `json:"startLate,omitempty"` // after the agreed instant
	Throttled      int64   `json:"throttled,omitempty"` // time without CPU by the limit of its container
	ThrottledTimes int64   `json:"throttledTimes,omitempty"`
	Lag99          int64   `json:"lag99"` // 99th percentile of its send lag
	CPUSeconds     float64 `json:"cpuSeconds"`
	CPUShare       float64 `json:"cpuShare"` // of the cores that it may use
	// ClockAhead is by how much its clock was ahead of the coordinator's at the start, ClockError by how much that may be
	// wrong, and ClockDrift by how much more it was ahead at the end.
	ClockAhead int64 `json:"clockAhead,omitempty"`
	ClockError int64 `json:"clockError,omitempty"`
	ClockDrift int64 `json:"clockDrift,omitempty"`
}

// The states of a ShardRun.
const (
	ShardComplete = "complete"
	ShardPartial  = "partial"
	ShardLost     = "lost"
)

// Storm is how a population came back after an outage.
type Storm struct {
	Clients   int   `json:"clients"`
	Recovered int64 `json:"recovered"` // nanoseconds until all were signed in; −1: not all were
	Retries   int64 `json:"retries"`
	// Away are clients that were asked with Retry-After to come again only after the storm is given up.
	Away int `json:"away,omitempty"`
}
