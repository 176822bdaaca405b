package reports

// GateSchema names the version of the JSON form of Gate.
const GateSchema = "agstest.gate/1.0"

// Gate is a conformance run and a load run with one verdict. Either may be missing where the run ended before it.
type Gate struct {
	Schema      string       `json:"schema"`
	Run         Run          `json:"run"`
	Verdict     Verdict      `json:"verdict"`
	Reason      string       `json:"reason"`
	Conformance *Conformance `json:"conformance,omitempty"`
	Load        *Load        `json:"load,omitempty"`
}
