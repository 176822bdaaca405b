package mock

import (
	"cmp"
	"errors"
	"net/http"

	"agstest/ags"
)

// signOut ends the tokens of the device whose access token is presented. The device stays.
func (s *Server) signOut(c *call) reply {
	if refused := c.open(true); refused != nil {
		return *refused
	}
	behaviour := &c.set.behaviour
	bad := cmp.Or(behaviour.BadAccessToken, http.StatusUnauthorized)
	compact := c.authorization()
	if compact == "" {
		return c.refuse(ruleAuthorization, bad, 0, "the header Authorization with an access token is missing")
	}
	claims, refused := s.verify(c, compact, ags.AccessType, bad)
	if refused != nil {
		return *refused
	}
	return s.endTokens(c, claims, bad)
}

func (s *Server) endTokens(c *call, claims tokenClaims, bad int) reply {
	st := &s.state
	st.mutex.Lock()
	defer st.mutex.Unlock()
	t := st.tenants[claims.Tenant]
	a := st.account(t, claims.Account)
	d := st.device(t, claims.Device)
	if a == nil || d == nil || d.deleted {
		return c.refuse(ruleKnownClient, http.StatusNotFound, 0, "the device does not exist")
	}
	if int64(claims.Expires) <= s.accountNow(c, a).Unix() && c.enforces(ruleTokenExpiry) {
		return c.refuse(ruleTokenExpiry, bad, 0, "the access token has expired")
	}
	if s.signedOut(c, d, claims.ID) {
		if c.set.behaviour.SecondSignOut == http.StatusOK {
			return emptyReply(http.StatusOK)
		}
		return c.refuse(ruleTokenEnded, cmp.Or(c.set.behaviour.SecondSignOut,
			cmp.Or(c.set.behaviour.EndedToken, http.StatusUnauthorized)), 0, "the client has signed out before")
	}
	if !st.keep(t, a) {
		return c.refuse(ruleCapacity, http.StatusServiceUnavailable, 0,
			"the mock holds as many devices as it may; start it with a higher limit")
	}
	d = st.device(t, claims.Device)
	d.ended = st.serial
	if !c.enforces(ruleKeepDevice) {
		d.deleted = true
		a.recount()
	}
	if !c.enforces(ruleOnlyThisDevice) {
		for _, other := range a.devices {
			other.ended = st.serial
		}
	}
	if c.set.behaviour.SignOutBody == "object" {
		return jsonReply(http.StatusOK, object{{"result", "signed out"}})
	}
	return emptyReply(http.StatusOK)
}

// bearer verifies an access token for the calls around the service.
func (s *Server) bearer(c *call) (tokenClaims, error) {
	compact := c.authorization()
	for _, name := range []string{"Client-Token", "Token"} {
		if compact == "" {
			compact = c.header(name)
		}
	}
	var claims tokenClaims
	if err := c.signer().verify(compact, &claims, overlookNothing); err != nil {
		return claims, err
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	if claims.Type != ags.AccessType || claims.Tenant != c.tenant.id {
		return claims, errUnusable
	}
	a := s.state.account(c.tenant, claims.Account)
	d := s.state.device(c.tenant, claims.Device)
	if a == nil || d == nil || int64(claims.Expires) <= s.accountNow(c, a).Unix() || s.signedOut(c, d, claims.ID) {
		return claims, errUnusable
	}
	return claims, nil
}

var errUnusable = errors.New("the token is not usable")
