package steps_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// seconded are the Then steps without which every fault is still caught by steps alone, with the reason. Any other must
// be decisive.
var seconded = map[string]string{
	"a further device is refused, since the account has as many as it may": "the scenarios of DEV-03 see it too",
	"both sign-ons were granted":                 "the step about different client_ids sees it too",
	"the clients got different client_ids":       "the step about both sign-ons sees it too",
	"every answer was one that the model allows": "TestSequenceIsShrunk",
	"every one was answered in time, none with 500 or more, and nobody was let in without a good token or password": "TestGeneratedRequestIsShrunkAndReplayed",
	"it is recorded how many devices the account has gained":                                                        "observes",
	"it is recorded how the service answers":                                                                        "observes",
	"it is recorded what the answer holds":                                                                          "observes",
	"it is recorded whether both answers are the same":                                                              "observes",
	"it is recorded whether the answer has the header \"<name>\"":                                                   "observes",
	"it is recorded whether the answer has the member \"<path>\"":                                                   "observes",
	"the service of the tenant is listed":                                                                           "TestASharedCacheThatMixesTenantsUp",
	"it is recorded whether that much gets through":                                                                 "observes",
	"it is recorded whether the correlation id comes back":                                                          "observes",
	"it is recorded with which statuses both were answered":                                                         "observes",
	"the service is offered over https":                                                                             "TestPlainHTTPIsAMiss",
	"the answer has no member \"<path>\"":                                                                           "the status is asked for before",
	"it is recorded whether the refusals tell who has an account":                                                   "observes",
	"it is recorded whether the claim jti differs from before":                                                      "observes",
	"it is recorded whether the session token can be used again":                                                    "observes",
	"it is recorded whether the session token is another one than before":                                           "observes",
	"it is recorded what pages of other origins may do":                                                             "observes",
	"no service was refused with 400":                                                                               "the step about listed services sees it too",
	"every listed service is known":                                                                                 "the sign-on with each service sees it too",
	"the change of the account is heeded, now or within the time of the access token":                               "the other scenario of DEV-20 sees it too",
	"the result code is \"<text>\"":                                                                                 "the status is asked for before",
	"the tokens belong to the account, the client and the tenant of the request":                                    "the calls that follow see it too",
	"there is at least one authentication service":                                                                  "the first call with a service sees it too",
}

// TestStepMutants makes each Then step hold whatever came, with the judge silenced, so that only steps can catch a
// fault. For each there must be a fault that is missed then: a step that decides nothing would be hollow.
func TestStepMutants(t *testing.T) {
	if !*mutants {
		t.Skip("skipped: -mutants asks for it")
	}
	changed := map[string]string{}
	for _, c := range []struct{ file, old, new string }{
		{"steps/scene/world.go", "\tx.Judged = check.Judge(seen, known)\n", "\tif os.Getenv(\"AGSTEST_NO_JUDGE\") == \"\" {\n\t\tx.Judged = check.Judge(seen, known)\n\t}\n"},
		{"steps/words/exploration.go", "judged: check.Judge(x.Exchange, ", "judged: check.Judge(map[bool]*wire.Exchange{true: x.Exchange}[os.Getenv(\"AGSTEST_NO_JUDGE\") == \"\"], "},
		{"steps/execute.go", "\treturn phrase.Do(ctx, w, a)\n", `	if phrase.Keyword == "Then" {
		if path := os.Getenv("AGSTEST_TRACE"); path != "" {
			file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				panic(err)
			}
			fmt.Fprintln(file, phrase.Text+"\t"+strings.Join(w.Scenario.Requirements, " "))
			file.Close()
		}
		if phrase.Text == os.Getenv("AGSTEST_MUTATED_STEP") {
			return nil
		}
	}
	return phrase.Do(ctx, w, a)
`},
	} {
		source, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(c.file)))
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(source), c.old), "%s does not hold this exactly once any more: %q", c.file, c.old)
		changed[c.file] = strings.Replace(strings.Replace(string(source), c.old, c.new, 1), "import (", "import (\n\t\"os\"", 1)
	}
	binary := filepath.Join(t.TempDir(), "steps.test")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-o", binary, "-overlay", overlay(t, changed), ".").CombinedOutput()
	require.NoError(t, err, string(out))
	try := func(tests string, variables ...string) (string, error) {
		command := exec.CommandContext(t.Context(), binary, "-test.run", tests)
		command.Env = append(os.Environ(), variables...)
		out, err := command.CombinedOutput()
		return string(out), err
	}

	seen := filepath.Join(t.TempDir(), "seen")
	said, err := try("^TestMockIsGreen$", "AGSTEST_TRACE="+seen)
	require.NoError(t, err, said)
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	judges := map[string][]string{} // step → requirements of its scenarios
	for line := range strings.Lines(string(text)) {
		step, ids, _ := strings.Cut(strings.TrimSpace(line), "\t")
		judges[step] = append(judges[step], strings.Fields(ids)...)
	}
	require.Greater(t, len(judges), 50)

	var all []string
	faults := map[string][]string{}
	for _, f := range mock.Faults() {
		if !f.UnderLoad {
			all = append(all, f.Name)
			faults[f.Requirement] = append(faults[f.Requirement], f.Name)
		}
	}
	name := regexp.MustCompile(`--- FAIL: TestEveryFaultIsCaught/fault/(\S+)`)
	missed := func(names []string, step string) []string {
		said, err := try("^TestEveryFaultIsCaught$/^fault$/^("+strings.Join(names, "|")+")$", "AGSTEST_NO_JUDGE=1", "AGSTEST_MUTATED_STEP="+step)
		var found []string
		for _, m := range name.FindAllStringSubmatch(said, -1) {
			found = append(found, m[1])
		}
		assert.Equal(t, err != nil, len(found) > 0, said)
		return found
	}
	byJudge := missed(all, "")
	assert.Less(t, len(byJudge), 40, "faults that only the judge catches")
	decisive := 0
	for step, ids := range judges {
		var names []string
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			for _, f := range faults[id] {
				if !slices.Contains(byJudge, f) {
					names = append(names, f)
				}
			}
		}
		found := 0
		if len(names) > 0 {
			found = len(missed(names, step))
		}
		reason, excused := seconded[step]
		switch {
		case found > 0:
			decisive++
			assert.False(t, excused, "%q is decisive: take it off the list (%s)", step, reason)
		case !excused:
			t.Errorf("no fault needs the step %q: it may be hollow", step)
		}
	}
	for step := range seconded {
		assert.Contains(t, judges, step, "a step that no scenario has")
	}
	t.Logf("%d steps, %d of them decide about a fault alone; %d of %d faults are caught by the judge alone", len(judges), decisive, len(byJudge), len(all))
}
