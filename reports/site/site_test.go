package site

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/matrix"
	"agstest/reports/runs"
)

var update = flag.Bool("update", false, "write the golden files anew")

var firstDay = time.Date(2026, 8, 3, 9, 30, 0, 0, time.UTC)

func put(t testing.TB, root, name string, v any) {
	t.Helper()
	text, ok := v.(string)
	if !ok {
		var b strings.Builder
		require.NoError(t, reports.WriteJSON(&b, v))
		text = b.String()
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
}

func run(id, kind, environment, release string, start time.Time) reports.Run {
	return reports.Run{ID: id, Kind: kind, Environment: environment, URL: "https://" + environment + ".example", Release: release, Start: start, End: start.Add(90 * time.Second),
		Tool: reports.Tool{Version: "1.0.0", Go: "go1.26"}, Machine: reports.Machine{OS: "linux", Arch: "amd64", CPUs: 4}}
}

// conformed is a stored conformance run of these requirements; fails lists those that failed, by number.
func conformed(r reports.Run, requirements int, fails ...int) *reports.Conformance {
	c := &reports.Conformance{Schema: reports.ConformanceSchema, Run: r, Verdict: reports.Pass, Reason: fmt.Sprintf("%d of %d requirements hold", requirements-len(fails), requirements)}
	for i := range requirements {
		one := reports.Requirement{ID: fmt.Sprintf("SOST-%02d", i+1), Level: "documented", Gating: "fails", Verdict: reports.Pass, Text: fmt.Sprintf("A sign-on answers as page %d says.", i+1)}
		if i%7 == 6 {
			one.Verdict, one.Needs = reports.Skipped, "situations.blocked"
		}
		for _, failed := range fails {
			if failed == i {
				one.Verdict = reports.Fail
				one.Findings = []reports.Finding{{Requirement: one.ID, Verdict: reports.Fail, Expected: "status 201", Got: "status 200", Exchange: -1}}
			}
		}
		c.Requirements = append(c.Requirements, one)
	}
	if len(fails) > 0 {
		c.Verdict, c.Reason = reports.Fail, fmt.Sprintf("%d of %d requirements failed", len(fails), requirements)
		c.Causes = []reports.Cause{{ID: "C-12345678", Verdict: reports.Fail, Expected: "status 201", Got: "status 200", Requirements: []string{c.Requirements[fails[0]].ID}, Times: 3, Exchange: -1}}
	}
	return c
}

func loaded(r reports.Run, p50 time.Duration, wrong int64) *reports.Load {
	times := reports.Percentiles{Count: 6000, P50: int64(p50), P90: int64(p50) * 15 / 10, P95: int64(p50) * 17 / 10, P99: int64(p50) * 25 / 10, P999: int64(p50) * 4, Max: int64(p50) * 5}
	operation := func() *reports.Operation {
		return &reports.Operation{Asked: 6000, Sent: 6000, Right: 6000 - wrong, Wrong: wrong, Statuses: map[string]int64{"200": 6000 - wrong, "503": wrong}, Rate: 200, Response: times, Service: times}
	}
	return &reports.Load{Schema: reports.LoadSchema, Run: r, Verdict: reports.Pass, Reason: "all limits are kept", Valid: true, Plan: reports.Plan{Workload: "refresh", Schedule: "constant 200/s for 30 s", Hits: 6000, Seconds: 30, Clients: 40, Transport: "fast"},
		Operations: map[string]*reports.Operation{"refresh": operation()}, Total: operation(), Limits: []reports.Limit{{Expression: "refresh.p99<300ms", Verdict: reports.Pass, Value: "25 ms"}}}
}

// sample is sixteen weeks of three environments: staging fails after release 24.36, and its load has a spike, a new
// level and a run that is not valid; int changes from run to run; dev is sound. A plan holds runs of two.
func sample(t testing.TB) string {
	root := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	name := func(r reports.Run) string {
		return r.Start.Format("20060102T150405Z") + "-" + r.Environment + "-" + r.Kind + "-" + r.ID
	}
	for week := range 16 {
		release := fmt.Sprintf("24.%d", 34+week/4)
		for i, environment := range []string{"dev", "int", "staging"} {
			start := firstDay.AddDate(0, 0, 7*week).Add(time.Duration(i) * time.Hour)
			r := run(fmt.Sprintf("%02d%010x", week, i), "conform", environment, release, start)
			var fails []int
			if environment == "staging" && week >= 8 {
				fails = []int{3, 4}
			}
			if environment == "int" && week%2 == 1 {
				fails = []int{10}
			}
			put(t, root, name(r)+"/conformance.json", conformed(r, 24, fails...))
			r = run(fmt.Sprintf("%02d%010x", week, i+16), "load", environment, release, start.Add(20*time.Minute))
			p50 := 10e6 * math.Exp(0.02*random.NormFloat64())
			wrong := int64(0)
			if environment == "staging" {
				if week >= 9 {
					p50 *= 1.4
				}
				if week == 4 {
					p50 *= 400
				}
			}
			l := loaded(r, time.Duration(p50), wrong)
			if environment == "staging" && week == 6 {
				l.Valid, l.Invalid, l.Verdict, l.Reason = false, []string{"the generator was too slow"}, reports.Invalid, "the generator was too slow"
			}
			put(t, root, name(r)+"/load.json", l)
		}
	}
	plan := "20261125T080000Z-before-the-release-plan-00aa"
	day := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	var columns []matrix.Column
	for i, environment := range []string{"dev", "prod-eu"} {
		c := conformed(run(fmt.Sprintf("aa%010x", i), "conform", environment, "24.38", day.Add(time.Duration(i)*time.Minute)), 24, make([]int, i)...)
		put(t, root, plan+"/"+environment+"/conform/conformance.json", c)
		columns = append(columns, matrix.Column{Name: environment, Parts: []matrix.Part{{Command: "conform", Folder: environment + "/conform", Exit: i, Run: &runs.Stored{Parts: reports.Parts{Conformance: c}}}}})
	}
	put(t, root, plan+"/matrix.json", matrix.Build("Before the release", "24.38", "", reports.Tool{Version: "1.0.0"}, columns))
	put(t, root, "baselines.json", `{"release-24-34":{"folder":"20260803T113000Z-staging-conform-000000000002","id":"x"}}`)
	return root
}

func TestSite(t *testing.T) {
	t.Parallel()
	root, to := sample(t), filepath.Join(t.TempDir(), "public")
	result, err := Build(root, to, Options{Reports: 1, Tool: "1"})
	require.NoError(t, err)
	assert.Equal(t, 98, result.Runs)
	assert.Equal(t, 4, result.Environments)
	assert.Equal(t, 98, result.Read)
	assert.Empty(t, result.Damaged)
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(to, name))
		require.NoError(t, err)
		return string(text)
	}
	words := func(name string) string {
		return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(regexp.MustCompile(`(?s)<svg.*?</svg>|<script.*?</script>`).ReplaceAllString(read(name), " "), " ")), " ")
	}
	for page, wanted := range map[string][]string{
		"index.html":                {"By the newest run of each kind: fail in int, prod-eu, staging; pass in dev.", "21 held, 0 failed, 3 not judged", "September 2026", "2026-11-25, 2 runs: fail", "All 4 months", "2026-11-25 08:00 Before the release 24.38: fail"},
		"environments/staging.html": {"Fails now", "SOST-04", "24.36", "Load: refresh, constant 200/s for 30 s", "refresh p99 in the run of 2026-08-31 11:50", "times the usual"},
		"requirements.html":         {"SOST-04 A sign-on answers as page 4 says.", "Fails in staging since 24.36 (2026-09-28).", "Changes from run to run in int.", "Never failed in 4 environments."},
		"requirements/sost-04.html": {"By release", "24.37", "Judged in 16 of 16 conformance runs.", "fail 2026-09-28 11:30", "pass 2026-08-03 11:30"},
		"releases.html":             {"24.37", "2026-08-31 to 2026-09-21", "conformance pass compare"},
		"runs/20260928T113000Z-staging-conform-080000000002.html": {"2 of 24 requirements failed", "expected status 201, got status 200", "Beside the run before", "fail SOST-04 was pass",
			"Beside release 24.35", "agstest compare 20260921T113000Z-staging-conform-070000000002 20260928T113000Z-staging-conform-080000000002"},
		"runs/20260914T115000Z-staging-load-060000000012.html": {"not valid", "The figures are not valid: they do not speak of the service."},
		"search.html":       {"Everything in this site", "SOST-24", "2026-09-28 11:30"},
		"calendar.html":     {"September 2026", "Mo"},
		"runs-2026-09.html": {"release 24.34"},
	} {
		text := words(page)
		for _, one := range wanted {
			assert.Contains(t, text, one, page)
		}
	}
	// The full report of the newest runs and of a pinned one; that of others is named.
	assert.Contains(t, read("runs/20261116T113000Z-staging-conform-150000000002.html"), `href="../reports/20261116T113000Z-staging-conform-150000000002/conformance.html"`)
	assert.Contains(t, read("runs/20260803T113000Z-staging-conform-000000000002.html"), `href="../reports/20260803T113000Z-staging-conform-000000000002/conformance.html"`)
	assert.Contains(t, read("runs/20260928T113000Z-staging-conform-080000000002.html"), `lies in <code>20260928T113000Z-staging-conform-080000000002</code>`)

	linksLead(t, to)
	if golden := filepath.Join("testdata", "index.html"); *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(read("index.html")), 0o600))
	} else {
		wanted, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(wanted), read("index.html"), "-update writes it anew")
	}

	again, err := Build(root, to, Options{Reports: 1, Tool: "1"})
	require.NoError(t, err)
	assert.Zero(t, again.Read)
	assert.Empty(t, again.Written, "the same runs give the same site")
	assert.Empty(t, again.Removed)

	// One more run changes its own pages and those that list it; nothing else is written.
	r := run("ff", "conform", "dev", "24.38", time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC))
	put(t, root, "one-more/conformance.json", conformed(r, 24, 1))
	more, err := Build(root, to, Options{Reports: 1, Tool: "1"})
	require.NoError(t, err)
	assert.Equal(t, 1, more.Read)
	assert.Less(t, len(more.Written), 45)
	assert.Contains(t, words("index.html"), "dev: 1 new failure SOST-02")
	linksLead(t, to)

	// A run that went takes its pages along; a file of somebody else stays, and so does a page that somebody changed.
	put(t, to, "CNAME", "tests.example")
	put(t, to, "runs/"+fileName("one-more")+".html", "mine now")
	require.NoError(t, os.RemoveAll(filepath.Join(root, "one-more")))
	would, err := Build(root, to, Options{Reports: 1, Tool: "1", DryRun: true})
	require.NoError(t, err)
	less, err := Build(root, to, Options{Reports: 1, Tool: "1"})
	require.NoError(t, err)
	assert.Equal(t, would.Removed, less.Removed, "a dry run tells what is done")
	assert.Equal(t, would.Written, less.Written)
	assert.Equal(t, []string{"runs/" + fileName("one-more") + ".html"}, less.Left)
	assert.Contains(t, less.Removed, "reports/"+fileName("one-more")+"/conformance.html")
	assert.Equal(t, "tests.example", read("CNAME"))
	assert.Equal(t, "mine now", read("runs/"+fileName("one-more")+".html"))
}

// TestServicesOfOneNameInAPlan: a plan whose files call two services the same shows both, so that the one that passed
// last does not hide the one that fails.
func TestServicesOfOneNameInAPlan(t *testing.T) {
	t.Parallel()
	root, to := t.TempDir(), filepath.Join(t.TempDir(), "public")
	began := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	for i, environment := range []string{"staging", "int"} { // staging fails first, int passes last
		r := run(fmt.Sprint("a", i), "conform", "mock", "25.52", began.Add(time.Duration(i)*time.Minute))
		r.URL = "http://127.0.0.1:808" + fmt.Sprint(i)
		put(t, root, "the-plan/"+environment+"/conform/conformance.json", conformed(r, 4, make([]int, 1-i)...))
		// Runs outside a plan keep the names of their files: a mock has another port in each run.
		r.Environment = "built-in"
		put(t, root, "alone/"+environment+"/conform/conformance.json", conformed(r, 4))
	}
	put(t, root, "the-plan/plan.json", "{}")
	for range 2 { // the second site is made of what the first has kept
		result, err := Build(root, to, Options{Tool: "1"})
		require.NoError(t, err)
		assert.Equal(t, 3, result.Environments)
		text, err := os.ReadFile(filepath.Join(to, "index.html"))
		require.NoError(t, err)
		assert.Contains(t, string(text), "By the newest run of each kind: fail in staging; pass in built-in, int.")
		assert.Contains(t, string(text), "found what the one before it found", "two runs of what is no plan")
	}
}

// TestAnyPartOfTheSuiteMendsNothing: after a whole run one that was asked for a single requirement says nothing of the
// others, though answers on the way kept their rules. One that could judge nothing is told.
func TestAnyPartOfTheSuiteMendsNothing(t *testing.T) {
	t.Parallel()
	root, to := t.TempDir(), filepath.Join(t.TempDir(), "public")
	whole := run("a", "conform", "staging", "25.52", firstDay)
	put(t, root, "a/conformance.json", conformed(whole, 4, 1))
	part := run("b", "conform", "staging", "25.53", firstDay.AddDate(0, 0, 1))
	part.Settings = map[string]string{"only": "SOST-01", "profile": "full"}
	put(t, root, "b/conformance.json", conformed(part, 4))
	gone := conformed(run("c", "conform", "gone", "25.53", firstDay.AddDate(0, 0, 1)), 0)
	gone.Verdict, gone.Run.Partial = reports.Error, "nothing was judged: nothing listens there"
	put(t, root, "c/conformance.json", gone)
	later := conformed(run("d", "conform", "staging", "25.53", firstDay.AddDate(0, 0, 2)), 0)
	later.Verdict, later.Run.Partial = reports.Error, "nothing was judged: nothing listens there"
	put(t, root, "d/conformance.json", later)
	_, err := Build(root, to, Options{Tool: "1"})
	require.NoError(t, err)
	text := func(name string) string {
		page, err := os.ReadFile(filepath.Join(to, filepath.FromSlash(name)))
		require.NoError(t, err)
		return string(page)
	}
	assert.Contains(t, text("index.html"), "By the newest run of each kind: could not tell in gone; pass in staging. A newer run did not come to its end in staging.")
	assert.NotContains(t, text("index.html"), "mended")
	assert.Contains(t, text("index.html"), "1 held, 0 failed, 0 not judged")
	assert.Contains(t, text(requirementPath("SOST-02")), "Fails in staging since 25.52")
	assert.Contains(t, text("environments/staging.html"), "The newest run, of 2026-08-05 09:30, did not come to its end: nothing was judged: nothing listens there.")
}

// TestAKnownDepartureIsNoChangeOfTheService: what comes on the list of known departures is not mended, and what comes off
// it is no new failure.
func TestAKnownDepartureIsNoChangeOfTheService(t *testing.T) {
	t.Parallel()
	root, to := t.TempDir(), filepath.Join(t.TempDir(), "public")
	for i, verdict := range []reports.Verdict{reports.Fail, reports.Known} {
		other := []reports.Verdict{reports.Known, reports.Fail}[i]
		for environment, one := range map[string]reports.Verdict{"listed": verdict, "unlisted": other} {
			c := conformed(run(fmt.Sprint(environment, i), "conform", environment, "", firstDay.AddDate(0, 0, i)), 2, 1)
			c.Requirements[1].Verdict, c.Requirements[1].Findings[0].Verdict = one, one
			put(t, root, fmt.Sprint(environment, i, "/conformance.json"), c)
		}
	}
	_, err := Build(root, to, Options{Tool: "1"})
	require.NoError(t, err)
	for name, says := range map[string]string{"index.html": "found what the one before it found",
		requirementPath("SOST-02"): "Fails in unlisted since 2026-08-04. A known departure in listed since 2026-08-04."} {
		page, err := os.ReadFile(filepath.Join(to, filepath.FromSlash(name)))
		require.NoError(t, err)
		assert.Contains(t, string(page), says)
		assert.NotContains(t, strings.ToLower(string(page)), "mended")
		assert.NotContains(t, string(page), "new failure")
	}
}

// TestAnotherHostMendsNothing: two services of one name are not held against each other.
func TestAnotherHostMendsNothing(t *testing.T) {
	t.Parallel()
	root, to := t.TempDir(), filepath.Join(t.TempDir(), "public")
	for i, fails := range [][]int{{1}, nil} {
		r := run(fmt.Sprint("a", i), "conform", "staging", "", firstDay.AddDate(0, 0, i))
		r.URL = fmt.Sprintf("https://node-%d.example", i)
		put(t, root, fmt.Sprint("a", i, "/conformance.json"), conformed(r, 2, fails...))
	}
	_, err := Build(root, to, Options{Tool: "1"})
	require.NoError(t, err)
	for _, name := range []string{"index.html", requirementPath("SOST-02")} {
		page, err := os.ReadFile(filepath.Join(to, filepath.FromSlash(name)))
		require.NoError(t, err)
		assert.NotContains(t, strings.ToLower(string(page)), "mended")
	}
}

// linksLead follows every link of every page of a site.
func linksLead(t *testing.T, site string) {
	t.Helper()
	ids := map[string]map[string]bool{}
	pages := map[string]string{}
	require.NoError(t, filepath.WalkDir(site, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".html" {
			return err
		}
		text, err := os.ReadFile(path)
		pages[path], ids[path] = string(text), map[string]bool{}
		for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
			ids[path][id[1]] = true
		}
		return err
	}))
	link := regexp.MustCompile(` href="([^"]*)"`)
	for path, text := range pages {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(found[1], "https://") && strings.Contains(path, "/reports/") {
				continue // a page of the documentation
			}
			where, fragment, _ := strings.Cut(found[1], "#")
			target := path
			if where != "" {
				target = filepath.Join(filepath.Dir(path), filepath.FromSlash(where))
			}
			if filepath.Ext(target) == ".css" {
				assert.FileExists(t, target)
				continue
			}
			if assert.NotNil(t, ids[target], "%s leads to %s, which is nowhere", path, found[1]) && fragment != "" {
				assert.True(t, ids[target][fragment], "%s leads to %s, whose place is nowhere", path, found[1])
			}
		}
		if t.Failed() {
			return
		}
	}
}

func TestForeignFoldersStay(t *testing.T) {
	t.Parallel()
	root, to := t.TempDir(), t.TempDir()
	_, err := Build(root, root, Options{})
	require.ErrorContains(t, err, "holds the runs: build the site into another folder")
	put(t, to, "thesis.txt", "mine")
	_, err = Build(root, to, Options{})
	require.EqualError(t, err, to+" is not empty and holds no site of agstest, so it is left alone: name another folder, or empty it")
	_, err = Build(filepath.Join(root, "nowhere"), filepath.Join(root, "public"), Options{})
	require.ErrorContains(t, err, "there is no folder "+filepath.Join(root, "nowhere")+": name the one that runs write to")
	assert.NoFileExists(t, filepath.Join(root, "public"))
	_, err = Build(root, filepath.Join(root, "public"), Options{DryRun: true})
	require.NoError(t, err)
	assert.NoFileExists(t, filepath.Join(root, "public"), "a dry run makes no folder")
	_, err = Build(root, filepath.Join(root, "public"), Options{}) // no run at all
	require.NoError(t, err)
	put(t, root, "public/runs.html", "mine")
	require.NoError(t, os.Remove(filepath.Join(root, "public", markFile)))
	_, err = Build(root, filepath.Join(root, "public"), Options{})
	require.ErrorContains(t, err, "holds no site of agstest")
	put(t, root, "public/"+markFile, `{"schema":"agstest.site/1.0","files":{"../../outside":{"sum":"","size":1}}}`)
	_, err = Build(root, filepath.Join(root, "public"), Options{})
	require.ErrorContains(t, err, "lies where the site needs a file of this name, and is not of the site: move it away")
}

// TestAnEndedBuildGoesOn: the process was killed when some pages had been written.
func TestAnEndedBuildGoesOn(t *testing.T) {
	t.Parallel()
	root, to := t.TempDir(), t.TempDir()
	put(t, root, "a/conformance.json", conformed(run("a1", "conform", "dev", "", firstDay), 3))
	_, err := Build(root, filepath.Join(to, "whole"), Options{})
	require.NoError(t, err)
	put(t, to, "site/"+markFile, mark{markSchema, map[string]written{}, true})
	text, err := os.ReadFile(filepath.Join(to, "whole", "index.html"))
	require.NoError(t, err)
	put(t, to, "site/index.html", string(text)+"of yesterday")
	_, err = Build(root, filepath.Join(to, "site"), Options{})
	require.NoError(t, err)
	now, err := os.ReadFile(filepath.Join(to, "site", "index.html"))
	require.NoError(t, err)
	assert.Equal(t, string(text), string(now))
}

// TestHostileRuns: names with markup, links that lead out, files that are none, damage, and sizes that nobody wants.
func TestHostileRuns(t *testing.T) {
	t.Parallel()
	const evil = `"><script>pwned()</script><img src=x onerror=pwned()>`
	root, to, outside := t.TempDir(), filepath.Join(t.TempDir(), "public"), t.TempDir()
	r := run(evil, "conform", evil+"../..", evil, firstDay)
	r.URL = "javascript:pwned()"
	c := conformed(r, 5, 2)
	c.Requirements[2].ID, c.Requirements[2].Text, c.Reason, c.Causes[0].Got = "../../"+evil[:20], evil, evil, evil
	c.Requirements[3].ID = "two words"
	put(t, root, "<b>&name;/conformance.json", c)
	l := loaded(run("x", "load", "javascript:pwned()", "", firstDay), time.Millisecond, 1)
	l.Operations[evil] = l.Operations["refresh"]
	l.Plan.Workload = evil
	put(t, root, "x/load.json", l)
	put(t, root, "future/load.json", `{"schema":"agstest.load/2.0","run":{},"verdict":"pass"}`)
	put(t, root, "cut/conformance.json", `{"schema":"agstest.conformance/1.0","verdict":"pass","scenarios":[{"name":"`)
	put(t, root, "page/conformance.json", `<html>`)
	put(t, root, "x/conformance.html", "<script>pwned()</script>")
	put(t, outside, "secret/conformance.json", conformed(run("secret", "conform", "secret-environment", "", firstDay), 2))
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(root, "linked")))
	require.NoError(t, os.Mkdir(filepath.Join(root, "file-linked"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret", "conformance.json"), filepath.Join(root, "file-linked", "conformance.json")))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "folder", "conformance.json"), 0o700))
	put(t, root, "plan/matrix.json", `{"schema":"agstest.matrix/1.0","name":"<script>pwned()</script>","verdict":"pass","environments":[{"name":"e","verdict":"pass","runs":[{"command":"conform","page":"https://evil.example/","verdict":"pass"}]}],
		"requirements":[{"id":"R","cells":[{"verdict":"fail","link":"javascript:pwned()"}]}],"causes":[{"verdict":"fail","link":"../../../etc/passwd"}]}`)
	put(t, root, "plan2/matrix.json", `{"schema":"agstest.matrix/1.0","environments":[{"name":"e"}],"requirements":[{"id":"R","cells":[]}]}`)

	result, err := Build(root, to, Options{Reports: 3})
	require.NoError(t, err)
	assert.Equal(t, 2, result.Runs)
	assert.Len(t, result.Damaged, 3, "%q", result.Damaged)
	names := 0
	require.NoError(t, filepath.WalkDir(to, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		if entry.IsDir() {
			return nil
		}
		names++
		inside, err := filepath.Rel(to, path)
		require.NoError(t, err)
		assert.Regexp(t, `^[A-Za-z0-9./-]+$`, inside)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if filepath.Ext(path) == ".html" {
			assert.NotRegexp(t, `<script>pwned|<img|href="(javascript|https?://evil)|href="[^"]*etc/passwd| on[a-z]+="`, string(text), inside)
		}
		assert.NotContains(t, string(text), "secret-environment", inside)
		return nil
	}))
	assert.Greater(t, names, 10)
	_, err = os.Stat(filepath.Join(outside, "secret", "conformance.json"))
	require.NoError(t, err)
}

func TestMembersOfAStream(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, wanted, err string }{
		{`{"a":1,"b":{"c":"}\"\\"},"keep":[{"x":"]"},2] , "d":null}`, `[{"x":"]"},2] `, ""},
		{"\xef\xbb\xbf {\n\"keep\" : \"a\\\\\" }", ` "a\\" `, ""},
		{`{}`, "", ""},
		{`{"keep":"` + strings.Repeat("x", 2000) + `"}`, "", "its member keep is larger than 1 kB"},
		{`{"other":"` + strings.Repeat(`x\"`, 200_000) + `","keep":1}`, "1", ""},
		{`[1]`, "", "it is no JSON object"},
		{`{"a":"`, "", "the file ends too early"},
		{`{"a":[1,2`, "", "the file ends too early"},
		{``, "", "the file ends too early"},
		{`{"a":1}{`, "", "text follows the JSON"},
		{`{"a":1]}`, "", "it is not JSON: a bracket ends nothing"},
		{`{a:1}`, "", "it is not JSON: a name of a member is missing"},
		{`{"a" 1}`, "", "it is not JSON: a colon is missing"},
	} {
		found, err := members(strings.NewReader(test.text), map[string]int{"keep": 1 << 10})
		if test.err != "" {
			require.EqualError(t, err, test.err, "%.60s", test.text)
			continue
		}
		require.NoError(t, err, "%.60s", test.text)
		assert.Equal(t, test.wanted, string(found["keep"]))
	}
}

// FuzzMembers holds the reader against encoding/json: what that one reads, it reads alike.
func FuzzMembers(f *testing.F) {
	f.Add(`{"keep":[1,{"a":"\\\""}],"other":{"keep":2}}`)
	f.Add(`{"keep":1,"keep":2}`)
	f.Fuzz(func(t *testing.T, text string) {
		found, err := members(strings.NewReader(text), map[string]int{"keep": 1 << 20})
		var all map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &all) != nil || all == nil || strings.ContainsRune(text, '\\') && strings.Contains(text, `\u`) {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if strings.TrimSpace(string(found["keep"])) != strings.TrimSpace(string(all["keep"])) {
			t.Fatalf("%q: %q, wanted %q", text, found["keep"], all["keep"])
		}
	})
}

// BenchmarkSite builds the site of 1,000 runs, half of them conformance runs of 205 requirements with 2.5 MB each and
// half load runs, in six environments, and then that of one more. README and docs quote it:
//
//	go test ./reports/site -run '^$' -bench Site -benchtime 1x
func BenchmarkSite(b *testing.B) {
	for range b.N {
		b.StopTimer()
		root, to := os.Getenv("SITE_RUNS"), filepath.Join(b.TempDir(), "public") // SITE_RUNS=DIR keeps the runs there, to try the program on them
		if root == "" {
			root = b.TempDir()
		}
		transcript := strings.Repeat("a transcript of a request and its answer, as a run keeps them; ", 150)
		var scenarios []string
		for k := range 260 {
			scenarios = append(scenarios, fmt.Sprintf(`{"id":"a.feature:%d","verdict":"pass","steps":[],"transcript":[{"method":"POST","url":"/","status":201,"nanoseconds":1,"responseBody":%q}]}`, k, transcript))
		}
		store := func(i int) {
			start := firstDay.Add(time.Duration(i) * 5 * time.Hour)
			environment := fmt.Sprintf("environment-%d", i/2%6)
			release := fmt.Sprintf("25.%d", i/50)
			if i%2 == 1 {
				put(b, root, fmt.Sprintf("load-%d/load.json", i), loaded(run(fmt.Sprint(i), "load", environment, release, start), time.Duration(10+i%3)*time.Millisecond, 0))
				return
			}
			var text strings.Builder
			require.NoError(b, reports.WriteJSON(&text, conformed(run(fmt.Sprint(i), "conform", environment, release, start), 205, i%205, 7)))
			put(b, root, fmt.Sprintf("conform-%d/conformance.json", i), strings.Replace(text.String(), "\n  \"scenarios\": []", "\n  \"scenarios\": ["+strings.Join(scenarios, ",\n")+"]", 1))
		}
		for i := range 1000 {
			store(i)
		}
		build := func(metric string) {
			start := time.Now()
			result, err := Build(root, to, Options{Reports: 3})
			require.NoError(b, err)
			b.ReportMetric(time.Since(start).Seconds(), metric)
			b.ReportMetric(float64(result.Bytes)/1e6, "MB")
		}
		b.StartTimer()
		build("s/1000-runs")
		store(1000)
		build("s/one-more")
	}
}
