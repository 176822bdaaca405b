package steps

import (
	"fmt"
	"sort"
	"strings"

	"agstest/ags"
	"agstest/internal/figures"
	"agstest/steps/talk"
)

// noteCaches reports answers from a cache, by call: the evidence, the caches on the way (Via, RFC 9110 section 7.6.3),
// what Cache-Control says of keeping them, and between which tenants or tokens the cache does not distinguish.
func noteCaches(entries []entry) []string {
	type cached struct {
		times             int
		how, via, control string
		callers           map[string][2]map[string]bool // by body: the tenants and the tokens it was given to
	}
	calls := map[string]*cached{}
	for _, e := range entries {
		for _, x := range e.exchanges {
			told := talk.FromCache(x)
			if told == "" {
				continue
			}
			c := calls[x.Call.Operation]
			if c == nil {
				c = &cached{how: told, via: strings.Join(x.Header.Values("Via"), ", "), control: strings.Join(x.Header.Values("Cache-Control"), ", "), callers: map[string][2]map[string]bool{}}
				calls[x.Call.Operation] = c
			}
			c.times++
			to, seen := c.callers[string(x.Body)]
			if !seen {
				to = [2]map[string]bool{{}, {}}
				c.callers[string(x.Body)] = to
			}
			to[0][x.Request.HeaderValue(ags.HeaderTenant)] = true
			to[1][x.Request.HeaderValue("token")] = true
		}
	}
	var notes []string
	for operation, c := range calls {
		was := "was"
		if c.times > 1 {
			was = "were"
		}
		note := fmt.Sprintf("%s of %s %s answered from a cache (%s", figures.Plural(c.times, "answer"), operation, was, c.how)
		if c.via != "" {
			note += ", Via: " + brief(c.via)
		}
		if c.control != "" {
			note += ", Cache-Control: " + brief(c.control)
		}
		note += "): what it says may be of another caller or time"
		tenants, tokens := 1, 1
		for _, to := range c.callers {
			tenants, tokens = max(tenants, len(to[0])), max(tokens, len(to[1]))
		}
		if tenants > 1 {
			note += fmt.Sprintf("; one answer went to %d tenants", tenants)
		}
		if tokens > 1 {
			note += fmt.Sprintf("; one answer went to callers with %d tokens, or without one", tokens)
		}
		notes = append(notes, note)
	}
	sort.Strings(notes)
	return notes
}

// brief is a text of a header as a note shows it.
func brief(text string) string {
	if letters := []rune(text); len(letters) > 80 {
		return string(letters[:80]) + "…"
	}
	return text
}
