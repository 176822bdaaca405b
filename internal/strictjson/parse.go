// Package strictjson reads JSON as it was written, strictly after RFC 8259: names keep their case, numbers their literal, members their
// order and their doubles. A judge that read with encoding/json would take a member in another case, the last of two, and null for a
// number. It knows nothing of services and their answers.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"agstest/ags"
)

// The bounds of a JSON text: how deep it may nest, where no answer of the contract goes beyond six, and how many values it may hold.
const (
	maxDepth  = 100
	maxValues = 50000
)

// Error says why a text is not one clean JSON value. Recoverable: the value could be read all the same, because the text only
// holds a member twice or something after its end.
type Error struct {
	At          int // offset in bytes
	Problem     string
	Recoverable bool
}

func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Problem, e.At) }

// Parse reads one JSON value strictly after RFC 8259: valid UTF-8, no byte order mark, nothing behind it, no member twice, at most
// 100 levels deep and 50,000 values long. With a recoverable *Error the value is returned beside it; with any other error it is nil.
func Parse(text []byte) (*Value, error) {
	p := parser{text: text}
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		return nil, p.fail("a byte order mark stands before the JSON")
	}
	p.space()
	if p.at == len(text) {
		return nil, p.fail("there is no JSON")
	}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(text) {
		return v, &Error{At: p.at, Problem: "something stands after the end of the JSON", Recoverable: true}
	}
	if p.double != nil {
		return v, p.double
	}
	return v, nil
}

type parser struct {
	text   []byte
	at     int
	values int
	double *Error // the first member that is there twice
}

func (p *parser) fail(format string, args ...any) error {
	return &Error{At: p.at, Problem: fmt.Sprintf(format, args...)}
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (*Value, error) {
	if depth > maxDepth {
		return nil, p.fail("the JSON is nested deeper than %d levels", maxDepth)
	}
	if p.values++; p.values > maxValues {
		return nil, p.fail("the JSON holds more than %d values", maxValues)
	}
	if p.at == len(p.text) {
		return nil, p.fail("the JSON breaks off")
	}
	switch c := p.text[p.at]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.str()
		return &Value{Kind: ags.String, Text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for word, v := range map[string]Value{"true": {Kind: ags.Boolean, Bool: true}, "false": {Kind: ags.Boolean}, "null": {Kind: ags.Null}} {
		if bytes.HasPrefix(p.text[p.at:], []byte(word)) {
			p.at += len(word)
			return &v, nil
		}
	}
	return nil, p.fail("no JSON value begins")
}

func (p *parser) object(depth int) (*Value, error) {
	v := &Value{Kind: ags.Object}
	p.at++
	p.space()
	if p.at < len(p.text) && p.text[p.at] == '}' {
		p.at++
		return v, nil
	}
	var seen map[string]bool
	for {
		p.space()
		if p.at == len(p.text) || p.text[p.at] != '"' {
			return nil, p.fail("the name of a member is missing")
		}
		start := p.at
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		if p.double == nil {
			// A map only where an object is large: most have a dozen members.
			if len(v.Members) == 16 {
				seen = make(map[string]bool)
				for _, m := range v.Members {
					seen[m.Name] = true
				}
			}
			if seen[name] || len(v.Members) < 16 && v.Get(name) != nil {
				p.double = &Error{At: start, Problem: "the member " + Brief(name) + " is there twice", Recoverable: true}
			} else if seen != nil {
				seen[name] = true
			}
		}
		p.space()
		if p.at == len(p.text) || p.text[p.at] != ':' {
			return nil, p.fail("the colon after a member's name is missing")
		}
		p.at++
		p.space()
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		v.Members = append(v.Members, Member{name, value})
		if end, err := p.next('}'); err != nil || end {
			return v, err
		}
	}
}

func (p *parser) array(depth int) (*Value, error) {
	v := &Value{Kind: ags.Array}
	p.at++
	p.space()
	if p.at < len(p.text) && p.text[p.at] == ']' {
		p.at++
		return v, nil
	}
	for {
		p.space()
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		v.Items = append(v.Items, item)
		if end, err := p.next(']'); err != nil || end {
			return v, err
		}
	}
}

// next steps over a comma, or tells that the end has come.
func (p *parser) next(end byte) (bool, error) {
	p.space()
	if p.at == len(p.text) {
		return false, p.fail("the JSON breaks off")
	}
	switch p.text[p.at] {
	case ',':
		p.at++
		return false, nil
	case end:
		p.at++
		return true, nil
	}
	return false, p.fail("a comma or the end of the object or array is missing")
}

func (p *parser) number() (*Value, error) {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	digits := func() int {
		n := 0
		for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
			p.at++
			n++
		}
		return n
	}
	zero := p.at < len(p.text) && p.text[p.at] == '0'
	if n := digits(); n == 0 || zero && n > 1 {
		return nil, p.fail("a number is malformed")
	}
	whole := true
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		whole = false
		if digits() == 0 {
			return nil, p.fail("a number is malformed")
		}
	}
	if p.at < len(p.text) && (p.text[p.at] == 'e' || p.text[p.at] == 'E') {
		p.at++
		whole = false
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		if digits() == 0 {
			return nil, p.fail("a number is malformed")
		}
	}
	v := &Value{Kind: ags.Integer, Text: string(p.text[start:p.at])}
	if !whole {
		if r, ok := rational(v.Text); !ok || !r.IsInt() {
			v.Kind = Number
		}
	}
	return v, nil
}

func (p *parser) str() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			raw := p.text[start:p.at]
			if !utf8.Valid(raw) {
				return "", p.fail("a string is not valid UTF-8")
			}
			p.at++
			return string(raw), nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.fail("a control character stands in a string")
		}
		p.at++
	}
	return "", p.fail("a string has no end")
}

// escaped goes on with a string at its first backslash.
func (p *parser) escaped(start int) (string, error) {
	out := append([]byte(nil), p.text[start:p.at]...)
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return "", p.fail("a string is not valid UTF-8")
			}
			p.at++
			return string(out), nil
		case c < 0x20:
			return "", p.fail("a control character stands in a string")
		case c != '\\':
			out = append(out, c)
			p.at++
			continue
		}
		if p.at+1 == len(p.text) {
			return "", p.fail("a string has no end")
		}
		p.at++
		switch e := p.text[p.at]; e {
		case '"', '\\', '/':
			out = append(out, e)
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
			r, ok := FourHex(p.text, p.at+1)
			if !ok {
				return "", p.fail("an escape in a string is malformed")
			}
			p.at += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if p.at+2 < len(p.text) && p.text[p.at+1] == '\\' && p.text[p.at+2] == 'u' {
					low, ok = FourHex(p.text, p.at+3)
				}
				if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
					r = pair
					p.at += 6
				} else {
					r = utf8.RuneError
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", p.fail("an escape in a string is malformed")
		}
		p.at++
	}
	return "", p.fail("a string has no end")
}

// FourHex reads the four hexadecimal digits of an escape, from an offset.
func FourHex(text []byte, at int) (rune, bool) {
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

// Recoverable tells whether Parse gave a value beside its error.
func Recoverable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Recoverable
}

// Brief makes text of an answer fit for a sentence: quoted, printable and short.
func Brief(s string) string {
	cut := ""
	if r := []rune(s[:min(len(s), 400)]); len(r) > 60 {
		s, cut = string(r[:60]), "…"
	}
	return strconv.Quote(s) + cut
}
