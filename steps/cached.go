package steps

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
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

// noteCaches tells of answers that a cache gave, by call.
func noteCaches(entries []entry) []string {
	times, how := map[string]int{}, map[string]string{}
	for _, e := range entries {
		for _, x := range e.exchanges {
			if told := fromCache(x); told != "" {
				times[x.Call.Operation]++
				if how[x.Call.Operation] == "" {
					how[x.Call.Operation] = told
				}
			}
		}
	}
	var notes []string
	for operation, n := range times {
		was := "was"
		if n > 1 {
			was = "were"
		}
		notes = append(notes, fmt.Sprintf("%s of %s %s answered from a cache (%s): what it says may be of another caller or time", plural(n, "answer"), operation, was, how[operation]))
	}
	sort.Strings(notes)
	return notes
}
