package words

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	letters "unicode/utf16"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// harmless is something odd about a request that leaves it as good as the documented one. Soft: services have to
// overlook it, as far as is known, but no page says so.
type harmless struct {
	how  string
	put  func(r *talk.Request)
	soft bool
	// the requirement that signOnWithSessionToken misses if it minds; empty: the one for refused good requests
	about string
}

// written are the ways in which other clients write the documented request.
var written = []harmless{
	{how: "names of headers in lower case", about: "SOST-28", put: spelt("lower")},
	{how: "no x-correlation-id", about: "SOST-26", put: func(r *talk.Request) { r.DropHeader(ags.HeaderCorrelation) }},
	{how: "members in another order", put: func(r *talk.Request) {
		slices.Reverse(r.Members)
		turnParameters(r, func(p talk.Parameter) string {
			return fmt.Sprintf(`{"value":%s,"name":%s}`, talk.JSON(p.Value), talk.JSON(p.Name))
		})
	}},
}

// rewritten are other ways, which exclude some of the first.
var rewritten = []harmless{
	{how: "names of headers in upper case", about: "SOST-28", put: spelt("upper")},
	// A firewall may take escapes that nothing asks for as an attempt to get past it, so they warn.
	{how: "JSON with every letter of its texts escaped", soft: true, about: "SOST-29", put: func(r *talk.Request) {
		if r.Method == http.MethodPost {
			r.Body = escaped(r.Bytes())
		}
	}},
}

// spaced are further ways.
var spaced = []harmless{
	{how: "names of headers in title case", about: "SOST-28", put: spelt("title")},
	{how: "JSON with blanks and line breaks", put: func(r *talk.Request) {
		var b bytes.Buffer
		if json.Indent(&b, r.Bytes(), " ", "\t") == nil && r.Method == http.MethodPost {
			r.Body = append(b.Bytes(), '\n')
		}
	}},
}

// overlooked lists oddities that a service has to overlook.
var overlooked = []harmless{
	{how: "an unknown member of the body", soft: true, about: "SOST-29", put: func(r *talk.Request) { r.Set("somethingElse", json.RawMessage(`{"of":["no","importance",null,1]}`)) }},
	{how: "an unknown member of each parameter", soft: true, about: "SOST-29", put: func(r *talk.Request) {
		turnParameters(r, func(p talk.Parameter) string {
			return fmt.Sprintf(`{"name":%s,"value":%s,"comment":{"of":"no importance"}}`, talk.JSON(p.Name),
				talk.JSON(p.Value))
		})
	}},
	{how: "a member in letters of other scripts", soft: true, about: "SOST-29", put: func(r *talk.Request) { r.Set(otherScripts, talk.JSON(otherScripts)) }},
	{how: "headers of apps", soft: true, about: "SOST-29", put: func(r *talk.Request) {
		for _, f := range []talk.Field{{Name: "Nagra-Device-Type", Value: "mobile"},
			{Name: "Nagra-Target", Value: "tv"}, {Name: "Accept-Language", Value: "de-CH,de;q=0.9,en;q=0.5"},
			{Name: "X-App-Version", Value: "7.4.1 (2041)"},
			{Name: "Cache-Control", Value: "no-cache"}, {Name: "Pragma", Value: "no-cache"},
			{Name: "X-Requested-With", Value: "com.example.tv"}} {
			r.SetHeader(f.Name, f.Value)
		}
	}},
	{how: "headers of tracing", soft: true, about: "SOST-29", put: func(r *talk.Request) {
		for _, f := range []talk.Field{{Name: "traceparent",
			Value: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, {Name: "tracestate", Value: "vendor=1"},
			{Name: "X-Request-Id", Value: "7b0c3a52"}, {Name: "X-B3-Sampled", Value: "0"},
			{Name: "baggage", Value: "release=7"}} {
			r.SetHeader(f.Name, f.Value)
		}
	}},
	{how: "a Content-Type that names its charset", soft: true, about: "SOST-29", put: func(r *talk.Request) {
		if r.Method == http.MethodPost {
			r.SetHeader("Content-Type", "application/json; charset=utf-8")
		}
	}},
	{how: "any Accept", soft: true, about: "SOST-29", put: func(r *talk.Request) { r.SetHeader("Accept", "*/*") }},
}

// goodAnswer is the requirement that a call misses where it refuses a good request.
var goodAnswer = map[string]string{
	ags.ServiceDiscovery: "DISC-01", ags.SignOn: "SSO-11", ags.SubsequentSignOn: "SUB-01", ags.GetSessionToken: "GST-01",
	ags.SignOnWithSessionToken: "SOST-01",
	ags.Refresh:                "REF-01", ags.SignOut: "OUT-01", ags.Register: "REG-01", ags.SubsequentRegister: "REG-06",
}

func spelt(how string) func(*talk.Request) {
	return func(r *talk.Request) {
		for i := range r.Header {
			r.Header[i].Name = inCase(r.Header[i].Name, how)
		}
	}
}

func turnParameters(r *talk.Request, write func(talk.Parameter) string) {
	list := r.Parameters()
	if list == nil {
		return
	}
	var items []string
	for _, p := range list {
		items = append(items, write(p))
	}
	r.Set("parameters", json.RawMessage("["+strings.Join(items, ",")+"]"))
}

// escaped writes every letter of a text as \u and its number (RFC 8259 section 7).
func escaped(text []byte) []byte {
	var b bytes.Buffer
	quoted := false
	for rest := string(text); rest != ""; {
		if quoted && rest[0] == '\\' { // escapes stay as they are
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

// sendHarmless sends the documented request in the ways of other clients, several at once. Where one is refused, each
// is tried alone.
func sendHarmless(ctx context.Context, w *scene.World, operation string) error {
	w.Explored, w.Precise = nil, true
	if err := mayCompare(w, operation); err != nil {
		return err
	}
	groups := [][]harmless{written, rewritten, spaced, overlooked}
	if w.Live() && slices.Contains([]string{ags.SignOut, ags.SubsequentSignOn, ags.Register, ags.SubsequentRegister},
		operation) {
		groups = [][]harmless{slices.Concat(written, overlooked, spaced[1:])} // each success makes or loses a device
	}
	if w.Live() && operation == ags.SubsequentSignOn {
		if err := mayPick(ctx, w); err != nil {
			return err
		}
	}
	var minded []harmless
	var shown *talk.Exchange
	barred := "" // why some of them did not come to the service
	for _, group := range groups {
		x, err := sendAs(ctx, w, operation, group)
		if err != nil {
			return err
		}
		if scene.Granted(x) {
			continue
		}
		if why := whyAllUnproven(w, x); why != "" {
			return talk.Unknownf("%s", why)
		}
		alone, one, err := mindedAlone(ctx, w, operation, group)
		if err != nil {
			return err
		}
		if alone == nil {
			barred = cmp.Or(scene.Barred(x), barred, "a gateway refused some of them by itself")
			continue
		}
		if one != nil {
			x = one
		}
		if minded == nil || minded[0].soft {
			shown = x
		}
		minded = append(alone, minded...)
	}
	if minded == nil {
		return unlessBarred(barred)
	}
	if err := stillGood(ctx, w, operation); err != nil {
		return err
	}
	w.Exchanges = append(w.Exchanges, shown)
	mind(w, operation, minded, shown)
	return nil
}

// unlessBarred says that nothing was minded, or that it could not be told since a gateway refused some by itself.
func unlessBarred(why string) error {
	if why != "" {
		return talk.Unknownf("%s", why)
	}
	return nil
}

// mayPick refuses to pick an account on a live service where that would make one device too many.
func mayPick(ctx context.Context, w *scene.World) error {
	if err := w.MayCreateDevices(); err != nil {
		return err
	}
	if _, _, err := w.Documented(ctx, ags.SubsequentSignOn); err != nil {
		return err // such as a missing token for the account to pick
	}
	if ok, why := w.Controlled(ctx, ags.SubsequentSignOn); !ok {
		return talk.Unknownf("%s", scene.NoControl(ags.SubsequentSignOn, why))
	}
	again, err := mayPickAgain(ctx, w)
	if err != nil {
		return err
	}
	if !again {
		if err := w.MayMake(1, false); err != nil {
			return err
		}
	}
	return nil
}

// mindedAlone sends each of a group alone. It returns those that are not accepted, with the last answer to one; the
// whole group if each alone is accepted. Oddities that a gateway refused by itself do not count, nor does the whole
// group then.
func mindedAlone(ctx context.Context, w *scene.World, operation string, group []harmless) (alone []harmless,
	shown *talk.Exchange, err error) {
	barred := false
	for _, h := range group {
		one, err := sendAs(ctx, w, operation, []harmless{h})
		if err != nil {
			return nil, nil, err
		}
		if scene.Barred(one) != "" {
			barred = true
		} else if !scene.Granted(one) {
			alone, shown = append(alone, h), one
		}
	}
	if alone == nil && !barred {
		alone = []harmless{{how: "all of these at once: " + howOf(group),
			soft: slices.ContainsFunc(group, func(h harmless) bool { return h.soft })}}
	}
	return alone, shown, nil
}

func howOf(list []harmless) string {
	return strings.Join(talk.Names(list, func(h harmless) string { return h.how }), ", ")
}

// mind makes one miss of all oddities that a call minds, and a finding for each requirement beyond the first.
func mind(w *scene.World, operation string, minded []harmless, shown *talk.Exchange) {
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
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(misses))) {
		if w.Explored != nil {
			first := w.Explored.(*talk.Missed)
			outcome := check.Broken
			if first.Soft {
				outcome = check.Soft
			}
			w.Findings = append(w.Findings, talk.Finding{Requirement: first.About, Outcome: outcome,
				Expected: first.Expected, Got: first.Got, Exchange: len(w.Exchanges) - 1})
		}
		w.Explored = &talk.Missed{About: strings.TrimSpace(key), Soft: strings.HasSuffix(key, " "),
			Expected: "the answer that the documented request gets",
			Got:      w.Describe(shown) + " to a request with " + howOf(misses[key])}
	}
}

// sendAs sends the documented request with oddities that leave it as good as before. It sends it again if the service
// may have carried it out before an answer 429 or 503 that was waited out.
func sendAs(ctx context.Context, w *scene.World, operation string, list []harmless) (x *talk.Exchange, err error) {
	for range 2 {
		r, _, err := w.Documented(ctx, operation)
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			h.put(r)
		}
		if x, err = trySomething(ctx, w, r, false); err != nil {
			return nil, err
		}
		if operation == ags.SubsequentSignOn && w.PickAs == "" {
			w.Count(x, false)
			if err := w.RoomForDevices(ctx, x); err != nil {
				return nil, err
			}
		}
		if scene.Granted(x) {
			goOn(ctx, w, operation, x)
		} else if usesUp(operation) { // a refusal may have used the token up as well
			afterSuccess(ctx, w, operation)
		}
		if scene.Granted(x) || len(x.Attempts) == 0 {
			break
		}
	}
	return x, nil
}

// mayPickAgain lets a client pick its account once more as the device that a first pick of this run has made, so that
// no other is made. False: there is none, or the service wants a new one for each pick.
func mayPickAgain(ctx context.Context, w *scene.World) (bool, error) {
	w.PickAs, w.Offers = w.PickedDevice(), nil
	if w.PickAs == "" {
		return false, nil
	}
	if _, _, err := w.Documented(ctx, ags.SubsequentSignOn); err != nil && len(w.Offers) == 0 && !scene.Passes(err) {
		w.PickAs = "" // its device tells the service which account it is, and there is no list to pick from
		return false, ctx.Err()
	}
	x, err := sendAs(ctx, w, ags.SubsequentSignOn, nil)
	if err != nil || !scene.Granted(x) {
		w.PickAs, w.Offers = "", nil
		return false, err
	}
	return true, nil
}
