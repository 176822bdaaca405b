//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/ports"
)

// pages are the pages of docs, and how many commands of each cannot be run by a test.
var pages = map[string]int{
	"install.md": 5, "first-run.md": 0, "environment.md": 0, "scenarios.md": 0, "report.md": 0, "load.md": 0, "pipeline.md": 1, "trouble.md": 0, "kubernetes.md": 7, "sizing.md": 0, "plan.md": 0, "gateways.md": 0, "security.md": 0, "watch.md": 2,
}

// shorter is what a test runs in place of what a page says, so that a minute becomes seconds and a busy machine does
// not make a run invalid. Everything else is run as it is written.
var shorter = []struct{ said, run string }{
	{"--duration 30s --limit 'refresh.p99<2s'", "--duration 9s --max-lag 10s --limit 'refresh.p99<2s'"}, // a p99 wants 368 hits
	{"refresh.p99<2s", "refresh.p99<20s"},
	{"--duration 60s", "--duration 5s --max-lag 10s"},
	{"--duration 30s", "--duration 1s --max-lag 10s"},
	{"--duration 10s --override-max-rate", "--duration 1s --override-max-rate"},
	{"refresh.p99<300ms", "refresh.p99<20s"},
	{"--pairs 60 --block 5s", "--pairs 10 --block 200ms --max-lag 10s"},
}

// A page's commands stand in blocks of the kind console, each after "$ ", with what it shows below it, and "$ echo $?"
// with the exit code where that is not 0. A block of another kind whose first line names a file is that file. A comment
// <!-- not run: REASON --> stands before a block that a test cannot run.
type page struct {
	name   string
	pieces []piece
	notRun int
}

type piece struct {
	line    int
	file    string // a file to write, with its text
	text    string
	command string // or a command to run
	shown   []string
	exit    string
}

var (
	fence     = regexp.MustCompile("^```([a-z]*) *([^ `]*)$")
	notRun    = regexp.MustCompile(`^<!-- not run: .{10,} -->$`)
	addresses = regexp.MustCompile(`127\.0\.0\.1:80\d\d`)
)

// readPage takes a page apart.
func readPage(t *testing.T, name string) page {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	require.NoError(t, err, "the page is missing")
	p := page{name: name}
	lines := strings.Split(string(text), "\n")
	skip := false
	for i := 0; i < len(lines); i++ {
		if notRun.MatchString(lines[i]) {
			skip = true
			continue
		}
		start := fence.FindStringSubmatch(lines[i])
		if start == nil {
			assert.False(t, strings.HasPrefix(lines[i], "```"), "%s:%d: a block begins with its kind, and a file name at most", name, i+1)
			if strings.TrimSpace(lines[i]) != "" {
				require.False(t, skip, "%s:%d: \"not run\" stands directly before a block", name, i+1)
			}
			continue
		}
		first := i + 1
		var body []string
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			body = append(body, lines[i])
		}
		require.Less(t, i, len(lines), "%s:%d: the block has no end", name, first)
		switch kind := start[1]; {
		case skip:
			p.notRun++
			skip = false
		case kind == "console":
			p.pieces = append(p.pieces, commandsOf(t, name, first, body)...)
		case start[2] != "":
			p.pieces = append(p.pieces, piece{line: first, file: start[2], text: strings.Join(body, "\n") + "\n"})
		default:
			assert.NotContains(t, []string{"sh", "bash", "shell", ""}, kind, "%s:%d: commands stand in a block of the kind console", name, first)
		}
	}
	return p
}

func commandsOf(t *testing.T, name string, line int, body []string) []piece {
	var all []piece
	for i, text := range body {
		command, is := strings.CutPrefix(text, "$ ")
		last := len(all) - 1
		switch {
		case is && command == "echo $?":
			require.GreaterOrEqual(t, last, 0)
			all[last].exit = "?"
		case is:
			all = append(all, piece{line: line + i + 1, command: command, exit: "0"})
		case last < 0:
			require.Fail(t, "a block of the kind console begins with a command", "%s:%d", name, line)
		case all[last].exit == "?":
			all[last].exit = text
		case strings.HasPrefix(text, "> ") && len(all[last].shown) == 0:
			all[last].command += "\n" + strings.TrimPrefix(text, "> ")
		default:
			all[last].shown = append(all[last].shown, text)
		}
	}
	return all
}

// TestPagesDoWhatTheySay runs the commands of each page of docs, in order and in one shell, and compares their exit
// codes and what the page shows of their output. An … in the page stands for anything, a line of … for any lines; the
// digits of times and of what is made up differ from run to run and are compared by their form.
func TestPagesDoWhatTheySay(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(filepath.Join("..", "..", "docs"))
	require.NoError(t, err)
	for _, entry := range entries {
		if _, listed := pages[entry.Name()]; !listed && strings.HasSuffix(entry.Name(), ".md") {
			t.Errorf("docs/%s is not run by this test", entry.Name())
		}
	}
	running := map[string]*running{}
	for name := range pages { // all at once, since what they do most is to wait
		running[name] = start(t, readPage(t, name))
	}
	for name, most := range pages {
		t.Run(name, func(t *testing.T) {
			r := running[name]
			assert.Equal(t, most, r.page.notRun, "blocks that are not run")
			calls := 0
			for _, piece := range r.page.pieces {
				if strings.Contains(piece.command, "agstest ") {
					calls++
				}
			}
			require.Positive(t, calls, "the page runs no command of agstest")
			if _, err := exec.LookPath("curl"); err != nil && slices.ContainsFunc(r.page.pieces, func(p piece) bool { return strings.Contains(p.command+"\n"+p.text, "curl ") }) {
				t.Skip("skipped: no curl on this machine (Debian: apt-get install curl)")
			}
			r.check(t)
		})
	}
}

// running is a page whose commands are under way.
type running struct {
	page
	here  func(string) string // the text of the page as it is run
	aside string              // where output and exit codes go, by the number of the piece
	ended chan struct{}
	said  []byte // by the shell itself; read after ended
	err   error
}

// start runs the pieces of a page in one shell, so that variables and what runs in the background live on.
func start(t *testing.T, p page) *running {
	work, aside := t.TempDir(), t.TempDir()
	local := map[string]string{}
	here := func(text string) string {
		for _, s := range shorter {
			text = strings.ReplaceAll(text, s.said, s.run)
		}
		return addresses.ReplaceAllStringFunc(text, func(address string) string {
			if local[address] == "" {
				local[address] = ports.FreeAddress(t)
			}
			return local[address]
		})
	}
	var script strings.Builder
	for i, piece := range p.pieces {
		if piece.file != "" {
			path := filepath.Join(work, filepath.FromSlash(piece.file))
			fmt.Fprintf(&script, "mkdir -p '%s'; cat > '%s' <<'END_OF_THE_FILE'\n%sEND_OF_THE_FILE\n", filepath.Dir(path), path, here(piece.text))
			continue
		}
		shown := filepath.Join(aside, fmt.Sprint(i))
		fmt.Fprintf(&script, "{ %s\n} > '%s.txt' 2>&1; echo $? > '%s.exit'\n", here(piece.command), shown, shown)
		if strings.HasSuffix(piece.command, "&") { // what runs in the background is ready when it has said so
			says := shown + ".txt"
			if to := regexp.MustCompile(` > (\S+) 2>&1 &$`).FindStringSubmatch(piece.command); to != nil {
				says = to[1]
			}
			fmt.Fprintf(&script, "for i in $(seq 3600); do grep -qs 'check it with' '%s' && break; sleep 0.05; done\n", says)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*longest)
	shell := exec.CommandContext(ctx, "/bin/sh", "-c", script.String())
	shell.Dir = work
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + work, "TMPDIR=" + aside, "GORACE=atexit_sleep_ms=0",
		"LANG=C.UTF-8", seldomGarbage}
	r := &running{page: p, here: here, aside: aside, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		defer cancel()
		r.said, r.err = shell.CombinedOutput()
		if shell.Process != nil {
			_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) // what a page leaves running ends with it
		}
	}()
	t.Cleanup(func() { <-r.ended })
	return r
}

// check waits for the end of the page and compares what came with what the page shows.
func (r *running) check(t *testing.T) {
	<-r.ended
	require.NoError(t, r.err, "%s", r.said)
	assert.Empty(t, string(r.said), "the shell itself has nothing to say")
	for i, piece := range r.pieces {
		if piece.file != "" {
			continue
		}
		where := fmt.Sprintf("%s:%d: $ %s", r.name, piece.line, piece.command)
		output, err := os.ReadFile(filepath.Join(r.aside, fmt.Sprintf("%d.txt", i)))
		require.NoError(t, err, where)
		exit, err := os.ReadFile(filepath.Join(r.aside, fmt.Sprintf("%d.exit", i)))
		require.NoError(t, err, where)
		output = progressLine.ReplaceAll(output, nil)
		if strings.TrimSpace(string(exit)) == "5" && piece.exit == "0" && strings.Contains(strings.ToLower(string(output)), "not valid") {
			t.Logf("%s: this machine is too busy to measure; what the page shows of it was not compared", where)
			continue
		}
		if strings.TrimSpace(string(exit)) == "4" && strings.Contains(piece.command, "ab --aa") && strings.Contains(string(output), "Comparison: INCONCLUSIVE") {
			t.Logf("%s: the blocks of this test are too short to tell", where)
			continue
		}
		if strings.Contains(piece.command, "ab --aa") && strings.Contains(string(output), "One build was told apart from itself") {
			t.Logf("%s: other work of this machine set its two sides apart, which is what the comparison is there to tell", where)
			continue
		}
		assert.Equal(t, piece.exit, strings.TrimSpace(string(exit)), "%s\nends with another exit code and shows\n%s", where, output)
		if len(piece.shown) > 0 {
			shown := strings.Join(piece.shown, "\n")
			if *update {
				shown = r.recount(t, piece, string(output))
			}
			assert.Regexp(t, patternOf(r.here(shown)), string(output), "%s\n-update writes counts anew", where)
		}
	}
}

// recount writes the counts of what came into the page, where nothing but counts differs, and gives what the page shows
// then.
func (r *running) recount(t *testing.T, piece piece, output string) string {
	t.Helper()
	was := strings.Join(piece.shown, "\n")
	now := recounted(piece.shown, r.here, output)
	if now != was {
		path := filepath.Join("..", "..", "docs", r.name)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(text), was)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), was, now, 1)), 0o600))
	}
	return now
}

// Counts of requirements and scenarios change with each that is added; in these lines a page may show what another
// number of them was.
var (
	count     = regexp.MustCompile(`\b\d[\d,]*\b`)
	countLine = regexp.MustCompile(`^ *(?:requirements|scenarios) +\d| requirements hold|^It offers \d+ of \d+ situations`)
)

// recounted is what a page shows with the counts that came, or as it was where more than counts differs. How many
// exchanges there were and how long they took is not compared, and stays.
func recounted(shown []string, here func(string) string, output string) string {
	var pattern strings.Builder
	for _, line := range shown {
		switch {
		case strings.TrimSpace(line) == "…":
			pattern.WriteString("(?:[^\n]*\n)*?")
		case countLine.MatchString(line):
			pattern.WriteString(count.ReplaceAllString(patternOfLine(strings.TrimRight(here(line), " ")), `(\d[\d,]*)`) + "\n")
		default:
			pattern.WriteString(patternOfLine(strings.TrimRight(here(line), " ")) + "\n")
		}
	}
	came := regexp.MustCompile(`\A` + pattern.String() + `\z`).FindStringSubmatch(output)
	if came == nil {
		return strings.Join(shown, "\n")
	}
	var now []string
	for _, line := range shown {
		if countLine.MatchString(line) {
			counts, rest := line, ""
			if at := strings.Index(line, " exchanges"); at >= 0 {
				at = strings.LastIndex(line[:at], " ")
				counts, rest = line[:at], line[at:]
			}
			line = count.ReplaceAllStringFunc(counts, func(string) string { came = came[1:]; return came[0] }) + rest
		}
		now = append(now, line)
	}
	return strings.Join(now, "\n")
}

// TestRecounted: counts are written anew, and nothing else.
func TestRecounted(t *testing.T) {
	t.Parallel()
	same := func(text string) string { return text }
	shown := []string{"Conformance: PASS  171 requirements hold, 2 warn", "…", "  scenarios    263: 231 pass, 1,577 exchanges, in 1.2 s", "Verdict: PASS"}
	came := "Conformance: PASS  1,072 requirements hold, 3 warn\n  x 5\n  scenarios    1,264: 232 pass, 580 exchanges, in 300.6 ms\nVerdict: PASS\n"
	now := recounted(shown, same, came)
	assert.Equal(t, "Conformance: PASS  1,072 requirements hold, 3 warn\n…\n  scenarios    1,264: 232 pass, 1,577 exchanges, in 1.2 s\nVerdict: PASS", now)
	assert.Regexp(t, patternOf(now), came)
	assert.Equal(t, strings.Join(shown, "\n"), recounted(shown, same, strings.Replace(came, "Verdict: PASS", "Verdict: FAIL", 1)), "other words are not written")
}

// progressLine is told of a run that takes long.
var progressLine = regexp.MustCompile(`(?m)^(?:conform: \d+ of \d+ scenarios|load: \d\d:\d\d|ab: round|ab: pair|ab: \d).*\n`)

// Forms of what differs from run to run.
var volatile = []struct{ form, pattern *regexp.Regexp }{
	{regexp.MustCompile(`\d{8}T\d{6}Z-[a-z-]+-[0-9a-f]{12}`), regexp.MustCompile(`\d{8}T\d{6}Z-[a-z-]+-[0-9a-f]{12}`)},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)},
	{regexp.MustCompile(`seed \d+`), regexp.MustCompile(`seed \d+`)},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), regexp.MustCompile(`127\.0\.0\.1:\d+`)},
	{regexp.MustCompile(`[\d,]+ exchanges`), regexp.MustCompile(`[\d,]+ exchanges`)},
	{regexp.MustCompile(`[\d.,]+ (?:ms|s)\b`), regexp.MustCompile(`(?:\d+ min )?[\d.,]+ (?:ms|s|µs)`)},
	{regexp.MustCompile(`\d+\.\d+`), regexp.MustCompile(`[\d,]+(?:\.\d+)?`)},
	{regexp.MustCompile(` +`), regexp.MustCompile(` +`)},
}

// patternOf turns what a page shows into what the output must match, from its beginning to its end.
func patternOf(shown string) string {
	var lines []string
	for line := range strings.SplitSeq(shown, "\n") {
		if strings.TrimSpace(line) == "…" {
			lines = append(lines, "(?:[^\n]*\n)*?")
			continue
		}
		lines = append(lines, patternOfLine(strings.TrimRight(line, " "))+"\n")
	}
	return `\A` + strings.Join(lines, "") + `\z`
}

func patternOfLine(line string) string {
	var pattern strings.Builder
	for line != "" {
		at, end, found := len(line), len(line), ""
		if i := strings.Index(line, "…"); i >= 0 {
			at, end, found = i, i+len("…"), "[^\n]*"
		}
		for _, v := range volatile {
			if place := v.form.FindStringIndex(line); place != nil && place[0] < at {
				at, end, found = place[0], place[1], v.pattern.String()
			}
		}
		pattern.WriteString(regexp.QuoteMeta(line[:at]) + found)
		line = line[end:]
	}
	return pattern.String()
}

// A page that shows what is not so is noticed, whether in words, in counts or in the number of lines.
func TestPatternsOfPagesTellRightFromWrong(t *testing.T) {
	shown := "Conformance: PASS  171 requirements hold\n…\n  scenarios    263: 231 pass, 577 exchanges, in 1.2 s\nReport: out/20261123T101500Z-mock-conform-046204604fed/conformance.html"
	said := "Conformance: PASS  171 requirements hold\n  x\n  y\n  scenarios    263: 231 pass, 580 exchanges, in 300.6 ms\nReport: out/20261124T111500Z-mock-conform-146204604fed/conformance.html\n"
	assert.Regexp(t, patternOf(shown), said)
	assert.Regexp(t, patternOf(shown), strings.Replace(said, "300.6 ms", "2 min 4 s", 1))
	assert.Regexp(t, patternOf(strings.Replace(shown, "…\n", "…\n…\n", 1)), said)
	for _, wrong := range []string{
		strings.Replace(shown, "171", "172", 1), strings.Replace(shown, "PASS", "FAIL", 1), strings.Replace(shown, "…\n", "", 1),
		strings.Replace(shown, "conformance.html", "load.html", 1), shown + "\nmore", strings.Replace(shown, "231 pass", "230 pass", 1),
	} {
		assert.NotRegexp(t, patternOf(wrong), said)
	}
	assert.Regexp(t, patternOf("a … c"), "a b c\n")
	assert.NotRegexp(t, patternOf("a … c"), "a b\nc\n")
}
