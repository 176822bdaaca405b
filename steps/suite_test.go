package steps

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/failure"
)

// TestEveryRequirementIsCovered keeps the catalogue and the scenarios together: each requirement has a scenario or an exemption, never
// both.
func TestEveryRequirementIsCovered(t *testing.T) {
	all, err := suite()
	require.NoError(t, err)
	covered := map[string]int{}
	for _, s := range all {
		for _, id := range s.requirements {
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
		assert.Contains(t, catalogue, id, "an exemption for a requirement that does not exist")
	}
	assert.Len(t, ags.Requirements, 206)
}

// TestEveryScenarioIsTagged: without the id of a requirement a scenario of the suite would prove nothing in particular.
func TestEveryScenarioIsTagged(t *testing.T) {
	all, err := suite()
	require.NoError(t, err)
	for _, s := range all {
		if len(s.requirements) == 0 && !s.tagged(tagSequences) {
			t.Errorf("%s (%s) has no requirement", s.id, s.name)
		}
	}
}

// TestVocabulary keeps the list for people right: each example is understood as the sentence that it stands for, and each sentence is used.
func TestVocabulary(t *testing.T) {
	all, err := suite()
	require.NoError(t, err)
	used := map[string]bool{}
	for _, s := range all {
		for _, step := range s.pickle.Steps {
			p, _, err := match(step)
			require.NoError(t, err)
			used[p.Text] = true
		}
	}
	for _, p := range compiled {
		assert.Regexp(t, p.expression, p.Example)
		matches := 0
		for _, other := range compiled {
			if other.expression.MatchString(p.Example) {
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
	`the operator makes the device inactive`:                               true,
	`the next request leaves out the parameter "<name>"`:                   true,
	`the next request has the parameter "<name>" with the value "<value>"`: true,
}

// TestFeatureFilesHoldNoGo: people who have never seen Go read them.
func TestFeatureFilesHoldNoGo(t *testing.T) {
	sources, err := readSources(nil)
	require.NoError(t, err)
	for _, s := range sources {
		for _, word := range []string{"func", "nil", "struct", "regexp", "TODO", "http.Status"} {
			assert.NotRegexp(t, regexp.MustCompile(`\b`+regexp.QuoteMeta(word)+`\b`), string(s.content), s.name)
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

// TestSelectionMistakes: what would run nothing, or something else than was meant, is a usage error that names what was probably meant.
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
		{"exempt requirement", Options{Only: []string{"LOAD-01"}}, "no scenario covers LOAD-01"},
		{"unknown profile", Options{Profile: "all"}, `there is no profile "all"`},
		{"profile without the requirement", Options{Profile: "head-end", Only: []string{"REF-01"}}, "no scenario was selected"},
		{"step that means nothing", Options{Features: ownFeature(strings.Replace(fine, "the status is 201", "the status should be 201", 1))}, "own/mine.feature:7: nothing is known about the step \"the status should be 201\"; the nearest sentence is \"the status is <statuses>[, or with a warning <statuses>]\" (agstest steps lists all)"},
		{"step about nothing that is known", Options{Features: ownFeature(strings.Replace(fine, "the status is 201", "it rains in Spain, mainly in the plain, and hardly ever elsewhere", 1))}, "nothing is known about the step \"it rains in Spain, mainly in the plain, and hardly ever elsewhere\" (agstest steps lists all)"},
		{"table that is missing", Options{Features: ownFeature(strings.Replace(fine, "the status is 201", "the access token has these claims:", 1))}, "wants a table below it"},
		{"misspelt keyword", Options{Features: ownFeature("Feature: Mine\n  Scenario: Nothing\n    Gvien an account in good standing\n")}, "has no steps"},
		{"no scenario, because its keyword is spelt like that of examples", Options{Features: ownFeature("Feature: Mine\n  Scenarios: Nothing\n    Given an account in good standing\n")}, "own/mine.feature:2: \"Scenarios: Nothing\" would be read as prose: Examples stand below the steps of an outline, and a scenario begins with \"Scenario:\""},
		{"a tag where an id is wanted", Options{Only: []string{"@mine"}}, `there is no requirement "mine"; agstest conform --list shows all of them, and other tags are given as --tags @mine`},
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

func TestTagExpressions(t *testing.T) {
	has := func(tags string) func(string) bool {
		return func(tag string) bool { return strings.Contains(" "+tags+" ", " "+tag+" ") }
	}
	for _, c := range []struct {
		expression, tags string
		want             bool
	}{
		{"", "", true}, {"@a", "@a", true}, {"@a", "@b", false}, {"not @a", "@b", true}, {"not not @a", "@a", true},
		{"@a and @b", "@a", false}, {"@a or @b", "@b", true}, {"@a or @b and @c", "@a", true}, {"(@a or @b) and @c", "@a", false},
		{"@a and not (@b or @c)", "@a", true}, {"@a and not (@b or @c)", "@a @c", false},
	} {
		expression, _, err := parseTags(c.expression)
		require.NoError(t, err)
		assert.Equal(t, c.want, expression(has(c.tags)), "%s on %s", c.expression, c.tags)
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

// TestExpectationsKeepTheirText: an assertion about an encoded address must not be taken for a format.
func TestExpectationsKeepTheirText(t *testing.T) {
	err := checking("nothing odd", func(e *expectations) { assert.Equal(e, "/a%2Fb%20c", "/x", "the path") })
	require.Error(t, err)
	assert.Contains(t, err.Error(), "/a%2Fb%20c")
	assert.NotContains(t, err.Error(), "MISSING")
	assert.NotContains(t, err.Error(), ".go:")
	stopped := checking("a stop", func(e *expectations) { require.True(e, false, "first"); require.True(e, false, "second") })
	assert.Contains(t, stopped.Error(), "first")
	assert.NotContains(t, stopped.Error(), "second")
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
			assert.Equal(t, 206, asked)
			continue
		}
		assert.Less(t, asked, before, p.Name)
		for _, prefix := range profileMembers[p.Name] {
			found := false
			for id := range catalogue {
				found = found || strings.HasPrefix(id, prefix)
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

// TestMutationsAreReadable: every generated change can be told in words and made smaller until it cannot.
func TestMutationsAreReadable(t *testing.T) {
	for _, o := range ags.Operations {
		for seed := range 200 {
			m := mutationsOf(o.Name, []string{"username"}).Example(seed)
			assert.NotContains(t, m.String(), "%", m.kind)
			assert.NotEmpty(t, m.String())
		}
	}
	list := []mutation{{"deep", "parameters", 40}, {"null", "clientId", 3}}
	candidates := shorter(list)
	require.Len(t, candidates, 3)
	assert.Equal(t, []mutation{{"null", "clientId", 3}}, candidates[0])
	assert.Equal(t, 20, candidates[2][0].size)
	assert.Empty(t, shorter([]mutation{{"null", "clientId", 3}}))
}

// TestOperatorTokenSignature: HS256 has 32 bytes and depends on the secret, none has no signature.
func TestOperatorTokenSignature(t *testing.T) {
	token := operatorToken{algorithm: "HS256", key: environment.SigningKey{ID: "k", Algorithm: "HS256", Secret: []byte("a secret of at least thirty-two bytes!")}, claims: []member{{"typ", rawJSON("GetSessionTokenAuthN")}}}
	sign := func() string {
		signed, err := token.sign()
		require.NoError(t, err)
		return signed
	}
	signed := sign()
	parts := strings.Split(signed, ".")
	require.Len(t, parts, 3)
	assert.Len(t, parts[2], 43)
	assert.Equal(t, signed, sign(), "the same claims give the same token")
	token.key.Secret = append(token.key.Secret, 'x')
	assert.NotEqual(t, parts[2], strings.Split(sign(), ".")[2])
	token.algorithm = "none"
	assert.True(t, strings.HasSuffix(sign(), "."))
}

// TestTampered: what is presented as tampered differs where it says so and nowhere else.
func TestTampered(t *testing.T) {
	token := operatorToken{algorithm: "HS256", key: environment.SigningKey{Secret: []byte("s")}, claims: []member{{"deviceId", rawJSON("PUB_989")}}}
	compact, err := token.sign()
	require.NoError(t, err)
	good := strings.Split(compact, ".")
	payload := strings.Split(tampered(strings.Join(good, "."), "payload"), ".")
	signature := strings.Split(tampered(strings.Join(good, "."), "signature"), ".")
	assert.Equal(t, []bool{true, false, true}, []bool{payload[0] == good[0], payload[1] == good[1], payload[2] == good[2]})
	assert.Equal(t, []bool{true, true, false}, []bool{signature[0] == good[0], signature[1] == good[1], signature[2] == good[2]})
	assert.Len(t, signature[2], len(good[2]))
	bare, ok := unsigned(strings.Join(good, "."))
	assert.True(t, ok)
	none := strings.Split(bare, ".")
	assert.Equal(t, good[1], none[1])
	assert.Empty(t, none[2])
}
