package mock

import (
	"strconv"
	"unicode/utf8"
)

// object is a JSON object whose members keep their order, so that choices can reorder them and faults can remove,
// change and repeat them. Values are string, int, int64, float64, bool, nil, object, []any, literal.
type object []member

type member struct {
	name  string
	value any
}

// literal is JSON text that is written unchanged.
type literal string

func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// set changes a member in place or adds it at the end.
func (o *object) set(name string, value any) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, member{name, value})
}

func (o *object) remove(name string) {
	for i := range *o {
		if (*o)[i].name == name {
			*o = append((*o)[:i:i], (*o)[i+1:]...)
			return
		}
	}
}

func (o *object) rename(name, other string) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].name = other
		}
	}
}

func appendJSON(to []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(to, "null"...)
	case string:
		return appendString(to, v)
	case int:
		return strconv.AppendInt(to, int64(v), 10)
	case int64:
		return strconv.AppendInt(to, v, 10)
	case float64:
		return strconv.AppendFloat(to, v, 'f', -1, 64)
	case bool:
		return strconv.AppendBool(to, v)
	case literal:
		return append(to, v...)
	case object:
		to = append(to, '{')
		for i, m := range v {
			if i > 0 {
				to = append(to, ',')
			}
			to = appendString(to, m.name)
			to = append(to, ':')
			to = appendJSON(to, m.value)
		}
		return append(to, '}')
	case []any:
		to = append(to, '[')
		for i, element := range v {
			if i > 0 {
				to = append(to, ',')
			}
			to = appendJSON(to, element)
		}
		return append(to, ']')
	}
	panic("mock: a value that has no JSON form")
}

// appendString writes a JSON string (RFC 8259 section 7). Bytes that are not UTF-8 become U+FFFD.
func appendString(to []byte, s string) []byte {
	const hex = "0123456789abcdef"
	to = append(to, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= 0x20 && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		if b < utf8.RuneSelf {
			to = append(to, s[start:i]...)
			switch b {
			case '"', '\\':
				to = append(to, '\\', b)
			case '\n':
				to = append(to, '\\', 'n')
			case '\t':
				to = append(to, '\\', 't')
			case '\r':
				to = append(to, '\\', 'r')
			default:
				to = append(to, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			to = append(to, s[start:i]...)
			to = append(to, "\ufffd"...)
			start = i + size
		}
		i += size
	}
	to = append(to, s[start:]...)
	return append(to, '"')
}
