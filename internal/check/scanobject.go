package check

import (
	"agstest/internal/strictjson"
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// objectScan steps over the members of one JSON object.
type objectScan struct {
	text  []byte
	at    int
	begun bool
	name  []byte // of the member
	value []byte // as it is written
	err   error
}

func (s *objectScan) next() bool {
	if s.err != nil {
		return false
	}
	i := skipSpace(s.text, s.at)
	if i < len(s.text) && s.text[i] == '}' && !s.begun {
		s.at = i + 1
		return false
	}
	if s.begun {
		switch {
		case i < len(s.text) && s.text[i] == '}':
			s.at = i + 1
			return false
		case i < len(s.text) && s.text[i] == ',':
			i = skipSpace(s.text, i+1)
		default:
			s.err = errBrokenOff
			return false
		}
	}
	s.begun = true
	end := skipString(s.text, i)
	if end < 0 {
		s.err = errBrokenOff
		return false
	}
	s.name = s.text[i+1 : end-1]
	if bytes.IndexByte(s.name, '\\') >= 0 { // a name may be written with escapes too (RFC 8259 section 8.3)
		var ok bool
		if s.name, ok = appendUnescaped(nil, s.name); !ok {
			s.err = errBrokenOff
			return false
		}
	}
	i = skipSpace(s.text, end)
	if i == len(s.text) || s.text[i] != ':' {
		s.err = errBrokenOff
		return false
	}
	i = skipSpace(s.text, i+1)
	if end = skipValue(s.text, i); end < 0 {
		s.err = errBrokenOff
		return false
	}
	s.value, s.at = s.text[i:end], end
	return true
}

// takeString puts the text of a string into a field; of any other kind it leaves nil.
func (s *objectScan) takeString(into *[]byte, room *[]byte) {
	if *into != nil {
		s.err = errTwice
		return
	}
	if s.value[0] != '"' {
		return
	}
	raw := s.value[1 : len(s.value)-1]
	for _, b := range raw {
		if b == '\\' {
			start := len(*room)
			var ok bool
			if *room, ok = appendUnescaped(*room, raw); !ok {
				s.err = errBrokenOff
				return
			}
			*into = (*room)[start:len(*room):len(*room)]
			return
		}
	}
	*into = raw[:len(raw):len(raw)]
}

// integer reads a plain integer; other ways of writing one are rare enough to be left to Judge.
func (s *objectScan) integer() int64 {
	if len(s.value) > 18 {
		return 0
	}
	var n int64
	for _, b := range s.value {
		if b < '0' || b > '9' {
			return 0
		}
		n = n*10 + int64(b-'0')
	}
	return n
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipString gives the index behind the string at i, −1 if there is none.
func skipString(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			i++
		case c < 0x20:
			return -1
		}
	}
	return -1
}

// skipValue gives the index behind the value at i, −1 if there is none. Inside objects and arrays only brackets and strings are looked at.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				if i = skipString(b, i); i < 0 {
					return -1
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return -1
	}
	start := i
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' && b[i] != '"' && b[i] != ':' {
		i++
	}
	switch word := b[start:i]; {
	case len(word) == 0:
		return -1
	case word[0] == '-' || word[0] >= '0' && word[0] <= '9':
	case string(word) == "true", string(word) == "false", string(word) == "null":
	default:
		return -1
	}
	return i
}

// appendUnescaped reads the escapes of a JSON string.
func appendUnescaped(out, raw []byte) ([]byte, bool) {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		if i == len(raw) {
			return out, false
		}
		switch raw[i] {
		case '"', '\\', '/':
			out = append(out, raw[i])
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := strictjson.FourHex(raw, i+1)
			if !ok {
				return out, false
			}
			i += 4
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					if low, ok := strictjson.FourHex(raw, i+3); ok {
						if pair = utf16.DecodeRune(r, low); pair != utf8.RuneError {
							i += 6
						}
					}
				}
				r = pair
			}
			out = utf8.AppendRune(out, r)
		default:
			return out, false
		}
	}
	return out, true
}
