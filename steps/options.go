package steps

import (
	"context"
	"io/fs"
	"time"

	"agstest/internal/actions"
	"agstest/internal/environment"
	"agstest/internal/redact"
	"agstest/reports"
	"agstest/steps/scene"
)

// Strictness moves the line between a failure and a warning.
type Strictness int

// The strictnesses. Normal: the ground of a requirement decides (ags.Ground). Lenient: sampled misses warn, but for
// plain security. Strict: what would warn fails.
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
	// Coverage is how much the run must judge; with less it ends as not enough checked. Empty: as the environment file
	// says.
	Coverage   environment.Coverage
	Strictness Strictness
	Known      []KnownDeparture
	// Concurrency is how many scenarios run at the same time; 0: six against a mock, 32 on a live service, one where the
	// environment is protected. On a live service scenarios share accounts: those that would meet there run one after the
	// other, however many may run at the same time.
	Concurrency int
	Seed        uint64 // of everything that is invented; the same seed sends the same requests
	Generate    int    // generated bad requests for each operation; 0: none
	Sequences   int    // random sequences of calls; 0: none
	// Repeat is how often each scenario is played, to find a fault in one answer of many; 0: once. Invented values
	// differ each time.
	Repeat int
	// Retry is how often at most a failed scenario is tried again, to tell whether it always fails, and likewise one
	// that could not tell because of a limiter or a lost connection; 0: never. Nothing is repeated or tried again while
	// Calm says so.
	Retry int
	// LoadFollows means that JudgeUnderLoad will add the findings of a load. Only then is it clear that a known cause
	// is gone.
	LoadFollows bool
	Slow        bool // run scenarios that wait in real time too
	// how long the run may wait in real time, once, for results that only time shows; less than 3.2 s: it does not wait
	Patience time.Duration
	// Calm is the consent that is missing for requests that a calm client does not send, such as "--yes
	// staging.example.com"; empty: it was given. Scenarios that send such requests are skipped with that reason.
	Calm    string
	MaxRate float64       // requests a second at most; 0: no limit
	Timeout time.Duration // for one exchange; 0: 30 s
	// Sleep waits before a request is sent again because the service asked for it (Retry-After); nil: in real time.
	Sleep func(context.Context, time.Duration) error
	// Actions changes states on a live service and puts them back; nil: no states are changed. The caller closes it.
	Actions *actions.Keeper
	// ActionsWant is the consent that is missing for the actions of the environment file, such as "--yes-actions
	// staging.example.com"; empty: none is. Scenarios that need them are skipped with that reason.
	ActionsWant string
	// BriefEvidence keeps the exchanges of scenarios that did not pass only.
	BriefEvidence bool
	// Now gives the time; nil: time.Now. It dates the run and tells which known departures have expired.
	Now func() time.Time
	// Progress is called after each scenario, by one goroutine at a time; nil: nobody looks.
	Progress func(done, total int, scenario string, verdict reports.Verdict)
	// Secrets redacts what becomes a record; nil: the run makes its own.
	Secrets *redact.Redactor
}

// setting returns the part of the options that the stage needs.
func (o Options) setting() scene.Setting {
	return scene.Setting{Environment: o.Environment, Seed: o.Seed, Generate: o.Generate, Sequences: o.Sequences,
		Calm: o.Calm, MaxRate: o.MaxRate, Patience: o.Patience,
		Timeout: o.Timeout, Sleep: o.Sleep, Actions: o.Actions, ActionsWant: o.ActionsWant, Secrets: o.Secrets}
}
