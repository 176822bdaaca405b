package steps

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/steps/script"
	"agstest/steps/words"
)

// TestEveryRequirementIsCovered keeps the catalogue and the scenarios together: each requirement has a scenario or an
// exemption, never both.
func TestEveryRequirementIsCovered(t *testing.T) {
	all, err := suite()
	require.NoError(t, err)
	covered := map[string]int{}
	for _, s := range all {
		for _, id := range s.Requirements {
			covered[id]++
		}
	}
	for _, r := range ags.Requirements {
		reason, isExempt := Exempt(r.ID)
		switch {
		case isExempt && covered[r.ID] > 0:
			t.Errorf("%s is exempt (%s) and covered by %d scenarios", r.ID, reason, covered[r.ID])
		case isExempt:
			assert.NotEmpty(t, reason, r.ID)
		case covered[r.ID] == 0:
			t.Errorf("%s has no scenario: %s", r.ID, r.Text)
		}
	}
	for id := range exempt {
		assert.True(t, isRequirement(id), "an exemption for a requirement that does not exist")
	}
	assert.Len(t, ags.Requirements, 222)
}

// TestEveryScenarioIsTagged: without the id of a requirement a scenario of the suite would prove nothing in particular.
func TestEveryScenarioIsTagged(t *testing.T) {
	all, err := suite()
	require.NoError(t, err)
	for _, s := range all {
		if len(s.Requirements) == 0 && !s.Tagged(script.TagSequences) {
			t.Errorf("%s (%s) has no requirement", s.ID, s.Name)
		}
	}
}

// TestVocabulary keeps the list for people right: each example is understood as the sentence that it stands for, and
// each sentence is used.
func TestVocabulary(t *testing.T) {
	all, err := suite()
	require.NoError(t, err)
	used := map[string]bool{}
	for _, s := range all {
		for _, step := range s.Pickle.Steps {
			p, _, err := words.Match(step)
			require.NoError(t, err)
			used[p.Text] = true
		}
	}
	for _, p := range words.All() {
		assert.Regexp(t, p.Expression, p.Example)
		matches := 0
		for _, other := range words.All() {
			if other.Expression.MatchString(p.Example) {
				matches++
			}
		}
		assert.Equal(t, 1, matches, "%q means more than one thing", p.Example)
		assert.NotEmpty(t, p.Meaning, p.Text)
		assert.Contains(t, []string{"Given", "When", "Then"}, p.Keyword)
		if used[p.Text] == forOwnFeatures[p.Text] {
			t.Errorf("%q: used by a scenario: %v, listed as for own features: %v", p.Text, used[p.Text], forOwnFeatures[p.Text])
		}
	}
}

// forOwnFeatures are sentences that only people's own features use so far.
var forOwnFeatures = map[string]bool{
	`<number> seconds pass`:                                                true,
	`the next request leaves out the parameter "<name>"`:                   true,
	`the next request has the parameter "<name>" with the value "<value>"`: true,
}

// TestFeatureFilesHoldNoGo: people who have never seen Go read them.
func TestFeatureFilesHoldNoGo(t *testing.T) {
	sources, err := script.ReadSources(nil)
	require.NoError(t, err)
	for _, s := range sources {
		for _, word := range []string{"func", "nil", "struct", "regexp", "TODO", "http.Status"} {
			assert.NotRegexp(t, regexp.MustCompile(`\b`+regexp.QuoteMeta(word)+`\b`), string(s.Content), s.Name)
		}
	}
}

func ownFeature(text string) fstest.MapFS {
	return fstest.MapFS{"mine.feature": {Data: []byte(text)}}
}

const fine = `Feature: Mine
  @mine
  Scenario: Signing on
    Given an account in good standing
    And a device of the account
    When the client signs on with a session token and its clientId
    Then the status is 201
`

// TestSelectionMistakes: what would run nothing, or something else than was meant, is a usage error that names what was
// probably meant.
func TestSelectionMistakes(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"unknown tag", Options{Tags: "@refesh"}, "no scenario has the tag @refesh; the nearest is @refresh"},
		{"tag in a longer expression", Options{Tags: "@refresh and not @slwo"}, "no scenario has the tag @slwo"},
		{"no expression", Options{Tags: "@refresh && @tokens"}, `"&&"`},
		{"expression that ends early", Options{Tags: "@refresh and"}, "ends where a tag is expected"},
		{"open bracket", Options{Tags: "(@refresh"}, "closing bracket"},
		{"word too many", Options{Tags: "@refresh @tokens"}, "one word too many"},
		{"nothing matches", Options{Tags: "@refresh and @discovery"}, "no scenario was selected"},
		{"unknown requirement", Options{Only: []string{"SOST-70"}}, `there is no requirement "SOST-70"; the nearest is SOST-07`},
		{"empty requirement of a list", Options{Only: []string{"REF-01", ""}}, "a requirement of the list is empty: between two commas, or behind the last one"},
		{"exempt requirement", Options{Only: []string{"LOAD-01"}}, "no scenario covers LOAD-01"},
		{"unknown profile", Options{Profile: "all"}, `there is no profile "all"`},
		{"profile without the requirement", Options{Profile: "head-end", Only: []string{"REF-01"}}, "no scenario was selected"},
		{"step that means nothing", Options{Features: ownFeature(strings.Replace(fine, "the status is 201", "the status should be 201", 1))}, "own/mine.feature:7: nothing is known about the step \"the status should be 201\"; the nearest sentence is \"the status is <statuses>[, or with a warning <statuses>]\" (agstest steps lists all)"},
		{"step about nothing that is known", Options{Features: ownFeature(strings.Replace(fine, "the status is 201", "it rains in Spain, mainly in the plain, and hardly ever elsewhere", 1))}, "nothing is known about the step \"it rains in Spain, mainly in the plain, and hardly ever elsewhere\" (agstest steps lists all)"},
		{"table that is missing", Options{Features: ownFeature(strings.Replace(fine, "the status is 201", "the access token has these claims:", 1))}, "wants a table below it"},
		{"misspelt keyword", Options{Features: ownFeature("Feature: Mine\n  Scenario: Nothing\n    Gvien an account in good standing\n")}, "has no steps"},
		{"no scenario, because its keyword is spelt like that of examples", Options{Features: ownFeature("Feature: Mine\n  Scenarios: Nothing\n    Given an account in good standing\n")}, "own/mine.feature:2: \"Scenarios: Nothing\" would be read as prose: Examples stand below the steps of an outline, and a scenario begins with \"Scenario:\""},
		{"a tag where an id is wanted", Options{Only: []string{"@mine"}}, `there is no requirement "mine"; agstest conform --list shows all of them, and other tags are given as --tags @mine`},
		{"nothing expected", Options{Features: ownFeature(strings.Replace(fine, "Then the status is 201", "# Then the status is 201", 1))}, "own/mine.feature:3: \"Signing on\" expects nothing, so that it would pass whatever the service answers"},
		{"nothing expected but before", Options{Features: ownFeature("Feature: Mine\n  Background:\n    Given a client that is signed on\n    Then the status is 201\n\n  Scenario: S\n    When the client refreshes its tokens\n")}, "own/mine.feature:6: \"S\" expects nothing"},
		{"rule without a scenario", Options{Features: ownFeature(fine + "\n  Rule: Later\n")}, "own/mine.feature:9: the rule \"Later\" holds no scenario"},
		{"no Gherkin", Options{Features: ownFeature("Scenario without a feature\n")}, `own/mine.feature:1: "Scenario without a feature" stands where a keyword is expected: Feature:, Rule:`},
		{"empty file", Options{Features: ownFeature("")}, "own/mine.feature:1: the file is empty; begin it with"},
		{"unknown requirement tag", Options{Features: ownFeature(strings.Replace(fine, "@mine", "@SOST-99", 1))}, "@SOST-99, which is no requirement of the catalogue"},
		{"folder without features", Options{Features: fstest.MapFS{"readme.txt": {Data: []byte("x")}}}, "holds no file that ends in .feature"},
		{"only slow ones", Options{Features: ownFeature(strings.Replace(fine, "@mine", "@mine @slow", 1)), Tags: "@mine"}, "--slow"},
		{"only generated ones", Options{Tags: "@generated"}, "--generate"},
		{"only sequences", Options{Tags: "@sequences"}, "--sequences"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, all, err := understand(c.o.Features)
			if err == nil {
				_, err = choose(all, c.o)
			}
			require.Error(t, err)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
			assert.Contains(t, err.Error(), c.want)
		})
	}
}

func TestList(t *testing.T) {
	list, err := List(Options{Only: []string{"SOST-07"}})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "SOST-07", list[0].Requirement.ID)
	require.NotEmpty(t, list[0].Scenarios)
	assert.Equal(t, "A body without parameters", list[0].Scenarios[0].Name)
	whole, err := List(Options{})
	require.NoError(t, err)
	assert.Len(t, whole, len(ags.Requirements))
}

// TestProfiles: each profile selects something, and everything it consists of exists.
func TestProfiles(t *testing.T) {
	all, err := suite()
	require.NoError(t, err)
	before := 0
	for _, p := range Profiles {
		chosen, err := choose(all, Options{Profile: p.Name})
		require.NoError(t, err, p.Name)
		assert.NotEmpty(t, chosen.scenarios)
		asked := 0
		for id, is := range chosen.asked {
			if is {
				asked++
				assert.True(t, inProfile(p.Name, id))
			}
		}
		if p.Name == "full" {
			before = asked
			assert.Equal(t, 222, asked)
			continue
		}
		assert.Less(t, asked, before, p.Name)
		for _, prefix := range profileMembers[p.Name] {
			found := false
			for _, requirement := range ags.Requirements {
				found = found || strings.HasPrefix(requirement.ID, prefix)
			}
			assert.True(t, found, "%s names %s, which does not exist", p.Name, prefix)
		}
	}
	head, err := choose(all, Options{Profile: "head-end"})
	require.NoError(t, err)
	assert.True(t, head.asked["GST-01"])
	assert.False(t, head.asked["SOST-07"])
	page, err := choose(all, Options{Profile: "signon-with-session-token"})
	require.NoError(t, err)
	assert.True(t, page.asked["REF-01"] && page.asked["REF-02"], "the page says that the tokens can be refreshed")
}
