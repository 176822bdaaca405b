package redact

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Request is the request that a command sends.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
	Proxy       *url.URL // nil: none
}

// Curl is a line for a POSIX shell that sends the request again. Secrets are shell variables, named after what they
// are. A body of more than 16 kB is not in it.
func (r *Redactor) Curl(q Request) string {
	c := curlLine{redactor: r, names: map[string]string{}, used: map[string]bool{}}
	command := "curl -sS -i --path-as-is -X " + c.word(q.Method, nil)
	names := make([]string, 0, len(q.Header))
	hasType := false
	for name := range q.Header {
		names = append(names, name)
		hasType = hasType || strings.EqualFold(name, "Content-Type")
	}
	slices.Sort(names)
	headers := ""
	for _, name := range names {
		for _, value := range q.Header[name] {
			if value == "" {
				headers += " -H " + c.word(name+";", nil) // how curl is told an empty header
				continue
			}
			secrets := headerSpans(name, value)
			if len(secrets) > 0 && !printable(value) {
				secrets = []span{{0, len(value), secrets[0].label, value}}
			}
			headers += " -H " + joined(c.word(name+": ", nil), c.word(value, secrets))
		}
	}
	body, before := "", ""
	if n := len(q.Body); n > maxShown {
		body = fmt.Sprintf(" --data-binary @body # the body of %d bytes is not shown here", n)
	} else if n > 0 {
		text := string(q.Body)
		if printable(text) {
			body = " --data-binary " + c.word(text, nil)
		} else {
			before, body = c.printf(text)+" | ", " --data-binary @-"
		}
		if !hasType {
			headers += " -H 'Content-Type:'" // curl would add one
		}
	}
	return before + command + " " + c.word(q.URL, nil) + proxyWord(&c, q.Proxy) + headers + body
}

func proxyWord(c *curlLine, proxy *url.URL) string {
	if proxy == nil {
		return ""
	}
	return " -x " + c.word(proxy.String(), nil)
}

// joined makes one shell word of two.
func joined(a, b string) string {
	if strings.HasSuffix(a, "'") && strings.HasPrefix(b, "'") {
		return a[:len(a)-1] + b[1:]
	}
	if strings.HasSuffix(a, "'") && !strings.ContainsAny(b, `'"`) {
		return a[:len(a)-1] + b + "'"
	}
	return a + b
}

// printable tells whether the text can be in a shell word unchanged.
func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' ||
			r == 0x7f || r == utf8.RuneError
	}) < 0
}

type curlLine struct {
	redactor *Redactor
	names    map[string]string // secret → shell variable
	used     map[string]bool
}

// variable names a secret, such as ACCESS_TOKEN or, for a second one, ACCESS_TOKEN_2.
func (c *curlLine) variable(s span) string {
	if name, ok := c.names[s.value]; ok {
		return name
	}
	base := strings.ReplaceAll(strings.ToUpper(c.redactor.label(s)), " ", "_")
	name := base
	for n := 2; c.used[name]; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	c.names[s.value], c.used[name] = name, true
	return name
}

// word quotes a text for the shell. Bytes that no terminal should see are replaced.
func (c *curlLine) word(text string, named []span) string {
	var b strings.Builder
	at := 0
	for _, s := range c.redactor.spans(text, named) {
		if s.start > at {
			b.WriteString(quote(visible(text[at:s.start])))
		}
		b.WriteString(`"$` + c.variable(s) + `"`)
		at = s.end
	}
	if at < len(text) || b.Len() == 0 {
		b.WriteString(quote(visible(text[at:])))
	}
	return b.String()
}

func visible(s string) string {
	if printable(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

func quote(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("-_./:,@", r))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// printf writes a body that no shell word can hold, byte by byte.
func (c *curlLine) printf(text string) string {
	var format strings.Builder
	var arguments []string
	put := func(s string) {
		for i := 0; i < len(s); i++ {
			if b := s[i]; b < ' ' || b > '~' || b == '\\' || b == '%' || b == '\'' {
				fmt.Fprintf(&format, `\%03o`, b)
				if b == '%' {
					f := format.String()
					format.Reset()
					format.WriteString(f[:len(f)-4] + "%%")
				}
			} else {
				format.WriteByte(b)
			}
		}
	}
	at := 0
	for _, s := range c.redactor.spans(text, nil) {
		put(text[at:s.start])
		format.WriteString("%s")
		arguments = append(arguments, `"$`+c.variable(s)+`"`)
		at = s.end
	}
	put(text[at:])
	return strings.Join(append([]string{"printf '" + format.String() + "'"}, arguments...), " ")
}
