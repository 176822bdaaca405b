package words

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/wire"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// The bounds of exploring.
const (
	generatedPatience = 10 * time.Second // a generated request that is not answered within this time hangs
	longestShrinking  = 80               // requests sent to find a shorter one that fails too
)

// Requests that are generated, and sequences of calls.
var explorationPhrases = []Sentence{
	given("everything that <operation> needs",
		"An account, a client, and what else the documented request holds.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if o := w.Stage.Environment.Operator; a.words[0] == ags.GetSessionToken && o != nil && o.Header != "" {
				return talk.Lacking("",
					"the OperatorAuthToken is sent in the header %s, so what the body must hold is not documented",
					o.Header)
			}
			return w.Equip(ctx, a.words[0])
		}).like("everything that refresh needs"),
	when("generated requests are sent to <operation>",
		"Sends as many generated requests as --generate says and stops at the first whose answer is wrong.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return explore(ctx, w,
				a.words[0])
		}).like("generated requests are sent to refresh"),
	then(
		"every one was answered in time, none with 500 or more, and nobody was let in without a good token or password",
		"A request that breaks this is shortened as far as it still does and shown as a curl command.",
		func(_ context.Context, w *scene.World, _ arguments) error { return w.Explored }),
	when("random sequences of calls are walked",
		"Walks as many random sequences as --sequences says, each with an account of its own.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return walk(ctx, w) }),
	then("every answer was one that the model allows",
		"A sequence that leads to another answer is shortened as far as it still does, and shown.",
		func(_ context.Context, w *scene.World, _ arguments) error { return w.Explored }),
}

// trial is one odd request with its answer, and the fault of the answer, if any.
type trial struct {
	told      string // the oddity in words
	mutations []mutation
	exchange  *talk.Exchange
	wrong     string
	about     string // the requirement that the fault misses
	expected  string // by that requirement, where it is one of any good answer; else what odd requests must get
	judged    []check.Finding
}

// explore sends generated requests. The first whose answer is wrong is made shorter, as far as that one fails too.
func explore(ctx context.Context, w *scene.World, operation string) error {
	generator := rapid.SliceOfN(mutationsOf(operation, changeable(w, operation)), 1, 3)
	trials, lists := make([]*trial, w.Stage.Options.Generate), make([][]mutation, w.Stage.Options.Generate)
	for i := range lists {
		lists[i] = generator.Example(int(w.Random.Uint32()))
	}
	w.Explored = nil
	try := func(ctx context.Context, own *scene.World, i int) (err error) {
		if own.Explored != nil { // one before it in the same row was answered wrongly, and is enough
			return nil
		}
		if trials[i], err = try(ctx, own, operation, lists[i]); trials[i] != nil && trials[i].wrong != "" {
			own.Explored = errAnsweredWrongly
		}
		return err
	}
	inTurn := func(ctx context.Context, own *scene.World, i int) (bool, error) {
		err := try(ctx, own, i)
		return trials[i] != nil && trials[i].lets(), err
	}
	if operation == ags.Refresh || operation == ags.SignOut && !w.Live() {
		if err := eachInTurn(ctx, w, operation, len(lists), inTurn); err != nil {
			return err
		}
	} else if err := w.InLanes(ctx, len(lists), try); err != nil {
		return err
	}
	w.Explored = nil
	for i, t := range trials {
		if t == nil || t.wrong == "" {
			continue
		}
		t, err := confirm(ctx, w, operation, t)
		if err != nil {
			return err
		}
		t, err = shorten(ctx, w, operation, t)
		if err != nil {
			return err
		}
		w.Exchanges = append(w.Exchanges, t.exchange)
		for _, f := range t.judged {
			if f.Outcome == check.Broken {
				w.Findings = append(w.Findings, talk.Finding{Requirement: f.Requirement, Outcome: f.Outcome,
					Expected: f.Expected, Got: f.Got, Exchange: len(w.Exchanges) - 1})
			}
		}
		w.Explored = &talk.Missed{
			About:    t.about,
			Expected: wellAnswered,
			Got: fmt.Sprintf("%s; request %d of seed %d, in which %s; reproduce it with: %s", t.wrong, i+1,
				w.Stage.Options.Seed,
				t.told, t.exchange.Exchange.Record(w.Stage.Secrets).Curl),
		}
		return nil
	}
	return nil
}

// errAnsweredWrongly stands for the faults that are told when all rows of tries have ended.
var errAnsweredWrongly = errors.New("a generated request was answered wrongly")

const wellAnswered = "an answer in time, below 500, and no tokens without a good token or password"

// usesUp tells whether a call uses up the token that it shows.
func usesUp(operation string) bool { return operation == ags.Refresh || operation == ags.SignOut }

// confirm returns an error that leaves the matter open where a limiter or a moment may have done what an odd request
// showed. The trial that it returns is the given one, or the same request at another try.
func confirm(ctx context.Context, w *scene.World, operation string, odd *trial) (*trial, error) {
	why, err := noRoomForAnyone(ctx, w, operation, odd)
	if why == "" && err == nil {
		odd, why, err = stillUnanswered(ctx, w, operation, odd)
	}
	if why != "" && err == nil {
		err = talk.Unknownf("%s", why)
	}
	return odd, err
}

// noRoomForAnyone tells of a status 503 whether it comes from the number of requests, as a limiter's does, or from the
// request itself. It comes from the request if the documented one is answered otherwise and the odd one alike, twice in
// turns. Empty: it does, or the answer is another.
func noRoomForAnyone(ctx context.Context, w *scene.World, operation string, odd *trial) (why string, err error) {
	if odd.exchange.Status != http.StatusServiceUnavailable {
		return "", nil
	}
	for range 2 {
		for _, mutations := range [][]mutation{nil, odd.mutations} {
			if err := w.Stage.Client.Target().Sleep(ctx, pauseOfLimiters); err != nil {
				return "", err
			}
			t, err := try(ctx, w, operation, mutations)
			if err != nil {
				return "", err
			}
			if t == nil || (t.exchange.Status == http.StatusServiceUnavailable) == (mutations == nil) {
				return scene.NoRoom(odd.exchange), nil
			}
		}
	}
	return "", nil
}

// stillUnanswered sends a request that got no answer again. If it is answered then, why tells so: all may have stood
// still for a moment, the machine of agstest too, and whether such a request hangs now and then is not known. If that
// answer is wrong, its trial is returned; else the one that was given.
func stillUnanswered(ctx context.Context, w *scene.World, operation string, odd *trial) (t *trial, why string,
	err error) {
	if odd.exchange.Status != 0 {
		return odd, "", nil
	}
	for range w.Stage.TimesToAsk() {
		t, err = try(ctx, w, operation, odd.mutations)
		switch {
		case err != nil:
			return nil, "", err
		case t == nil, t.exchange.Status == 0 && scene.RanOut(t.exchange):
			return odd, "", nil
		case t.exchange.Status == 0:
		case t.wrong != "":
			return t, "", nil
		default:
			return nil, answeredLater(odd), nil
		}
	}
	return odd, "", nil
}

// answeredLater tells what is not known of a request that was answered only when it was sent again.
func answeredLater(odd *trial) string {
	return fmt.Sprintf("%s to a request in which %s, and one came when it was sent again: whether such a request "+
		"goes unanswered now and then, or all stood still for a moment, is not known", odd.wrong, odd.told)
}

// pauseOfLimiters lets a limiter of some requests a second have room again.
const pauseOfLimiters = 300 * time.Millisecond

// changeable names the parameters of the documented request of an operation that may be changed. On a live service
// passwords stay as they are, because many wrong ones may lock the user out.
func changeable(w *scene.World, operation string) []string {
	switch {
	case operation == ags.SignOnWithSessionToken:
		return []string{w.Stage.SessionParameter(w.Service)}
	case operation == ags.GetSessionToken && w.Stage.Environment.Operator != nil:
		return []string{w.Stage.OperatorParameter(w.Service)}
	case (operation == ags.SignOn || operation == ags.Register) && w.Account != nil:
		var open, secret []string
		for _, p := range w.Account.Parameters {
			if scene.SecretParameter(p.Name) {
				secret = append(secret, p.Name)
			} else {
				open = append(open, p.Name)
			}
		}
		if w.Stage.Control == nil {
			return open
		}
		return append(open, secret...)
	}
	return nil
}

// try sends the documented request with mutations and looks at the answer. Nil: it was not sent, because it might make
// a device that stays, or because two of its kind got no answer before.
func try(ctx context.Context, w *scene.World, operation string, mutations []mutation) (*trial, error) {
	r, credential, err := w.Documented(ctx, operation)
	if err != nil {
		return nil, err
	}
	if operation == ags.SignOut && w.Live() { // nobody is signed out by chance
		matching["token"].put(w, r, w.Lookalike(w.Client.Pair.AccessToken))
	}
	for _, m := range mutations {
		m.apply(r)
	}
	kind := scene.KindOf(r, len(mutations) > 0, false)
	if w.Live() && w.WouldMakeDevice(r) || w.Stage.Silent(ctx, kind) != nil {
		return nil, nil
	}
	t, hung, err := attempt(ctx, w, r, kind)
	if err != nil {
		return nil, err
	}
	t.mutations, t.told = mutations, describeAll(mutations)
	if t.about, t.wrong = wrongAbout(w, t, hung); t.wrong == "" && credential != "" && t.lets() &&
		!carries(t.exchange, credential) {
		t.about, t.wrong = lettingIn(operation,
			mutations), fmt.Sprintf("status %d came to a request without its token or password", t.exchange.Status)
	}
	goOn(ctx, w, operation, t.exchange)
	return t, nil
}

// goOn replaces the credentials that a granted request has used up with those of its answer, if it gave some.
func goOn(ctx context.Context, w *scene.World, operation string, x *talk.Exchange) {
	if x.Status/100 != 2 || operation == ags.Refresh && w.Client != nil && w.Adopt(x, w.Client) == nil {
		return
	}
	afterSuccess(ctx, w, operation)
}

// attempt sends an odd request, which has to be answered in time, and lets the judge look at the answer.
func attempt(ctx context.Context, w *scene.World, r *talk.Request, kind string) (t *trial, hung bool, err error) {
	if err := w.Stage.Pace(ctx); err != nil {
		return nil, false, err
	}
	w.KeepSecret(r)
	// for each attempt: a wait for a limiter is not the service's silence
	x, unsent := w.SayInTurn(ctx, r, generatedPatience)
	w.NoteEnd(x)
	// a service may close a connection at the moment of its reuse
	if unsent == nil && x.Status == 0 && !scene.RanOut(x) {
		again, err := w.SayInTurn(ctx, r, generatedPatience)
		if err != nil || !again.NoConnection { // else the first one is what is known
			x, unsent = again, err
		}
	}
	hung = unsent == nil && scene.RanOut(x) && !x.NoConnection
	w.Stage.Heard(kind, x, hung)
	if unsent != nil && ctx.Err() == nil {
		return nil, false, unsent
	}
	if hung {
		w.Stage.HungIn(w.Scenario)
	}
	w.NoteSignOut(x)
	switch {
	case ctx.Err() != nil:
		return nil, false, ctx.Err()
	case scene.SaysNothing(x):
		return nil, false, talk.Passingf("%s", x.Away)
	case x.Turned != "":
		return nil, false, talk.Passingf("%s", x.Turned)
	case x.NoConnection:
		return nil, false, talk.Passingf("an odd request never reached anybody: %s",
			w.Stage.Secrets.Text(wire.Explain(x.Err)))
	}
	w.KeepAnswerSecret(x)
	if x.Stray = w.Stray(ctx, x); x.Stray != "" {
		return &trial{exchange: x}, false, nil
	}
	guarded, passwords := w.Guarded()
	return &trial{exchange: x, judged: check.Judge(x.Exchange, check.Known{Secrets: w.Submitted(r),
		Guarded: guarded, Passwords: passwords, Skew: w.Stage.Environment.ClockSkew})}, hung, nil
}

// lets tells whether an answer lets somebody in.
func (t *trial) lets() bool {
	x := t.exchange
	return x.Status/100 == 2 && scene.EffectiveStatus(x)/100 == 2 && x.Stray == "" && x.Request.Operation != ""
}

// carries tells whether a credential stands unchanged in a request.
func carries(x *talk.Exchange, credential string) bool {
	if strings.Contains(string(x.Call.Body), credential) {
		return true
	}
	for _, values := range x.Call.Header {
		if strings.Contains(strings.Join(values, " "), credential) {
			return true
		}
	}
	return false
}

// gatewaysOwn tells that the judge took an answer for a gateway's, which had no room for the headers.
func gatewaysOwn(t *trial) bool {
	_, page := wire.GatewayPage(t.exchange.Exchange)
	return page && !finds(t.judged, "ERR-08")
}

// finds tells that the judge said something of a requirement.
func finds(judged []check.Finding, requirement string) bool {
	return slices.ContainsFunc(judged, func(f check.Finding) bool { return f.Requirement == requirement })
}

// wrongAbout returns what is wrong with the form of the answer to an odd request, and the requirement that it misses.
func wrongAbout(w *scene.World, t *trial, hung bool) (about, wrong string) {
	x := t.exchange
	switch {
	case hung:
		return "ERR-08", fmt.Sprintf("no answer within %s came",
			min(generatedPatience, w.Stage.Client.Target().Timeout))
	case x.Status == 0:
		return "ERR-08", "no answer came (" + w.Stage.Secrets.Text(wire.Explain(x.Err)) + ")"
	case x.Status >= 500 && gatewaysOwn(t), x.Status == http.StatusNotImplemented && !finds(t.judged, "ERR-08"):
		return "", ""
	case x.Status >= 500 && softly(t.judged, "ERR-08"):
		w.Findings = append(w.Findings, talk.Finding{Requirement: "ERR-08", Outcome: check.Soft,
			Expected: "no status 5xx", Got: fmt.Sprintf("status %d to a request in which %s",
				x.Status, t.told), Exchange: -1})
		return "", ""
	case x.Status >= 500 && len(x.Header.Values("Retry-After")) == 0:
		return "ERR-08", fmt.Sprintf("status %d came", x.Status)
	}
	for _, f := range t.judged {
		// Other findings of the judge on an answer that refuses are wrong too; statuses are free if the form is this
		// odd.
		if f.Outcome == check.Broken && (f.Requirement == "ERR-07" || f.Requirement == "ERR-08" ||
			f.Requirement == "ERR-10") {
			return f.Requirement, f.Got
		}
	}
	return "", ""
}

// softly tells that the judge found a miss of a requirement that only warns.
func softly(found []check.Finding, id string) bool {
	return slices.ContainsFunc(found, func(f check.Finding) bool {
		return f.Requirement == id &&
			f.Outcome == check.Soft
	})
}

// afterSuccess replaces the credentials that a granted request has used up.
func afterSuccess(ctx context.Context, w *scene.World, operation string) {
	switch operation {
	case ags.SubsequentSignOn, ags.SubsequentRegister:
		w.Offers = nil
	case ags.SignOut, ags.Refresh:
		before := w.Client.Pair
		w.Client.Pair = nil
		if w.EnsureTokens(ctx) == nil {
			return
		}
		w.Client.Pair = before
		if operation == ags.SignOut && !w.Live() { // the device may be gone with its session
			if w.MakeClient(ctx) == nil {
				_ = w.EnsureTokens(ctx)
			}
		}
	}
}

// shorten looks for fewer and smaller mutations that the service answers wrongly too.
func shorten(ctx context.Context, w *scene.World, operation string, failing *trial) (*trial, error) {
	budget := longestShrinking
	for improved := true; improved && budget > 0; {
		improved = false
		for _, candidate := range shorter(failing.mutations) {
			if budget--; budget < 0 {
				break
			}
			t, err := try(ctx, w, operation, candidate)
			if err != nil {
				return nil, err
			}
			if t != nil && t.wrong != "" {
				failing, improved = t, true
				break
			}
		}
	}
	return failing, nil
}
