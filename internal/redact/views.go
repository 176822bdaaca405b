package redact

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a text with one layer of escaping taken off. at[i] is where byte i of it comes from in the text it was made
// of.
type view struct {
	text string
	at   []int // nil: the text itself
}

// origin maps a stretch of the view back.
func (v view) origin(start, end int) (int, int) {
	if v.at == nil {
		return start, end
	}
	return v.at[start], v.at[end]
}

// views returns a text and its readings with the escapes of URLs, JSON and HTML decoded, one layer of each, and JSON
// and URLs twice: an address often stands in the query of another. So a secret that an answer repeats in any of them is
// found without knowing how it was escaped.
func views(text string) []view {
	all := []view{{text: text}}
	if strings.IndexByte(text, '%') >= 0 {
		once := all[0].unescape(percent)
		all = append(all, once)
		if strings.Contains(text, "%25") {
			all = append(all, once.unescape(percent))
		}
	}
	if strings.IndexByte(text, '\\') >= 0 {
		once := all[0].unescape(backslash)
		all = append(all, once)
		if strings.IndexByte(once.text, '\\') >= 0 {
			all = append(all, once.unescape(backslash))
		}
		if strings.IndexByte(once.text, '%') >= 0 {
			all = append(all, once.unescape(percent))
		}
	}
	if strings.IndexByte(text, '&') >= 0 {
		all = append(all, all[0].unescape(entity))
	}
	return all
}

// unescape makes the view of a view. decode reads one escape at the start of a text and returns its meaning and its
// length, or 0.
func (v view) unescape(decode func(string) (string, int)) view {
	out := make([]byte, 0, len(v.text))
	at := make([]int, 0, len(v.text)+1)
	for i := 0; i < len(v.text); {
		from, _ := v.origin(i, i)
		if c := v.text[i]; c == '%' || c == '\\' || c == '&' {
			if s, n := decode(v.text[i:]); n > 0 {
				for k := 0; k < len(s); k++ {
					out = append(out, s[k])
					at = append(at, from)
				}
				i += n
				continue
			}
		}
		out = append(out, v.text[i])
		at = append(at, from)
		i++
	}
	_, end := v.origin(len(v.text), len(v.text))
	return view{string(out), append(at, end)}
}

func percent(s string) (string, int) {
	if len(s) < 3 || s[0] != '%' {
		return "", 0
	}
	n, err := strconv.ParseUint(s[1:3], 16, 8)
	if err != nil {
		return "", 0
	}
	return string([]byte{byte(n)}), 3
}

func backslash(s string) (string, int) {
	if len(s) < 2 || s[0] != '\\' {
		return "", 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return s[1:2], 2
	case 'b':
		return "\b", 2
	case 'f':
		return "\f", 2
	case 'n':
		return "\n", 2
	case 'r':
		return "\r", 2
	case 't':
		return "\t", 2
	case 'u':
		r, ok := hex4(s[2:])
		if !ok {
			return "", 0
		}
		if utf16.IsSurrogate(r) && len(s) >= 12 && s[6:8] == `\u` {
			if low, ok := hex4(s[8:]); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return string(pair), 12
				}
			}
		}
		return string(r), 6
	}
	return "", 0
}

func hex4(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:4], 16, 16)
	return rune(n), err == nil
}

func entity(s string) (string, int) {
	if s[0] != '&' {
		return "", 0
	}
	end := strings.IndexByte(s[:min(len(s), 12)], ';')
	if end < 0 {
		return "", 0
	}
	switch name := s[1:end]; {
	case name == "amp":
		return "&", end + 1
	case name == "lt":
		return "<", end + 1
	case name == "gt":
		return ">", end + 1
	case name == "quot":
		return `"`, end + 1
	case name == "apos":
		return "'", end + 1
	case len(name) > 2 && (name[:2] == "#x" || name[:2] == "#X"):
		if n, err := strconv.ParseUint(name[2:], 16, 21); err == nil {
			return string(rune(n)), end + 1
		}
	case len(name) > 1 && name[0] == '#':
		if n, err := strconv.ParseUint(name[1:], 10, 21); err == nil {
			return string(rune(n)), end + 1
		}
	}
	return "", 0
}
