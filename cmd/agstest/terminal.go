package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"agstest/internal/disarm"
	"agstest/internal/failure"
)

// checkColor refuses a colour mode that does not exist.
func (p *program) checkColor() error {
	switch p.color {
	case "auto", "always", "never":
		return nil
	}
	return failure.Usagef("--color must be always, never or auto, not %q", p.color)
}

// colored tells whether text for w carries colours: the flag decides, then NO_COLOR, then CLICOLOR_FORCE and FORCE_COLOR, then whether
// w is a terminal.
func (p *program) colored(w io.Writer) bool {
	switch p.color {
	case "always":
		return true
	case "never":
		return false
	}
	if p.variable("NO_COLOR") != "" {
		return false
	}
	for _, name := range []string{"CLICOLOR_FORCE", "FORCE_COLOR"} {
		if v := p.variable(name); v != "" && v != "0" {
			return true
		}
	}
	return isTerminal(w) && p.variable("TERM") != "dumb"
}

func (p *program) variable(name string) string {
	value, _ := p.getenv(name)
	return value
}

func isTerminal(w io.Writer) bool {
	w = trusted(w)
	if out, wrapped := w.(*output); wrapped {
		w = out.Writer
	}
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// notef tells something on stderr that is no result, unless --quiet.
func (p *program) notef(format string, args ...any) {
	if !p.quiet {
		fmt.Fprintf(p.stderr, format+"\n", args...)
	}
}

// warnf tells something on stderr that should be changed, even with --quiet.
func (p *program) warnf(format string, args ...any) {
	fmt.Fprintf(p.stderr, "agstest: warning: "+format+"\n", args...)
}

// plainEvery is how often a line of progress is written where it cannot be rewritten.
const plainEvery = 10 * time.Second

// progress is one line about how far a run is: rewritten in place on a terminal, a plain line every ten seconds elsewhere.
type progress struct {
	w       io.Writer
	off     bool
	rewrite bool
	now     func() time.Time

	mutex sync.Mutex // guards what follows
	last  time.Time
	shown int // characters of the line that stands there now
}

func (p *program) newProgress() *progress {
	return &progress{
		w: p.stderr, off: p.quiet, now: p.now, last: p.now(),
		rewrite: isTerminal(p.stderr) && p.variable("TERM") != "dumb" && p.variable("CI") == "",
	}
}

// show takes a function so that a line nobody sees is not made.
func (p *progress) show(line func() string) {
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
	if now.Sub(p.last) < 100*time.Millisecond && p.shown > 0 {
		return
	}
	p.last = now
	text := []rune(disarm.Line(line()))
	if width := p.width(); len(text) >= width {
		text = text[:width-1]
	}
	fmt.Fprintf(trusted(p.w), "\r%s\x1b[K", string(text))
	p.shown = utf8.RuneCountInString(string(text))
}

func (p *progress) width() int {
	if file, ok := trusted(p.w).(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 10 {
			return width
		}
	}
	return 80
}

// clear takes the line away, so that what follows starts on a clean one.
func (p *progress) clear() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.shown > 0 {
		fmt.Fprint(trusted(p.w), "\r\x1b[K")
		p.shown = 0
	}
}

// end takes the line away for good.
func (p *progress) end() {
	p.clear()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.off = true
}
