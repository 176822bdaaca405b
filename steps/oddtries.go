package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
)

// Odd but legal input, as scenarios send it.
var oddityPhrases = []phrase{
	when(`odd requests are sent to (\w+)`, "odd requests are sent to <operation>", "odd requests are sent to refresh",
		"Sends the documented request with one odd but legal thing about it: numbers, true, null, lists and objects for texts, quotes, NUL, very long texts, letters of other scripts, "+
			"parameters twice, no or another content type, headers that are empty or odd, other schemes, schemes without a token, and what has only the form of a JWT. It is a fixed list.",
		func(ctx context.Context, w *world, a arguments) error { return w.sendOddities(ctx, a.words[0]) }),
	then(`each was answered in the documented form, and nobody was let in by it`, "each was answered in the documented form, and nobody was let in by it",
		"each was answered in the documented form, and nobody was let in by it",
		"Every odd request was answered in time, with a status below 500, in the form of an answer or of a refusal, and none without its good token, password or account was let in. Which refusal an odd value gets is free.",
		func(_ context.Context, w *world, _ arguments) error { return w.explored }),
	when(`requests that are odd but right are sent to (\w+)`, "requests that are odd but right are sent to <operation>", "requests that are odd but right are sent to refresh",
		"Sends the documented request as other clients write it: header names in other case, without x-correlation-id, JSON with blanks, escapes and members in another order; then with what a service has to overlook: "+
			"unknown members at every depth, and headers of browsers, apps and tracing.",
		func(ctx context.Context, w *world, a arguments) error { return w.sendHarmless(ctx, a.words[0]) }),
	then(`each was accepted`, "each was accepted", "each was accepted",
		"Every one was answered as the documented request is. What has to be overlooked, and is not, warns.",
		func(_ context.Context, w *world, _ arguments) error { return w.explored }),
}

// sendOddities sends the documented request of a call with each of its oddities.
func (w *world) sendOddities(ctx context.Context, operation string) error {
	w.explored, w.precise = nil, false
	if err := w.mayCompare(operation); err != nil {
		return err
	}
	ask, _, err := w.documented(ctx, operation)
	if err != nil {
		return err
	}
	if (operation == ags.SignOn || operation == ags.Register) && matching["password"].right(w, ask) == "" {
		return lacking(fmt.Sprintf("situations.%s: {passwordParameter: …}", w.account.situation), "it is not known which of the parameters is the password, so that it cannot be told who may be let in")
	}
	list := w.sendable(ask, w.odditiesOf(ask))
	trials := make([]*trial, len(list))
	try := func(ctx context.Context, own *world, i int) (err error) {
		trials[i], err = own.tryOddity(ctx, operation, list[i])
		return err
	}
	// What may be let in uses up the token that it shows, where a call does: it is sent one after the other, each with a fresh one. So are
	// wrong passwords, with a good one in between.
	var side, row []int
	for i, o := range list {
		if o.wrong || usesUp(operation) && o.breaks == "" {
			row = append(row, i)
		} else {
			side = append(side, i)
		}
	}
	if err := w.inLanes(ctx, len(side), func(ctx context.Context, own *world, i int) error { return try(ctx, own, side[i]) }); err != nil {
		return err
	}
	accepted := slices.ContainsFunc(trials, func(t *trial) bool { return t != nil && t.lets() && t.wrong == "" })
	for _, i := range row {
		if err := try(ctx, w, i); err != nil {
			return err
		}
		t := trials[i]
		accepted = accepted || t != nil && t.lets()
		if list[i].wrong && w.live() {
			if err := w.stillGood(ctx, operation); err != nil {
				return err
			}
			accepted = true
		}
	}
	w.tell(trials)
	if w.explored != nil || accepted {
		return nil
	}
	if usesUp(operation) { // a refusal may have used the token up as well
		w.afterSuccess(ctx, operation)
	}
	w.precise, w.offers = true, nil
	return w.stillGood(ctx, operation)
}

// tell makes one miss of what is wrong with the answers to odd requests, and a finding for each requirement beyond the first.
func (w *world) tell(trials []*trial) {
	misses := map[string][]*trial{}
	for _, t := range trials {
		if t != nil && t.wrong != "" {
			misses[t.about] = append(misses[t.about], t)
		}
	}
	for _, about := range slices.Backward(sortedKeys(misses)) {
		if w.explored != nil {
			first := w.explored.(*missed)
			w.findings = append(w.findings, finding{requirement: first.about, outcome: check.Broken, expected: first.expected, got: first.got, exchange: len(w.exchanges) - 1})
		}
		var words []string
		for _, t := range misses[about] {
			words = append(words, t.wrong+", in which "+t.told)
		}
		shown := misses[about][0].exchange
		w.exchanges = append(w.exchanges, shown)
		w.explored = &missed{about: about, expected: wellAnswered, got: fmt.Sprintf("%s; reproduce it with: %s", strings.Join(words, "; "), w.run.secrets.Record(shown.Exchange).Curl)}
	}
}

// sendable are the oddities that may be sent to the service at hand. On a live service wrong passwords are few, since many lock a user out, and
// what may make or lose a device is sent with a token or for a user that nobody has.
func (w *world) sendable(ask *request, list []oddity) []oddity {
	if !w.live() {
		return list
	}
	const mostWrong = 3
	var kept []oddity
	wrong := 0
	for _, o := range list {
		if o.wrong {
			if wrong++; wrong > mostWrong {
				continue
			}
		}
		if o.device || o.breaks == "" && (ask.operation == ags.SignOut || ask.operation == ags.Register) {
			what := map[string]string{ags.SignOnWithSessionToken: "session token", ags.SignOut: "token"}[ask.operation]
			if what == "" {
				what = "user name"
			}
			if matching[what].right(w, ask) == "" {
				continue // it could not be kept out
			}
			put := o.put
			o.keptOut = true
			o.breaks = letIn[ask.operation][what]
			o.put = func(w *world, r *request) {
				value := matching[what]
				value.put(w, r, w.lookalike(value.right(w, r)+"-agstest"))
				put(w, r)
			}
		}
		if ask.operation == ags.SubsequentSignOn || ask.operation == ags.SubsequentRegister { // whose User-Token is made up then
			o.breaks = letIn[ask.operation]["User-Token"]
		}
		kept = append(kept, o)
	}
	return kept
}

// tryOddity sends the documented request with an oddity and looks at the answer. Nil: it was not sent, as the environment does not allow it, or
// as two of its kind got no answer before.
func (w *world) tryOddity(ctx context.Context, operation string, o oddity) (*trial, error) {
	r, _, err := w.documented(ctx, operation)
	if err != nil {
		return nil, err
	}
	o.put(w, r)
	kind := kindOf(r, true)
	var lack *notTestable
	switch err := w.maySend(r, true); {
	case errors.As(err, &lack):
		return nil, nil
	case err != nil:
		return nil, err
	case w.live() && !o.keptOut && w.wouldMakeDevice(r), w.run.silent(ctx, kind) != nil:
		return nil, nil
	}
	t, hung, err := w.attempt(ctx, r, kind)
	if err != nil {
		return nil, err
	}
	w.run.aside(t.exchange)
	t.told = o.how
	if why := noRoom(t.exchange); why != "" {
		return nil, passingf("%s", why)
	}
	t.about, t.wrong = w.wrongAbout(t, hung)
	lets := t.lets() || effectiveStatus(t.exchange) == 300
	switch {
	case t.wrong != "":
	case lets && o.breaks != "":
		t.about, t.wrong = o.breaks, w.describe(t.exchange)+" came"
	case lets:
		for _, f := range t.judged {
			if f.Outcome == check.Broken {
				t.about, t.wrong = f.Requirement, f.Got
				break
			}
		}
	default:
		t.about, t.wrong = unlikeRefusal(t)
	}
	w.goOn(ctx, operation, t.exchange)
	return t, nil
}

// unlikeRefusal says what is wrong with an answer that is neither a success nor a refusal.
func unlikeRefusal(t *trial) (about, wrong string) {
	for _, f := range t.judged {
		if f.Outcome == check.Broken && f.Requirement == "ERR-09" {
			return f.Requirement, f.Got
		}
	}
	return "", ""
}
