package words

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// unknownUser puts a made-up user in the place of the one that the scenario acts for.
func unknownUser(w *scene.World, r *talk.Request) error {
	name := matching["user name"]
	right := name.right(w, r)
	if right == "" {
		return talk.Lacking("situations.credentials: {passwordParameter: …}", "it is not known which of the parameters is the name of the user")
	}
	if err := w.MistypePassword(r); err != nil {
		return err
	}
	name.put(w, r, w.Lookalike(right))
	return nil
}

// tellsUsers compares the refusal of a wrong password with those of two users whom nobody knows.
func tellsUsers(w *scene.World) error {
	if len(w.Exchanges) < 3 {
		return talk.Unknownf("fewer than three calls were sent")
	}
	last := w.Exchanges[len(w.Exchanges)-3:]
	known, first, second := last[0], last[1], last[2]
	refusalWasWanted(w, second)
	for _, x := range last {
		if why := scene.NoRoom(x); why != "" {
			return talk.Unknownf("%s", why)
		}
	}
	for _, part := range []struct {
		words string
		of    func(*talk.Exchange) string
	}{
		{"", func(x *talk.Exchange) string { return scene.Likeness(x, false) }},
		{", in other words", func(x *talk.Exchange) string { return scene.Likeness(x, true) }},
		{", with other headers", namesOfHeaders},
	} {
		if part.of(first) == part.of(second) && part.of(known) != part.of(first) {
			w.Observe("yes: an unknown user gets %s, and a wrong password %s%s", w.Describe(first), w.Describe(known), part.words)
			return nil
		}
	}
	w.Observe("no: an unknown user is refused as a wrong password is (%s)", w.Describe(known))
	return nil
}

func namesOfHeaders(x *talk.Exchange) string {
	var names []string
	for name := range x.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

const otherOrigin = "https://agstest.example"

// preflight makes of a call what a browser asks before it sends one for a page of another origin.
func preflight(r *talk.Request) {
	wanted := []string{"content-type"}
	for _, f := range r.Header {
		if name := strings.ToLower(f.Name); strings.HasPrefix(name, "x-") || name == ags.HeaderTenant || name == "authorization" {
			wanted = append(wanted, name)
		}
	}
	slices.Sort(wanted)
	method := r.Method
	r.Method, r.Operation, r.Body, r.Header = http.MethodOptions, "", []byte{}, nil
	r.SetHeader("Origin", otherOrigin)
	r.SetHeader("Access-Control-Request-Method", method)
	r.SetHeader("Access-Control-Request-Headers", strings.Join(slices.Compact(wanted), ","))
}

// crossOrigin says what the answer to a preflight lets pages of other origins do.
func crossOrigin(x *talk.Exchange) string {
	status := fmt.Sprintf("status %d", x.Status)
	switch origin := x.Header.Get("Access-Control-Allow-Origin"); {
	case origin == "":
		return status + " without Access-Control-Allow-Origin: pages of other origins may not call"
	case origin != "*" && origin != otherOrigin:
		return status + ": pages of some origins may call, and not those of any"
	case strings.EqualFold(x.Header.Get("Access-Control-Allow-Credentials"), "true"):
		return status + ": pages of any origin may call, with what the browser keeps for the service"
	}
	return status + ": pages of any origin may call"
}
