// Package strictjson reads JSON as it was written, strictly after RFC 8259: names keep their case, numbers their
// literal, members their order and their doubles. A judge that read with encoding/json would take a member in another
// case, the last of two, and null for a number. It knows nothing of services and their answers.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"agstest/ags"
)

// The bounds of a JSON text: how deep it may nest, where no answer of the contract goes beyond six, and how many values
// it may hold.
const (
	maxDepth  = 100
	maxValues = 50000
)

// syntaxError says why a text is not one clean JSON value. Recoverable: the value could be read all the same, because
// the text only holds a member twice or something after its end.
type syntaxError struct {
	At          int // offset in bytes
	Problem     string
	Recoverable bool
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Problem, e.At) }

// Parse reads one JSON value strictly after RFC 8259: valid UTF-8, no byte order mark, nothing behind it, no member
// twice, at most 100 levels deep and 50,000 values long. With a recoverable *Error the value is returned beside it;
// with any other error it is nil.
func Parse(text []byte) (*Value, error) {
	p := parser{text: text, whole: string(text)}
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		return nil, p.fail("a byte order mark stands before the JSON")
	}
	p.space()
	if p.at == len(text) {
		return nil, p.fail("there is no JSON")
	}
	p.reserve()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(text) {
		return v, &syntaxError{At: p.at, Problem: "something stands after the end of the JSON", Recoverable: true}
	}
	if p.double != nil {
		return v, p.double
	}
	return v, nil
}

type parser struct {
	text   []byte
	whole  string  // the same: strings without escapes are parts of it
	room   []Value // for the next values
	at     int
	values int
	// members of the objects that are being read, the outermost first, so that an object gets room for just its own
	members []Member
	double  *syntaxError // the first member that is there twice
}

func (p *parser) fail(format string, args ...any) error {
	return &syntaxError{At: p.at, Problem: fmt.Sprintf(format, args...)}
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
		return p.made(Value{Kind: ags.String, Text: s}), err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for i := range words {
		if w := &words[i]; bytes.HasPrefix(p.text[p.at:], w.text) {
			p.at += len(w.text)
			return p.made(w.value), nil
		}
	}
	return nil, p.fail("no JSON value begins")
}

// reserve makes room for the values and members that the commas, colons and brackets of the text promise, as far as an
// answer of the contract has them.
func (p *parser) reserve() {
	begun := bytes.Count(p.text, []byte("{")) + bytes.Count(p.text, []byte("["))
	p.room = make([]Value, min(mostReserved, 1+begun+bytes.Count(p.text, []byte(","))))
	p.members = make([]Member, 0, min(mostReserved, bytes.Count(p.text, []byte(":"))))
}

const mostReserved = 48

// valuesTogether is how many values more get their room at the same time.
const valuesTogether = 8

// made gives a value a place that lasts.
func (p *parser) made(v Value) *Value {
	if len(p.room) == 0 {
		p.room = make([]Value, valuesTogether)
	}
	place := &p.room[0]
	p.room = p.room[1:]
	*place = v
	return place
}

// words are the values that are written as words (RFC 8259 section 3).
var words = [...]struct {
	text  []byte
	value Value
}{
	{[]byte("true"), Value{Kind: ags.Boolean, Bool: true}}, {[]byte("false"), Value{Kind: ags.Boolean}},
	{[]byte("null"), Value{Kind: ags.Null}},
}

func (p *parser) object(depth int) (*Value, error) {
	v := p.made(Value{Kind: ags.Object})
	p.at++
	p.space()
	if p.at < len(p.text) && p.text[p.at] == '}' {
		p.at++
		return v, nil
	}
	var seen map[string]bool
	begin := len(p.members)
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
			members := p.members[begin:]
			// A map only where an object is large: most have a dozen or two.
			if len(members) == mostMembers {
				seen = make(map[string]bool)
				for _, m := range members {
					seen[m.Name] = true
				}
			}
			if seen[name] || seen == nil && named(members, name) != nil {
				p.double = &syntaxError{At: start, Problem: "the member " + Brief(name) + " is there twice",
					Recoverable: true}
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
		p.members = append(p.members, Member{name, value})
		if end, err := p.next('}'); err != nil || end {
			v.Members = p.lasting(begin)
			return v, err
		}
	}
}

// lasting takes the members of the object that is read last, and began there. The outermost object keeps the room
// itself.
func (p *parser) lasting(begin int) []Member {
	if begin == 0 {
		members := p.members
		p.members = nil
		return members
	}
	members := slices.Clone(p.members[begin:])
	p.members = p.members[:begin]
	return members
}

// mostMembers is the most members of an object that are looked through one by one. An access token has 18 claims.
const mostMembers = 32

func (p *parser) array(depth int) (*Value, error) {
	v := p.made(Value{Kind: ags.Array})
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
	p.oneOf("-")
	zero := p.at < len(p.text) && p.text[p.at] == '0'
	if n := p.digits(); n == 0 || zero && n > 1 {
		return nil, p.fail("a number is malformed")
	}
	whole := true
	if p.oneOf(".") {
		whole = false
		if p.digits() == 0 {
			return nil, p.fail("a number is malformed")
		}
	}
	if p.oneOf("eE") {
		whole = false
		p.oneOf("+-")
		if p.digits() == 0 {
			return nil, p.fail("a number is malformed")
		}
	}
	v := p.made(Value{Kind: ags.Integer, Text: p.whole[start:p.at]})
	if !whole {
		if r, ok := rational(v.Text); !ok || !r.IsInt() {
			v.Kind = Number
		}
	}
	return v, nil
}

// oneOf steps over the next character where it is one of these.
func (p *parser) oneOf(characters string) bool {
	if p.at == len(p.text) || strings.IndexByte(characters, p.text[p.at]) < 0 {
		return false
	}
	p.at++
	return true
}

// digits steps over digits, and counts them.
func (p *parser) digits() int {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at - start
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
			return p.whole[start : p.at-1], nil
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
		var long int
		if out, long = AppendEscape(out, p.text[p.at:]); long > 0 {
			p.at += long
			continue
		}
		if p.at+1 == len(p.text) {
			return "", p.fail("a string has no end")
		}
		p.at++
		return "", p.fail("an escape in a string is malformed")
	}
	return "", p.fail("a string has no end")
}

// Recoverable tells whether Parse gave a value beside its error.
func Recoverable(err error) bool {
	var e *syntaxError
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
