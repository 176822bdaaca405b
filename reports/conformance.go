package reports

import (
	"strings"
	"time"
)

// ConformanceSchema names the version of the JSON form of Conformance. The number before the dot changes when a reader
// would break.
const ConformanceSchema = "agstest.conformance/1.0"

// Conformance is the result of a conformance run.
type Conformance struct {
	Schema  string  `json:"schema"`
	Run     Run     `json:"run"`
	Verdict Verdict `json:"verdict"`
	// Reason gives the reason for the verdict in one sentence.
	Reason string `json:"reason"`
	Counts Counts `json:"counts"`
	// Causes are the faults of the service, each once, with the requirements it breaks: the gravest first.
	Causes       []Cause       `json:"causes,omitempty"`
	Requirements []Requirement `json:"requirements"` // in catalogue order
	Scenarios    []Scenario    `json:"scenarios"`    // in file and line order
	// Notes are things worth knowing that judge nothing: answers 429 that were waited out, a service clock that is off.
	Notes []string `json:"notes,omitempty"`
	// Profile is the part of the contract that was asked for, and how much of it could be exercised.
	Profile Profile `json:"profile"`
	// Coverage is how much had to be judged, and how much was; nil: nothing was asked for.
	Coverage *Coverage `json:"coverage,omitempty"`
	// TestKeys are the keys that a test management knows requirements by, by the ids of requirements.
	TestKeys map[string]string `json:"testKeys,omitempty"`
	// Features are the texts of the feature files whose scenarios ran.
	Features []Feature `json:"features,omitempty"`
	// Shape is everything observed in answers, for comparing two runs even where both conform.
	Shape []ShapeEntry `json:"shape,omitempty"`
}

// Counts counts requirements and scenarios by verdict.
type Counts struct {
	Requirements map[Verdict]int `json:"requirements"`
	Scenarios    map[Verdict]int `json:"scenarios"`
	Exchanges    int             `json:"exchanges"`
	// Resent exchanges, of all: see Exchange.Resent.
	Resent int `json:"resent,omitempty"`
	// Repeated exchanges, of all: see Exchange.Repeated.
	Repeated int `json:"repeated,omitempty"`
}

// Profile is a named part of the contract.
type Profile struct {
	Name      string `json:"name"`
	Asked     int    `json:"asked"`     // requirements in it
	Exercised int    `json:"exercised"` // of those, judged or observed in this run
}

// Coverage holds a run against the part of the contract that had to be judged for it to count.
type Coverage struct {
	Asked      string `json:"asked"`      // such as "90%" or "active, vpn", as the environment file or the flag says it
	Kept       bool   `json:"kept"`       // all of it was judged
	Documented int    `json:"documented"` // documented requirements that were asked of this run
	Judged     int    `json:"judged"`     // of those, whatever the verdict
	// Lacks are the situations that were asked for and not judged, and what would make it possible to judge more
	// documented requirements.
	Lacks []CoverageLack `json:"lacks,omitempty"`
}

// CoverageLack is one thing that was not judged.
type CoverageLack struct {
	Situation    string   `json:"situation,omitempty"`    // that was asked for by name; empty: it lacks from the share
	Why          string   `json:"why"`                    // it was not judged
	Write        string   `json:"write,omitempty"`        // what to put into the environment file, or to say
	Requirements []string `json:"requirements,omitempty"` // that were not judged
}

// Requirement is the verdict on one requirement.
type Requirement struct {
	ID       string    `json:"id"`
	Level    string    `json:"level"`  // documented, sampled, probe
	Gating   string    `json:"gating"` // fails, warns, shown
	Verdict  Verdict   `json:"verdict"`
	Text     string    `json:"text"`
	Sources  []Source  `json:"sources"`
	Scenario []string  `json:"scenarios"` // ids of scenarios that cover it
	Reason   string    `json:"reason,omitempty"`
	Needs    string    `json:"needs,omitempty"` // what the environment file lacks, if skipped
	Findings []Finding `json:"findings,omitempty"`
	Checked  int       `json:"checked"` // how often its rule was evaluated
	// Tries tells whether its scenarios get this verdict always or sometimes; nil: none was tried more than once.
	Tries *Tries          `json:"tries,omitempty"`
	Known *KnownDeparture `json:"known,omitempty"`
}

// Source is a page that a requirement rests on.
type Source struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Where string `json:"where,omitempty"`
}

// KnownDeparture is an entry of the file of known departures.
type KnownDeparture struct {
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	Expires string `json:"expires"` // YYYY-MM-DD
}

// Cause is one fault: all findings with the same call, the same expectation and the same answer, whichever requirement
// they miss. A refused good answer is one cause for everything that needs such an answer.
type Cause struct {
	// C- and 8 hexadecimal digits, the same in each run; a list of known departures may name it
	ID        string  `json:"id"`
	Verdict   Verdict `json:"verdict"`
	Operation string  `json:"operation,omitempty"`
	Expected  string  `json:"expected,omitempty"`
	Got       string  `json:"got,omitempty"`
	// Requirements in catalogue order and Scenarios that it shows in.
	Requirements []string `json:"requirements"`
	Scenarios    []string `json:"scenarios"`
	Times        int      `json:"times"` // how often it was found
	// Tries tells whether the scenarios that showed it do so always or sometimes; nil: none was tried more than once.
	Tries *Tries `json:"tries,omitempty"`
	// Scenario and Exchange are the evidence: the id of a scenario and an index into its transcript, −1: none.
	Scenario string          `json:"scenario"`
	Exchange int             `json:"exchange"`
	Known    *KnownDeparture `json:"known,omitempty"`
}

// Finding is the result of a rule. A few are kept per requirement and distinct text.
type Finding struct {
	Requirement string  `json:"requirement"`
	Verdict     Verdict `json:"verdict"`
	Expected    string  `json:"expected,omitempty"`
	Got         string  `json:"got,omitempty"`
	Scenario    string  `json:"scenario,omitempty"` // id
	Exchange    int     `json:"exchange"`           // index into the scenario's transcript, −1: none
	Times       int     `json:"times,omitempty"`    // how often it was found
	Cause       string  `json:"cause,omitempty"`    // id
}

// Feature is one feature file as written, but without secrets.
type Feature struct {
	File string `json:"file"` // as scenarios name it
	// Path is the file's path in the user's repository, with slashes; empty: it is none of the user's.
	Path string `json:"path,omitempty"`
	Text string `json:"text"`
}

// Scenario is one scenario (one row of an outline).
type Scenario struct {
	ID           string     `json:"id"` // file:line, with the row's line for outlines; unique
	Feature      string     `json:"feature"`
	File         string     `json:"file"`
	Line         int        `json:"line"`
	Name         string     `json:"name"`
	Tags         []string   `json:"tags,omitempty"`
	Requirements []string   `json:"requirements,omitempty"`
	Verdict      Verdict    `json:"verdict"`
	Reason       string     `json:"reason,omitempty"`
	Start        *time.Time `json:"start,omitempty"` // nil: it never began, or nobody kept it
	Nanoseconds  int64      `json:"nanoseconds"`
	// Tries tells whether it gets this verdict always or sometimes; nil: it was tried once. The steps and the
	// transcript are those of the first of its worst tries, followed by what only other tries showed.
	Tries      *Tries     `json:"tries,omitempty"`
	Steps      []Step     `json:"steps"`
	Findings   []Finding  `json:"findings,omitempty"`
	Transcript []Exchange `json:"transcript,omitempty"`
}

// Step is one step of a scenario.
type Step struct {
	Keyword     string      `json:"keyword"`
	Text        string      `json:"text"`
	Values      []StepValue `json:"values,omitempty"`    // what stands where its sentence leaves room
	DocString   string      `json:"docString,omitempty"` // the text below it
	Table       [][]string  `json:"table,omitempty"`     // the table below it, row by row
	Line        int         `json:"line"`
	Verdict     Verdict     `json:"verdict"`
	Nanoseconds int64       `json:"nanoseconds"`
	Message     string      `json:"message,omitempty"`
}

// Below returns the lines below a step: its text, or its table with | around the cells.
func (s Step) Below() string {
	var b strings.Builder
	b.WriteString(s.DocString)
	for _, row := range s.Table {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return b.String()
}

// StepValue is a value in the text of a step.
type StepValue struct {
	Text string `json:"text"`
	At   int    `json:"at"` // in characters (code points) from the beginning of the step's text
}

// Exchange is a redacted request and answer.
type Exchange struct {
	Operation      string      `json:"operation,omitempty"`
	Method         string      `json:"method"`
	URL            string      `json:"url"`
	RequestHeader  [][2]string `json:"requestHeader,omitempty"`
	RequestBody    string      `json:"requestBody,omitempty"`
	Status         int         `json:"status"`
	ResponseHeader [][2]string `json:"responseHeader,omitempty"`
	ResponseBody   string      `json:"responseBody,omitempty"`
	Nanoseconds    int64       `json:"nanoseconds"`
	Error          string      `json:"error,omitempty"`
	// Curl reproduces the request; secrets are shell variables.
	Curl string `json:"curl,omitempty"`
	// Tampered says how the request differs from the documented one, on purpose.
	Tampered string `json:"tampered,omitempty"`
	// Resent: it was sent once more on a fresh connection, since the service, or a gateway, had closed the kept one and
	// provably never had the whole request. The times are of the second.
	Resent bool `json:"resent,omitempty"`
	// Repeated: it was sent once more on a fresh connection, since the service, or a gateway, had closed the kept one
	// without an answer and the method may be repeated (GET). Whether the first arrived is not known. The times are of the
	// second.
	Repeated bool `json:"repeated,omitempty"`
}

// ShapeEntry is one observation of the form of answers: operation, status, place, kind, how often.
type ShapeEntry struct {
	Operation string `json:"operation"`
	Status    int    `json:"status"`
	// Place is a JSON path, "claim access.exp", "header content-type" …
	Place string `json:"place"`
	Kind  string `json:"kind"`
	Times int    `json:"times"`
}
