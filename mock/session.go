package mock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
)

// operatorClaims are the claims of the OperatorAuthToken that a head-end system signs (the page "Requesting a session
// token").
type operatorClaims struct {
	Type     string            `json:"typ"`
	Audience json.RawMessage   `json:"aud"`
	Tenant   string            `json:"OpfTenantId"`
	Account  operatorAccountID `json:"OpfAccountId"`
	Expires  json.RawMessage   `json:"exp"`
	Issued   json.Number       `json:"iat"`
	ID       string            `json:"jti"`
}

// getSessionToken gives a head-end system a session token for one of its accounts.
func (s *Server) getSessionToken(c *call) reply {
	if refused := c.open(false); refused != nil {
		return *refused
	}
	if refused := c.odd(); refused != nil {
		return *refused
	}
	compact := c.parameter(operatorParameter)
	if compact == "" && c.operatorTokenInHeader() {
		compact = c.header(operatorParameter)
	}
	id, refused := s.checkOperator(c, compact)
	if refused != nil {
		return *refused
	}
	token, refused := s.mintSession(c, c.tenant, id, cmp.Or(c.set.behaviour.SessionTokenLife, 10*time.Minute))
	if refused != nil {
		return *refused
	}
	return jsonReply(http.StatusOK, object{{"sessionToken", token}})
}

const operatorParameter = "OperatorAuthToken"

func (s *Server) checkOperator(c *call, compact string) (string, *reply) {
	behaviour := &c.set.behaviour
	no := func(r rule, status int, why string) (string, *reply) {
		return "", c.refusal(r, cmp.Or(behaviour.BadOperatorToken, status), 0, why)
	}
	var claims operatorClaims
	by := s.operatorSigner(c, compact)
	err := by.verify(compact, &claims,
		c.overlooks(compact, by, ruleOperatorSignature, ruleOperatorAlgorithm, ruleSignatureWhole, ruleSignaturePresent,
			ruleSignatureEnd, ruleKnownKey))
	switch {
	case errors.Is(err, errAlgorithm):
		return no(ruleOperatorAlgorithm, http.StatusUnauthorized, "the OperatorAuthToken is not signed with HS256")
	case errors.Is(err, errSignature):
		return no(ruleOperatorSignature, http.StatusUnauthorized, "the OperatorAuthToken is signed with another key")
	case err != nil:
		return no(ruleOperatorForm, http.StatusUnauthorized, "the OperatorAuthToken is not usable")
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	if s.expired(c, claims.Expires) {
		return no(ruleOperatorExpiry, http.StatusUnauthorized, "the OperatorAuthToken has expired")
	}
	claims.Type = c.taken(nearOperatorType, claims.Type, just(ags.OperatorToken.Type))
	claims.Tenant = c.taken(nearOperTenant, claims.Tenant, just(c.tenant.id))
	named := strings.TrimPrefix(claims.Account.named(c), behaviour.OperatorAccountPrefix)
	named = c.taken(nearAccount, named, maps.Keys(c.tenant.accounts))
	if named == "" && !c.enforces(ruleOperatorHasAccount) {
		named = firstAccount
	}
	if broken, why := c.misdirected(claims); broken != "" {
		return no(broken, http.StatusForbidden, why)
	}
	if s.state.account(c.tenant, named) == nil {
		if c.enforces(ruleOperatorAccount) || named == "" {
			return no(ruleOperatorAccount, http.StatusForbidden, "the account does not exist")
		}
		return firstAccount, nil
	}
	if behaviour.OperatorTokenOnce && !s.firstUse(c, &claims) {
		return no(ruleOperatorForm, http.StatusUnauthorized,
			"the OperatorAuthToken was used before, or does not say when it was made")
	}
	return named, nil
}

// operatorSigner is whose key an OperatorAuthToken is checked with: the operator's, or none for a kid that nobody has.
func (s *Server) operatorSigner(c *call, compact string) *signer {
	if c.enforces(ruleOperatorNoEmptyKey) {
		return s.operator
	}
	first, _, _ := strings.Cut(compact, ".")
	if kid := headerOf(first).KeyID; kid != nil && *kid != s.operator.keyID {
		return newSigner(s.operator.algorithm, *kid, nil)
	}
	return s.operator
}

// operatorAccountID is the claim OpfAccountId as it was written.
type operatorAccountID json.RawMessage

func (a *operatorAccountID) UnmarshalJSON(raw []byte) error {
	*a = slices.Clone(raw)
	return nil
}

// named reads the account: a text, or what faults and choices take for one. Empty: none.
func (a operatorAccountID) named(c *call) string {
	if text, isText := textOf(json.RawMessage(a)); isText {
		return text
	}
	var number json.Number
	if c.set.behaviour.OperatorAccountNumber && json.Unmarshal(a, &number) == nil {
		return number.String()
	}
	var list []string
	if !c.enforces(ruleOperatorPlain) && json.Unmarshal(a, &list) == nil && len(list) > 0 {
		return list[len(list)-1]
	}
	return ""
}

// misdirected returns the rule that a genuine OperatorAuthToken breaks because it is meant for something else; empty if
// none.
func (c *call) misdirected(claims operatorClaims) (broken rule, why string) {
	switch {
	case claims.Type != ags.OperatorToken.Type && c.enforces(ruleOperatorType) &&
		(claims.Type != "" || c.enforces(ruleOperatorHasType)):
		return ruleOperatorType, "the token is not an OperatorAuthToken"
	case !c.audienceHolds(claims.Audience, ags.OperatorToken.Audience) && c.enforces(ruleOperatorAudience) &&
		(claims.Audience != nil || c.enforces(ruleOperatorHasAudience)):
		return ruleOperatorAudience, "the OperatorAuthToken is meant for another service"
	case claims.Tenant != c.tenant.id && c.enforces(ruleOperatorTenant) &&
		(claims.Tenant != "" || c.enforces(ruleOperatorHasTenant)):
		return ruleOperatorTenant, "the OperatorAuthToken is of another tenant"
	}
	return "", ""
}

// operatorIDKept is how long the jti of an OperatorAuthToken is remembered.
const operatorIDKept = 10 * time.Minute

// firstUse takes a token that is good for one call. The caller holds the mutex.
func (s *Server) firstUse(c *call, claims *operatorClaims) bool {
	now := s.now(c.set)
	issued, err := claims.Issued.Int64()
	if err != nil || issued > now.Unix()+1 || claims.ID == "" {
		return false
	}
	_, _, used := s.state.operatorJTIs.get(claims.ID)
	return !used && s.state.operatorJTIs.put(claims.ID, struct{}{}, now.Add(operatorIDKept), now)
}

// textOf reads a claim that may be a text.
func textOf(raw json.RawMessage) (text string, isText bool) {
	if !bytes.HasPrefix(raw, []byte(`"`)) {
		return "", false
	}
	var read string
	err := json.Unmarshal(raw, &read)
	return read, err == nil
}

// expired tells whether an OperatorAuthToken has ended, as far as the mock checks that.
func (s *Server) expired(c *call, at json.RawMessage) bool {
	if (at == nil || string(at) == "null") && !c.enforces(ruleOperatorHasExpiry) || !c.enforces(ruleOperatorExpiry) {
		return false
	}
	moment := string(at)
	if text, isText := textOf(at); isText {
		if !c.enforces(ruleOperatorPastText) {
			return false
		}
		if c.set.behaviour.OperatorEndInText {
			moment = text
		}
	}
	expires, err := strconv.ParseInt(moment, 10, 64)
	if err != nil {
		return at == nil || c.enforces(ruleOperatorReadExpiry)
	}
	late := c.set.behaviour.OperatorLeeway
	if !c.enforces(ruleOperatorPunctual) {
		late = 40 * time.Minute
	}
	return expires <= s.now(c.set).Add(-late).Unix()
}

// audienceHolds reads aud as a string or an array of strings (RFC 7519 section 4.1.3).
func (c *call) audienceHolds(raw json.RawMessage, wanted string) bool {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return c.taken(nearAudience, one, just(wanted)) == wanted
	}
	var several []string
	return json.Unmarshal(raw, &several) == nil && slices.Contains(several, wanted)
}

// mintSession keeps a new session token.
func (s *Server) mintSession(c *call, t *tenant, id string, life time.Duration) (string, *reply) {
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	now := s.now(c.set)
	a := s.state.account(t, id)
	if a == nil {
		return "", c.refusal(ruleOperatorAccount, http.StatusForbidden, 0, "the account does not exist")
	}
	token := s.state.text(26)
	if !c.enforces(ruleDifferentSessions) {
		token = "session" + id
	}
	if !c.enforces(ruleUnguessable) {
		s.state.issued++
		token = fmt.Sprintf("session-%08d", s.state.issued)
	}
	if !c.enforces(ruleSessionUsable) {
		return token, nil
	}
	expires := now.Add(a.offset + life)
	told, key := s.told(c.set, ags.SignOnWithSessionToken, token, t.id, id, expires)
	if c.set.behaviour.OneSessionToken {
		s.state.sessions.remove(a.lastSession)
		a.lastSession = key
	}
	if !s.state.sessions.put(key, session{tenant: t.id, account: id}, expires, now) {
		return "", c.refusal(ruleCapacity, http.StatusServiceUnavailable, 0,
			"the mock holds as many session tokens as it may")
	}
	return told, nil
}
