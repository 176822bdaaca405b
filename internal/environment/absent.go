package environment

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Parts are the parts that a platform may be without, with the situations that need them.
var Parts = []struct {
	Name, Meaning string
	Situations    []string
}{
	{"register", "activation of devices (register, subsequentRegister)", []string{"registration", "multi-registration"}},
	{"multi-account", "the choice between several accounts (300, subsequentSignOn, subsequentRegister)", []string{"multi-account", "multi-registration"}},
	{"companion", "devices that a companion app lets in", nil},
	{"geo", "the blocking of locations and of VPNs", []string{"geo-blocked", "vpn"}},
}

// partNames are the words of absent.
func partNames() []string {
	names := make([]string, len(Parts))
	for i, part := range Parts {
		names[i] = part.Name
	}
	return names
}

// IsAbsent tells whether the file says that the platform has no such part.
func (e *Environment) IsAbsent(part string) bool { return slices.Contains(e.Absent, part) }

// absentFor returns the absent part that a situation needs; empty if there is none.
func (e *Environment) absentFor(situation string) string {
	for _, part := range Parts {
		if e.IsAbsent(part.Name) && slices.Contains(part.Situations, situation) {
			return part.Name
		}
	}
	return ""
}

// checkAbsent finds what cannot be meant: unknown parts, and parts that the file says in another place how to check.
func (r *reader) checkAbsent(e *Environment) {
	for i, part := range e.Absent {
		switch {
		case r.variables[fmt.Sprintf("absent.%d", i)] != "":
			r.wrong("absent", "takes no ${NAME}; write out which parts: %s", strings.Join(partNames(), ", "))
		case !known(part, partNames()):
			r.wrong("absent", "%s is no part%s", cmp.Or(part, "an empty word"), didYouMean(part, partNames()))
		case slices.Contains(e.Absent[:i], part):
			r.wrong("absent", "%s is given twice", part)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Situations)) {
		if part := e.absentFor(name); part != "" {
			r.wrong("situations."+name,
				"needs %s, which absent says that the platform does not have; leave one of them out", part)
		}
	}
	if e.IsAbsent("register") && e.Allow.Register {
		r.wrong("allow.register", "allows what absent says that the platform does not have; leave one of them out")
	}
}
