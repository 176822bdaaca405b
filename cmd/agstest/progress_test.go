package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/engine"
	"agstest/reports"
)

// standing is a load in its middle.
func standing() engine.Progress {
	return engine.Progress{
		Elapsed: 12 * time.Second, Left: 48 * time.Second,
		Asked: 1200, Sent: 1200, Right: 1195, Wrong: 5, AskedRate: 100, Rate: 100, RightRate: 99.5, P50: 2e6, P95: 5e6, P99: 9e6, Lag99: 120e3, InFlight: 3,
		Operations: []engine.Operation{
			{Name: "signon", Asked: 120, Sent: 120, Right: 120, AskedRate: 10, Rate: 10, RightRate: 10, P50: 4e6, P95: 8e6, P99: 9e6},
			{Name: "refresh", Asked: 1080, Sent: 1080, Right: 1075, Wrong: 5, AskedRate: 90, Rate: 90, RightRate: 89.5, P50: 2e6, P95: 4e6, P99: 6e6, Kinds: map[string]int64{"timeout": 2, "status": 3}},
		},
		Limits: []reports.Limit{
			{Expression: "refresh.p99<300ms", Value: "6.00 ms", Verdict: reports.Pass},
			{Expression: "errors<0.1%", Value: "0.42 %", Verdict: reports.Fail},
			{Expression: "storm.recovered<9s", Value: "–", Verdict: reports.Inconclusive},
		},
	}
}

func TestProgressTable(t *testing.T) {
	t.Parallel()
	at := standing()
	shown := func(width int, sides ...side) string {
		lines := progressTable("load: "+leadOf(at), func() string { return "load: " + describeProgress(at) }, sides...)(width)
		var text []string
		for _, l := range lines {
			text = append(text, l.text)
		}
		return strings.Join(text, "\n")
	}
	assert.Equal(t, strings.TrimPrefix(`
load: 00:12, 00:48 left, asked 100/s, sent 100/s, 0.42 % wrong, lag p99 0.12 ms, 3 under way
  operation  asked  sent   right   wrong      p50      p95      p99
  signon      10/s  10/s    10/s     0 %  4.00 ms  8.00 ms  9.00 ms
  refresh     90/s  90/s  89.5/s  0.46 %  2.00 ms  4.00 ms  6.00 ms  status 3, timeout 2
  limit refresh.p99<300ms: 6.00 ms, kept so far
  limit errors<0.1%: 0.42 %, not kept so far
  limit storm.recovered<9s: –, not known yet`, "\n"), shown(120, side{at: at}))
	assert.Contains(t, shown(60, side{at: at}), "\n  operation  sent   right   wrong      p50      p99\n", "a narrow terminal leaves out what matters less")
	assert.Contains(t, shown(46, side{at: at}), "\n  operation  sent   wrong      p99\n")
	assert.Equal(t, "load: 00:12, 100/s, 0.42 % wrong, p50 2.00 ms, p99 9.00 ms, 00:48 left, errors<0.1% not kept so far (0.42 %)", shown(40, side{at: at}))
	both := shown(120, side{"old", at}, side{"new", at})
	assert.Contains(t, both, "\n  old signon ")
	assert.Contains(t, both, "\n  new refresh ")
	assert.Contains(t, both, "\n  new limit errors<0.1%: 0.42 %, not kept so far\n")
}

// TestTableIsRewrittenInPlace: the cursor goes back to the first of its lines, also where the terminal has become
// narrower and has broken them; a shorter table leaves nothing of a longer one, nothing is coloured that may not be,
// and at the end nothing is left.
func TestTableIsRewrittenInPlace(t *testing.T) {
	t.Parallel()
	for _, colored := range []bool{false, true} {
		var out bytes.Buffer
		now, width, height := time.Unix(0, 0), 30, 10
		p := &progress{w: &out, now: func() time.Time { return now }, rewrite: true, colored: colored, reflows: true, room: func() (int, int) { return width, height }}
		lines := func(n int) func(int) []shownLine {
			return func(int) []shownLine {
				made := []shownLine{{text: strings.Repeat("a", 40)}, {text: "b\x1b[31m", style: "31"}, {text: "c"}, {text: "d"}}
				return made[:n]
			}
		}
		told := func(show func()) string {
			now = now.Add(time.Second)
			out.Reset()
			show()
			return out.String()
		}
		red := "b\uFFFD[31m"
		if colored {
			red = "\x1b[31m" + red + "\x1b[0m"
		}
		a := strings.Repeat("a", 27)
		full := "\r" + a + "\x1b[K\n" + red + "\x1b[K\nc\x1b[K\nd\x1b[K"
		assert.Equal(t, full, told(func() { p.showTable(lines(4), nil) }))
		assert.Equal(t, "\x1b[3A"+full, told(func() { p.showTable(lines(4), nil) }))
		width = 20 // the first line takes two rows now
		assert.True(t, strings.HasPrefix(told(func() { p.showTable(lines(2), nil) }), "\x1b[4A\r"), out.String())
		assert.True(t, strings.HasSuffix(out.String(), "\x1b[K\x1b[J"), out.String())
		p.reflows = false // nor is anything above it lost where the terminal cuts lines off
		width = 10
		assert.True(t, strings.HasPrefix(told(func() { p.showTable(lines(2), nil) }), "\x1b[1A\r"), out.String())
		height, width, p.reflows = 3, 20, true
		assert.Equal(t, 1, strings.Count(told(func() { p.showTable(lines(4), nil) }), "\n"), "no more lines than the terminal has")
		assert.Equal(t, "\x1b[1A\r\x1b[Jnoted\n", told(func() { p.note(func() string { return "noted" }) }))
		assert.True(t, strings.HasPrefix(told(func() { p.showTable(lines(2), nil) }), "\ra"))
		assert.True(t, p.noteOwn("above"))
		assert.False(t, p.noteOwn("there is nothing to stand above"))
		assert.Empty(t, told(p.end))
		assert.Empty(t, told(func() { p.showTable(lines(2), nil) }))
	}
}

func TestTerminalsThatCutLinesOff(t *testing.T) {
	t.Parallel()
	for want, all := range map[bool][]map[string]string{
		true:  {{}, {"TERM": "xterm-256color"}, {"TERM": "screen-256color", "TMUX": "/tmp/tmux,1"}, {"TERM": "tmux"}},
		false: {{"TERM": "xterm", "XTERM_VERSION": "XTerm(379)"}, {"TERM": "linux"}, {"TERM": "screen"}},
	} {
		for _, variables := range all {
			p := &program{getenv: func(name string) (string, bool) { v, ok := variables[name]; return v, ok }}
			assert.Equal(t, want, p.terminalReflows(), variables)
		}
	}
}

// TestInterruptIsToldAboveTheTable: the first one takes the table away before it is told, so that nothing of either is
// left half.
func TestInterruptIsToldAboveTheTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &program{stderr: &out, now: time.Now, getenv: func(string) (string, bool) { return "", false }}
	p.noteAbove("before")
	shown := p.newProgress()
	shown.rewrite = true
	shown.show(func() string { return "one" })
	p.noteAbove("above")
	shown.show(func() string { return "two" })
	p.leaveClean()
	require.Equal(t, fmt.Sprintf("\nbefore\n%[1]sone%[2]s%[1]s%[2]sabove\n%[1]stwo%[2]s%[1]s%[2]s", "\r", "\x1b[K"), out.String())
}
