package reports

import "agstest/internal/figures"

// RunFacts are the circumstances under the title.
func RunFacts(r Run) []Fact {
	var facts []Fact
	add := func(name, value string, code bool) {
		if value != "" {
			facts = append(facts, Fact{name, value, code})
		}
	}
	add("Service under test", r.URL, true)
	add("Environment", r.Environment, false)
	add("Tenant", r.Tenant, true)
	add("Authentication service", r.Service, false)
	add("Release", r.Release, false)
	add("Started", figures.Moment(r.Start), false)
	add("Took", figures.Elapsed(r.Took()), false)
	return facts
}

// Fact is a name and a value. Several values stand below each other.
type Fact struct {
	Name, Value string
	Code        bool
}
