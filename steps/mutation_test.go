package steps_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/check"
	"agstest/internal/environment"
	"agstest/mock"
	"agstest/steps"
)

// mutants lets the two tests below change the suite itself, one place at a time, and see whether a test notices. Each
// change is laid over the source with "go build -overlay"; no file of the module is touched. "make mutants" does it: it
// takes some minutes.
var mutants = flag.Bool("mutants", false, "change the suite, one place at a time, and expect a test to notice")

// mutant is one change of the suite: somewhere a text stands exactly once and is replaced, and a test must fail for it.
type mutant struct {
	name     string
	file     string // from the top of the module
	old, new string
	pkg      string // whose test notices
	test     string // as -run takes it; all that it matches run, and one must fail
}

var harness = []mutant{
	{"not applicable counts as held", "steps/weigh.go", "\tif f.Skipped {\n\t\treturn reports.Skipped", "\tif f.Skipped {\n\t\treturn reports.Pass", "steps", "TestWeigh$"},
	{"skipped counts as pass", "steps/verdicts.go", "case len(t.skips) > 0:\n\t\tresult.Verdict = reports.Skipped", "case len(t.skips) > 0:\n\t\tresult.Verdict = reports.Pass", "steps", "TestJudgeRequirement$"},
	{"what was not exercised counts as pass", "steps/verdicts.go", "\t\tVerdict: reports.NotExercised,\n", "\t\tVerdict: reports.Pass,\n", "steps", "TestJudgeRequirement$"},
	{"a scenario that ended early counts as held", "steps/execute.go", "if !p.ended && len(s.Requirements) > 0", "if len(s.Requirements) > 0", "steps", "TestPoorLiveService$"},
	{"a skipped step lets the scenario go on to its end", "steps/execute.go", "\t\tp.skipped = lack\n", "\t\tp.skipped, err = nil, nil\n\t\trecord.Verdict = reports.Pass\n", "steps", "TestPoorLiveService$"},
	{"nothing exercised is a pass", "steps/verdicts.go", "case exercised == 0:", "case false:", "steps", "TestOverall$"},
	{"a run that could not tell is a pass", "steps/verdicts.go", "case len(dark) > 0:", "case len(dark) > 1<<20:", "steps", "TestOverall$"},
	{"an interrupted run is a pass", "steps/verdicts.go", "case report.Run.Partial != \"\":", "case false:", "steps", "TestOverall$"},
	{"a miss of a documented requirement only warns", "steps/weigh.go", "warns := f.Outcome == check.Soft || requirement.Gating() == ags.Warns", "warns := true", "steps", "TestWeigh$"},
	{"could not tell counts as held", "steps/weigh.go", "\n\t\treturn reports.Error\n\t}\n\twarns", "\n\t\treturn reports.Pass\n\t}\n\twarns", "steps", "TestWeigh$"},
	{"the mildest verdict counts", "reports/judgement.go", "b.Rank() < a.Rank()", "b.Rank() > a.Rank()", "steps", "TestJudgeRequirement$"},
	{"known departures never expire", "steps/known.go", "return err != nil || !now.UTC().Before(last.AddDate(0, 0, 1))", "_ = last\n\treturn err != nil", "steps", "TestKnownDepartures$"},
	{"a known departure that passes stays green", "steps/verdicts.go", "case result.Verdict == reports.Pass, result.Verdict == reports.Partly, result.Verdict == reports.Observed:", "case false:", "steps", "TestKnownDepartures$"},
	{"assertions of steps say nothing", "steps/talk/outcome.go", "\t\terr = e.err(expected)\n", "\t\terr = nil\n", "steps/talk", "TestExpectationsKeepTheirText$"},
	{"the judge is not asked", "steps/scene/world.go", "x.Judged = check.Judge(seen, known)", "_, x.Judged = seen, check.Judge(nil, known)", "steps", "TestEveryFaultIsCaught/fault/session-token-renamed$"},
	{"misses of steps are forgotten", "steps/execute.go", "\t\tp.find(outcome, miss.About, miss.Expected, w.Stage.Secrets.Text(miss.Got))\n", "", "steps", "TestEvidence$"},
	{"evidence of the scenario before", "steps/collection.go", "for _, x := range e.exchanges {\n\t\t\tif brief", "for _, x := range entries[max(i-1, 0)].exchanges {\n\t\t\tif brief", "steps", "TestEvidenceIsOfItsScenario$"},
	{"findings under the wrong scenario", "steps/collection.go", "\t\tScenario: scenario, Exchange: f.Exchange,", "\t\tScenario: scenario + \"0\", Exchange: f.Exchange,", "steps", "TestEvidence$"},
	{"findings at the first exchange", "steps/execute.go", "Exchange: len(p.world.Exchanges) - 1})", "Exchange: 0})", "steps", "TestFindingsPointAtTheirExchange$"},
	{"scenarios share what is random", "steps/scene/world.go", "h.Write([]byte(s.ID))", "_ = s.ID", "steps", "TestEvidenceIsOfItsScenario$"},
	{"an unknown tag is taken", "steps/select.go", "if !existing[tag] {\n\t\t\treturn", "if false {\n\t\t\treturn", "steps", "TestSelectionMistakes$"},
	{"no scenario is no mistake", "steps/select.go", "if len(chosen.scenarios) == 0 {", "if false {", "steps", "TestSelectionMistakes$"},
	{"waits are hidden", "steps/verdicts.go", "append(r.Notes, r.noteWaits(entries, report.Counts.Exchanges)...)", "r.Notes", "steps", "TestWaitedOutAnswersAreNoted$"},
	{"every trial is right", "steps/trials_export_test.go", "result.Right = result.At == reports.Fail ||", "result.Right = true || result.At == reports.Fail ||", "steps", "TestTrialsCanGoWrong$"},
	{"every sound trial is right", "steps/trials_export_test.go", "result.Right = report.Verdict == reports.Pass", "result.Right = true", "steps", "TestTrialsCanGoWrong$"},
	{"silence is waited for again and again", "steps/scene/saying.go", "\tmaxSilences = 2", "\tmaxSilences = 4", "steps", "TestSilenceIsWaitedForTwice$"},
	{"broken bodies are a kind for each call", "steps/scene/saying.go", "return \"requests whose body is no JSON object\"", "return \"requests whose body is no JSON object of \" + r.Operation", "steps/scene", "TestBrokenBodiesAreOneKind$"},
	{"what is no JSON is as good as what is", "steps/scene/saying.go", "if body == nil || body.Kind != ags.Object || !json.Valid(r.Bytes()) {", "if json.Valid(nil) {", "steps/scene", "TestBrokenBodiesAreOneKind$"},
	{"a retry hides a failure", "internal/wire/client.go", "\t\twait, own, again := waitBefore(x, len(attempts))\n", "\t\twait, own, again := waitBefore(x, len(attempts))\n\t\tagain = again || x.Status == http.StatusInternalServerError\n", "steps", "TestDumbServers/(flaky|all-500)$"},
	{"an answer without Retry-After stands", "internal/wire/client.go", "\t\twait, own, again := waitBefore(x, len(attempts))\n", "\t\twait, own, again := waitBefore(x, len(attempts))\n\t\tagain = again && !own\n", "internal/wire", "TestDoWaitsForRetryAfter$"},
	{"redaction is off, in records", "internal/redact/redactor.go", "\tif len(spans) == 0 {\n\t\treturn text", "\tif true {\n\t\treturn text", "internal/redact", "TestRecordHoldsNoSecret$"},
	{"redaction is off, in reports", "internal/redact/redactor.go", "\tif len(spans) == 0 {\n\t\treturn text", "\tif true {\n\t\treturn text", "steps", "TestNoSecretInTheReport$"},
	{"redaction is off, in what leaves the process", "internal/redact/redactor.go", "\tif len(spans) == 0 {\n\t\treturn text", "\tif true {\n\t\treturn text", "cmd/agstest", "TestNoSecretLeavesTheProcess$"},
	{"only names are redacted", "internal/redact/redactor.go", "if len(r.known.forms) > 0 {", "if false {", "internal/redact", "TestTextRedactsByValueInEveryEncoding$"},
	{"the fields of tokens are emptied", "ags/field.go", "var TokenFields = []Field{", "var TokenFields = []Field{}\n\nvar _ = []Field{", "internal/check", "TestJudgeFindsEachFault$"},
	{"the claims are emptied", "ags/field.go", "var Claims = []Claim{", "var Claims = []Claim{}\n\nvar _ = []Claim{", "internal/check", "TestJudgeFindsEachFault$"},
	{"the schemas of the OpenAPI document are emptied", "internal/openapi/openapi.go", "root := object{\"type\": \"object\", \"properties\": object{}}\n", "root := object{\"type\": \"object\", \"properties\": object{}}\n\tif true {\n\t\treturn object{}\n\t}\n", "internal/openapi", "TestDocument$"},
	{"the schema of stored runs is emptied", "reports/schema.go", "err == nil {\n\t\treturn data, nil", "err == nil {\n\t\treturn data[:0:0], nil", "reports", "TestSchemasFollowFromTheTypes$"},
	{"the schema of stored runs takes anything", "reports/schema.go", "err == nil {\n\t\treturn data, nil", "err == nil {\n\t\t_ = data\n\t\treturn []byte(\"{}\"), nil", "reports", "TestSchemasFollowFromTheTypes$"},
	{"failures are no failures in JUnit", "reports/outcome.go", "case Fail, Regressed:\n\t\treturn OutcomeFailed", "case Fail, Regressed:\n\t\treturn OutcomePassed", "reports", "TestJUnitTracesRequirements$"},
	{"failures block nothing", "reports/judgement.go", "\t\treturn false\n\t}\n\treturn true\n}\n\n// ByAttention", "\t\treturn false\n\t}\n\treturn false\n}\n\n// ByAttention", "reports", "TestJUnitIsRedWhereTheRunIs$"},
	{"a load run that is invalid is judged", "load/tally/validity.go", "r.Valid = len(r.Invalid) == 0", "r.Invalid, r.Valid = nil, true", "load/tally", "TestValidityComesBeforeTheVerdict$"},
	{"the answers of others are excused under load", "load/tally/validity.go", "for _, kind := range correctness {", "for _, kind := range correctness[:0] {", "load/tally", "TestValidityComesBeforeTheVerdict$"},
	{"limits are always kept", "load/limit/judge.go", "\tif l.Keeps(value) {\n", "\tif l.Keeps(value) || true {\n", "load/limit", "TestLimitsAreJudged$"},
	{"the answers of others are not seen under load", "load/clients/identity.go", "\treturn hit.Outcome{Kind: hit.KindIdentity, Requirement: ofStep(h.step, \"SOST-22\", \"REF-12\"),", "\tif true {\n\t\treturn hit.Outcome{}\n\t}\n\treturn hit.Outcome{Kind: hit.KindIdentity, Requirement: ofStep(h.step, \"SOST-22\", \"REF-12\"),", "load/clients", "TestFaultsAreFoundUnderLoad$"},
	{"a failed run ends with status 0", "cmd/agstest/exit.go", "return exitFail // fail", "return exitPass // fail", "cmd/agstest", "TestExitCodeOfVerdict$"},
	{"a run that could not tell ends with status 0", "cmd/agstest/exit.go", "\t\treturn exitSetup\n\t}\n", "\t\treturn exitPass\n\t}\n", "cmd/agstest", "TestExitCodeOfVerdict$"},
}

// overlay writes the file that -overlay takes. Paths of replaced are from the top of the module.
func overlay(t *testing.T, replaced map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	replace := map[string]string{}
	for path, text := range replaced {
		at, err := filepath.Abs(filepath.Join("..", filepath.FromSlash(path)))
		require.NoError(t, err)
		replace[at] = filepath.Join(folder, fmt.Sprintf("%d.go", len(replace)))
		require.NoError(t, os.WriteFile(replace[at], []byte(text), 0o600))
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	path := filepath.Join(folder, "overlay.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// TestMutantsFitTheCode: each of the mutants has its place, and the test that must notice it is there. The mutants
// themselves are for "make mutants".
func TestMutantsFitTheCode(t *testing.T) {
	t.Parallel()
	for _, m := range harness {
		source, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(m.file)))
		require.NoError(t, err, m.name)
		assert.Equal(t, 1, strings.Count(string(source), m.old), "%s: %s does not hold this exactly once: %q", m.name, m.file, m.old)
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(m.pkg), "*_test.go"))
		require.NoError(t, err)
		test, _, _ := strings.Cut(strings.TrimSuffix(m.test, "$"), "/")
		assert.True(t, slices.ContainsFunc(files, func(file string) bool {
			text, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(text), "func "+test+"(t *testing.T)")
		}), "%s: %s has no %s", m.name, m.pkg, test)
	}
}

// TestHarnessMutants changes what stands around the judge: verdicts, retries, redaction, evidence, schemas, exit codes.
func TestHarnessMutants(t *testing.T) {
	if !*mutants {
		t.Skip("skipped: -mutants asks for it")
	}
	for _, m := range harness {
		t.Run(m.name, func(t *testing.T) {
			source, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(m.file)))
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(string(source), m.old), "%s does not hold this exactly once any more: %q", m.file, m.old)
			changed := strings.Replace(string(source), m.old, m.new, 1)
			command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-timeout=3m", "-overlay", overlay(t, map[string]string{m.file: changed}), "-run", m.test, "./"+m.pkg)
			command.Dir = ".."
			out, err := command.CombinedOutput()
			require.NotContains(t, string(out), "[build failed]", "a mutant must compile: %s", out)
			require.NotContains(t, string(out), "[no tests to run]")
			if err == nil {
				t.Fatalf("nobody notices: %s of %s stays green", m.test, m.pkg)
			}
			noticed := failedTest.FindSubmatch(out)
			require.NotNil(t, noticed, "no test failed, but something else did: %s", out)
			t.Logf("noticed by %s.%s", m.pkg, noticed[1])
		})
	}
}

// mutator is laid over package check: it changes a rule's result at one place, for one requirement and one outcome, or
// writes the places down. A helper that rules share is no place of its own.
const mutator = `package check

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

var mutatedPlace, trace = os.Getenv("AGSTEST_MUTATED_PLACE"), os.Getenv("AGSTEST_TRACE")

func mutated(id string, o Outcome) Outcome {
	callers := make([]uintptr, 8)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	place := ""
	for {
		frame, more := frames.Next()
		place = fmt.Sprintf("%s:%d %s %d", filepath.Base(frame.File), frame.Line, id, o)
		if !more || !strings.HasSuffix(frame.Function, ".rule") {
			break
		}
	}
	if trace != "" {
		file, err := os.OpenFile(trace, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(file, place)
		file.Close()
	}
	if place != mutatedPlace {
		return o
	}
	if o == Broken || o == Soft || o == Unknown {
		return Held
	}
	return Broken
}
`

// places are the lines of package check that say what came of a rule.
func places(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../internal/check/*.go")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, 0)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Name.Name == "rule" {
				continue
			}
			ast.Inspect(function, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if called, ok := call.Fun.(*ast.SelectorExpr); ok && (called.Sel.Name == "rule" || called.Sel.Name == "add") {
						if receiver, ok := called.X.(*ast.Ident); ok && receiver.Name == "j" {
							found = append(found, fmt.Sprintf("%s:%d", filepath.Base(file), set.Position(call.Pos()).Line))
						}
					}
				}
				return true
			})
		}
	}
	return found
}

// TestJudgeMutants makes each rule of the judge say that all is well where it is not, and the reverse, at each place
// and for each requirement. The table of faults of package check must turn red for the first, one of its tables for the
// second.
func TestJudgeMutants(t *testing.T) {
	if !*mutants {
		t.Skip("skipped: -mutants asks for it")
	}
	source, err := os.ReadFile("../internal/check/judge.go")
	require.NoError(t, err)
	const old, changed = "j.findings = append(j.findings, Finding{id, o, expected, got})", "j.findings = append(j.findings, Finding{id, mutated(id, o), expected, got})"
	require.Equal(t, 1, strings.Count(string(source), old))
	binary := filepath.Join(t.TempDir(), "check.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-o", binary, "-overlay", overlay(t, map[string]string{
		"internal/check/judge.go": strings.Replace(string(source), old, changed, 1), "internal/check/mutator.go": mutator,
	}), "./internal/check")
	build.Dir = ".."
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	const faults, tables = "^TestJudgeFindsEachFault$", "^TestJudge(FindsEachFault|HoldsGoodAnswers|HoldsThePagesSample|LeavesChoicesInPeace)$"
	misses := fmt.Sprintf("%d%d%d", check.Broken, check.Soft, check.Unknown)
	try := func(tests, variable string) (string, error) {
		command := exec.CommandContext(t.Context(), binary, "-test.failfast", "-test.run", tests)
		command.Dir, command.Env = "../internal/check", append(os.Environ(), variable)
		out, err := command.CombinedOutput()
		return string(out), err
	}

	seen := filepath.Join(t.TempDir(), "seen")
	said, err := try(tables, "AGSTEST_TRACE="+seen)
	require.NoError(t, err, said)
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.Sort(lines)
	lines = slices.Compact(lines)
	for _, place := range places(t) {
		assert.True(t, slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, place+" ") }), "no table comes by %s", place)
	}
	require.Greater(t, len(lines), 120)
	survivors := 0
	for _, line := range lines {
		tests := tables
		if outcome := line[len(line)-1:]; strings.Contains(misses, outcome) {
			tests = faults
		}
		said, err := try(tests, "AGSTEST_MUTATED_PLACE="+line)
		if err == nil {
			survivors++
			t.Errorf("nobody notices when %s is turned round", line)
			continue
		}
		assert.NotEmpty(t, failedTest.FindString(said), "no test failed, but something else did: %s", said)
	}
	t.Logf("%d mutants at %d places, %d survived", len(lines), len(places(t)), survivors)
}

// TestTrialsCanGoWrong: a trial is only right when the fault is caught where it is, and when a sound service passes.
func TestTrialsCanGoWrong(t *testing.T) {
	start := func(faults ...mock.Fault) func() (*environment.Environment, func(), error) {
		return func() (*environment.Environment, func(), error) { return started(mock.Config{Faults: faults}, itself) }
	}
	only := []string{"SOST-01", "DISC-04"}
	trials := []steps.Trial{
		{Name: "sound", Only: only, Start: start()},
		{Name: "a fault at its place", Requirement: "SOST-01", Only: only, Start: start(fault(t, "session-sign-on-200"))},
		{Name: "a fault that is not there", Requirement: "SOST-01", Only: only, Start: start()},
		{Name: "a fault at another place", Requirement: "DISC-04", Only: only, Start: start(fault(t, "session-sign-on-200"))},
		{Name: "a fault that nobody speaks of", Only: only, Start: start(fault(t, "session-sign-on-200"))},
	}
	right := map[string]bool{}
	for _, result := range steps.Try(t.Context(), trials, quick, 2) {
		require.NoError(t, result.Err, result.Name)
		right[result.Name] = result.Right
	}
	assert.Equal(t, map[string]bool{"sound": true, "a fault at its place": true, "a fault that is not there": false, "a fault at another place": false, "a fault that nobody speaks of": false}, right)
}
