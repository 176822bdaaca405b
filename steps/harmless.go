package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	letters "unicode/utf16"

	"agstest/ags"
	"agstest/internal/check"
)

// harmless is something odd about a request that leaves it as good as the documented one. Soft: services have to overlook it, as far as is
// known, but no page says so.
type harmless struct {
	how   string
	put   func(r *request)
	soft  bool
	about string // what signOnWithSessionToken misses where it minds; empty: what it misses where a good request is refused
}

// written are the ways in which other clients write the documented request.
var written = []harmless{
	{how: "names of headers in lower case", about: "SOST-28", put: spelt("lower")},
	{how: "no x-correlation-id", about: "SOST-26", put: func(r *request) { r.dropHeader(ags.HeaderCorrelation) }},
	{how: "members in another order", put: func(r *request) {
		slices.Reverse(r.members)
		turnParameters(r, func(p parameter) string {
			return fmt.Sprintf(`{"value":%s,"name":%s}`, rawJSON(p.Value), rawJSON(p.Name))
		})
	}},
}

// rewritten are other ways, which exclude some of the first.
var rewritten = []harmless{
	{how: "names of headers in upper case", about: "SOST-28", put: spelt("upper")},
	// A firewall may take escapes that nothing asks for as an attempt to get past it, so they warn.
	{how: "JSON with every letter of its texts escaped", soft: true, about: "SOST-29", put: func(r *request) {
		if r.method == http.MethodPost {
			r.body = escaped(r.bytes())
		}
	}},
}

// spaced are further ways.
var spaced = []harmless{
	{how: "names of headers in title case", about: "SOST-28", put: spelt("title")},
	{how: "JSON with blanks and line breaks", put: func(r *request) {
		var b bytes.Buffer
		if json.Indent(&b, r.bytes(), " ", "\t") == nil && r.method == http.MethodPost {
			r.body = append(b.Bytes(), '\n')
		}
	}},
}

// overlooked is what a service has to overlook.
var overlooked = []harmless{
	{how: "an unknown member of the body", soft: true, about: "SOST-29", put: func(r *request) { r.set("somethingElse", json.RawMessage(`{"of":["no","importance",null,1]}`)) }},
	{how: "an unknown member of each parameter", soft: true, about: "SOST-29", put: func(r *request) {
		turnParameters(r, func(p parameter) string {
			return fmt.Sprintf(`{"name":%s,"value":%s,"comment":{"of":"no importance"}}`, rawJSON(p.Name), rawJSON(p.Value))
		})
	}},
	{how: "a member in letters of other scripts", soft: true, about: "SOST-29", put: func(r *request) { r.set(otherScripts, rawJSON(otherScripts)) }},
	{how: "headers of apps", soft: true, about: "SOST-29", put: func(r *request) {
		for _, f := range []field{{"Nagra-Device-Type", "mobile"}, {"Nagra-Target", "tv"}, {"Accept-Language", "de-CH,de;q=0.9,en;q=0.5"}, {"X-App-Version", "7.4.1 (2041)"},
			{"Cache-Control", "no-cache"}, {"Pragma", "no-cache"}, {"X-Requested-With", "com.example.tv"}} {
			r.setHeader(f.name, f.value)
		}
	}},
	{how: "headers of tracing", soft: true, about: "SOST-29", put: func(r *request) {
		for _, f := range []field{{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, {"tracestate", "vendor=1"}, {"X-Request-Id", "7b0c3a52"}, {"X-B3-Sampled", "0"},
			{"baggage", "release=7"}} {
			r.setHeader(f.name, f.value)
		}
	}},
	{how: "a Content-Type that names its charset", soft: true, about: "SOST-29", put: func(r *request) {
		if r.method == http.MethodPost {
			r.setHeader("Content-Type", "application/json; charset=utf-8")
		}
	}},
	{how: "any Accept", soft: true, about: "SOST-29", put: func(r *request) { r.setHeader("Accept", "*/*") }},
}

// goodAnswer is the requirement that a call misses where it refuses a good request.
var goodAnswer = map[string]string{
	ags.ServiceDiscovery: "DISC-01", ags.SignOn: "SSO-11", ags.SubsequentSignOn: "SUB-01", ags.GetSessionToken: "GST-01", ags.SignOnWithSessionToken: "SOST-01",
	ags.Refresh: "REF-01", ags.SignOut: "OUT-01", ags.Register: "REG-01", ags.SubsequentRegister: "REG-06",
}

func spelt(how string) func(*request) {
	return func(r *request) {
		for i := range r.header {
			r.header[i].name = inCase(r.header[i].name, how)
		}
	}
}

func turnParameters(r *request, write func(parameter) string) {
	list := r.parameters()
	if list == nil {
		return
	}
	var items []string
	for _, p := range list {
		items = append(items, write(p))
	}
	r.set("parameters", json.RawMessage("["+strings.Join(items, ",")+"]"))
}

// escaped writes every letter of a text as \u and its number (RFC 8259 section 7).
func escaped(text []byte) []byte {
	var b bytes.Buffer
	quoted := false
	for rest := string(text); rest != ""; {
		if quoted && rest[0] == '\\' { // what is escaped stays as it is
			b.WriteString(rest[:2])
			rest = rest[2:]
			continue
		}
		letter := []rune(rest[:min(4, len(rest))])[0]
		size := len(string(letter))
		switch {
		case letter == '"':
			quoted = !quoted
			b.WriteRune(letter)
		case !quoted:
			b.WriteRune(letter)
		default:
			for _, unit := range letters.Encode([]rune{letter}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
		rest = rest[size:]
	}
	return b.Bytes()
}

// sendHarmless sends the documented request in the ways of other clients, several at once. Where one is refused, each is tried alone.
func (w *world) sendHarmless(ctx context.Context, operation string) error {
	w.explored, w.precise = nil, true
	if err := w.mayCompare(operation); err != nil {
		return err
	}
	groups := [][]harmless{written, rewritten, spaced, overlooked}
	if w.live() && slices.Contains([]string{ags.SignOut, ags.SubsequentSignOn, ags.Register, ags.SubsequentRegister}, operation) {
		groups = [][]harmless{slices.Concat(written, overlooked, spaced[1:])} // each success makes or loses a device
	}
	if w.live() && operation == ags.SubsequentSignOn {
		if err := w.mayCreateDevices(); err != nil {
			return err
		}
		if _, _, err := w.documented(ctx, operation); err != nil {
			return err // such as no token that an account could be picked with
		}
		if ok, why := w.controlled(ctx, operation); !ok {
			return unknownf("%s", noControl(operation, why))
		}
		if err := w.mayMake(1, false); err != nil {
			return err
		}
	}
	var minded []harmless
	var shown *exchange
	for _, group := range groups {
		x, err := w.sendAs(ctx, operation, group)
		if err != nil {
			return err
		}
		if granted(x) {
			continue
		}
		if why := w.unproven(x); why != "" {
			return unknownf("%s", why)
		}
		var alone []harmless
		for _, h := range group {
			one, err := w.sendAs(ctx, operation, []harmless{h})
			if err != nil {
				return err
			}
			if !granted(one) {
				alone, x = append(alone, h), one
			}
		}
		if alone == nil {
			alone = []harmless{{how: "all of these at once: " + howOf(group), soft: slices.ContainsFunc(group, func(h harmless) bool { return h.soft })}}
		}
		if minded == nil || minded[0].soft {
			shown = x
		}
		minded = append(alone, minded...)
	}
	if minded == nil {
		return nil
	}
	if err := w.stillGood(ctx, operation); err != nil {
		return err
	}
	w.exchanges = append(w.exchanges, shown)
	w.mind(operation, minded, shown)
	return nil
}

func howOf(list []harmless) string {
	return strings.Join(names(list, func(h harmless) string { return h.how }), ", ")
}

// mind makes one miss of what a call minds, and a finding for each requirement beyond the first.
func (w *world) mind(operation string, minded []harmless, shown *exchange) {
	misses := map[string][]harmless{}
	for _, h := range minded {
		about := goodAnswer[operation]
		if operation == ags.SignOnWithSessionToken && h.about != "" {
			about = h.about
		}
		key := about
		if h.soft {
			key += " " // behind the hard ones of the same requirement
		}
		misses[key] = append(misses[key], h)
	}
	for _, key := range slices.Backward(sortedKeys(misses)) {
		if w.explored != nil {
			first := w.explored.(*missed)
			outcome := check.Broken
			if first.soft {
				outcome = check.Soft
			}
			w.findings = append(w.findings, finding{requirement: first.about, outcome: outcome, expected: first.expected, got: first.got, exchange: len(w.exchanges) - 1})
		}
		w.explored = &missed{about: strings.TrimSpace(key), soft: strings.HasSuffix(key, " "), expected: "the answer that the documented request gets",
			got: w.describe(shown) + " to a request with " + howOf(misses[key])}
	}
}

func granted(x *exchange) bool {
	status := effectiveStatus(x)
	return status/100 == 2 || status == http.StatusMultipleChoices
}

// sendAs sends the documented request with oddities that leave it as good as it is, and again where it may have been carried out before an
// answer 429 or 503 that was waited out.
func (w *world) sendAs(ctx context.Context, operation string, list []harmless) (x *exchange, err error) {
	for range 2 {
		r, _, err := w.documented(ctx, operation)
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			h.put(r)
		}
		if x, err = w.trySomething(ctx, r); err != nil {
			return nil, err
		}
		if operation == ags.SubsequentSignOn {
			w.count(x, false)
			if err := w.roomForDevices(x); err != nil {
				return nil, err
			}
		}
		if granted(x) {
			w.goOn(ctx, operation, x)
		} else if usesUp(operation) { // a refusal may have used the token up as well
			w.afterSuccess(ctx, operation)
		}
		if granted(x) || len(x.Attempts) == 0 {
			break
		}
	}
	return x, nil
}
