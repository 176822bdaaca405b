package reports

import (
	"bufio"
	"strings"
	"unicode/utf8"
)

// xmlWriter writes XML 1.0 by hand, because encoding/xml turns line ends in text into character references.
type xmlWriter struct {
	w   *bufio.Writer
	err error
}

func (x *xmlWriter) raw(markup string) {
	if x.err == nil {
		_, x.err = x.w.WriteString(markup)
	}
}

func (x *xmlWriter) attribute(name, value string) {
	x.raw(" " + name + `="` + xmlAttribute.Replace(xmlCharacters(value)) + `"`)
}

func (x *xmlWriter) text(value string) { x.raw(xmlText.Replace(xmlCharacters(value))) }

var (
	xmlText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	xmlAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;")
)

// xmlCharacters puts U+FFFD for what XML 1.0 does not allow: control characters, surrogates and broken UTF-8. Jenkins refuses the whole
// file for one of them.
func xmlCharacters(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD && r != utf8.RuneError, r >= 0x10000 && r <= 0x10FFFF:
			return r
		}
		return utf8.RuneError
	}, text)
}
