package clients

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/load/hit"
	"agstest/load/transport"
	"agstest/load/unique"
)

// defaultJudgeEvery is on 1 of how many answers all token rules are checked. Reading an answer fully takes about as
// long as a whole hit, and two answers of a chain are read for one judgement; 1 of 100 keeps that below a twentieth of
// a hit.
const defaultJudgeEvery = 100

// judgedFirst is how many answers of each step all token rules judge before they judge only a sample: a fault in every
// answer then shows in a run of a second too.
const judgedFirst = 100

// maxOwners bounds how often a run looks for the client that a stray answer belongs to; it goes through all clients.
const maxOwners = 50

// oldSession is the age from which on a refused session token may have expired; no page says how long they last.
const oldSession = time.Minute

// judge tells whether an answer is the wanted one and belongs to the client that asked, and keeps the data for the
// client's next request. Kept tells that the client holds a new token, or that it signed out.
func (c *Crowd) judge(h *sender, answer *hit.Answer) (outcome hit.Outcome, kept bool) {
	if c.cookies != nil {
		c.cookies.keep(c.requests.paths[h.step], h.client, answer)
	}
	if outcome := c.refused(h, answer); outcome.Kind != "" {
		return c.brought(h, answer, outcome)
	}
	switch h.step {
	case stepDiscover:
		return c.judgeDiscovery(answer), true
	case stepSignOut:
		return hit.Outcome{}, true
	case stepMint:
		outcome, session := c.judgeMint(h.client, answer)
		if outcome.Kind != "" {
			return outcome, false
		}
		c.hold(h.client, holdsSession, []byte(session))
		return outcome, true
	}
	return c.judgeTokens(h, answer)
}

// brought looks for tokens in a success of another status than the wanted one. The answer is wrong all the same, but
// its client goes on with what it was given, so that one wrong status does not end its chain.
func (c *Crowd) brought(h *sender, answer *hit.Answer, outcome hit.Outcome) (hit.Outcome, bool) {
	tokens := h.step == stepSignOn || h.step == stepSignOnFirst || h.step == stepRefresh
	if !tokens || answer.Err != nil || answer.Truncated || answer.Status/100 != 2 ||
		answer.Status == calls[h.step].wanted {
		return outcome, false
	}
	found, kept := c.judgeTokens(h, answer)
	if found.Kind == hit.KindIdentity || found.Kind == hit.KindDuplicate { // which is graver than a status
		return found, kept
	}
	return outcome, kept
}

// refused returns why an answer is not worth a closer look: there is none, its status is not a wanted one, or it is a
// refusal dressed as success.
func (c *Crowd) refused(h *sender, answer *hit.Answer) hit.Outcome {
	call := &calls[h.step]
	switch {
	case answer.Err != nil || answer.Status == 0:
		kind, why := hit.KindOther, "no reason is known"
		if answer.Err != nil {
			kind, why = transport.WhyNone(answer.Err), wire.Explain(answer.Err)
		}
		return hit.Outcome{Kind: kind, Message: fmt.Sprintf("%s got no whole answer: %s", call.name, why)}
	case wire.LimitsRequests(answer.Status), answer.Status == http.StatusServiceUnavailable &&
		answer.RetryAfter != "":
		when := "without saying when to come again"
		if answer.RetryAfter != "" {
			when = "with Retry-After"
		}
		return hit.Outcome{Kind: hit.KindThrottled, Message: fmt.Sprintf("%s was answered %d %s", call.name,
			answer.Status, when)}
	case answer.Status != call.wanted:
		reason := ""
		if code, ok := check.SubCode(&wire.Exchange{Status: answer.Status, Body: answer.Body}); ok {
			reason = fmt.Sprintf(" with code %d", code)
		}
		return hit.Outcome{Kind: hit.KindStatus, Message: fmt.Sprintf("%s was answered %d%s, not %d%s", call.name,
			answer.Status, reason, call.wanted, c.oughtToKnow(h, answer))}
	case answer.Truncated:
		return hit.Outcome{Kind: hit.KindShape, Message: fmt.Sprintf("the answer to %s is longer than an AGS sends",
			call.name)}
	case h.step != stepSignOn && h.step != stepSignOnFirst && h.step != stepRefresh:
		// tokens are looked into in one pass with the rest
		return legacyRefusal(call.name, answer)
	}
	return hit.Outcome{}
}

// oughtToKnow is what the reader of a refusal should know of the token that was refused; empty: nothing.
func (c *Crowd) oughtToKnow(h *sender, answer *hit.Answer) string {
	if age := time.Since(c.supply.at); c.supply.source == mintedAhead && h.step == stepSignOn && age > oldSession {
		return fmt.Sprintf("; its session token was minted %s before", age.Round(time.Second))
	}
	if h.client >= uint32(len(c.clients)) || h.step == stepMint || h.step == stepDiscover {
		return ""
	}
	cl := &c.clients[h.client]
	if cl.refused {
		return "" // it was refused before, when nothing was to be known of it
	}
	if h.step == stepRefresh && cl.holds == holdsRefresh && answer.Status < http.StatusInternalServerError {
		var room [1024]byte
		sent := check.ReadClaims(string(c.seal.opened(room[:0], cl.token)))
		if sent.Exp != 0 && c.hadExpired(time.Unix(sent.Exp, 0), answer) {
			c.tooOld.Add(1)
			h.excused = true
			return "; its refresh token had expired before it was sent"
		}
	}
	if cl.unsure {
		return "; an earlier try with the same token got no answer that says whether it was taken"
	}
	return ""
}

// hadExpired tells whether a token was too old when its request was sent. The service's own clock decides, which is the
// Date of its answer. Without one it is this machine's as it was when the run was planned, whoever set it since, and as
// far as both may differ.
func (c *Crowd) hadExpired(expires time.Time, answer *hit.Answer) bool {
	sent := c.made.Add(answer.Sent.Sub(c.made) - c.sampled.skew)
	if date, err := http.ParseTime(answer.Date); err == nil {
		sent = date.Add(answer.Sent.Sub(answer.Received))
	}
	return expires.Before(sent)
}

// legacyRefusal: the gateway of older set-ups answers 200 for an unusable token and says so in resultCode only.
func legacyRefusal(call string, answer *hit.Answer) hit.Outcome {
	if !bytes.Contains(answer.Body, []byte(`9999:`)) {
		return hit.Outcome{}
	}
	object, err := strictjson.Parse(answer.Body)
	if err != nil || !strings.HasPrefix(object.Get("resultCode").String(), "99999:") {
		return hit.Outcome{}
	}
	return hit.Outcome{Kind: hit.KindStatus,
		Message: fmt.Sprintf(
			"%s was answered %d, but its body is a refusal of the gateway with resultCode 99999 (GW-02)", call,
			answer.Status)}
}

// judgeDiscovery wants a list that offers the service that the run signs on with. Only an answer that writes it in an
// unusual way is read in full.
func (c *Crowd) judgeDiscovery(answer *hit.Answer) hit.Outcome {
	var room [256]byte
	if bytes.Contains(answer.Body, []byte(`"availableServices"`)) &&
		bytes.Contains(answer.Body, appendJSON(room[:0], []byte(c.service))) {
		return hit.Outcome{}
	}
	object, err := strictjson.Parse(answer.Body)
	if err != nil || object.Get("availableServices") == nil {
		return hit.Outcome{Kind: hit.KindShape, Requirement: "DISC-04",
			Message: "the answer to discover holds no availableServices"}
	}
	for _, item := range object.Get("availableServices").Items {
		if item.Get("authServiceName").String() == c.service {
			return hit.Outcome{}
		}
	}
	return hit.Outcome{Kind: hit.KindIdentity,
		Message: "the answer to discover does not offer the authentication service that this run signs on with"}
}

// judgeMint reads a session token. No two accounts may be given the same one; whether one is given its own again is
// recorded (GST-12).
func (c *Crowd) judgeMint(n uint32, answer *hit.Answer) (hit.Outcome, string) {
	if outcome := c.refused(&sender{client: n, step: stepMint}, answer); outcome.Kind != "" {
		return outcome, ""
	}
	session, err := check.ReadSessionToken(&wire.Exchange{Call: wire.Call{Operation: ags.GetSessionToken},
		Status: answer.Status, Body: answer.Body})
	if err != nil {
		return hit.Outcome{Kind: hit.KindShape, Requirement: "GST-02",
			Message: fmt.Sprintf("the answer to mint holds no session token: %v", err)}, ""
	}
	if earlier, again := c.seen.Claim(c.seen.Digest(unique.Session, []byte(session)), n); again {
		if c.sameAccount(n, earlier) {
			c.sameSession.Add(1)
			return hit.Outcome{}, session
		}
		return hit.Outcome{Kind: hit.KindDuplicate, Requirement: "SOST-22",
			Message: fmt.Sprintf("the session token for %s was given before, for %s", c.clientName(n),
				c.clientName(earlier))}, ""
	}
	return hit.Outcome{}, session
}

// sameAccount tells whether two clients are of one account, for which a session token is.
func (c *Crowd) sameAccount(n, other uint32) bool {
	if n == other || n >= uint32(len(c.clients)) || other >= uint32(len(c.clients)) {
		return n == other
	}
	var room, otherRoom [256]byte
	account := c.who.appendAccount(room[:0], n)
	return len(account) > 0 && bytes.Equal(account, c.who.appendAccount(otherRoom[:0], other))
}

// judgeTokens checks a token body: whose it is on every answer, whether its jti is new, and all rules on some.
func (c *Crowd) judgeTokens(h *sender, answer *hit.Answer) (outcome hit.Outcome, kept bool) {
	tokens := &h.tokens
	err := check.ScanTokens(answer.Body, tokens)
	if err != nil || tokens.ResultCode {
		if outcome := legacyRefusal(calls[h.step].name, answer); outcome.Kind != "" {
			return outcome, false
		}
	}
	if err != nil {
		return hit.Outcome{Kind: hit.KindShape, Requirement: ofStep(h.step, "SOST-03", "REF-02"),
			Message: fmt.Sprintf("the answer to %s is no token body: %v", h.step, err)}, false
	}
	if len(tokens.ClientID) == 0 && h.step != stepRefresh { // a refresh may leave it out (REF-03)
		return hit.Outcome{Kind: hit.KindShape, Requirement: "SOST-04",
			Message: fmt.Sprintf("the answer to %s has no client_id, or an empty one", h.step)}, false
	}
	if outcome := c.identity(h, tokens); outcome.Kind != "" {
		return outcome, false
	}
	outcome = c.unique(h, tokens)
	if outcome.Kind == "" {
		outcome = c.renewed(h, tokens, answer)
	}
	cl := &c.clients[h.client]
	if !h.starter || c.does.whole {
		c.hold(h.client, holdsRefresh, tokens.RefreshToken)
		if c.access != nil {
			c.access[h.client] = resealed(c.access[h.client], &c.seal, tokens.AccessToken)
		}
	}
	cl.turn++
	if rules := c.sampledRules(h, answer); outcome.Kind == "" {
		outcome = rules
	}
	return outcome, true
}

// sampledRules judges an answer by all rules where it is of the sample, or unlike the answers that were found good.
func (c *Crowd) sampledRules(h *sender, answer *hit.Answer) hit.Outcome {
	turn, every := c.clients[h.client].turn+h.client, uint32(c.JudgeEvery)
	now, next := turn%every == 0 || c.sampled.among(h.step), (turn+1)%every == 0
	now = now || c.sampled.unlike(h.step, h.tokens.Shape)
	if !next && c.chained(h) {
		next = c.sampled.early()
	}
	if !now && !(next && c.chained(h)) {
		return hit.Outcome{}
	}
	rules := c.allRules(h, answer, now, next)
	if now && rules.Kind == "" {
		c.sampled.good(h.step, h.tokens.Shape)
	}
	return rules
}

// chained tells whether the next answer of this client will be to a refresh with the token of this answer.
func (c *Crowd) chained(h *sender) bool {
	return c.does.sends(stepRefresh) && (c.does.whole || !h.starter)
}

// hold stores the token that a client needs for its next request.
func (c *Crowd) hold(n uint32, what holding, token []byte) {
	cl := &c.clients[n]
	cl.token, cl.holds = resealed(cl.token, &c.seal, token), what
}

// resealed seals a token into room that is there, or into new room of just its size.
func resealed(into []byte, s *sealer, token []byte) []byte {
	if s.plain && cap(into) > len(token) {
		return s.seal(into[:0], token)
	}
	var room [1024]byte
	sealed := s.seal(room[:0], token)
	if cap(into) < len(sealed) {
		into = make([]byte, 0, len(sealed))
	}
	return append(into[:0], sealed...)
}

// identity compares everything that names somebody in an answer with the client that asked.
func (c *Crowd) identity(h *sender, t *check.Tokens) hit.Outcome {
	var deviceRoom, accountRoom [256]byte
	device := deviceRoom[:0]
	if h.step != stepSignOnFirst {
		device = c.who.appendDevice(device, h.client)
	} else {
		device = append(device, t.ClientID...) // a new one: the tokens must name it too
	}
	account := c.who.appendAccount(accountRoom[:0], h.client)
	if len(account) == 0 {
		account = append(account, t.AccountID...)
	}
	switch {
	case len(t.ClientID) > 0 && !bytes.Equal(t.ClientID, device):
		return c.stranger(h, t, "client_id", t.ClientID)
	case !bytes.Equal(t.Access.DeviceID, device):
		return c.stranger(h, t, "the deviceId of the access token", t.Access.DeviceID)
	case !t.Refresh.Opaque && !bytes.Equal(t.Refresh.DeviceID, device):
		return c.stranger(h, t, "the deviceId of the refresh token", t.Refresh.DeviceID)
	case !bytes.Equal(t.AccountID, account):
		return c.stranger(h, t, "accountId", t.AccountID)
	case !bytes.Equal(t.Access.AccountID, account):
		return c.stranger(h, t, "the accountId of the access token", t.Access.AccountID)
	case !t.Refresh.Opaque && !bytes.Equal(t.Refresh.AccountID, account):
		return c.stranger(h, t, "the accountId of the refresh token", t.Refresh.AccountID)
	case c.tenant != "" && string(t.Access.TenantID) != c.tenant:
		return c.stranger(h, t, "the tenantId of the access token", t.Access.TenantID)
	case c.tenant != "" && !t.Refresh.Opaque && string(t.Refresh.TenantID) != c.tenant:
		return c.stranger(h, t, "the tenantId of the refresh token", t.Refresh.TenantID)
	}
	if c.accounts != nil {
		hash := c.seen.Fingerprint(account)
		switch known := &c.accounts[h.client]; {
		case *known == 0:
			*known = hash
		case *known != hash:
			return c.stranger(h, t, "an accountId other than in the client's first answer", t.AccountID)
		}
	}
	return hit.Outcome{}
}

// stranger says that an answer belongs to somebody else, and to whom.
func (c *Crowd) stranger(h *sender, t *check.Tokens, what string, got []byte) hit.Outcome {
	c.sampled.mu.Lock()
	c.sampled.asked++
	look := c.sampled.asked <= maxOwners
	c.sampled.mu.Unlock()
	whose := ""
	if look {
		for _, device := range [][]byte{t.ClientID, t.Access.DeviceID, t.Refresh.DeviceID} {
			if other, ok := c.who.owner(device); ok && other != c.who.number(h.client) {
				whose = ", which belongs to " + c.who.name(other)
				break
			}
		}
	}
	return hit.Outcome{Kind: hit.KindIdentity, Requirement: ofStep(h.step, "SOST-22", "REF-12"),
		Message: fmt.Sprintf("the answer to the %s of %s is not its own: %s is %s%s", h.step, c.clientName(h.client), what,
			c.who.shown(got), whose)}
}

// unique checks that no two clients get the same jti, and that no two first-time sign-ons get the same device. A
// refresh may keep the jti of its chain (ambiguity 7.14), and a sign-on may continue the client's session: only TOK-21,
// which warns, speaks of that.
func (c *Crowd) unique(h *sender, t *check.Tokens) hit.Outcome {
	if h.step == stepSignOnFirst {
		if earlier, again := c.seen.Claim(c.seen.Digest(unique.Device, t.ClientID), h.client); again {
			return hit.Outcome{Kind: hit.KindDuplicate, Requirement: "SOST-33",
				Message: fmt.Sprintf("the first-time sign-on of %s gave the device %s, which %s got before",
					c.clientName(h.client), c.who.shown(t.ClientID), c.clientName(earlier))}
		}
	}
	if len(t.Access.JTI) == 0 {
		return hit.Outcome{}
	}
	cl := &c.clients[h.client]
	value := c.seen.Digest(unique.JTI, t.Access.JTI)
	short := uint32(value.Hash)
	same := short == cl.jti
	cl.jti = short
	if !same {
		earlier, again := c.seen.Claim(value, h.client)
		if again && earlier != h.client {
			return hit.Outcome{Kind: hit.KindDuplicate, Requirement: "TOK-21",
				Message: fmt.Sprintf("the tokens of %s have the jti %s, which those of %s had before",
					c.clientName(h.client), c.who.shown(t.Access.JTI), c.clientName(earlier))}
		}
		same = again
	}
	if same && h.step != stepRefresh {
		c.sameJTI.Add(1)
	}
	return hit.Outcome{}
}

// allRules judges an answer as the conformance side does, and keeps its tokens where the next answer of the chain is to
// be judged.
func (c *Crowd) allRules(h *sender, answer *hit.Answer, now, next bool) hit.Outcome {
	x := &wire.Exchange{
		Call: wire.Call{Operation: calls[h.step].operation, Method: c.requests.methods[h.step],
			Path: c.requests.paths[h.step]},
		Status: answer.Status, Body: answer.Body, Sent: answer.Sent, Received: answer.Received,
		Header: http.Header{"Content-Type": {"application/json"}}, // of the header the engine keeps Retry-After alone
	}
	var outcome hit.Outcome
	if now {
		var deviceRoom, accountRoom [256]byte
		known := check.Known{Tenant: c.tenant, AccountID: string(c.who.appendAccount(accountRoom[:0], h.client)),
			Skew: c.sampled.skew}
		if h.step == stepSignOnFirst {
			known.FirstTime = true
		} else {
			known.ClientID = string(c.who.appendDevice(deviceRoom[:0], h.client))
		}
		if h.step == stepRefresh {
			known.Previous = c.sampled.take(h.client, &c.seal)
		}
		c.judged.Add(1)
		for _, finding := range check.Judge(x, known) {
			if finding.Outcome == check.Broken && gates(finding.Requirement) {
				outcome = hit.Outcome{Kind: hit.KindToken, Requirement: finding.Requirement,
					Message: fmt.Sprintf("the answer to the %s of %s breaks %s: expected %s, got %s", h.step,
						c.clientName(h.client), finding.Requirement, finding.Expected, finding.Got)}
				break
			}
		}
	}
	if next && c.chained(h) {
		if pair, err := check.ReadPair(x); err == nil {
			c.sampled.keep(h.client, pair, &c.seal)
		}
	}
	return outcome
}

// ofStep picks the requirement that an answer breaks: one about signing on with a session token, or one about
// refreshing.
func ofStep(s step, signOn, refresh string) string {
	if s == stepRefresh {
		return refresh
	}
	return signOn
}

// gates tells whether a miss of a requirement makes an answer wrong under load: those that fail a conformance run do.
func gates(id string) bool {
	requirement, ok := ags.RequirementByID(id)
	return ok && requirement.Gating() == ags.Gates
}
