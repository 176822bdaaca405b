package wire

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxShown is how many bytes of a body a record keeps.
const maxShown = 16 << 10

// Record is an exchange fit for a report: without secrets, valid UTF-8, bodies cut at 16 kB.
type Record struct {
	Operation, Method, URL string
	RequestHeader          [][2]string // sorted by name
	RequestBody            string
	Status                 int // 0: no answer
	ResponseHeader         [][2]string
	ResponseBody           string
	Nanoseconds            int64
	Error                  string
	Resent                 bool   // as of Exchange
	Curl                   string // reproduces the request; secrets are shell variables
}

// Record makes an exchange fit for a report. Every token and other secret in it becomes known to the redactor.
func (r *Redactor) Record(x *Exchange) Record {
	r.Observe(x)
	request := []byte(x.Call.Body)
	record := Record{
		Operation:      x.Call.Operation,
		Method:         r.clean(r.Text(x.Call.Method)),
		URL:            r.clean(r.Text(x.URL)),
		RequestHeader:  r.header(x.Call.Header),
		RequestBody:    r.body(request),
		Status:         x.Status,
		ResponseHeader: r.header(x.Header),
		ResponseBody:   r.body(x.Body),
		Nanoseconds:    x.Duration().Nanoseconds(),
		Resent:         x.Resent,
		Curl:           r.curl(x),
	}
	if x.Truncated {
		record.ResponseBody += fmt.Sprintf("\n[the answer is longer than %d bytes; the rest was not read]", len(x.Body))
	}
	if x.Err != nil {
		record.Error = r.clean(r.Text(Explain(x.Err)))
	}
	return record
}

// Observe makes every secret of an exchange known, without making a record of it. It is for exchanges whose tokens may turn up in the
// records of others.
func (r *Redactor) Observe(x *Exchange) {
	for _, h := range []http.Header{x.Call.Header, x.Header} {
		for name, values := range h {
			for _, v := range values {
				r.learnFrom(headerSpans(name, v))
			}
		}
	}
	r.learnFrom(nameSpans(x.URL))
	r.learnFrom(nameSpans(string(x.Call.Body)))
	r.learnFrom(nameSpans(string(x.Body)))
}

func (r *Redactor) header(h http.Header) [][2]string {
	var lines [][2]string
	for name, values := range h {
		for _, v := range values {
			lines = append(lines, [2]string{r.clean(r.Text(name)), r.clean(r.render(v, r.spans(v, headerSpans(name, v)), false))})
		}
	}
	slices.SortStableFunc(lines, func(a, b [2]string) int { return strings.Compare(strings.ToLower(a[0]), strings.ToLower(b[0])) })
	return lines
}

// body redacts first and cuts then, because half a secret would not be recognised.
func (r *Redactor) body(body []byte) string {
	whole := string(body)
	shown := r.clean(r.render(whole, r.spans(whole, nil), true))
	if len(shown) <= maxShown {
		return shown
	}
	end := maxShown
	for end > 0 && !utf8.RuneStart(shown[end]) {
		end--
	}
	return shown[:end] + fmt.Sprintf("\n[cut here: %d bytes in all]", len(body))
}

func (r *Redactor) clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// headerSpans finds what a header holds by its name: credentials behind their scheme, the values of cookies, whole tokens.
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
					return []span{{start, len(value), label, value[start:]}, {len(value), len(value), "password", password}}
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
