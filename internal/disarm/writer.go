package disarm

import (
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Writer disarms everything that goes through it, also a mark that comes in several pieces. It may be used by many
// goroutines at once.
type Writer struct {
	w     io.Writer
	clean func(string) string // nil: nothing more

	mutex  sync.Mutex // guards what follows
	styles bool
	line   string // the end of this line as written so far
	held   string // bytes of a character that has not come whole
}

// NewWriter makes a writer onto w. It applies clean to a text first; nil: nothing is applied.
func NewWriter(w io.Writer, clean func(string) string) *Writer { return &Writer{w: w, clean: clean} }

// Unwrap is the stream below.
func (w *Writer) Unwrap() io.Writer { return w.w }

// Styles lets sequences of colours through, for a program that colours its own words.
func (w *Writer) Styles(on bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.styles = on
}

// Write never returns more than len(p), though it may write more below.
func (w *Writer) Write(p []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	text := w.held + string(p)
	w.held = ""
	if n := cutCharacter(text); n > 0 {
		text, w.held = text[:len(text)-n], text[len(text)-n:]
	}
	if w.clean != nil {
		text = w.clean(text)
	}
	text = controls(text, w.styles)
	out := marks(w.line+text, len(w.line))
	if _, err := io.WriteString(w.w, out); err != nil {
		return 0, err
	}
	w.remember(out)
	return len(p), nil
}

// remember keeps the end of the line as it was written, disarmed.
func (w *Writer) remember(out string) {
	line := w.line + out
	if at := strings.LastIndexByte(line, '\n'); at >= 0 {
		line = line[at+1:]
	}
	if n := len(line) - longest; n > 0 {
		for n < len(line) && !utf8.RuneStart(line[n]) {
			n++
		}
		line = line[n:]
	}
	w.line = line
}

// cutCharacter is how many bytes at the end of a text begin a character that is not whole.
func cutCharacter(text string) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		c := text[len(text)-n]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRuneInString(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
