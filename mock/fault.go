package mock

import "net/http"

// Fault is something that no conforming service does. It spoils the mock at one of five seams: a rule that is switched
// off, the reply before it is written, a token before or after it is signed, or the transport around everything.
type Fault struct {
	Name string
	// Requirement is the id of the requirement that it breaks in the first place.
	Requirement string
	Summary     string
	// UnderLoad tells that it shows only among many calls or between calls at the same time.
	UnderLoad bool
	// Every means that it shows in one of every so many answers; 0: in each.
	Every int

	operations []string // where it applies; nil: everywhere
	rules      []rule
	near       []nearness
	reply      func(*call, *reply)
	draft      func(*call, *draft)
	compact    func(*call, *draft, string) string
	transport  func(http.Handler) http.Handler
}

// Faults are the faults that the mock can have. Each call returns fresh ones, so that faults which count start from
// zero.
func Faults() []Fault {
	var all []Fault
	for _, group := range [][]Fault{discoveryFaults(), signOnFaults(), pickFaults(), sessionTokenFaults(), refreshFaults(),
		signOutFaults(),
		registerFaults(), tokenFaults(), deviceFaults(), errorFaults(), gatewayFaults(), transportFaults(), rareFaults(),
		nearFaults(), patternFaults(), forgedFaults(), jsonFaults(), oddFaults(), tenantFaults(), intermittentFaults(),
		giveawayFaults(), besideFaults(), nulFaults(), keptFaults()} {
		all = append(all, group...)
	}
	return all
}

// FaultByName finds a fault, a fresh one.
func FaultByName(name string) (Fault, bool) {
	for _, f := range Faults() {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}

func on(operations ...string) []string { return operations }

// lax is a fault that does not look: rules that are switched off.
func lax(name, requirement, summary string, operations []string, rules ...rule) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary, operations: operations, rules: rules}
}

// wrongStatus is a fault that answers successes with another status.
func wrongStatus(name, requirement, summary, operation string, status int) Fault {
	return spoiledSuccess(name, requirement, summary, on(operation), func(_ *call, r *reply) { r.status = status })
}

// refused is a fault that says no where it should say yes.
func refused(name, requirement, summary, operation string, status int) Fault {
	return spoiledSuccess(name, requirement, summary, on(operation),
		func(c *call, r *reply) { *r = c.refuse(rulePath, status, 0, "no") })
}

// spoiledSuccess is a fault of answers that are no refusals.
func spoiledSuccess(name, requirement, summary string, operations []string, change func(*call, *reply)) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary, operations: operations,
		reply: func(c *call, r *reply) {
			if r.refused == "" {
				change(c, r)
			}
		}}
}

// spoiledBody is a fault in the members of a success.
func spoiledBody(name, requirement, summary string, operations []string, change func(*object)) Fault {
	return spoiledSuccess(name, requirement, summary, operations, func(_ *call, r *reply) {
		if r.hasBody {
			change(&r.body)
		}
	})
}

// wrongRefusal is a fault of refusals for one of the reasons given.
func wrongRefusal(name, requirement, summary string, operations []string, change func(*call, *reply),
	reasons ...rule) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary, operations: operations,
		reply: func(c *call, r *reply) {
			for _, reason := range reasons {
				if r.refused == reason {
					change(c, r)
				}
			}
		}}
}

func toStatus(status int) func(*call, *reply) { return func(_ *call, r *reply) { r.status = status } }

// toCode changes the sub-code of a refusal wherever it is told.
func toCode(code int) func(*call, *reply) {
	return func(_ *call, r *reply) {
		for _, name := range []string{"code", "errorCode"} {
			if _, has := r.body.get(name); has {
				r.body.set(name, code)
			}
		}
	}
}

// spoiledAccess and spoiledRefresh are faults in the claims of one token, spoiledBoth in those of both.
func spoiledAccess(name, requirement, summary string, change func(*object)) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary, draft: func(_ *call, d *draft) {
		if !d.refresh {
			change(&d.claims)
		}
	}}
}

func spoiledRefresh(name, requirement, summary string, change func(*object)) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary, draft: func(_ *call, d *draft) {
		if d.refresh {
			change(&d.claims)
		}
	}}
}

func spoiledBoth(name, requirement, summary string, change func(*draft)) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary, draft: func(_ *call, d *draft) { change(d) }}
}

// spoiledCompact is a fault in the signed form of both tokens.
func spoiledCompact(name, requirement, summary string, change func(string) string) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary,
		compact: func(_ *call, _ *draft, compact string) string { return change(compact) }}
}

func without(name string) func(*object) { return func(o *object) { o.remove(name) } }

func with(name string, value any) func(*object) { return func(o *object) { o.set(name, value) } }

func renamed(name, other string) func(*object) { return func(o *object) { o.rename(name, other) } }

// shifted adds to the deadlines named.
func shifted(by int64, names ...string) func(*object) {
	return func(o *object) {
		for _, name := range names {
			if v, has := o.get(name); has {
				if n, isNumber := v.(int64); isNumber {
					o.set(name, n+by)
				}
			}
		}
	}
}
