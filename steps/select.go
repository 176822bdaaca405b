package steps

import (
	"sort"
	"strings"

	"agstest/ags"
	"agstest/internal/failure"
)

// Profiles are the named parts of the contract that a run can be limited to, each with the operations and flows it consists of.
var Profiles = []struct{ Name, Meaning string }{
	{"full", "everything"},
	{"signon-with-session-token", "the page \"Signing in with a session token\" alone: signOnWithSessionToken, its tokens, that they can be refreshed, its errors"},
	{"sso", "client apps that sign on with credentials: discovery, signOn, subsequentSignOn, refresh, signOut"},
	{"head-end", "head-end systems: discovery, getSessionToken and the session tokens it gives"},
}

// members of the profiles: prefixes of ids.
var profileMembers = map[string][]string{
	"signon-with-session-token": {"SOST-", "TOK-", "REF-01", "REF-02", "ERR-04", "ERR-05", "ERR-07", "ERR-08", "ERR-09", "ERR-10", "GW-02", "GW-04", "GW-05", "GW-06", "DISC-10", "DISC-11", "DISC-14"},
	"sso":                       {"DISC-", "SSO-", "SUB-", "REF-", "OUT-", "TOK-", "ERR-", "GW-", "FLOW-01", "FLOW-03", "FLOW-05", "FLOW-06"},
	"head-end":                  {"DISC-", "GST-", "SOST-22", "FLOW-04", "FLOW-11", "GW-04", "GW-05", "ERR-07", "ERR-08", "ERR-09", "ERR-10"},
}

// inProfile tells whether a requirement belongs to a profile.
func inProfile(profile, id string) bool {
	if profile == "" || profile == "full" {
		return true
	}
	for _, prefix := range profileMembers[profile] {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}

// selection is what a run is asked for.
type selection struct {
	scenarios []*scenario
	asked     map[string]bool // requirements
	narrowed  bool            // by tags or by Only
}

// choose picks the scenarios. Everything that would leave nothing to do, or something else than was meant, is an error.
func choose(all []*scenario, o Options) (selection, error) {
	chosen := selection{asked: map[string]bool{}, narrowed: o.Tags != "" || len(o.Only) > 0}
	if o.Profile != "" && o.Profile != "full" && profileMembers[o.Profile] == nil {
		var names []string
		for _, p := range Profiles {
			names = append(names, p.Name)
		}
		return chosen, failure.Usagef("there is no profile %q; the profiles are %s", o.Profile, strings.Join(names, ", "))
	}
	expression, tags, err := parseTags(o.Tags)
	if err != nil {
		return chosen, failure.Usagef("%w", err)
	}
	existing := map[string]bool{}
	var names []string
	for _, s := range all {
		for _, tag := range s.tags {
			if !existing[tag] {
				existing[tag] = true
				names = append(names, tag)
			}
		}
	}
	sort.Strings(names)
	for _, tag := range tags {
		if !existing[tag] {
			return chosen, failure.Usagef("no scenario has the tag %s%s", tag, suggest(tag, names))
		}
	}
	var ids []string
	for _, r := range ags.Requirements {
		ids = append(ids, r.ID)
	}
	only := map[string]bool{}
	for _, id := range o.Only {
		id = strings.TrimPrefix(strings.TrimSpace(id), "@")
		if _, ok := catalogue[id]; !ok {
			if near := suggest(id, ids); near != "" {
				return chosen, failure.Usagef("there is no requirement %q%s", id, near)
			}
			return chosen, failure.Usagef("there is no requirement %q; agstest conform --list shows all of them, and other tags are given as --tags @%s", id, id)
		}
		if reason, ok := exempt[id]; ok {
			return chosen, failure.Usagef("no scenario covers %s: %s", id, reason)
		}
		only[id] = true
	}
	held := map[string]int{}
	for _, s := range all {
		inIt := len(s.requirements) == 0 && (o.Profile == "" || o.Profile == "full")
		covers := false
		for _, id := range s.requirements {
			inIt = inIt || inProfile(o.Profile, id)
			covers = covers || only[id]
		}
		if !inIt || !expression(s.tagged) || len(only) > 0 && !covers {
			continue
		}
		switch {
		case s.tagged(tagSlow) && !o.Slow:
			held[tagSlow]++
		case s.tagged(tagGenerated) && o.Generate <= 0:
			held[tagGenerated]++
		case s.tagged(tagSequences) && o.Sequences <= 0:
			held[tagSequences]++
		default:
			chosen.scenarios = append(chosen.scenarios, s)
		}
	}
	if len(chosen.scenarios) == 0 {
		return chosen, nothingChosen(o, held)
	}
	switch {
	case len(only) > 0:
		chosen.asked = only
	case o.Tags != "":
		for _, s := range chosen.scenarios {
			for _, id := range s.requirements {
				chosen.asked[id] = true
			}
		}
	default:
		for _, id := range ids {
			chosen.asked[id] = inProfile(o.Profile, id)
		}
	}
	return chosen, nil
}

func nothingChosen(o Options, held map[string]int) error {
	switch {
	case held[tagSlow] > 0:
		return failure.Usagef("all %s that would run wait in real time; allow that with --slow", plural(held[tagSlow], "scenario"))
	case held[tagGenerated] > 0:
		return failure.Usagef("only generated bad input was asked for, but its amount is 0; give --generate a number")
	case held[tagSequences] > 0:
		return failure.Usagef("only random sequences were asked for, but their number is 0; give --sequences a number")
	}
	return failure.Usagef("no scenario was selected by tags %q, requirements %q and profile %q; agstest conform --list shows what there is", o.Tags, strings.Join(o.Only, ","), o.Profile)
}
