package userfile

import (
	"strings"
	"unicode"
)

// Flaw returns what is wrong with a single value that a user gave: a line break or blank at its beginning or end, or a
// control character within. Such a value is hardly meant so: files of secrets often end in a line break, and so does
// what a shell reads from them. Empty: nothing is wrong. The sentence follows the name of the value and quotes nothing
// of it, since it may be a secret.
func Flaw(value string) string {
	trimmed := strings.TrimSpace(value)
	before, after, _ := strings.Cut(value, trimmed)
	switch {
	case value == "":
		return ""
	case trimmed == "":
		return "holds nothing but white space"
	case strings.ContainsAny(after, "\r\n"):
		return "ends in a line break; take it away"
	case strings.ContainsAny(before, "\r\n"):
		return "begins with a line break; take it away"
	case after != "":
		return "ends in white space; take it away"
	case before != "":
		return "begins with white space; take it away"
	case strings.ContainsAny(value, "\r\n"):
		return "holds a line break; write it in one line"
	case strings.ContainsFunc(value, isControl):
		return "holds a control character; take it away"
	case strings.ContainsRune("\u201c\u201d\u201e\u2018\u2019\u201a\u00ab", firstRune(value)):
		return "begins with a typographic quotation mark, which is no quote here but a letter; write plain ones"
	}
	return ""
}

func firstRune(value string) rune {
	for _, r := range value {
		return r
	}
	return 0
}

// isControl tells control characters and the marks that Windows and the web put into text unseen.
func isControl(r rune) bool { return unicode.IsControl(r) || r == '\ufeff' || r == '\u200b' }
