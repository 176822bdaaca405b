package hostile

import (
	"strings"
	"unicode/utf16"
)

// bodies are bodies that are no JSON of the call, and some that are in a strange form.
func bodies() []Behaviour {
	return []Behaviour{
		{Name: "an empty body", Answer: instead("")},
		{Name: "a page with a script", Answer: as("text/html", "<!DOCTYPE html><script>alert(document.cookie)</script>")},
		{Name: "a page that says it is JSON", Answer: instead("<html><body><script>alert(1)</script></body></html>")},
		{Name: "XML", Answer: as("application/xml", `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`)},
		{Name: "invalid UTF-8", Answer: body(func(text string) string { return extra(text, "comment", "\"\xff\xfe\xc0\x80\"") })},
		{Name: "a byte order mark", Answer: body(func(text string) string { return "\xef\xbb\xbf" + text })},
		{Name: "UTF-16", Answer: body(func(text string) string {
			var b strings.Builder
			b.WriteString("\xff\xfe")
			for _, unit := range utf16.Encode([]rune(text)) {
				b.WriteByte(byte(unit))
				b.WriteByte(byte(unit >> 8))
			}
			return b.String()
		})},
		{Name: "10,000 levels of arrays", Answer: body(func(text string) string {
			return extra(text, "comment", strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000))
		})},
		{Name: "100,000 levels of objects", Answer: body(func(text string) string {
			return extra(text, "comment", strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000))
		})},
		{Name: "400,000 arrays that are not closed", Answer: instead(strings.Repeat("[", 400_000))},
		{Name: "200,000 members", Answer: body(func(text string) string {
			return extra(text, "comment", "["+strings.Repeat("0,", 200_000)+"0]")
		})},
		{Name: "a member twice", Answer: body(func(text string) string { return extra(text, "accountId", `"another"`) })},
		{Name: "two access tokens", Answer: body(func(text string) string { return extra(text, "access_token", `"a.b.c"`) })},
		{Name: "something behind the JSON", Answer: body(func(text string) string { return text + "}" })},
		{Name: "two documents", Answer: body(func(text string) string { return text + "\n" + text })},
		{Name: "a list", Answer: body(func(text string) string { return "[" + text + "]" })},
		{Name: "null", Answer: instead("null")},
		{Name: "a string", Answer: instead(`"right"`)},
		{Name: "an empty object", Answer: instead("{}")},
		{Name: "a comment in the JSON", Answer: body(func(text string) string { return "/* right */" + text })},
		{Name: "single quotes", Answer: body(func(text string) string { return strings.ReplaceAll(text, `"`, "'") })},
		{Name: "a comma too many", Answer: body(func(text string) string {
			return strings.TrimSuffix(strings.TrimSpace(text), "}") + ",}"
		})},
		{Name: "members in capitals", Answer: body(func(text string) string {
			return strings.NewReplacer(`"access_token"`, `"Access_Token"`, `"refresh_token"`,
				`"Refresh_Token"`).Replace(text)
		})},
		{Name: "white space by the thousand", Answer: body(func(text string) string {
			return strings.Repeat(" \r\n\t", 10_000) + text + strings.Repeat("\n", 10_000)
		})},
		{Name: "a member that nobody knows", Answer: body(func(text string) string { return extra(text, "__proto__", `{"admin":true}`) })},
		{Name: "an unpaired surrogate", Answer: body(func(text string) string { return extra(text, "comment", `"\ud800"`) })},
		{Name: "a line break in a string", Answer: body(func(text string) string { return extra(text, "comment", "\"a\nb\"") })},
	}
}

// numbers returns lifetimes that are no positive integer, or none that a program can hold.
func numbers() []Behaviour {
	life := func(name, value string) Behaviour {
		return Behaviour{Name: name, Answer: becomes("expires_in", value)}
	}
	return []Behaviour{
		life("a lifetime beyond 2^53", "9007199254740993"),
		life("a lifetime beyond 2^63", "9223372036854775808"),
		life("a lifetime of 1e999", "1e999"),
		life("a lifetime of 1e9999999999", "1e9999999999"),
		life("a lifetime of -0", "-0"),
		life("a lifetime of -3600", "-3600"),
		life("a lifetime of 3600.5", "3600.5"),
		life("a lifetime in a string", `"3600"`),
		life("a lifetime of NaN", "NaN"),
		life("a lifetime with a leading zero", "03600"),
		life("a lifetime of 100,000 digits", strings.Repeat("9", 100_000)),
		life("a lifetime of null", "null"),
	}
}
