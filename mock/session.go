package mock

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"agstest/ags"
)

// operatorClaims are those of the OperatorAuthToken that a head-end system signs (the page "Requesting a session token").
type operatorClaims struct {
	Type     string          `json:"typ"`
	Audience json.RawMessage `json:"aud"`
	Tenant   string          `json:"OpfTenantId"`
	Account  string          `json:"OpfAccountId"`
	Expires  json.Number     `json:"exp"`
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
	err := s.operator.verify(compact, &claims,
		c.overlooks(compact, s.operator, ruleOperatorSignature, ruleOperatorAlgorithm, ruleSignatureWhole, ruleSignaturePresent, ruleSignatureEnd, ruleKnownKey))
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
	expires, err := claims.Expires.Int64()
	if claims.Expires == "" && !c.enforces(ruleOperatorHasExpiry) {
		expires, err = s.now(c.set).Unix()+1, nil
	}
	if (err != nil || expires <= s.now(c.set).Unix()) && c.enforces(ruleOperatorExpiry) {
		return no(ruleOperatorExpiry, http.StatusUnauthorized, "the OperatorAuthToken has expired")
	}
	claims.Type = c.taken(nearOperatorType, claims.Type, just(ags.OperatorToken.Type))
	claims.Tenant = c.taken(nearOperTenant, claims.Tenant, just(c.tenant.id))
	claims.Account = c.taken(nearAccount, claims.Account, maps.Keys(c.tenant.accounts))
	if claims.Account == "" && !c.enforces(ruleOperatorHasAccount) {
		claims.Account = firstAccount
	}
	if claims.Type != ags.OperatorToken.Type && c.enforces(ruleOperatorType) && (claims.Type != "" || c.enforces(ruleOperatorHasType)) {
		return no(ruleOperatorType, http.StatusForbidden, "the token is not an OperatorAuthToken")
	}
	if !c.audienceHolds(claims.Audience, ags.OperatorToken.Audience) && c.enforces(ruleOperatorAudience) && (claims.Audience != nil || c.enforces(ruleOperatorHasAudience)) {
		return no(ruleOperatorAudience, http.StatusForbidden, "the OperatorAuthToken is meant for another service")
	}
	if claims.Tenant != c.tenant.id && c.enforces(ruleOperatorTenant) && (claims.Tenant != "" || c.enforces(ruleOperatorHasTenant)) {
		return no(ruleOperatorTenant, http.StatusForbidden, "the OperatorAuthToken is of another tenant")
	}
	if s.state.account(c.tenant, claims.Account) == nil {
		if c.enforces(ruleOperatorAccount) || claims.Account == "" {
			return no(ruleOperatorAccount, http.StatusForbidden, "the account does not exist")
		}
		return firstAccount, nil
	}
	return claims.Account, nil
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
	if !c.enforces(ruleSessionUsable) {
		return token, nil
	}
	if !s.state.sessions.put(token, session{tenant: t.id, account: id}, now.Add(a.offset+life), now) {
		return "", c.refusal(ruleCapacity, http.StatusServiceUnavailable, 0, "the mock holds as many session tokens as it may")
	}
	return token, nil
}
