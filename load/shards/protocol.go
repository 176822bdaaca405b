package shards

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"agstest/internal/failure"
	"agstest/load/engine"
	"agstest/load/tally"
)

// Where a shard finds and offers things. The engine puts Work.Files and Work.Secrets into folders that the agent is
// told.
const (
	PlanFile    = "plan.json"     // of Work.Files
	TokenFile   = "control-token" // of Work.Secrets
	ControlPort = 6565            // on the shard's own loopback
)

// Plan is the work of every shard of a run. It holds no secret: secrets are files of Work.Secrets, named as the ${NAME}
// of the environment.
type Plan struct {
	Schema    string   `json:"schema"` // PlanSchema
	Run       string   `json:"run"`
	Version   string   `json:"version"` // of the agstest that made it; a shard of another one refuses
	Shards    int      `json:"shards"`
	Arguments []string `json:"arguments"` // of agstest load, without --env, --shard and --out; --seed is always there
	Env       string   `json:"env"`       // file name of the environment
	// ReadyWithin, Duration, Drain and Linger are how long a shard has for setting up, for the load, for the last answers,
	// and for handing over its result before it ends by itself.
	ReadyWithin time.Duration `json:"readyWithin"`
	Duration    time.Duration `json:"duration"`
	Drain       time.Duration `json:"drain"`
	Linger      time.Duration `json:"linger"`
	// ResultsURL, where it is given, gets the result by PUT, with {index} replaced; it is a file of Work.Secrets, since it
	// may be signed.
	ResultsURL string `json:"resultsUrlFile,omitempty"`
	// StartAt is the instant of the first hit, on each shard's own clock and in nanoseconds since 1970, where no
	// connection to a shard is made: it sets up and starts by itself, and tells by its output how it stands. 0: it is told
	// (Start).
	StartAt int64 `json:"startAt,omitempty"`
}

// PlanSchema is the version of Plan.
const PlanSchema = "agstest/shard-plan/1"

// Paths of the control interface. Every request carries "Authorization: Bearer <token of the run>".
const (
	PathState    = "/state"    // GET  → Status
	PathPrepare  = "/prepare"  // POST Prepare → Status; sets up; told twice it changes nothing
	PathClock    = "/clock"    // GET  → Clock
	PathStart    = "/start"    // POST Start → Status; 409 where it is not ready or the instant has passed
	PathAbort    = "/abort"    // POST → Status; sends no more; before the start nothing at all
	PathProgress = "/progress" // GET  → Progress
	// GET → a tar of the shard's folder, with Range; the header X-Content-SHA256 is the hash of the whole tar
	PathResult = "/result"
	PathAck    = "/ack" // POST Ack → 204; the result has come home, the shard may end
)

// Phase is how far a shard has come.
type Phase string

const (
	PhaseWaiting   Phase = "waiting"   // for /prepare
	PhasePreparing Phase = "preparing" // sets up: tokens are minted
	PhaseReady     Phase = "ready"     // for /start
	PhaseArmed     Phase = "armed"     // the instant is known
	PhaseRunning   Phase = "running"
	PhaseDone      Phase = "done"   // the result can be fetched
	PhaseFailed    Phase = "failed" // Error says why; nothing was sent, or the result tells how much
)

// Status is the answer of most calls.
type Status struct {
	Index   int     `json:"index"` // from 0
	Phase   Phase   `json:"phase"`
	Version string  `json:"version"`
	Plan    string  `json:"plan"`              // SHA-256 of the plan file, in hex
	Error   string  `json:"error,omitempty"`   // a sentence without a secret
	Exit    int     `json:"exit,omitempty"`    // the exit code that Error would have had: 2, 3, 70
	Result  *Result `json:"result,omitempty"`  // of PhaseDone
	Planned int64   `json:"planned,omitempty"` // hits of its part of the schedule, from PhaseReady on; 0: not known
	Clients int     `json:"clients,omitempty"` // virtual clients that take part, from PhaseReady on
	Stored  bool    `json:"stored,omitempty"`  // the result was PUT to the results URL
}

// Prepare says which plan is meant, so that a stale one is noticed before anything is sent.
type Prepare struct {
	Plan    string `json:"plan"`
	Version string `json:"version"`
}

// Clock is the wall clock of a shard, in nanoseconds since 1970.
type Clock struct {
	Now int64 `json:"now"`
}

// Start is the instant of the first hit, on the clock of the shard that gets it.
type Start struct {
	At int64 `json:"at"`
}

// Progress is how far the load of a shard is. Counts are of everything since the start.
type Progress struct {
	Elapsed  time.Duration `json:"elapsed"`
	Left     time.Duration `json:"left"`
	Sent     int64         `json:"sent"`
	Wrong    int64         `json:"wrong"`
	Rate     float64       `json:"rate"` // hits a second
	P50, P99 time.Duration // of the last ten seconds, as is Rate
	// Whole is the whole known progress of this shard's part; nil: not told.
	Whole *engine.Progress `json:"whole,omitempty"`
	// Times are those of right answers since the start, by operation; nil: not told.
	Times map[string]Times `json:"times,omitempty"`
}

// Times are the times of the right answers of one operation. Response is empty in a closed loop.
type Times struct {
	Response tally.Packed `json:"response,omitempty"`
	Service  tally.Packed `json:"service,omitempty"`
}

// Result describes the file that /result serves.
type Result struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Ack tells which result came home whole.
type Ack struct {
	SHA256 string `json:"sha256"`
}

// Ending is the last words of a shard (the termination message of its container, at most 4,096 bytes): its state, for
// when nothing else can be fetched any more.
type Ending struct {
	Index     int           `json:"index"`
	Phase     Phase         `json:"phase"`
	Error     string        `json:"error,omitempty"`
	Exit      int           `json:"exit,omitempty"`
	Result    *Result       `json:"result,omitempty"`
	Planned   int64         `json:"planned"` // hits of its part of the schedule
	Sent      int64         `json:"sent"`
	StartLate time.Duration `json:"startLate"`         // how long after the agreed instant the clock was started
	Throttled time.Duration `json:"throttled"`         // time without CPU by its own cgroup's limit, while the load ran
	Logged    bool          `json:"logged,omitempty"`  // the result stands framed at the end of the output
	Stored    bool          `json:"stored,omitempty"`  // the result was PUT to the results URL
	Elapsed   time.Duration `json:"elapsed,omitempty"` // of the load, up to these words
	// ThrottledTimes is how often the limit held it back; CPU is the processor time of the load.
	ThrottledTimes int64         `json:"throttledTimes,omitempty"`
	CPU            time.Duration `json:"cpu,omitempty"`
}

// readEnding reads last words; nil if the message holds none.
func readEnding(message []byte) *Ending {
	e := new(Ending)
	if json.Unmarshal(message, e) != nil || e.Phase == "" {
		return nil
	}
	return e
}

// ReadPlan reads a plan file for a program of this version. A plan of another version or form is refused: a shard that
// reads it in another way than it was meant would send something else. Errors are of the kind failure.Usage.
func ReadPlan(text []byte, version string) (*Plan, error) {
	plan := new(Plan)
	if err := json.Unmarshal(text, plan); err != nil {
		return nil, failure.Usagef("the plan of the shards cannot be read: it is no JSON of the form %s", PlanSchema)
	}
	switch {
	case plan.Schema != PlanSchema:
		return nil, failure.Usagef("the plan of the shards is of the form %q and this agstest reads %s; use an image of "+
			"the coordinator's version", plan.Schema, PlanSchema)
	case plan.Version != version:
		return nil, failure.Usagef("the plan of the shards was made by agstest %s and the image holds %s; use an image of "+
			"the coordinator's version", plan.Version, version)
	case plan.Shards < 1:
		return nil, failure.Usagef("the plan of the shards is for %d shards; one at least is needed", plan.Shards)
	}
	return plan, nil
}

// encode writes a plan file. People read it (agstest kubernetes manifest).
func encode(plan Plan) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(plan)
	return text.Bytes(), err
}

// Alone tells whether a plan, of whatever version, is for shards that nobody connects to.
func Alone(text []byte) bool {
	var plan struct {
		StartAt int64 `json:"startAt"`
	}
	return json.Unmarshal(text, &plan) == nil && plan.StartAt != 0
}

// HashOf is the SHA-256 of a plan file, or of a result, in hex.
func HashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
