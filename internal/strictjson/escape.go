package strictjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escapes are the letters that may follow a backslash in a string, and what they mean (RFC 8259 section 7).
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// AppendEscape adds to out the meaning of the escape at the start of text, and returns how many bytes of text it takes:
// two of \n, six of \u00e9, twelve of a pair of surrogates. Half a pair means U+FFFD. 0: the escape is malformed or has
// no end.
func AppendEscape(out, text []byte) ([]byte, int) {
	if len(text) < 2 || text[0] != '\\' {
		return out, 0
	}
	if meant := escapes[text[1]]; meant != 0 {
		return append(out, meant), 2
	}
	if text[1] != 'u' {
		return out, 0
	}
	r, ok := fourHex(text, 2)
	if !ok {
		return out, 0
	}
	long := 6
	if utf16.IsSurrogate(r) {
		low := rune(0)
		if len(text) > 7 && text[6] == '\\' && text[7] == 'u' {
			low, _ = fourHex(text, 8)
		}
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			long = 12
		}
	}
	return utf8.AppendRune(out, r), long
}

// fourHex reads the four hexadecimal digits of an escape, from an offset.
func fourHex(text []byte, at int) (rune, bool) {
	if at+4 > len(text) {
		return 0, false
	}
	var r rune
	for _, c := range text[at : at+4] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
