package reports

import (
	"net/url"
	"strings"
	"time"
)

// Run is the question that a run asked, and the circumstances: what must be the same for two runs to be comparable. It
// holds no secret.
type Run struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"` // conform, load, gate, ab, capacity
	Environment string `json:"environment"`
	URL         string `json:"url"`
	Tenant      string `json:"tenant,omitempty"`
	Service     string `json:"service,omitempty"` // the authentication service, as in x-auth-service-id
	// Release names the build of the service under test, as the environment file or --release says; empty: nobody said.
	Release  string            `json:"release,omitempty"`
	Mock     *Mock             `json:"mock,omitempty"` // set when the service is our own
	Command  []string          `json:"command,omitempty"`
	Settings map[string]string `json:"settings,omitempty"` // tags, seed, profile, strictness …
	Tool     Tool              `json:"tool"`
	Machine  Machine           `json:"machine"`
	Start    time.Time         `json:"start"`
	End      time.Time         `json:"end"`
	// Partial tells why the run ended early; empty: it is whole.
	Partial string `json:"partial,omitempty"`
}

// Host is the host of the run's service, without its port, which may be another one each time. Two services of one name
// may be two environments that share it.
func (r *Run) Host() string {
	if u, err := url.Parse(r.URL); err == nil {
		return strings.ToLower(u.Hostname())
	}
	return r.URL
}

// Mock names the choices and faults that our mock was started with.
type Mock struct {
	Choices []string `json:"choices,omitempty"`
	Faults  []string `json:"faults,omitempty"`
}

// Tool is the program that made the run.
type Tool struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// Machine is the machine of the generator.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
}
