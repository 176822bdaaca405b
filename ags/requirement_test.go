package ags_test

import (
	"regexp"
	"strings"
	"testing"

	"agstest/ags"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCatalogueIsWhole(t *testing.T) {
	counts := map[string]int{}
	for _, r := range ags.Requirements {
		counts[strings.Split(r.ID, "-")[0]]++
	}
	assert.Equal(t, map[string]int{
		"DISC": 14, "SOST": 33, "SSO": 14, "SUB": 7, "GST": 14, "REF": 22, "OUT": 10, "REG": 8,
		"TOK": 24, "DEV": 22, "ERR": 13, "GW": 6, "FLOW": 11, "LOAD": 7,
	}, counts)
	assert.Len(t, ags.Requirements, 205)
}

func TestRequirementIDsAreUniqueAndInOrder(t *testing.T) {
	id := regexp.MustCompile(`^[A-Z]+-\d\d$`)
	seen := map[string]bool{}
	last := ""
	for _, r := range ags.Requirements {
		assert.Regexp(t, id, r.ID)
		assert.False(t, seen[r.ID], "%s is there twice", r.ID)
		seen[r.ID] = true
		if strings.Split(last, "-")[0] == strings.Split(r.ID, "-")[0] {
			assert.Less(t, last, r.ID)
		}
		last = r.ID
	}
}

func TestSentencesStandAlone(t *testing.T) {
	seen := map[string]string{}
	for _, r := range ags.Requirements {
		assert.True(t, strings.HasSuffix(r.Text, "."), "%s: no full stop", r.ID)
		assert.NotRegexp(t, `[→≠≤≥§]|\bF\d\b|\bI\d\b|: record\.|\.\s+\S.*\.$`, r.Text, "%s: one plain sentence, without arrows and references", r.ID)
		assert.Empty(t, seen[r.Text], "%s has the sentence of %s", r.ID, seen[r.Text])
		seen[r.Text] = r.ID
	}
	// A sentence about one call names it.
	for prefix, call := range map[string]string{
		"DISC": ags.ServiceDiscovery + "|authServiceName", "SUB": ags.SubsequentSignOn, "GST": ags.GetSessionToken,
		"OUT": ags.SignOut, "REF": ags.Refresh, "REG": "register|" + ags.SubsequentRegister,
	} {
		for _, r := range ags.Requirements {
			if strings.HasPrefix(r.ID, prefix+"-") {
				assert.Regexp(t, call, r.Text, r.ID)
			}
		}
	}
}

func TestSourcesArePages(t *testing.T) {
	pages := map[string]bool{}
	for _, p := range ags.Pages {
		assert.False(t, pages[p.Key], "page %s is there twice", p.Key)
		pages[p.Key] = true
	}
	used := map[string]bool{}
	for _, r := range ags.Requirements {
		sources := strings.Fields(r.Sources)
		assert.NotEmpty(t, sources, r.ID)
		for _, s := range sources {
			assert.True(t, pages[s], "%s rests on %s, which is no page", r.ID, s)
			used[s] = true
		}
	}
	for _, o := range ags.Operations {
		assert.True(t, pages[o.Source], "%s rests on %s, which is no page", o.Name, o.Source)
		used[o.Source] = true
	}
	for key := range pages {
		assert.True(t, used[key], "page %s supports nothing", key)
	}
}

// The grades of the published catalogue: which requirements are probes, which are documented, and which sampled ones only warn.
// All others are sampled and gate.
func TestLevelsAndGatings(t *testing.T) {
	ids := func(list string) map[string]bool {
		m := map[string]bool{}
		for _, f := range strings.Fields(list) {
			prefix, numbers, _ := strings.Cut(f, "-")
			for _, n := range strings.Split(numbers, ",") {
				m[prefix+"-"+n] = true
			}
		}
		return m
	}
	documented := ids(`DISC-01,02,03,04,05 SOST-01,02,03,05,07,08,14,17,18,19 SSO-01,02,07,08,09,10,11,12,14 SUB-01,02,05,06
		GST-01,02,03,11,13 REF-01,02,04,05,07,13,14,19 OUT-01,02,04,05 REG-01,02,03,06,07,08 TOK-18
		DEV-01,02,03,06,07,08,09,10,11,12 ERR-01,02,03,07 GW-04 FLOW-01,02,03,04,05,07,08`)
	probes := ids(`DISC-12,13 SOST-13,16,25,27,30,31 SUB-07 GST-14 REF-16,17,20,21 OUT-07,08,10 REG-05 TOK-21,24 DEV-18,19,21
		ERR-06,11,12 GW-03,06 LOAD-01,02,03,04,05,06,07`)
	warns := ids(`DISC-06,09,10,11 SSO-04 REF-15 TOK-06,21,23 ERR-04,05 DEV-05,13,15,16,17 GW-01`)
	soft := ids(`SOST-29 TOK-02,03,07,08,09,15`)
	for _, r := range ags.Requirements {
		level, gating := ags.Sampled, ags.Gates
		switch {
		case documented[r.ID]:
			level = ags.Documented
		case probes[r.ID]:
			level, gating = ags.Probe, ags.Never
		}
		if warns[r.ID] {
			gating = ags.Warns
		}
		assert.Equal(t, level, r.Level, "level of %s", r.ID)
		assert.Equal(t, gating, r.Gating, "gating of %s", r.ID)
		assert.Equal(t, soft[r.ID], r.SoftPart != "", "soft part of %s", r.ID)
	}
}

func TestLookups(t *testing.T) {
	for _, r := range ags.Requirements {
		got, ok := ags.RequirementByID(r.ID)
		require.True(t, ok)
		assert.Equal(t, r, got)
	}
	_, ok := ags.RequirementByID("SOST-99")
	assert.False(t, ok)
	for _, o := range ags.Operations {
		got, ok := ags.OperationByName(o.Name)
		require.True(t, ok)
		assert.Equal(t, o, got)
	}
	_, ok = ags.OperationByName("signon")
	assert.False(t, ok)
}

// The published matrix of calls and statuses.
func TestStatusesOfTheCalls(t *testing.T) {
	want := map[string][]int{
		"servicediscovery":       {200, 404},
		"signOn":                 {201, 300, 400, 401, 403, 404},
		"subsequentSignOn":       {201, 400, 401, 403},
		"getSessionToken":        {200, 400, 401, 403},
		"signOnWithSessionToken": {201, 400, 401, 403, 404},
		"refresh":                {200, 400, 401, 403},
		"signOut":                {200, 400, 403, 404},
		"register":               {201, 300, 400, 401, 403},
		"subsequentRegister":     {201, 400, 401, 403},
	}
	got := map[string][]int{}
	for _, o := range ags.Operations {
		got[o.Name] = o.Statuses
		assert.Subset(t, o.Statuses, o.Success)
	}
	assert.Equal(t, want, got)
}

func TestClaimsOfTheSampleTokens(t *testing.T) {
	access, refresh := 0, 0
	for _, c := range ags.Claims {
		if c.Access {
			access++
		}
		if c.Refresh {
			refresh++
			assert.True(t, c.Access, "%s: the claims of the refresh token are a subset", c.Name)
		}
	}
	assert.Equal(t, 18, access)
	assert.Equal(t, 11, refresh)
	assert.Len(t, ags.TokenFields, 8)
}
