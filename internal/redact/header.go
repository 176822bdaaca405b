package redact

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// LearnHeader makes every secret of a header known, for texts that repeat it.
func (r *Redactor) LearnHeader(h http.Header) {
	for name, values := range h {
		for _, v := range values {
			r.learnFrom(headerSpans(name, v))
		}
	}
}

// Header gives the lines of a header, name and value, without secrets and in valid UTF-8, sorted by name.
func (r *Redactor) Header(h http.Header) [][2]string {
	var lines [][2]string
	for name, values := range h {
		for _, v := range values {
			lines = append(lines, [2]string{r.Shown(name), valid(r.render(v, r.spans(v, headerSpans(name, v)), false))})
		}
	}
	slices.SortStableFunc(lines,
		func(a, b [2]string) int { return strings.Compare(strings.ToLower(a[0]), strings.ToLower(b[0])) })
	return lines
}

// headerSpans finds the secrets in a header by its name: credentials behind their scheme, the values of cookies, whole
// tokens.
func headerSpans(name, value string) []span {
	label, secret := secretLabel(name)
	if !secret || value == "" || isMark(value) {
		return nil
	}
	switch strings.ToLower(name) {
	case "set-cookie":
		pair, _, _ := strings.Cut(value, ";")
		return cookieSpans(pair)
	case "cookie":
		return cookieSpans(value)
	}
	start := 0
	if label == "credentials" {
		if scheme, rest, found := strings.Cut(value, " "); found && len(scheme) <= 12 && strings.TrimSpace(rest) != "" {
			start = len(value) - len(strings.TrimLeft(rest, " "))
			if strings.EqualFold(scheme, "basic") {
				if pair, err := base64.StdEncoding.DecodeString(value[start:]); err == nil {
					_, password, _ := strings.Cut(string(pair), ":")
					return []span{{start, len(value), label, value[start:]}, {len(value), len(value), "password",
						password}}
				}
			}
		}
	}
	if isMark(value[start:]) {
		return nil
	}
	return []span{{start, len(value), label, value[start:]}}
}

func cookieSpans(pairs string) []span {
	var spans []span
	for at := 0; at < len(pairs); {
		end := strings.IndexByte(pairs[at:], ';')
		if end < 0 {
			end = len(pairs)
		} else {
			end += at
		}
		if i := strings.IndexByte(pairs[at:end], '='); i >= 0 && at+i+1 < end {
			spans = append(spans, span{at + i + 1, end, "cookie", pairs[at+i+1 : end]})
		} else if start := at + len(pairs[at:end]) - len(strings.TrimLeft(pairs[at:end], " ")); i < 0 && start < end {
			spans = append(spans, span{start, end, "cookie", pairs[start:end]})
		}
		at = end + 1
	}
	return spans
}
