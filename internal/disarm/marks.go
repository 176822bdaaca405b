package disarm

import (
	"regexp"
	"strings"
)

// mark is a sequence that some agent obeys.
type mark struct {
	cut int // where it is broken: behind its first sign, or before the underscore
	end int // behind its last byte
}

var (
	// command is a mark of Azure Pipelines, GitHub Actions or TeamCity.
	command = regexp.MustCompile(`^##(?:[A-Za-z][A-Za-z._-]{0,63})?\[`)
	// address is an IPv6 address in brackets, whose colons are no mark.
	address = regexp.MustCompile(`^\[[0-9A-Fa-f:.]*::[0-9A-Fa-f:.]*(?:%[0-9A-Za-z]+)?\]`)
)

// begins are the bytes at which marksOf looks closer.
var begins = [256]bool{'[': true, '#': true, ':': true, '_': true}

// marksOf finds every mark of a text, in order. It looks at each byte once, since reports are long and marks are rare.
func marksOf(text string) []mark {
	var all []mark
	open := -1 // where a bracket opens that holds only characters of an address so far
	for i := 0; i < len(text); i++ {
		c := text[i]
		if open < 0 && !begins[c] {
			continue
		}
		if open >= 0 && c != ':' && c != '.' && !isHexadecimal(c) {
			open = -1
		}
		switch {
		case c == '[':
			open = i
		case c == '#' && strings.HasPrefix(text[i:], "##"):
			if n := len(command.FindString(text[i:])); n > 0 {
				all = append(all, mark{i + 1, i + n})
			}
		case c == ':' && strings.HasPrefix(text[i:], "::"):
			if open >= 0 {
				n := len(address.FindString(text[open:]))
				if n > 0 {
					i, open = open+n-1, -1
					continue
				}
				open = -1
			}
			if i+2 < len(text) && isLetter(text[i+2]) {
				all = append(all, mark{i + 1, i + 3})
			}
		case c == '_':
			if n := endOfFold(text[:i], text[i+1:]); n > 0 {
				all = append(all, mark{i, i + 1 + n})
			}
		}
	}
	return all
}

// endOfFold returns how many bytes behind an underscore belong to a mark that folds a log; 0 if there is no such mark.
func endOfFold(before, behind string) int {
	for word, ends := range map[string][]string{"section": {"start:", "end:"}, "travis": {"fold:", "time:"}} {
		if len(before) < len(word) || !strings.EqualFold(before[len(before)-len(word):], word) {
			continue
		}
		for _, end := range ends {
			if len(behind) >= len(end) && strings.EqualFold(behind[:len(end)], end) {
				return len(end)
			}
		}
	}
	return 0
}

func isHexadecimal(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
