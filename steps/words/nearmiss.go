package words

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"agstest/ags"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// nearMiss is a value that resembles the right one. Services accept a harmless one for their own reasons, such as upper
// case in the name of a user: accepted, it warns.
type nearMiss struct {
	how      string
	text     string // or JSON, in a row of claims that are no texts
	harmless bool
}

// nearMisses are the near misses of a value, each once: cut short, longer, with another character, in other case,
// padded, doubled, a pattern that fits it, empty.
func nearMisses(right string, caseMatters, blanksMatter bool) []nearMiss {
	if right == "" {
		return nil
	}
	at := func(i int) string {
		b := []byte(right)
		b[i] = neighbour(b[i])
		return string(b)
	}
	n := len(right)
	all := []nearMiss{
		{"cut short by a character", right[:n-1], false},
		{"longer by a character", right + string(neighbour(right[n-1])), false},
		{"with another first character", at(0), false},
		{"with another character in its middle", at(n / 2), false},
		{"with another last character", right[:n-1] + string(otherLast(right)), false},
		{"twice in a row", right + right, false},
		{"in other case", swapCase(right), !caseMatters},
		{"with blanks around it", " " + right + " ", !blanksMatter},
		{"in place of which % stands, which fits every text in SQL", "%", false},
		{"in place of which * stands, which fits every text in LDAP", "*", false},
		{"in place of which .* stands, which fits every text as an expression", ".*", false},
		{"empty", "", false},
	}
	if blanksMatter {
		all = append(all, nearMiss{"with a NUL and more behind it", right + "\x00x", false})
	}
	var kept []nearMiss
	for _, m := range all {
		if m.text != right && !slices.ContainsFunc(kept, func(k nearMiss) bool { return k.text == m.text }) {
			kept = append(kept, m)
		}
	}
	return kept
}

// otherLast is another last character of a text. That of a compact JWS differs in its highest bit: its lowest bits may
// belong to no byte of the signature (RFC 4648 section 3.5), and a reader of base64 may pass over them.
func otherLast(text string) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := text[len(text)-1]
	if i := strings.IndexByte(alphabet, last); i >= 0 && strings.Count(text, ".") == 2 {
		return alphabet[i^32]
	}
	return neighbour(last)
}

// uuid is read in any case (RFC 9562 section 4).
var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// hexID matches the id of a row as databases write it, a number without case. A secret of this form has a case all the
// same.
var hexID = regexp.MustCompile(`^(?:[0-9a-fA-F]{24}|[0-9a-fA-F]{32})$`)

// neighbour is another character of the same kind.
func neighbour(c byte) byte {
	switch {
	case c >= '0' && c <= '8', c >= 'a' && c <= 'y', c >= 'A' && c <= 'Y':
		return c + 1
	case c == '9':
		return '0'
	case c == 'z':
		return 'a'
	case c == 'Z':
		return 'A'
	}
	return 'x'
}

func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}

// matching are the values of requests that have to match, by the name that features give them.
var matching = map[string]struct {
	// right finds the value in the documented request; empty: it has none.
	right func(w *scene.World, r *talk.Request) string
	// put puts another in its place.
	put func(w *scene.World, r *talk.Request, text string)
	// in other case, or with blanks around it, the value is another one.
	caseMatters, blanksMatter bool
	// inHeader: blanks around it are no part of it (RFC 9110 section 5.5).
	inHeader bool
	// more are near misses of its own.
	more func(w *scene.World, right string) []nearMiss
}{
	"authentication service": {right: header(ags.HeaderService), put: putHeader(ags.HeaderService), inHeader: true,
		caseMatters: true},
	"tenant": {right: header(ags.HeaderTenant), put: putTenant, inHeader: true, more: otherTenants},
	"User-Token": {right: header(ags.HeaderUserToken), put: putHeader(ags.HeaderUserToken), inHeader: true,
		caseMatters: true, more: keptForgeries},
	"session token": {right: parameterNamed(isSessionToken), put: putParameter(isSessionToken), caseMatters: true,
		blanksMatter: true, more: keptForgeries},
	"clientId": {right: func(_ *scene.World, r *talk.Request) string {
		var id string
		_ = json.Unmarshal(r.Get("clientId"), &id)
		return id
	}, put: func(_ *scene.World, r *talk.Request, text string) {
		r.Set("clientId",
			talk.JSON(text))
	}, caseMatters: true, blanksMatter: true},
	"password": {right: parameterNamed(isPasswordOf), put: putParameter(isPasswordOf), caseMatters: true,
		blanksMatter: true, more: nameOfUser},
	"user name": {right: parameterNamed(isUserName), put: putParameter(isUserName)},
	"type of registration": {right: func(_ *scene.World,
		r *talk.Request) string {
		return strings.TrimPrefix(r.Path, "/ags/register/")
	},
		put: func(_ *scene.World, r *talk.Request, text string) { r.Path = "/ags/register/" + url.PathEscape(text) }},
	"token": {right: func(_ *scene.World, r *talk.Request) string {
		return scene.Bearerless(r.HeaderValue(ags.HeaderAuthorization))
	},
		put: func(w *scene.World, r *talk.Request,
			text string) {
			w.Authorize(r, text)
		}, caseMatters: true, inHeader: true, more: forgeries},
	"OperatorAuthToken": {right: (*scene.World).PresentedOperator, put: (*scene.World).PresentOperator, caseMatters: true,
		more: operatorForgeries},
}

func header(name string) func(*scene.World, *talk.Request) string {
	return func(_ *scene.World, r *talk.Request) string { return r.HeaderValue(name) }
}

func putHeader(name string) func(*scene.World, *talk.Request, string) {
	return func(_ *scene.World, r *talk.Request, text string) { r.SetHeader(name, text) }
}

// putTenant names another tenant, with a service that is right for it where one is known: else the service would be the
// reason of a refusal.
func putTenant(w *scene.World, r *talk.Request, text string) {
	r.SetHeader(ags.HeaderTenant, text)
	if s := w.Stage.Environment.Situations["other-tenant"]; s.Tenant == text && s.Service != "" {
		r.SetHeader(ags.HeaderService, s.Service)
	}
}

// otherTenants is the tenant that the environment file names beside the right one.
func otherTenants(w *scene.World, right string) []nearMiss {
	if other := w.Stage.Environment.Situations["other-tenant"].Tenant; other != "" && other != right {
		return []nearMiss{{"of another tenant", other, false}}
	}
	return nil
}

// nameOfUser is the name of the user in place of the password. Where passwords are encrypted it is left out: the name
// stands in the request in clear too.
func nameOfUser(w *scene.World, right string) []nearMiss {
	if w.EncryptsPasswords() {
		return nil
	}
	for _, p := range w.Account.Parameters {
		if isUserNameOf(w, ags.SignOn, w.Account.Parameters, p.Name) && p.Value != right && p.Value != "" {
			return []nearMiss{{"in place of which the name of the user stands", p.Value, false}}
		}
	}
	return nil
}

func isSessionToken(_ *scene.World, r *talk.Request, name string) bool {
	return r.Operation == ags.SignOnWithSessionToken && strings.EqualFold(name, r.Parameters()[0].Name)
}

func isPasswordOf(w *scene.World, r *talk.Request, name string) bool {
	return w.IsPassword(r.Operation, name)
}

// isUserName takes the first parameter that is no password for the name of the user, where it is known which is the
// password.
func isUserName(w *scene.World, r *talk.Request, name string) bool {
	return isUserNameOf(w, r.Operation, r.Parameters(), name)
}

func isUserNameOf(w *scene.World, operation string, list []talk.Parameter, name string) bool {
	secret := func(p talk.Parameter) bool { return w.IsPassword(operation, p.Name) }
	open := slices.IndexFunc(list, func(p talk.Parameter) bool { return !secret(p) })
	return open >= 0 && list[open].Name == name && slices.ContainsFunc(list, secret)
}

func parameterNamed(which func(*scene.World, *talk.Request, string) bool) func(*scene.World, *talk.Request) string {
	return func(w *scene.World, r *talk.Request) string {
		for _, p := range r.Parameters() {
			if which(w, r, p.Name) {
				return p.Value
			}
		}
		return ""
	}
}

func putParameter(which func(*scene.World, *talk.Request, string) bool) func(*scene.World, *talk.Request, string) {
	return func(w *scene.World, r *talk.Request, text string) {
		list := r.Parameters()
		for i := range list {
			if which(w, r, list[i].Name) {
				list[i].Value = text
			}
		}
		r.Set("parameters", talk.JSON(list))
	}
}

// Near misses, as scenarios send them.
var nearMissPhrases = []Sentence{
	when("near misses of the <value> are sent to <operation>",
		"Sends the documented request, and then again with a value that resembles the right one: cut short, longer, with "+
			"another character, in other case, padded, doubled, empty; a token also with its signature cut and with other "+
			"claims. The first is sent twice.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return sendNearMisses(ctx, w, a.words[0], a.words[1])
		}).like(
		"near misses of the session token are sent to signOnWithSessionToken").reading(
		`near misses of the (authentication service|tenant|User-Token|session token|clientId|password|user name|type of registration|token|OperatorAuthToken) are sent to (` + anOperation() + `)`),
	when(`near misses of the claim "<name>" are sent to getSessionToken`,
		"Like the step above, for a claim of an OperatorAuthToken that is signed with the right key. Of exp: moments that "+
			"have passed, and what is no moment. An account in a list or as a number warns where it is taken.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return sendNearClaims(ctx, w, a.words[0])
		}).like(`near misses of the claim "aud" are sent to getSessionToken`),
	then("each was refused",
		"Every near miss was answered with a status from 400 to 499 and without tokens. One that services take for harmless "+
			"reasons, such as a user's name in other case, warns.",
		func(_ context.Context, w *scene.World, _ arguments) error { return w.Explored }),
}

func sendNearMisses(ctx context.Context, w *scene.World, what, operation string) error {
	value := matching[what]
	w.Precise = true
	if err := mayCompare(w, operation); err != nil {
		return err
	}
	ask, _, err := w.Documented(ctx, operation)
	if err != nil {
		return err
	}
	right := value.right(w, ask)
	if right == "" {
		return talk.Lacking("", "the request of %s has no %s that could be missed by a hair", operation, what)
	}
	misses := nearMisses(right, value.caseMatters && !uuid.MatchString(right) &&
		(what != "clientId" || !hexID.MatchString(right)), value.blanksMatter)
	if what == "tenant" && letIn[operation]["tenant"] == "" {
		for i := range misses {
			misses[i].harmless = true
		}
	}
	if value.more != nil {
		misses = append(misses, value.more(w, right)...)
	}
	if what == "type of registration" || what == "tenant" || what == "token" {
		// another route, no tenant, no token
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool { return m.text == "" })
	}
	if what == "type of registration" { // servers refuse an encoded % in a path by themselves, some with 500
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool { return strings.Contains(m.text, "%") })
	}
	// HTTP takes blanks around a header away, and each success makes a device that stays
	if operation == ags.SubsequentSignOn && w.Live() {
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool { return strings.TrimSpace(m.text) == right })
	}
	if what == "authentication service" {
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool {
			return slices.ContainsFunc(w.Stage.Services, func(s talk.Service) bool { return s.Name == m.text })
		})
	}
	if value.inHeader {
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool { return strings.TrimSpace(m.text) == right })
	}
	return eachRefused(ctx, w, operation, what, misses, what == "password", value.put)
}

func sendNearClaims(ctx context.Context, w *scene.World, claim string) error {
	if claim == "exp" {
		return eachRefused(ctx, w, ags.GetSessionToken, "claim "+claim, nearMoments(w, time.Now().Add(w.Ahead)), false,
			putClaim(claim, func(string) bool { return true }))
	}
	right := ""
	if claim == ags.OperatorToken.Tenant {
		right = w.Tenant
	} else if o := w.Stage.Environment.Operator; o != nil {
		_ = json.Unmarshal(o.Further()[claim], &right) // a value that is no text has no near miss
	}
	if claim == ags.OperatorToken.Account && w.Account != nil {
		right = w.OperatorAccount()
	}
	if right == "" {
		return talk.Lacking("", "nothing is known of the claim %s that could be missed by a hair", claim)
	}
	secret := claim == "aud" || claim == "typ"
	misses := nearMisses(right, secret, false)
	if claim == ags.OperatorToken.Tenant {
		misses = append(misses, otherTenants(w, right)...)
	}
	if claim == ags.OperatorToken.Account { // the neighbours of an account are accounts
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool {
			return len(m.text) == len(right)-1 ||
				len(m.text) == len(right) && !m.harmless
		})
		misses[0].text = right + "-agstest"
		misses = append(misses, noTexts(right)...)
	}
	return eachRefused(ctx, w, ags.GetSessionToken, "claim "+claim, misses, false, putClaim(claim, func(text string) bool {
		return slices.ContainsFunc(noTexts(right), func(m nearMiss) bool { return m.text == text })
	}))
}

// putClaim signs an OperatorAuthToken anew with a claim that is this text, or this JSON.
func putClaim(claim string, isJSON func(string) bool) func(*scene.World, *talk.Request, string) {
	return func(w *scene.World, r *talk.Request, text string) {
		var value any = text
		if isJSON(text) {
			value = json.RawMessage(text)
		}
		w.Operator = append(w.Operator, func(t *talk.OperatorToken) error { t.Set(claim, value); return nil })
		if again, err := w.HeadEndRequest(); err == nil {
			w.PresentOperator(r, w.PresentedOperator(again))
		}
	}
}

// noTexts hold the right account without being a text. The operator has signed that, so nobody is wronged by a service
// that takes them.
func noTexts(right string) []nearMiss {
	text := string(talk.JSON(right))
	all := []nearMiss{
		{"in a list", "[" + text + "]", true},
		{"as the last of a list", `["agstest-nobody",` + text + "]", true},
		{"in an object", `{"id":` + text + "}", true},
	}
	if _, err := strconv.ParseInt(right, 10, 53); err == nil && right[0] != '0' {
		all = append(all, nearMiss{"as a number", right, true})
	}
	return all
}

// longAgo is how far in the past a moment is that no service takes for one of its own clock: some allow five minutes.
const longAgo = 20 * time.Minute

// nearMoments are claims exp of a token that has ended, or of which nobody can tell when it ends.
func nearMoments(w *scene.World, now time.Time) []nearMiss {
	past, ahead := now.Add(-time.Hour).Unix(), now.Add(w.Stage.Environment.Operator.Life()).Unix()
	return []nearMiss{
		{"that is a moment an hour ago, in a text", fmt.Sprintf("%q", fmt.Sprint(past)), false},
		{"that is a moment longer ago than clocks differ", fmt.Sprint(now.Add(-longAgo - w.Stage.Environment.ClockSkew).Unix()), false},
		{"that is a text without a moment", `"agstest"`, false},
		{"that is an empty text", `""`, false},
		{"that is null", "null", false},
		{"that is true", "true", false},
		{"that is an empty list", "[]", false},
		{"that is 0", "0", false},
		{"that is less than 0", "-1", false},
		{"that is a moment to come, in a text", fmt.Sprintf("%q", fmt.Sprint(ahead)), true},
	}
}

// nearTry is a near miss that was sent, with its answers.
type nearTry struct {
	miss    nearMiss
	answers []*talk.Exchange
	unknown error  // why nothing can be told
	barred  string // why the service was not asked: a firewall refused it
	tooLong string // why it was not looked at, where that is its length
}

// tryMiss sends the documented request with a near miss, as often as asked.
func tryMiss(ctx context.Context, w *scene.World, operation string, t *nearTry, times int,
	put func(*scene.World, *talk.Request, string)) error {
	for range times {
		r, _, err := w.Documented(ctx, operation)
		if err != nil {
			return err
		}
		put(w, r, t.miss.text)
		x, err := trySomething(ctx, w, r, true)
		var unknown *talk.Unknown
		switch {
		case errors.As(err, &unknown) && !unknown.Passing: // the others may still be told
			t.unknown = err
			return nil
		case err != nil:
			return err
		case tooLong(x, t.miss):
			t.tooLong = w.Unproven(x)
			return nil
		case scene.Barred(x) != "":
			t.barred = scene.Barred(x)
			return nil
		}
		t.answers = append(t.answers, x)
		if why := w.Unproven(x); why != "" {
			t.unknown = talk.Unknownf("%s", why)
			return nil
		}
		if scene.EffectiveStatus(x)/100 == 4 && !scene.HasTokens(x) {
			continue
		}
		w.Offers = nil
		if usesUp(operation) {
			afterSuccess(ctx, w, operation)
		}
	}
	return nil
}

// longValue is how long a value may be that every server takes: nginx has room for 8 kB of headers, Node.js for 16 kB.
const longValue = 1 << 10

// tooLong tells of a near miss that something on the way has no room for, as it may have of a long token that stands
// there twice. It shows nothing, and the others still do.
func tooLong(x *talk.Exchange, miss nearMiss) bool {
	status := scene.EffectiveStatus(x)
	return len(miss.text) > longValue && (status == http.StatusRequestHeaderFieldsTooLarge ||
		status == http.StatusRequestEntityTooLarge || x.Uncontrolled != "")
}

// inARow is how often the same wrong value is sent: three times, but wrong passwords one fewer than lock a user out.
func inARow(w *scene.World, password bool) int {
	const times = 3
	if lockout := w.Stage.Environment.Lockout; password && w.Live() && lockout > 0 {
		return max(1, min(times, lockout-1))
	}
	return times
}

// eachRefused sends the documented request with each near miss and keeps what was accepted. One that a firewall bars,
// or of which nothing can be told, does not hide another that was accepted.
func eachRefused(ctx context.Context, w *scene.World, operation, what string, misses []nearMiss, soothe bool,
	put func(*scene.World, *talk.Request, string)) error {
	tries := make([]nearTry, len(misses))
	stopped := tryEach(ctx, w, operation, tries, misses, soothe, put)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	accepted, harmless, shown, last := whatWasAccepted(w, what, tries)
	if shown == nil {
		if err := untold(w, what, tries, stopped); err != nil {
			return err
		}
		w.Explored = nil
		if last != nil {
			w.Exchanges = append(w.Exchanges, last) // one of them, as evidence
		}
		return stillGood(ctx, w, operation)
	}
	w.Offers = nil
	if usesUp(operation) {
		afterSuccess(ctx, w, operation)
	}
	w.Exchanges = append(w.Exchanges, shown)
	w.Explored = &talk.Missed{Expected: "a refusal of every near miss of the " + what,
		Got: strings.Join(append(accepted, harmless...), "; "), Soft: len(accepted) == 0}
	return nil
}

// tryEach sends the near misses, side by side where that may not lock a user out.
func tryEach(ctx context.Context, w *scene.World, operation string, tries []nearTry, misses []nearMiss, soothe bool,
	put func(*scene.World, *talk.Request, string)) error {
	try := func(ctx context.Context, own *scene.World, i int) error {
		tries[i].miss = misses[i]
		times := 1
		if i == 0 { // what is refused is refused again, and a third time
			times = inARow(w, soothe)
		}
		return tryMiss(ctx, own, operation, &tries[i], times, put)
	}
	if !soothe || !w.Live() || w.Stage.Environment.NeverLocks {
		return w.InLanes(ctx, len(misses), try)
	}
	for i := range misses { // many wrong passwords in a row would lock the user out
		if err := try(ctx, w, i); err != nil {
			return err
		}
		if err := stillGood(ctx, w, operation); err != nil {
			return err
		}
	}
	return nil
}

// untold tells why nothing can be said where no near miss was accepted. Those that a firewall barred leave the rest as
// it is, of which is said then that it was checked in part.
func untold(w *scene.World, what string, tries []nearTry, stopped error) error {
	if stopped != nil {
		return stopped
	}
	barred, why, looked := 0, "", false
	for _, t := range tries {
		switch {
		case t.unknown != nil:
			return t.unknown
		case t.barred != "":
			barred, why = barred+1, t.barred
		case t.tooLong == "":
			looked = true
		}
	}
	if !looked {
		return talk.Unknownf("%s", cmp.Or(why, tries[0].tooLong))
	}
	if barred > 0 {
		w.InPart(fmt.Sprintf("%d of %d near misses of the %s: %s", barred, len(tries), what, why))
	}
	return nil
}

// whatWasAccepted puts into words which near misses were not refused, apart from those that may be something else that
// is right, with the answer that shows it best, and the last of all.
func whatWasAccepted(w *scene.World, what string, tries []nearTry) (accepted, harmless []string, shown,
	last *talk.Exchange) {
	for _, t := range tries {
		m := t.miss
		for _, x := range t.answers {
			status := scene.EffectiveStatus(x)
			last = x
			if status/100 == 4 && !scene.HasTokens(x) {
				continue
			}
			words := fmt.Sprintf("%s to the %s %s", w.Describe(x), what, m.how)
			if pair, err := scene.ReadPair(x); err == nil && what == "clientId" && pair.ClientID == m.text {
				m.harmless = true // it may be another device of the account
			}
			if m.harmless && status < 400 {
				harmless = append(harmless, words)
			} else {
				accepted = append(accepted, words)
			}
			if shown == nil || !m.harmless {
				shown = x
			}
		}
	}
	return accepted, harmless, shown, last
}

// mayCompare: a session token of the environment file that may work only once is not spent on a comparison.
func mayCompare(w *scene.World, operation string) error {
	if operation != ags.SignOnWithSessionToken || w.Account == nil || w.Account.Token == "" ||
		w.Stage.TimesWorked(w.Account.Token) >= 2 {
		return nil
	}
	return talk.Lacking(
		`operator: {secret: "${AGS_OPERATOR_SECRET}", account: "…"}, and no sessionToken in situations.`+
			w.Account.Situation,
		"the session token of situations.%s may work only once, and is not spent on a comparison", w.Account.Situation)
}

// stillGood sends the request with the good value, which must be accepted: else the others were refused for some other
// reason.
func stillGood(ctx context.Context, w *scene.World, operation string) error {
	// each success makes a device that stays, so that of another scenario will do
	if w.Live() && operation == ags.SubsequentSignOn {
		if ok, why := w.Controlled(ctx, operation); !ok {
			return talk.Unknownf("%s", scene.NoControl(operation, why))
		}
		return nil
	}
	r, _, err := w.Documented(ctx, operation)
	if err != nil {
		return err
	}
	x, err := trySomething(ctx, w, r, false)
	if err != nil {
		return err
	}
	if len(x.Attempts) > 0 && scene.EffectiveStatus(x)/100 == 4 { // the first may have been carried out all the same
		if r, _, err = w.Documented(ctx, operation); err != nil {
			return err
		}
		if x, err = trySomething(ctx, w, r, false); err != nil {
			return err
		}
	}
	if status := scene.EffectiveStatus(x); status/100 != 2 && status != http.StatusMultipleChoices {
		if w.Live() && operation == ags.SignOut && w.Client != nil && w.Stage.Own.WasSignedOut(w.Client.ID) {
			return talk.Lacking(fmt.Sprintf("devices: {budget: %d} with allow: {first-time: true}", scene.ManyDevices),
				"this service removes a device that signs out (%s), and the scenario needs one more", w.Describe(x))
		}
		w.RefusedGood(x)
		return talk.Unknownf("the good request of %s was refused too (%s), so that the refusals show nothing",
			operation, w.Describe(x))
	}
	w.Offers = nil
	return nil
}

// trySomething sends a request that belongs to a row of tries: it is judged as a try of its kind, not by the rules of
// good requests. Refusal: it is to be refused for a value in it.
func trySomething(ctx context.Context, w *scene.World, r *talk.Request, refusal bool) (*talk.Exchange, error) {
	own := scene.New(w.Stage, w.Scenario)
	own.Refusal = refusal
	own.Control, own.Account, own.Tenant, own.Service, own.Random = true, w.Account, w.Tenant, w.Service, w.Random
	x, err := own.Send(ctx, r, true)
	if err == nil && w.Watched(x) != "" { // no limiter counts to one
		x, err = own.Send(ctx, r, true)
	}
	if err != nil {
		return x, err
	}
	w.NoteSignOut(x)
	if x.Stray = w.Stray(ctx, x); x.Stray != "" { // w may send the good request for it
		return x, talk.Unknownf("%s", x.Stray)
	}
	if refusal {
		x.Uncontrolled = w.Paged(ctx, x)
	}
	x.Uncontrolled = cmp.Or(x.Uncontrolled, w.GoodNow(ctx, x))
	return x, nil
}
