package mock

import "net/http"

// Fault is something that no conforming service does. It spoils the mock at one of five seams: a rule that is switched off, the reply
// before it is written, a token before or after it is signed, or the transport around everything.
type Fault struct {
	Name string
	// Requirement is the id of the requirement that it breaks in the first place.
	Requirement string
	Summary     string

	operations []string // where it applies; nil: everywhere
	rules      []rule
	reply      func(*call, *reply)
	draft      func(*call, *draft)
	compact    func(*call, *draft, string) string
	transport  func(http.Handler) http.Handler
}

// FaultByName finds a fault. Each call returns a fresh one, so that faults which count start from zero.
func FaultByName(name string) (Fault, bool) {
	for _, f := range Faults() {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}
