package words

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// Odd but legal input, as scenarios send it.
var oddityPhrases = []Sentence{
	when("odd requests are sent to <operation>",
		"Sends the documented request with one odd but legal thing about it: numbers, true, null, lists and objects for "+
			"texts, quotes, NUL, very long texts, letters of other scripts, parameters twice, no or another content type, "+
			"headers that are empty or odd, other schemes, schemes without a token, and what has only the form of a JWT. It is "+
			"a fixed list.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return sendOddities(ctx, w,
				a.words[0])
		}).like("odd requests are sent to refresh"),
	then("each was answered in the documented form, and nobody was let in by it",
		"Every odd request was answered in time, with a status below 500, in the form of an answer or of a refusal, and "+
			"none without its good token, password or account was let in. Which refusal an odd value gets is free.",
		func(_ context.Context, w *scene.World, _ arguments) error { return w.Explored }),
	when("requests that are odd but right are sent to <operation>",
		"Sends the documented request as other clients write it: header names in other case, without x-correlation-id, "+
			"JSON with blanks, escapes and members in another order; then with what a service has to overlook: unknown members "+
			"at every depth, and headers of browsers, apps and tracing.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return sendHarmless(ctx, w,
				a.words[0])
		}).like("requests that are odd but right are sent to refresh"),
	then("each was accepted",
		"Every one was answered as the documented request is. What has to be overlooked, and is not, warns.",
		func(_ context.Context, w *scene.World, _ arguments) error { return w.Explored }),
}

// sendOddities sends the documented request of a call with each of its oddities.
func sendOddities(ctx context.Context, w *scene.World, operation string) error {
	w.Explored, w.Precise = nil, false
	if err := mayCompare(w, operation); err != nil {
		return err
	}
	ask, _, err := w.Documented(ctx, operation)
	if err != nil {
		return err
	}
	if (operation == ags.SignOn || operation == ags.Register) && matching["password"].right(w, ask) == "" {
		return talk.Lacking(fmt.Sprintf("situations.%s: {passwordParameter: …}", w.Account.Situation),
			"it is not known which of the parameters is the password, so that it cannot be told who may be let in")
	}
	list := sendable(w, ask, odditiesOf(w, ask))
	trials := make([]*trial, len(list))
	try := func(ctx context.Context, own *scene.World, i int) (err error) {
		trials[i], err = tryOddity(ctx, own, operation, list[i])
		return err
	}
	// Requests that may be accepted use up their token, in calls that use tokens up: they go one after the other, each
	// with a fresh one. So do wrong passwords, with a good one in between.
	side, row := apart(w, operation, list)
	if err := w.InLanes(ctx, len(side),
		func(ctx context.Context, own *scene.World, i int) error { return try(ctx, own, side[i]) }); err != nil {
		return err
	}
	accepted := slices.ContainsFunc(trials, func(t *trial) bool { return t != nil && t.lets() && t.wrong == "" })
	inTurn := func(ctx context.Context, own *scene.World, n int) (bool, error) {
		i := row[n]
		if err := try(ctx, own, i); err != nil {
			return false, err
		}
		return trials[i] != nil && trials[i].lets(), goodBetween(ctx, own, operation, list[i])
	}
	if err := eachInTurn(ctx, w, operation, len(row), inTurn); err != nil {
		return err
	}
	accepted = accepted || slices.ContainsFunc(row, func(i int) bool {
		return trials[i] != nil && trials[i].lets() ||
			list[i].wrong && w.Live()
	})
	if err := weighTrials(ctx, w, operation, list, trials); err != nil {
		return err
	}
	if w.Explored != nil || accepted {
		return nil
	}
	if usesUp(operation) { // a refusal may have used the token up as well
		afterSuccess(ctx, w, operation)
	}
	w.Precise, w.Offers = true, nil
	return stillGood(ctx, w, operation)
}

// weighTrials tells what is wrong with the answers to odd requests, and what is not known of them.
func weighTrials(ctx context.Context, w *scene.World, operation string, list []oddity, trials []*trial) error {
	lost, err := answeredAtLast(ctx, w, operation, list, trials)
	if err != nil {
		return err
	}
	tell(w, trials)
	if w.Explored == nil && lost != "" {
		w.Explored = talk.Unknownf("%s", lost)
		return nil
	}
	return barredInPart(w, trials)
}

// answeredAtLast sends odd requests again whose connection ended without an answer, and puts the later answer in the
// place of none. It tells what is not known of one that was answered then: a connection may end under any request.
func answeredAtLast(ctx context.Context, w *scene.World, operation string, list []oddity,
	trials []*trial) (lost string, err error) {
	for i, t := range trials {
		if t == nil || t.wrong == "" || t.exchange.Status != 0 || scene.RanOut(t.exchange) {
			continue
		}
		for range w.Stage.TimesToAsk() {
			again, err := tryOddity(ctx, w, operation, list[i])
			if err != nil {
				return "", err
			}
			if again == nil || scene.RanOut(again.exchange) {
				break
			}
			if again.exchange.Status != 0 {
				trials[i], lost = again, answeredLater(t)
				break
			}
		}
	}
	return lost, nil
}

// barredInPart tells how many odd requests a firewall refused by itself, which shows nothing of the service. What may
// not be a firewall's leaves open whether the service is right.
func barredInPart(w *scene.World, trials []*trial) error {
	barred, sent, why, stray := 0, 0, "", 0
	for _, t := range trials {
		if t == nil {
			continue
		}
		sent++
		if t.exchange.Stray != "" {
			stray, why = stray+1, t.exchange.Stray
			continue
		}
		if page := scene.Barred(t.exchange); page != "" {
			barred, why = barred+1, page
		}
	}
	if stray > 0 && w.Explored == nil {
		w.Explored = talk.Unknownf("%d of %d odd requests: %s", stray, sent, why)
		return nil
	}
	if barred > 0 && barred == sent {
		return talk.Unknownf("%s", why)
	}
	if barred > 0 {
		w.InPart(fmt.Sprintf("%d of %d odd requests: %s", barred, sent, why))
	}
	return nil
}

// goodBetween sends a good request after a wrong password that a live service may count.
func goodBetween(ctx context.Context, w *scene.World, operation string, o oddity) error {
	if !o.wrong || !w.Live() {
		return nil
	}
	return stillGood(ctx, w, operation)
}

// apart tells the oddities that are sent side by side from those that are sent one after the other, by their places in
// the list.
func apart(w *scene.World, operation string, list []oddity) (side, row []int) {
	for i, o := range list {
		locks := o.wrong && !w.Stage.Environment.NeverLocks
		if locks || o.stays && mayStay(w, operation, o) || usesUp(operation) && o.breaks == "" {
			row = append(row, i)
		} else {
			side = append(side, i)
		}
	}
	return side, row
}

// eachInTurn does tries that must not meet; do tells whether one was accepted. If possible it gives several rows of
// them the tokens that a refresh uses up. Those of a sign-out, which would end other sessions of the device, meet as
// long as none is accepted.
func eachInTurn(ctx context.Context, w *scene.World, operation string, n int,
	do func(ctx context.Context, own *scene.World, i int) (bool, error)) error {
	one := func(ctx context.Context, own *scene.World, i int) error {
		_, err := do(ctx, own, i)
		return err
	}
	switch operation {
	case ags.Refresh:
		return w.InSessions(ctx, n, one)
	case ags.SignOut:
		return w.InBursts(ctx, n, do)
	}
	for i := range n {
		if err := one(ctx, w, i); err != nil {
			return err
		}
	}
	return nil
}

// tell makes one miss of all faults in the answers to odd requests, and a finding for each requirement beyond the
// first.
func tell(w *scene.World, trials []*trial) {
	trials = withoutUsual(w, trials)
	misses := map[string][]*trial{}
	for _, t := range trials {
		if t != nil && t.wrong != "" {
			misses[t.about] = append(misses[t.about], t)
		}
	}
	for _, about := range slices.Backward(slices.Sorted(maps.Keys(misses))) {
		if w.Explored != nil {
			first := w.Explored.(*talk.Missed)
			w.Findings = append(w.Findings, talk.Finding{Requirement: first.About, Outcome: check.Broken,
				Expected: first.Expected, Got: first.Got, Exchange: len(w.Exchanges) - 1})
		}
		var words []string
		for _, t := range misses[about] {
			words = append(words, t.wrong+", in which "+t.told)
		}
		shown := misses[about][0].exchange
		w.Exchanges = append(w.Exchanges, shown)
		w.Explored = &talk.Missed{About: about, Expected: cmp.Or(misses[about][0].expected, wellAnswered),
			Got: fmt.Sprintf("%s; reproduce it with: %s", strings.Join(words, "; "),
				shown.Exchange.Record(w.Stage.Secrets).Curl)}
	}
}

// withoutUsual removes faults that most of the good answers share: they do not come from odd requests, and are told as
// of any other answer.
func withoutUsual(w *scene.World, trials []*trial) []*trial {
	good, alike := 0, map[talk.Finding]int{}
	of := func(t *trial) talk.Finding {
		return talk.Finding{Requirement: t.about, Outcome: check.Broken, Expected: t.expected, Got: t.wrong}
	}
	for _, t := range trials {
		if t == nil || !t.lets() {
			continue
		}
		if good++; t.expected != "" {
			alike[of(t)]++
		}
	}
	var odd []*trial
	told := map[talk.Finding]bool{}
	for _, t := range trials {
		if t == nil || t.expected == "" || alike[of(t)] < 2 || 2*alike[of(t)] < good {
			odd = append(odd, t)
			continue
		}
		if finding := of(t); !told[finding] {
			told[finding] = true
			w.Exchanges = append(w.Exchanges, t.exchange)
			finding.Exchange = len(w.Exchanges) - 1
			w.Findings = append(w.Findings, finding)
		}
	}
	return odd
}

// sendable returns the oddities that may be sent to the service at hand. On a live service there are few wrong
// passwords, since many lock a user out, and requests that may make or lose a device are marked.
func sendable(w *scene.World, ask *talk.Request, list []oddity) []oddity {
	if !w.Live() {
		return list
	}
	const maxWrong = 3
	var kept []oddity
	wrong := 0
	for _, o := range list {
		if o.wrong && !w.Stage.Environment.NeverLocks {
			if wrong++; wrong > maxWrong {
				continue
			}
		}
		switch ask.Operation {
		case ags.SubsequentSignOn, ags.SubsequentRegister:
			o.stays = o.breaks != letIn[ask.Operation]["User-Token"]
		case ags.SignOut, ags.Register:
			o.stays = o.breaks == ""
		default:
			o.stays = o.device
		}
		kept = append(kept, o)
	}
	return kept
}

// maxOddDevices is how many devices odd requests of one scenario may make that a sound service may take for good ones.
const maxOddDevices = 2

// mayStay tells whether a request that may make or lose a device is sent with a good token or password: only so does
// the service read it as far as a good request. A request that a sound service refuses is sent, until one of them made
// a device.
func mayStay(w *scene.World, operation string, o oddity) bool {
	switch operation {
	case ags.SignOut:
		return !w.OddLost
	case ags.SignOn, ags.SignOnWithSessionToken:
		if o.breaks != "" {
			return w.MayCreateDevices() == nil && w.OddMade == 0
		}
		return w.MayMake(1, false) == nil && w.OddMade < maxOddDevices
	case ags.SubsequentSignOn:
		return w.MayMake(1, false) == nil && w.OddMade < maxOddDevices
	}
	return false // nobody knows what a second activation of the same device does
}

// keepOut puts a token or user that nobody has into a request; false if it holds none.
func keepOut(w *scene.World, r *talk.Request) bool {
	what := map[string]string{ags.SignOnWithSessionToken: "session token", ags.SignOut: "token",
		ags.SubsequentSignOn: "User-Token", ags.SubsequentRegister: "User-Token"}[r.Operation]
	if what == "" {
		what = "user name"
	}
	value := matching[what]
	right := value.right(w, r)
	if right == "" {
		return false
	}
	value.put(w, r, w.Lookalike(right+"-agstest"))
	return true
}

// keptOutBreaks is the requirement that is missed where a token or user that nobody has lets somebody in.
func keptOutBreaks(operation string) string {
	guards := letIn[operation]
	return cmp.Or(guards["session token"], guards["User-Token"], guards["token"], guards["user name"])
}

// tryOddity sends the documented request with an oddity and looks at the answer. Nil: it was not sent, as the
// environment does not allow it, or as two of its kind got no answer before.
func tryOddity(ctx context.Context, w *scene.World, operation string, o oddity) (*trial, error) {
	r, credential, err := w.Documented(ctx, operation)
	if err != nil {
		return nil, err
	}
	stays := o.stays && mayStay(w, operation, o)
	switch {
	case stays && operation == ags.SubsequentSignOn:
		r.SetHeader(ags.HeaderUserToken, credential)
	case o.stays && !stays:
		if !keepOut(w, r) {
			return nil, nil
		}
		o.breaks = keptOutBreaks(operation)
	}
	o.put(w, r)
	kind := scene.KindOf(r, true, o.breaks != "")
	var lack *talk.NotTestable
	switch err := w.MaySend(r, true); {
	case errors.As(err, &lack):
		return nil, nil
	case err != nil:
		return nil, err
	case w.Live() && !stays && w.WouldMakeDevice(r), w.Stage.Silent(ctx, kind) != nil:
		return nil, nil
	}
	t, hung, err := attempt(ctx, w, r, kind)
	if err != nil {
		return nil, err
	}
	w.Stage.Aside(t.exchange)
	t.told = o.how
	if why := scene.NoRoom(t.exchange); why != "" {
		return nil, talk.Passingf("%s", why)
	}
	judgeOddity(w, o, t, hung)
	var before *talk.Pair
	if w.Client != nil {
		before = w.Client.Pair
	}
	goOn(ctx, w, operation, t.exchange)
	if stays && t.lets() {
		if operation == ags.SignOut {
			w.OddLost = w.Client.Pair == before // a client that signed out could not sign on again
		} else {
			w.OddMade++
			w.Count(t.exchange, false)
		}
	}
	return t, nil
}

// judgeOddity sets what is wrong with the answer to an odd request.
func judgeOddity(w *scene.World, o oddity, t *trial, hung bool) {
	if t.exchange.Stray != "" {
		return
	}
	t.about, t.wrong = wrongAbout(w, t, hung)
	lets := t.lets() || scene.EffectiveStatus(t.exchange) == 300
	switch {
	case t.wrong != "":
	case lets && o.breaks != "":
		t.about, t.wrong = o.breaks, w.Describe(t.exchange)+" came"
	case lets:
		for _, f := range t.judged {
			if f.Outcome == check.Broken {
				t.about, t.expected, t.wrong = f.Requirement, f.Expected, f.Got
				return
			}
		}
	default:
		t.about, t.wrong = unlikeRefusal(t)
	}
}

// unlikeRefusal returns what is wrong with an answer that is neither a success nor a refusal.
func unlikeRefusal(t *trial) (about, wrong string) {
	for _, f := range t.judged {
		if f.Outcome == check.Broken && f.Requirement == "ERR-09" {
			return f.Requirement, f.Got
		}
	}
	return "", ""
}
