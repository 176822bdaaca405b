package export

import (
	"bufio"
	"strings"

	"agstest/internal/disarm"
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
	x.raw(" " + name + `="` + xmlAttribute.Replace(disarm.XMLCharacters(value)) + `"`)
}

func (x *xmlWriter) text(value string) { x.raw(xmlText.Replace(disarm.XMLCharacters(value))) }

var (
	xmlText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	xmlAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\r",
		"&#13;", "\t", "&#9;")
)
