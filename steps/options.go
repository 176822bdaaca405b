package steps

import (
	"context"
	"io/fs"
	"time"

	"agstest/internal/actions"
	"agstest/internal/environment"
	"agstest/internal/wire"
	"agstest/reports"
)

// Strictness moves the line between a failure and a warning.
type Strictness int

// The strictnesses. Normal: the ground of a requirement decides (ags.Ground). Lenient: sampled misses warn, but for plain security.
// Strict: what would warn fails.
const (
	Normal Strictness = iota
	Lenient
	Strict
)

func (s Strictness) String() string { return [...]string{"normal", "lenient", "strict"}[s] }

// Options says what to run. Environment must be given; the zero value of everything else works.
type Options struct {
	Environment *environment.Environment
	Features    fs.FS    // additional feature files, anywhere below its top; nil: none
	Tags        string   // a tag expression such as "@SOST-07 or (@TOK-11 and not @slow)"
	Only        []string // requirement ids; scenarios that cover one of them run
	Profile     string   // "", full, signon-with-session-token, sso, head-end
	// Coverage is what must be judged, or the run ends as not enough checked; empty: what the environment file says.
	Coverage   environment.Coverage
	Strictness Strictness
	Known      []KnownDeparture
	// Concurrency is how many scenarios run at the same time; 0: six against a mock, 32 on a live service, one where the environment is protected. On a
	// live service scenarios share accounts: those that would meet there run one after the other, however many may run at the same time.
	Concurrency int
	Seed        uint64 // of everything that is invented; the same seed sends the same requests
	Generate    int    // generated bad requests for each operation; 0: none
	Sequences   int    // random sequences of calls; 0: none
	// Repeat is how often each scenario is played, to find what shows in one answer of many; 0: once. What is invented differs each time.
	Repeat int
	// Retry is how often a scenario that failed is tried again at most, to tell whether it always does, and one that a limiter or a lost
	// connection kept from telling; 0: it is not. Nothing is repeated or tried again while Calm says so.
	Retry int
	// LoadFollows: JudgeUnderLoad will add what a load shows, so that only it can say that nothing has a known cause any more.
	LoadFollows bool
	Slow        bool          // run scenarios that wait in real time too
	Patience    time.Duration // what the run may wait in real time, once, to see what only time shows; less than 3.2 s: it does not wait
	// Calm is what must be said before anything is sent but what a calm client sends, such as "--yes staging.example.com"; empty: it was
	// said. Scenarios that send more are skipped with that reason.
	Calm    string
	MaxRate float64       // requests a second at most; 0: no limit
	Timeout time.Duration // for one exchange; 0: 30 s
	// Sleep waits before a request is sent again because the service asked for it (Retry-After); nil: in real time.
	Sleep func(context.Context, time.Duration) error
	// Actions changes states on a live service and puts them back; nil: none are changed. The caller closes it.
	Actions *actions.Keeper
	// BriefEvidence keeps the exchanges of scenarios that did not pass only.
	BriefEvidence bool
	// Now gives the time; nil: time.Now. It dates the run and tells which known departures have expired.
	Now func() time.Time
	// Progress is called after each scenario, by one goroutine at a time; nil: nobody looks.
	Progress func(done, total int, scenario string, verdict reports.Verdict)
	// Secrets redacts what becomes a record; nil: the run makes its own.
	Secrets *wire.Redactor
}
