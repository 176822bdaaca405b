package steps

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/figures"
	"agstest/internal/wire"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// noteBarred reports calls that a gateway refused with its own page, as a firewall does: whose page it was, and of
// which calls.
func noteBarred(entries []entry) []string {
	calls := map[string]map[string]bool{}
	for _, e := range entries {
		for _, x := range slices.Concat(e.exchanges, e.others) {
			maker := wire.BarredBy(x.Exchange)
			if maker == "" {
				continue
			}
			if calls[maker] == nil {
				calls[maker] = map[string]bool{}
			}
			calls[maker][cmp.Or(x.Call.Operation, "other paths")] = true
		}
	}
	var notes []string
	for _, maker := range slices.Sorted(maps.Keys(calls)) {
		notes = append(notes,
			fmt.Sprintf("pages of %s came in place of the service's answers: a firewall or another rule there refused requests "+
				"to %s, and nothing of that is held against the service; "+
				"ask who runs it to let them through", maker, strings.Join(slices.Sorted(maps.Keys(calls[maker])), ", ")))
	}
	return notes
}

// noteUncalled names the types of registration that discovery lists and no situation has. The answer of a registration
// depends on credentials of its type. Without them the service may refuse the call like one of an unknown type, and
// nothing can be judged. So the suite does not call it, and says so.
func (r *run) noteUncalled() []string {
	if !r.selection.asked["REG-01"] || slices.Contains(r.Environment.Absent, "register") {
		return nil
	}
	called := []string{r.Environment.Situations["registration"].Type,
		r.Environment.Situations["multi-registration"].Type}
	if r.Control != nil {
		called = append(called, "tvkey") // which users of a mock have
	}
	var types []string
	for _, service := range r.Services {
		if service.Name != r.Service {
			continue
		}
		for _, endpoint := range service.Endpoints {
			kind, found := strings.CutPrefix(endpoint.Path, "/register/")
			if found && kind != "" && !slices.Contains(called, kind) && !slices.Contains(types, kind) {
				types = append(types, kind)
			}
		}
	}
	if len(types) == 0 {
		return nil
	}
	return []string{"no situation has these types of registration, which discovery lists, so they were not called: " +
		some(types) + "; write situations.registration: {type: …, parameters: …}"}
}

// unknownClient is the step of the scenarios that ask for a client that does not exist.
const unknownClient = "a clientId that nobody has"

// noteMissing reports that a service never answers 404 to calls that name a client which does not exist. Pages document
// that status for it and another for a deleted device, and do not say which clients are which, so no requirement
// demands one of the two.
func noteMissing(entries []entry) []string {
	came := map[int]map[string]bool{}
	for _, e := range entries {
		asks := false
		for _, step := range e.scenario.Pickle.Steps {
			asks = asks || step.Text == unknownClient
		}
		if !asks || len(e.exchanges) == 0 {
			continue
		}
		x := e.exchanges[len(e.exchanges)-1]
		status := scene.EffectiveStatus(x)
		if status/100 != 4 || scene.NoRoom(x) != "" || scene.Barred(x) != "" {
			continue // which is not the service's refusal of the client
		}
		if came[status] == nil {
			came[status] = map[string]bool{}
		}
		came[status][x.Call.Operation] = true
	}
	if len(came) == 0 || came[http.StatusNotFound] != nil {
		return nil
	}
	var words []string
	for _, status := range slices.Sorted(maps.Keys(came)) {
		words = append(words, fmt.Sprintf("%d (%s)", status, strings.Join(slices.Sorted(maps.Keys(came[status])),
			", ")))
	}
	return []string{"a client that does not exist is never answered with 404, which pages document for it, but with " +
		strings.Join(words, " and ")}
}

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
				c = &cached{how: told, via: strings.Join(x.Header.Values("Via"), ", "),
					control: strings.Join(x.Header.Values("Cache-Control"), ", "),
					callers: map[string][2]map[string]bool{}}
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
		note := fmt.Sprintf("%s of %s %s answered from a cache (%s", figures.Plural(c.times, "answer"), operation, was,
			c.how)
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
	slices.Sort(notes)
	return notes
}

// brief is a text of a header as a note shows it.
func brief(text string) string {
	if letters := []rune(text); len(letters) > 80 {
		return string(letters[:80]) + "…"
	}
	return text
}
