package steps

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/steps/script"
)

// Profiles are the named parts of the contract that a run can be limited to, each with the operations and flows it
// consists of.
var Profiles = []struct{ Name, Meaning string }{
	{"full", "everything"},
	{"signon-with-session-token", "the page \"Signing in with a session token\" alone: signOnWithSessionToken, its tokens, that they can be refreshed, its errors"},
	{"sso", "client apps that sign on with credentials: discovery, signOn, subsequentSignOn, refresh, signOut"},
	{"head-end", "head-end systems: discovery, getSessionToken and the session tokens it gives"},
}

// members of the profiles: prefixes of ids.
var profileMembers = map[string][]string{
	"signon-with-session-token": {"SOST-", "TOK-", "REF-01", "REF-02", "ERR-04", "ERR-05", "ERR-07", "ERR-08", "ERR-09",
		"ERR-10", "GW-02", "GW-04", "GW-05", "GW-06", "DISC-10", "DISC-11", "DISC-14"},
	"sso": {"DISC-", "SSO-", "SUB-", "REF-", "OUT-", "TOK-", "ERR-", "GW-", "FLOW-01", "FLOW-03", "FLOW-05",
		"FLOW-06"},
	"head-end": {"DISC-", "GST-", "SOST-22", "FLOW-04", "FLOW-11", "GW-04", "GW-05", "ERR-07", "ERR-08", "ERR-09",
		"ERR-10"},
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

// selection is what the user asked a run to check.
type selection struct {
	scenarios []*script.Scenario
	asked     map[string]bool // requirements
	narrowed  bool            // by tags or by Only
	// own counts the scenarios of the user's own feature files: all, those that run, and those that wait in real time and
	// are left out for that.
	own struct{ all, run, slow int }
}

// own counts the scenarios that are of the user's own feature files.
func own(scenarios ...*script.Scenario) int {
	n := 0
	for _, s := range scenarios {
		if strings.HasPrefix(s.File, script.OwnPrefix) {
			n++
		}
	}
	return n
}

// noteOwn tells of scenarios of the user's own that do not run, though somebody has named their folder: without a word
// a run would pass as if they had.
func (s selection) noteOwn() []string {
	switch own := s.own; {
	case own.slow > 0:
		return []string{fmt.Sprintf("%d of %s of your own (--features) did not run, since they wait in real time: allow "+
			"that with --slow",
			own.slow, figures.Plural(own.all, "scenario"))}
	case own.all > 0 && own.run == 0:
		return []string{fmt.Sprintf("%s of your own (--features) did not run: what --only, --tags and --profile ask for "+
			"holds none of them",
			figures.Plural(own.all, "scenario"))}
	}
	return nil
}

// choose picks the scenarios. Everything that would leave nothing to do, or something else than was meant, is an error.
func choose(all []*script.Scenario, o Options) (selection, error) {
	chosen := selection{asked: map[string]bool{}, narrowed: o.Tags != "" || len(o.Only) > 0}
	if o.Profile != "" && o.Profile != "full" && profileMembers[o.Profile] == nil {
		var names []string
		for _, p := range Profiles {
			names = append(names, p.Name)
		}
		return chosen, failure.Usagef("there is no profile %q; the profiles are %s", o.Profile,
			strings.Join(names, ", "))
	}
	expression, err := tagsOf(all, o.Tags)
	if err != nil {
		return chosen, err
	}
	only, err := onlyThese(o.Only)
	if err != nil {
		return chosen, err
	}
	held := map[string]int{}
	for _, s := range all {
		if !isWanted(s, o.Profile, only) || !expression(s.Tagged) {
			continue
		}
		if tag := heldBack(s, o); tag != "" {
			held[tag]++
			if tag == script.TagSlow {
				chosen.own.slow += own(s)
			}
			continue
		}
		chosen.scenarios = append(chosen.scenarios, s)
	}
	if len(chosen.scenarios) == 0 {
		return chosen, nothingChosen(o, held)
	}
	chosen.own.all, chosen.own.run = own(all...), own(chosen.scenarios...)
	switch {
	case len(only) > 0:
		chosen.asked = only
	case o.Tags != "":
		for _, s := range chosen.scenarios {
			for _, id := range s.Requirements {
				chosen.asked[id] = true
			}
		}
	default:
		for _, r := range ags.Requirements {
			chosen.asked[r.ID] = inProfile(o.Profile, r.ID)
		}
	}
	return chosen, nil
}

// tagsOf reads a tag expression; its tags must be of scenarios.
func tagsOf(all []*script.Scenario, text string) (script.TagExpression, error) {
	expression, tags, err := script.ParseTags(text)
	if err != nil {
		return nil, failure.Usagef("%w", err)
	}
	existing := map[string]bool{}
	for _, s := range all {
		for _, tag := range s.Tags {
			existing[tag] = true
		}
	}
	for _, tag := range tags {
		if !existing[tag] {
			return nil, failure.Usagef("no scenario has the tag %s%s", tag,
				failure.OrNearest(tag, slices.Sorted(maps.Keys(existing))))
		}
	}
	return expression, nil
}

// onlyThese are the requirements that a run is limited to, which a scenario must cover.
func onlyThese(given []string) (map[string]bool, error) {
	only := map[string]bool{}
	for _, id := range given {
		id = strings.TrimPrefix(strings.TrimSpace(id), "@")
		if id == "" {
			return nil, failure.Usagef("a requirement of the list is empty: between two commas, or behind the last one")
		}
		if !isRequirement(id) {
			var ids []string
			for _, r := range ags.Requirements {
				ids = append(ids, r.ID)
			}
			if near := failure.OrNearest(id, ids); near != "" {
				return nil, failure.Usagef("there is no requirement %q%s", id, near)
			}
			return nil, failure.Usagef("there is no requirement %q; agstest conform --list shows all of them, and other tags "+
				"are given as --tags @%s", id, id)
		}
		if reason, ok := exempt[id]; ok {
			return nil, failure.Usagef("no scenario covers %s: %s", id, reason)
		}
		only[id] = true
	}
	return only, nil
}

// isWanted tells whether a scenario is of a profile, and covers one of the requirements that a run is limited to.
func isWanted(s *script.Scenario, profile string, only map[string]bool) bool {
	inIt := len(s.Requirements) == 0 && inProfile(profile, "")
	covers := len(only) == 0
	for _, id := range s.Requirements {
		inIt = inIt || inProfile(profile, id)
		covers = covers || only[id]
	}
	return inIt && covers
}

// heldBack returns the tag of a scenario that runs only on demand, and is not asked for; empty: it runs.
func heldBack(s *script.Scenario, o Options) string {
	switch {
	case s.Tagged(script.TagSlow) && !o.Slow:
		return script.TagSlow
	case s.Tagged(script.TagGenerated) && o.Generate <= 0:
		return script.TagGenerated
	case s.Tagged(script.TagSequences) && o.Sequences <= 0:
		return script.TagSequences
	}
	return ""
}

func nothingChosen(o Options, held map[string]int) error {
	switch {
	case held[script.TagSlow] > 0:
		return failure.Usagef("all %s that would run wait in real time; allow that with --slow",
			figures.Plural(held[script.TagSlow], "scenario"))
	case held[script.TagGenerated] > 0:
		return failure.Usagef("only generated bad input was asked for, but its amount is 0; give --generate a number")
	case held[script.TagSequences] > 0:
		return failure.Usagef("only random sequences were asked for, but their number is 0; give --sequences a number")
	}
	return failure.Usagef("no scenario was selected by tags %q, requirements %q and profile %q; agstest conform --list "+
		"shows what there is",
		o.Tags, strings.Join(o.Only, ","), o.Profile)
}

// exempt lists the requirements that no scenario covers, since only a load can show them: they are judged by the load
// of a gate.
var exempt = map[string]string{
	"ERR-12":  "judged by the load of a gate: answers 429 and 503 appear under load",
	"LOAD-01": "judged by the load of a gate: their sign-ons are n-th sign-ons",
	"LOAD-02": "judged by the load of a gate: each virtual client has its own session token",
	"LOAD-03": "judged by the load of a gate: each virtual client refreshes with the token it was given last",
	"LOAD-04": "judged by the load of a gate: throughput, errors and percentiles of each operation",
	"LOAD-05": "judged by the load of a gate: success is the wanted status and a right body",
	"LOAD-06": "judged by the load of a gate: tokens are judged by sampling",
	"LOAD-07": "judged by the load of a gate: rates follow from clients and lifetimes",
}
