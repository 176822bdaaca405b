package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"agstest/internal/disarm"
)

// plainEvery is how often a line of progress is written where it cannot be rewritten.
const plainEvery = 10 * time.Second

// progress is how far a run is: on a terminal some lines that are rewritten in place, a plain line every ten seconds
// elsewhere. It may be used by several goroutines.
type progress struct {
	w       io.Writer
	off     bool
	rewrite bool
	colored bool
	reflows bool // the terminal breaks lines anew when it becomes narrower
	now     func() time.Time
	room    func() (width, height int) // of the terminal; nil: as the terminal says

	mutex sync.Mutex // guards what follows
	last  time.Time
	shown []int // characters of the lines that stand there now; the cursor is at the end of the last one
}

// beyondLine is how many columns stay free at the end of a line: the terminal shows ^C there.
const beyondLine = 3

// shownLine is a line of progress on a terminal.
type shownLine struct {
	text  string
	style string // such as 31 for red; empty: none
}

func (p *program) newProgress() *progress {
	made := &progress{
		reflows: p.terminalReflows(),
		w:       p.stderr, off: p.quiet, now: p.now, last: p.now(), colored: p.colored(p.stderr),
		rewrite: isTerminal(p.stderr) && p.variable("TERM") != "dumb" && p.variable("CI") == "",
	}
	p.progress.Store(made)
	return made
}

// terminalReflows tells whether the terminal wraps lines when it becomes narrower. Xterm, the console of Linux and GNU
// screen cut them off; lines above the progress would be lost there.
func (p *program) terminalReflows() bool {
	term := p.variable("TERM")
	return p.variable("XTERM_VERSION") == "" && term != "linux" && (!strings.HasPrefix(term, "screen") ||
		p.variable("TMUX") != "")
}

// noteAbove writes a line on stderr that stays, above the progress where there is one.
func (p *program) noteAbove(line string) {
	if shown := p.progress.Load(); shown != nil && shown.noteOwn(line) {
		return
	}
	fmt.Fprintln(p.stderr, "\n"+line)
}

// leaveClean takes the progress away from the terminal before the process ends at once. It waits for nobody.
func (p *program) leaveClean() {
	if shown := p.progress.Load(); shown != nil && shown.mutex.TryLock() {
		shown.takeAway()
		shown.mutex.Unlock()
	}
}

// show takes a function so that a line nobody sees is not made.
func (p *progress) show(line func() string) {
	p.showTable(func(int) []shownLine { return []shownLine{{text: line()}} }, line)
}

// showTable shows some lines, made for a width, where they can be rewritten, and one elsewhere.
func (p *progress) showTable(table func(width int) []shownLine, line func() string) {
	if p.off {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	now := p.now()
	if !p.rewrite {
		if now.Sub(p.last) >= plainEvery {
			p.last = now
			fmt.Fprintln(p.w, line())
		}
		return
	}
	if now.Sub(p.last) < 100*time.Millisecond && len(p.shown) > 0 {
		return
	}
	p.last = now
	width, height := p.size()
	lines := table(width)
	if most := max(1, height-1); len(lines) > most {
		lines = lines[:most]
	}
	p.rewriteAs(lines, width)
}

// rewriteAs puts lines in the place of those that stand there, in one write.
func (p *progress) rewriteAs(lines []shownLine, width int) {
	var out strings.Builder
	out.WriteString(p.back(width))
	was := len(p.shown)
	p.shown = p.shown[:0]
	for i, l := range lines {
		if i > 0 {
			out.WriteString("\n")
		}
		text := []rune(disarm.Line(l.text))
		if most := max(1, width-beyondLine); len(text) > most {
			text = text[:most]
		}
		if l.style != "" && p.colored {
			out.WriteString("\x1b[" + l.style + "m" + string(text) + "\x1b[0m")
		} else {
			out.WriteString(string(text))
		}
		out.WriteString("\x1b[K")
		p.shown = append(p.shown, utf8.RuneCountInString(string(text)))
	}
	if was > len(lines) {
		out.WriteString("\x1b[J")
	}
	fmt.Fprint(trusted(p.w), out.String())
}

// back moves the cursor to where the lines that stand there begin. Most terminals that were made narrower have broken
// them.
func (p *progress) back(width int) string {
	rows := len(p.shown)
	for _, length := range p.shown {
		if p.reflows {
			rows += max(0, length-1) / width
		}
	}
	if rows > 1 {
		return fmt.Sprintf("\x1b[%dA\r", rows-1)
	}
	return "\r"
}

// size is the width and the height of the terminal in characters.
func (p *progress) size() (width, height int) {
	if p.room != nil {
		return p.room()
	}
	if file, ok := trusted(p.w).(*os.File); ok {
		if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 10 {
			return width, height
		}
	}
	return 80, 24
}

// takeAway takes the lines away; the mutex is held.
func (p *progress) takeAway() {
	if len(p.shown) == 0 {
		return
	}
	width, _ := p.size()
	clear := "\x1b[K"
	if len(p.shown) > 1 {
		clear = "\x1b[J"
	}
	fmt.Fprint(trusted(p.w), p.back(width)+clear)
	p.shown = p.shown[:0]
}

// clear takes the lines away, so that what follows starts on a clean one.
func (p *progress) clear() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.takeAway()
}

// note writes a line that stays, above those that are rewritten.
func (p *progress) note(line func() string) {
	if p.off {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.noteLocked(line())
}

// noteOwn writes a line that stays where there is something to stand above, and tells whether it did.
func (p *progress) noteOwn(line string) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.shown) == 0 {
		return false
	}
	p.noteLocked(line)
	return true
}

func (p *progress) noteLocked(line string) {
	p.takeAway()
	fmt.Fprintln(p.w, line)
	p.last = p.now().Add(-time.Hour)
}

// end takes the lines away for good.
func (p *progress) end() {
	p.clear()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.off = true
}
