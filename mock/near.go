package mock

import (
	"iter"
	"slices"
	"strings"

	"agstest/ags"
)

// nearness is a value of a request that is taken for the right one although it only resembles it.
type nearness struct {
	kind       string // the kind of value
	operations []string
	like       func(given, right string) bool
}

// The values that have to match.
const (
	nearService      = "authentication service"
	nearSession      = "session token"
	nearClient       = "clientId"
	nearUserToken    = "User-Token"
	nearRegisterType = "type of registration"
	nearUser         = "user name"
	nearPassword     = "password"
	nearTenant       = "tenant"
	nearAudience     = "audience"
	nearOperatorType = "type of the OperatorAuthToken"
	nearAccount      = "account of the OperatorAuthToken"
	nearOperTenant   = "tenant of the OperatorAuthToken"
	nearKeyID        = "kid of the OperatorAuthToken"
)

// taken is the known value that a given one is taken for: itself, but for faults and choices.
func (c *call) taken(kind, given string, known iter.Seq[string]) string {
	if len(c.set.near) == 0 {
		return given
	}
	nearest := given
	for right := range known {
		if right == given {
			return given
		}
		for _, n := range c.set.near {
			if n.kind == kind && (n.operations == nil || slices.Contains(n.operations, c.operation)) && n.like(given, right) {
				nearest = right
			}
		}
	}
	return nearest
}

func just(values ...string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, v := range values {
			if !yield(v) {
				return
			}
		}
	}
}

// sessionTokens returns all known session tokens; the caller holds the mutex.
func (s *state) sessionTokens() iter.Seq[string] {
	return func(yield func(string) bool) {
		for token := range s.sessions.entries {
			if !yield(token) {
				return
			}
		}
		for token := range s.standing {
			if !yield(token) {
				return
			}
		}
	}
}

// openUserTokens returns the userAccountTokens of accounts that may sign on: of several that a pattern fits, one of
// these is taken. The caller holds the mutex.
func (s *state) openUserTokens() iter.Seq[string] {
	return func(yield func(string) bool) {
		for token, kept := range s.userTokens.entries {
			a := s.tenants[kept.value.tenant].accounts[kept.value.account]
			if a != nil && a.status == active && a.counted < a.deviceLimit && !yield(token) {
				return
			}
		}
	}
}

func (t *tenant) serviceNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range t.services {
			if !yield(t.services[i].Name) {
				return
			}
		}
	}
}

// likenesses are the ways in which a value may be taken for another.
var likenesses = []struct {
	name, words string
	like        func(given, right string) bool
}{
	{"cut-short", "cut short", func(given, right string) bool {
		return len(given) == len(right)-1 && given != "" && strings.HasPrefix(right, given)
	}},
	{"longer", "with something behind it", func(given, right string) bool {
		return strings.HasPrefix(given, right) && given != right+right && strings.TrimSpace(given) != right
	}},
	{"first-character", "with another first character", func(given, right string) bool {
		return len(given) == len(right) && len(right) > 1 && given[1:] == right[1:]
	}},
	{"middle-character", "with another character in its middle", func(given, right string) bool {
		m := len(right) / 2
		return len(given) == len(right) && len(right) > 2 && given[:m] == right[:m] && given[m+1:] == right[m+1:]
	}},
	{"last-character", "with another last character", func(given, right string) bool {
		return len(given) == len(right) && len(right) > 1 && given[:len(given)-1] == right[:len(right)-1]
	}},
	{"doubled", "twice in a row", func(given, right string) bool { return given == right+right }},
	{"other-case", "in other case", strings.EqualFold},
	{"padded", "with blanks around it", func(given, right string) bool { return strings.TrimSpace(given) == right }},
}

// nearFaults accept near misses as the values they resemble.
func nearFaults() []Fault {
	// how many of the likenesses no service may take; the others are choices, and HTTP trims headers
	const strict, header, exact = 6, 7, 8
	var all []Fault
	for _, k := range []struct {
		name, kind, requirement, operation string
		how                                int
	}{
		{"near-session-token", nearSession, "SOST-14", ags.SignOnWithSessionToken, exact},
		{"near-client-id", nearClient, "SOST-19", ags.SignOnWithSessionToken, exact},
		{"near-client-id-with-credentials", nearClient, "SSO-10", ags.SignOn, exact},
		{"near-user-token", nearUserToken, "SUB-03", ags.SubsequentSignOn, header},
		{"near-user-token-at-register", nearUserToken, "REG-07", ags.SubsequentRegister, header},
		{"near-service", nearService, "SOST-06", ags.SignOnWithSessionToken, header},
		{"near-register-type", nearRegisterType, "REG-04", ags.Register, strict},
		{"near-password", nearPassword, "SSO-08", ags.SignOn, exact},
		{"near-password-at-register", nearPassword, "REG-03", ags.Register, exact},
		{"near-user-name", nearUser, "SSO-08", ags.SignOn, strict},
		{"near-user-name-at-register", nearUser, "REG-03", ags.Register, strict},
		{"near-tenant", nearTenant, "FLOW-11", ags.SignOnWithSessionToken, strict},
		{"near-audience", nearAudience, "GST-06", ags.GetSessionToken, header},
		{"near-operator-type", nearOperatorType, "GST-07", ags.GetSessionToken, header},
		{"near-operator-account", nearAccount, "GST-09", ags.GetSessionToken, strict},
		{"near-operator-tenant", nearOperTenant, "GST-10", ags.GetSessionToken, strict},
		{"near-operator-key", nearKeyID, "GST-04", ags.GetSessionToken, exact},
	} {
		for _, l := range likenesses[:k.how] {
			if k.kind == nearAccount && l.name != "longer" && l.name != "doubled" {
				continue // the neighbours of an account are accounts
			}
			all = append(all, Fault{Name: k.name + "-" + l.name, Requirement: k.requirement,
				Summary: "at " + k.operation + " the " + k.kind + " is accepted " + l.words,
				near:    []nearness{{k.kind, on(k.operation), l.like}}})
		}
	}
	return all
}

// patternFaults take a pattern that fits every text for the value that it stands for.
func patternFaults() []Fault {
	fault := func(name, requirement, kind, operation, pattern string) Fault {
		return Fault{Name: name, Requirement: requirement, Summary: "at " + operation + " " + pattern +
			" is accepted as the " + kind,
			near: []nearness{{kind, on(operation), func(given, _ string) bool { return given == pattern }}}}
	}
	return []Fault{
		fault("near-password-pattern", "SSO-08", nearPassword, ags.SignOn,
			"%"), fault("near-password-at-register-pattern", "REG-03", nearPassword, ags.Register, "*"),
		fault("near-user-token-pattern", "SUB-03", nearUserToken, ags.SubsequentSignOn, ".*"),
	}
}

// nearChoices are near misses that services take for harmless reasons.
func nearChoices() []Choice {
	choice := func(name, kind string, likeness int) Choice {
		l := likenesses[likeness]
		return Choice{Name: name, Summary: "the " + kind + " is accepted " + l.words,
			near: []nearness{{kind, nil, l.like}}}
	}
	const otherCase, padded = 6, 7
	return []Choice{
		choice("user-name-any-case", nearUser, otherCase), choice("user-name-trimmed", nearUser, padded),
		choice("register-type-any-case", nearRegisterType, otherCase), choice("tenant-any-case", nearTenant, otherCase),
		choice("operator-account-any-case", nearAccount, otherCase), choice("operator-account-trimmed", nearAccount,
			padded), choice("operator-tenant-any-case", nearOperTenant, otherCase),
		{Name: "client-id-hex-any-case", Summary: "clientIds of hexadecimal digits are accepted in other case", near: []nearness{{nearClient, nil, func(given, right string) bool {
			return len(right) == 24 && strings.EqualFold(given, right)
		}}}},
	}
}

// usersWith returns the names of the users who have a password.
func (t *tenant) usersWith(password string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name, u := range t.users {
			if u.password == password && !yield(name) {
				return
			}
		}
	}
}
