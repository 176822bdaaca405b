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
		"DISC": 14, "SOST": 33, "SSO": 17, "SUB": 9, "GST": 17, "REF": 23, "OUT": 10, "REG": 8,
		"TOK": 27, "DEV": 24, "ERR": 14, "GW": 8, "FLOW": 11, "LOAD": 7,
	}, counts)
	assert.Len(t, ags.Requirements, 222)
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

// The rule: what a page states, what its samples' schema shows and plain security fail a run; what is inferred, or
// comes from other systems' samples, warns; what no page names is only shown. A requirement that rests on no page is
// security, inferred or open.
func TestGroundsDecideWhatAMissDoes(t *testing.T) {
	pages := map[string]bool{}
	for _, p := range ags.Pages {
		pages[p.Key] = p.Where != ""
	}
	for _, r := range ags.Requirements {
		want := map[ags.Ground]ags.Gating{ags.Stated: ags.Gates, ags.Schema: ags.Gates, ags.Security: ags.Gates, ags.Inferred: ags.Warns, ags.Open: ags.Never}
		gating, known := want[r.Ground]
		require.True(t, known, "%s has the ground %q", r.ID, r.Ground)
		assert.Equal(t, gating, r.Gating(), r.ID)
		assert.Equal(t, r.Ground == ags.Open, r.Level == ags.Probe, "%s: a probe is what no page names, and nothing else is", r.ID)
		if r.Level == ags.Documented {
			assert.Equal(t, ags.Stated, r.Ground, "%s: documented is what a page states", r.ID)
		}
		onPage := false
		for key := range strings.FieldsSeq(r.Sources) {
			onPage = onPage || pages[key]
		}
		if r.Ground == ags.Stated || r.Ground == ags.Schema {
			assert.True(t, onPage, "%s rests on %s, where no page says so", r.ID, r.Sources)
		}
		if r.SoftPart != "" {
			assert.NotEqual(t, ags.Open, r.Ground, "%s: a probe has no soft part", r.ID)
		}
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
