package redact

import "strings"

// jsonFrame is an object or array that jsonNames is in.
type jsonFrame struct {
	label string // of the member that it is the value of; its texts are secret
	name  string // of a {name, value} pair
	value *span
}

// jsonNames walks over all JSON in a text. It judges no syntax: it walks a cut or broken text as far as it makes sense.
func jsonNames(text string, depth int, emit func(span)) {
	w := &jsonWalk{text: text, depth: depth, emit: emit, stack: []jsonFrame{{}}}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '{' || c == '[':
			w.open()
			i++
		case c == '}' || c == ']':
			if last := len(w.stack) - 1; last > 0 {
				w.close(w.stack[last])
				w.stack = w.stack[:last]
			}
			w.key = ""
			i++
		case c == ',':
			w.key = ""
			i++
		case c == '"':
			i = w.string(i)
		case (c >= '0' && c <= '9' || c == '-') && (w.key != "" || w.stack[len(w.stack)-1].label != ""):
			end := i + 1
			for end < len(text) && strings.IndexByte("0123456789+-.eE", text[end]) >= 0 {
				end++
			}
			w.value(span{start: i, end: end, value: text[i:end]})
			i = end
		default:
			i++
		}
	}
	for _, f := range w.stack { // a cut text
		w.close(f)
	}
}

// jsonWalk is the state of a walk over JSON.
type jsonWalk struct {
	text  string
	depth int // of JSON within strings
	emit  func(span)
	stack []jsonFrame
	key   string // of the member whose value comes next
}

// open goes into an object or an array.
func (w *jsonWalk) open() {
	label, secret := secretLabel(w.key)
	if !secret {
		label = w.stack[len(w.stack)-1].label
	}
	if len(w.stack) < 1000 {
		w.stack = append(w.stack, jsonFrame{label: label})
	}
	w.key = ""
}

func (w *jsonWalk) close(f jsonFrame) {
	if label, secret := secretLabel(f.name); secret && f.value != nil {
		f.value.label = label
		w.emit(*f.value)
	}
}

func (w *jsonWalk) value(s span) {
	top := &w.stack[len(w.stack)-1]
	label, secret := secretLabel(w.key)
	switch {
	case secret:
		s.label = label
		w.emit(s)
	case top.label != "":
		s.label = top.label
		w.emit(s)
	case w.key == "name":
		top.name = s.value
	case w.key == "value":
		kept := s
		top.value = &kept
	}
	w.key = ""
}

// string takes the string that begins at i for a key or for a value, and gives where to go on.
func (w *jsonWalk) string(i int) int {
	start, end, next := stringAt(w.text, i)
	after := next
	for after < len(w.text) && strings.IndexByte(" \t\n\r", w.text[after]) >= 0 {
		after++
	}
	inside := view{text: w.text[start:end]}
	if strings.IndexByte(inside.text, '\\') >= 0 {
		inside = inside.unescape(backslash)
	}
	if after < len(w.text) && w.text[after] == ':' {
		w.key = inside.text
		return after + 1
	}
	w.value(span{start: start, end: end, value: inside.text})
	if w.depth < 3 && strings.IndexByte(inside.text, '"') >= 0 {
		jsonNames(inside.text, w.depth+1, func(s span) { // JSON inside a string
			from, to := inside.origin(s.start, s.end)
			s.start, s.end = start+from, start+to
			w.emit(s)
		})
	}
	return next
}

// stringAt finds the inside of the JSON string that begins at i, and where to go on.
func stringAt(text string, i int) (start, end, next int) {
	for at := i + 1; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return i + 1, at, at + 1
		}
	}
	return i + 1, len(text), len(text)
}
