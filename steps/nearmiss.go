package steps

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"agstest/ags"
	"agstest/internal/environment"
)

// nearMiss is a value that resembles the right one. A harmless one is taken by services for their own reasons, such as upper case in the name of
// a user: accepted, it warns.
type nearMiss struct {
	how      string
	text     string
	harmless bool
}

// nearMisses are the near misses of a value, each once: cut short, longer, with another character, in other case, padded, doubled, empty.
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
		{"empty", "", false},
	}
	var kept []nearMiss
	for _, m := range all {
		if m.text != right && !slices.ContainsFunc(kept, func(k nearMiss) bool { return k.text == m.text }) {
			kept = append(kept, m)
		}
	}
	return kept
}

// otherLast is another last character of a text. That of a compact JWS differs in its highest bit: its lowest bits may belong to no byte of the
// signature (RFC 4648 section 3.5), and a reader of base64 may pass over them.
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
	right func(w *world, r *request) string
	// put puts another in its place.
	put func(w *world, r *request, text string)
	// in other case, or with blanks around it, the value is another one.
	caseMatters, blanksMatter bool
	// inHeader: blanks around it are no part of it (RFC 9110 section 5.5).
	inHeader bool
	// more are near misses of its own.
	more func(w *world, right string) []nearMiss
}{
	"authentication service": {right: header(ags.HeaderService), put: putHeader(ags.HeaderService), inHeader: true, caseMatters: true},
	"tenant":                 {right: header(ags.HeaderTenant), put: putHeader(ags.HeaderTenant), inHeader: true},
	"User-Token":             {right: header(ags.HeaderUserToken), put: putHeader(ags.HeaderUserToken), inHeader: true, caseMatters: true},
	"session token":          {right: parameterNamed(isSessionToken), put: putParameter(isSessionToken), caseMatters: true, blanksMatter: true},
	"clientId": {right: func(_ *world, r *request) string {
		var id string
		_ = json.Unmarshal(r.get("clientId"), &id)
		return id
	}, put: func(_ *world, r *request, text string) { r.set("clientId", rawJSON(text)) }, caseMatters: true, blanksMatter: true},
	"password":  {right: parameterNamed((*world).isPasswordOf), put: putParameter((*world).isPasswordOf), caseMatters: true, blanksMatter: true},
	"user name": {right: parameterNamed(isUserName), put: putParameter(isUserName)},
	"type of registration": {right: func(_ *world, r *request) string { return strings.TrimPrefix(r.path, "/ags/register/") },
		put: func(_ *world, r *request, text string) { r.path = "/ags/register/" + url.PathEscape(text) }},
	"token": {right: func(_ *world, r *request) string { return bearerless(r.headerValue(ags.HeaderAuthorization)) },
		put: func(w *world, r *request, text string) { w.authorize(r, text) }, caseMatters: true, inHeader: true, more: forgeries},
	"OperatorAuthToken": {right: (*world).presentedOperator, put: (*world).presentOperator, caseMatters: true, more: operatorForgeries},
}

func header(name string) func(*world, *request) string {
	return func(_ *world, r *request) string { return r.headerValue(name) }
}

func putHeader(name string) func(*world, *request, string) {
	return func(_ *world, r *request, text string) { r.setHeader(name, text) }
}

func isSessionToken(_ *world, r *request, name string) bool {
	return r.operation == ags.SignOnWithSessionToken && strings.EqualFold(name, r.parameters()[0].Name)
}

func (w *world) isPasswordOf(r *request, name string) bool { return w.isPassword(r.operation, name) }

// isUserName takes the first parameter that is no password for the name of the user, where it is known which is the password.
func isUserName(w *world, r *request, name string) bool {
	list := r.parameters()
	secret := func(p parameter) bool { return w.isPassword(r.operation, p.Name) }
	open := slices.IndexFunc(list, func(p parameter) bool { return !secret(p) })
	return open >= 0 && list[open].Name == name && slices.ContainsFunc(list, secret)
}

func parameterNamed(which func(*world, *request, string) bool) func(*world, *request) string {
	return func(w *world, r *request) string {
		for _, p := range r.parameters() {
			if which(w, r, p.Name) {
				return p.Value
			}
		}
		return ""
	}
}

func putParameter(which func(*world, *request, string) bool) func(*world, *request, string) {
	return func(w *world, r *request, text string) {
		list := r.parameters()
		for i := range list {
			if which(w, r, list[i].Name) {
				list[i].Value = text
			}
		}
		r.set("parameters", rawJSON(list))
	}
}

// forgeries are near misses of a signed token: its signature cut short, left out or of another key, and changes of what it says that nothing
// else could notice. A text that is no token has none.
func forgeries(_ *world, right string) []nearMiss {
	parts := strings.Split(right, ".")
	if len(parts) != 3 {
		return nil
	}
	encode := base64.RawURLEncoding.EncodeToString
	said := func(part string) map[string]json.RawMessage {
		var members map[string]json.RawMessage
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || json.Unmarshal(raw, &members) != nil {
			return map[string]json.RawMessage{}
		}
		return members
	}
	changed := func(part, name string, value any) string {
		members := said(part)
		members[name] = rawJSON(value)
		return encode(rawJSON(members))
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) < 4 {
		return nil
	}
	var exp int64
	_ = json.Unmarshal(said(parts[1])["exp"], &exp)
	flipped := slices.Clone(signature)
	flipped[len(flipped)-1] ^= 0x10
	return []nearMiss{
		{"with half of its signature", parts[0] + "." + parts[1] + "." + encode(signature[:len(signature)/2]), false},
		{"without its last byte", parts[0] + "." + parts[1] + "." + encode(signature[:len(signature)-1]), false},
		{"with four bytes of its signature", parts[0] + "." + parts[1] + "." + parts[2][:5], false},
		{"with an empty signature", parts[0] + "." + parts[1] + ".", false},
		{"with another last byte of its signature", parts[0] + "." + parts[1] + "." + encode(flipped), false},
		{"that says it is good for a second more", parts[0] + "." + changed(parts[1], "exp", exp+1) + "." + parts[2], false},
		{"that says something that nobody reads", parts[0] + "." + changed(parts[1], "agstest", "x") + "." + parts[2], false},
		{"that names another key", changed(parts[0], "kid", "agstest-nobody") + "." + parts[1] + "." + parts[2], false},
		{"that names another key, and is signed with it", changed(parts[0], "kid", "agstest-nobody") + "." + parts[1] + "." + encode(flipped), false},
		{"that says it is signed with none", encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + ".", false},
		{"that says it is signed with None", changed(parts[0], "alg", "None") + "." + parts[1] + ".", false},
		{"that says it is signed with HS384", changed(parts[0], "alg", "HS384") + "." + parts[1] + "." + parts[2], false},
	}
}

// operatorForgeries are those of an OperatorAuthToken. Where the operator's keys have names, one more names a key that nobody has under a good
// signature: a service that has one key alone may take it.
func operatorForgeries(w *world, right string) []nearMiss {
	all := forgeries(w, right)
	keys, err := w.run.operatorKeys()
	parts := strings.Split(right, ".")
	if err != nil || len(parts) != 3 {
		return all
	}
	var header map[string]json.RawMessage
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return all
	}
	var kid string
	_ = json.Unmarshal(header["kid"], &kid)
	at := slices.IndexFunc(keys, func(k environment.SigningKey) bool { return k.ID == kid })
	if kid == "" || at < 0 {
		return all
	}
	header["kid"] = rawJSON("agstest-nobody")
	signed := base64.RawURLEncoding.EncodeToString(rawJSON(header)) + "." + parts[1]
	signature, err := keys[at].Sign(signed)
	if err != nil {
		return all
	}
	forged := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	return append(all, nearMiss{"that names another key under a good signature", forged, true})
}

// Near misses, as scenarios send them.
var nearMissPhrases = []phrase{
	when(`near misses of the (authentication service|tenant|User-Token|session token|clientId|password|user name|type of registration|token|OperatorAuthToken) are sent to (\w+)`,
		"near misses of the <value> are sent to <operation>", "near misses of the session token are sent to signOnWithSessionToken",
		"Sends the documented request, and then again with a value that resembles the right one: cut short, longer, with another character, in other case, padded, doubled, empty; a token also with its signature cut and with other claims. The first is sent twice.",
		func(ctx context.Context, w *world, a arguments) error {
			return w.sendNearMisses(ctx, a.words[0], a.words[1])
		}),
	when(`near misses of the claim "([^"]+)" are sent to getSessionToken`, `near misses of the claim "<name>" are sent to getSessionToken`, `near misses of the claim "aud" are sent to getSessionToken`,
		"Like the step above, for a text claim of an OperatorAuthToken that is signed with the right key.",
		func(ctx context.Context, w *world, a arguments) error { return w.sendNearClaims(ctx, a.words[0]) }),
	then(`each was refused`, "each was refused", "each was refused",
		"Every near miss was answered with a status from 400 to 499 and without tokens. One that services take for harmless reasons, such as a user's name in other case, warns.",
		func(_ context.Context, w *world, _ arguments) error { return w.explored }),
}

func (w *world) sendNearMisses(ctx context.Context, what, operation string) error {
	value := matching[what]
	w.precise = true
	if err := w.mayCompare(operation); err != nil {
		return err
	}
	ask, _, err := w.documented(ctx, operation)
	if err != nil {
		return err
	}
	right := value.right(w, ask)
	if right == "" {
		return lacking("", "the request of %s has no %s that could be missed by a hair", operation, what)
	}
	misses := nearMisses(right, value.caseMatters && !uuid.MatchString(right), value.blanksMatter)
	if value.more != nil {
		misses = append(misses, value.more(w, right)...)
	}
	if what == "type of registration" || what == "tenant" || what == "token" {
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool { return m.text == "" }) // another route, no tenant, no token
	}
	if operation == ags.SubsequentSignOn && w.live() { // HTTP takes blanks around a header away, and each success makes a device that stays
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool { return strings.TrimSpace(m.text) == right })
	}
	if what == "authentication service" {
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool {
			return slices.ContainsFunc(w.run.services, func(s service) bool { return s.name == m.text })
		})
	}
	if value.inHeader {
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool { return strings.TrimSpace(m.text) == right })
	}
	return w.eachRefused(ctx, operation, what, misses, what == "password", value.put)
}

func (w *world) sendNearClaims(ctx context.Context, claim string) error {
	right := ""
	if claim == ags.OperatorToken.Tenant {
		right = w.tenant
	} else if o := w.run.environment.Operator; o != nil {
		_ = json.Unmarshal(o.Further()[claim], &right) // what is no text has no near miss
	}
	if claim == ags.OperatorToken.Account && w.account != nil {
		right = w.operatorAccount()
	}
	if right == "" {
		return lacking("", "nothing is known of the claim %s that could be missed by a hair", claim)
	}
	secret := claim == "aud" || claim == "typ"
	misses := nearMisses(right, secret, false)
	if claim == ags.OperatorToken.Account { // the neighbours of an account are accounts
		misses = slices.DeleteFunc(misses, func(m nearMiss) bool { return len(m.text) == len(right)-1 || len(m.text) == len(right) && !m.harmless })
		misses[0].text = right + "-agstest"
	}
	return w.eachRefused(ctx, ags.GetSessionToken, "claim "+claim, misses, false, func(w *world, r *request, text string) {
		w.operator = append(w.operator, func(t *operatorToken) error { t.set(claim, text); return nil })
		if again, err := w.headEndRequest(); err == nil {
			w.presentOperator(r, w.presentedOperator(again))
		}
	})
}

// nearTry is a near miss that was sent, with its answers.
type nearTry struct {
	miss    nearMiss
	answers []*exchange
	unknown string // why nothing can be told
}

// tryMiss sends the documented request with a near miss, as often as it says.
func (w *world) tryMiss(ctx context.Context, operation string, t *nearTry, times int, put func(*world, *request, string)) error {
	for range times {
		r, _, err := w.documented(ctx, operation)
		if err != nil {
			return err
		}
		put(w, r, t.miss.text)
		x, err := w.trySomething(ctx, r)
		if err != nil {
			return err
		}
		t.answers = append(t.answers, x)
		if t.unknown = w.unproven(x); t.unknown != "" {
			return nil
		}
		if effectiveStatus(x)/100 == 4 && !hasTokens(x) {
			continue
		}
		w.offers = nil
		if usesUp(operation) {
			w.afterSuccess(ctx, operation)
		}
	}
	return nil
}

// eachRefused sends the documented request with each near miss and keeps what was accepted.
func (w *world) eachRefused(ctx context.Context, operation, what string, misses []nearMiss, soothe bool, put func(*world, *request, string)) error {
	tries := make([]nearTry, len(misses))
	try := func(ctx context.Context, own *world, i int) error {
		tries[i].miss = misses[i]
		return own.tryMiss(ctx, operation, &tries[i], 1+max(0, 1-i), put) // the first twice: what is refused is refused again
	}
	if soothe && w.live() { // many wrong passwords in a row would lock the user out
		for i := range misses {
			if err := try(ctx, w, i); err != nil {
				return err
			}
			if tries[i].unknown != "" {
				break
			}
			if err := w.stillGood(ctx, operation); err != nil {
				return err
			}
		}
	} else if err := w.inLanes(ctx, len(misses), try); err != nil {
		return err
	}
	var accepted, harmless []string
	var shown, last *exchange
	for _, t := range tries {
		if t.unknown != "" {
			return unknownf("%s", t.unknown)
		}
		m := t.miss
		for _, x := range t.answers {
			status := effectiveStatus(x)
			last = x
			if status/100 == 4 && !hasTokens(x) {
				continue
			}
			words := fmt.Sprintf("%s to the %s %s", w.describe(x), what, m.how)
			if pair, err := readPair(x); err == nil && what == "clientId" && pair.ClientID == m.text {
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
	if shown == nil {
		w.explored = nil
		if last != nil {
			w.exchanges = append(w.exchanges, last) // one of them, as evidence
		}
		return w.stillGood(ctx, operation)
	}
	w.offers = nil
	if usesUp(operation) {
		w.afterSuccess(ctx, operation)
	}
	w.exchanges = append(w.exchanges, shown)
	w.explored = &missed{expected: "a refusal of every near miss of the " + what, got: strings.Join(append(accepted, harmless...), "; "), soft: len(accepted) == 0}
	return nil
}

// mayCompare: a session token of the environment file that may work only once is not spent on a comparison.
func (w *world) mayCompare(operation string) error {
	if operation != ags.SignOnWithSessionToken || w.account == nil || w.account.token == "" || w.run.timesWorked(w.account.token) >= 2 {
		return nil
	}
	return lacking(`operator: {secret: "${AGS_OPERATOR_SECRET}", account: "…"}, and no sessionToken in situations.`+w.account.situation,
		"the session token of situations.%s may work only once, and is not spent on a comparison", w.account.situation)
}

// stillGood sends the request with the good value, which must be accepted: else the others were refused for some other reason.
func (w *world) stillGood(ctx context.Context, operation string) error {
	if w.live() && operation == ags.SubsequentSignOn { // each success makes a device that stays: that of another scenario will do
		if ok, why := w.controlled(ctx, operation); !ok {
			return unknownf("%s", noControl(operation, why))
		}
		return nil
	}
	r, _, err := w.documented(ctx, operation)
	if err != nil {
		return err
	}
	x, err := w.trySomething(ctx, r)
	if err != nil {
		return err
	}
	if len(x.Attempts) > 0 && effectiveStatus(x)/100 == 4 { // the first may have been carried out all the same
		if r, _, err = w.documented(ctx, operation); err != nil {
			return err
		}
		if x, err = w.trySomething(ctx, r); err != nil {
			return err
		}
	}
	if status := effectiveStatus(x); status/100 != 2 && status != http.StatusMultipleChoices {
		if w.live() && operation == ags.SignOut && w.client != nil && w.run.own.wasSignedOut(w.client.id) {
			return lacking(fmt.Sprintf("allow: {first-time: true, devices: %d}", manyDevices), "this service removes a device that signs out (%s), and the scenario needs one more", w.describe(x))
		}
		return unknownf("the good request of %s was refused too (%s), so that the refusals show nothing", operation, w.describe(x))
	}
	w.offers = nil
	return nil
}

// trySomething sends a request that belongs to a row of tries: it is judged by what it is a try of, not by the rules of good requests.
func (w *world) trySomething(ctx context.Context, r *request) (*exchange, error) {
	own := newWorld(w.run, w.scenario)
	own.control, own.account, own.tenant, own.service, own.random = true, w.account, w.tenant, w.service, w.random
	x, err := own.send(ctx, r, true)
	if err == nil {
		w.noteSignOut(x)
	}
	return x, err
}
