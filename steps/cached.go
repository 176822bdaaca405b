package steps

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"agstest/ags"
)

// fromCache says which headers of an answer tell that a cache gave it and not the service: an Age above 0 (RFC 9111 section 5.1), a hit in
// X-Cache, or two numbers in X-Varnish, which are the request's and that of the one that filled the cache.
func fromCache(x *exchange) string {
	if x.Status == 0 {
		return ""
	}
	var told []string
	if age, err := strconv.Atoi(strings.TrimSpace(x.Header.Get("Age"))); err == nil && age > 0 {
		told = append(told, fmt.Sprintf("Age %d", age))
	}
	if strings.Contains(strings.ToLower(x.Header.Get("X-Cache")), "hit") {
		told = append(told, "X-Cache")
	}
	if len(strings.Fields(x.Header.Get("X-Varnish"))) == 2 {
		told = append(told, "X-Varnish")
	}
	return strings.Join(told, ", ")
}

// noteCaches tells of answers that a cache gave, by call: what showed it, which caches they came through (Via, RFC 9110 section 7.6.3), what
// Cache-Control says of keeping them, and between which tenants or tokens the cache does not distinguish.
func noteCaches(entries []entry) []string {
	type cached struct {
		times             int
		how, via, control string
		callers           map[string][2]map[string]bool // by body: the tenants and the tokens it was given to
	}
	calls := map[string]*cached{}
	for _, e := range entries {
		for _, x := range e.exchanges {
			told := fromCache(x)
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
			to[0][x.request.headerValue(ags.HeaderTenant)] = true
			to[1][x.request.headerValue("token")] = true
		}
	}
	var notes []string
	for operation, c := range calls {
		was := "was"
		if c.times > 1 {
			was = "were"
		}
		note := fmt.Sprintf("%s of %s %s answered from a cache (%s", plural(c.times, "answer"), operation, was, c.how)
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
