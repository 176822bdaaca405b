package mock

import (
	"cmp"
	"encoding/hex"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
)

// tokenClaims are the claims of the mock's own tokens that it reads.
type tokenClaims struct {
	Type     string `json:"typ"`
	Tenant   string `json:"tenantId"`
	Account  string `json:"accountId"`
	Device   string `json:"deviceId"`
	ID       string `json:"jti"`
	Expires  whole  `json:"exp"`
	FixedExp whole  `json:"fixed_exp"`
}

// whole is a whole number, however it is written: 3600, 3600.0 and 36e2 are the same (RFC 8259 section 6).
type whole int64

func (w *whole) UnmarshalJSON(raw []byte) error {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		var f float64 // exact for every moment in seconds
		if f, err = strconv.ParseFloat(string(raw), 64); err == nil && f != math.Trunc(f) {
			err = errClaims
		}
		n = int64(f)
	}
	*w = whole(n)
	return err
}

// authorization reads the token of the header Authorization, with or without the scheme Bearer in any case (RFC 9110
// section 11.1).
func (c *call) authorization() string {
	value := strings.TrimSpace(c.header(ags.HeaderAuthorization))
	scheme, token, hasScheme := strings.Cut(value, " ")
	hasScheme = hasScheme && strings.EqualFold(scheme, "Bearer")
	token, value = c.readable(token), c.readable(value)
	form := c.set.behaviour.Authorization
	if c.service == nil {
		form = "" // the service makes the choice; the calls around it want Bearer
	}
	switch {
	case form == "raw" && hasScheme, !c.enforces(ruleBearer) && hasScheme:
		return "" // not understood
	case hasScheme:
		return strings.TrimSpace(token)
	case form == "bearer":
		return ""
	}
	return value
}

// sealedRefresh stands before a refresh token that says nothing to clients.
const sealedRefresh = "rt"

// readable returns the JWT in an opaque refresh token if the mock gives such tokens, else the text unchanged.
func (c *call) readable(text string) string {
	sealed, ours := strings.CutPrefix(text, sealedRefresh)
	if !c.set.behaviour.OpaqueRefresh || !ours || sealed != strings.ToLower(sealed) {
		return text
	}
	plain, err := hex.DecodeString(sealed)
	if err != nil {
		return text
	}
	return string(plain)
}

// verify checks a token of the mock's own: 401 for garbage, 403 with sub-code 20020 for a token that fails.
func (s *Server) verify(c *call, compact, wanted string, garbage int) (tokenClaims, *reply) {
	var claims tokenClaims
	by := c.signerOf(compact)
	err := by.verify(compact, &claims, c.overlooks(compact, by, ruleTokenSignature, ruleTokenAlgorithm,
		ruleSignatureWhole, ruleSignaturePresent, ruleSignatureEnd, ruleKnownKey))
	switch {
	case errors.Is(err, errSignature), errors.Is(err, errAlgorithm), errors.Is(err, errKeyID), errors.Is(err,
		errClaims):
		return claims, c.refusal(ruleTokenSignature, http.StatusForbidden, 20020, "the token failed its validity check")
	case err != nil:
		return claims, c.refusal(ruleToken, garbage, 0, "the token is not usable")
	case claims.Type != wanted && c.enforces(ruleTokenType):
		return claims, c.refusal(ruleTokenType, http.StatusForbidden, 20020, "the token is of another type")
	case claims.Tenant != c.tenant.id && c.enforces(ruleTokenTenant):
		return claims, c.refusal(ruleTokenTenant, http.StatusForbidden, 20020, "the token is of another tenant")
	}
	return claims, nil
}

// refresh exchanges a refresh token for a new pair.
func (s *Server) refresh(c *call) reply {
	if refused := c.open(true); refused != nil {
		return *refused
	}
	return s.exchange(c, c.authorization())
}

func (s *Server) exchange(c *call, compact string) reply {
	behaviour := &c.set.behaviour
	if compact == "" {
		return c.refuse(ruleAuthorization, http.StatusUnauthorized, 0,
			"the header Authorization with a refresh token is missing")
	}
	claims, refused := s.verify(c, compact, ags.RefreshType, cmp.Or(behaviour.BadRefreshToken, http.StatusUnauthorized))
	if refused != nil {
		return *refused
	}
	g, refused := s.renew(c, compact, claims)
	if refused != nil {
		return *refused
	}
	return s.tokens(c, http.StatusOK, g)
}

func (s *Server) renew(c *call, compact string, claims tokenClaims) (grant, *reply) {
	behaviour := &c.set.behaviour
	st := &s.state
	st.mutex.Lock()
	defer st.mutex.Unlock()
	a := st.account(st.tenants[claims.Tenant], claims.Account)
	if a == nil {
		return grant{}, c.refusal(ruleKnownAccount, http.StatusForbidden, 20020, "the account does not exist")
	}
	now := s.accountNow(c, a)
	expired := cmp.Or(behaviour.ExpiredRefresh, http.StatusForbidden)
	code := 20020
	if expired != http.StatusForbidden {
		code = 0
	}
	if int64(claims.FixedExp) <= now.Unix() && c.enforces(ruleFixedExpiry) {
		return grant{}, c.refusal(ruleFixedExpiry, expired, code, "the session has reached its absolute end")
	}
	if int64(claims.Expires) <= now.Unix() && c.enforces(ruleTokenExpiry) && (int64(claims.FixedExp) > now.Unix() ||
		c.enforces(ruleFixedExpiry)) {
		return grant{}, c.refusal(ruleTokenExpiry, expired, code, "the refresh token has expired")
	}
	if refused := s.checkAccount(c, a); refused != nil {
		return grant{}, refused
	}
	d := st.device(st.tenants[claims.Tenant], claims.Device)
	if refused := s.checkDevice(c, a, d); refused != nil {
		return grant{}, refusedOnRefresh(c, refused)
	}
	if s.signedOut(c, d, claims.ID) {
		return grant{}, c.refusal(ruleTokenEnded, cmp.Or(behaviour.EndedToken, http.StatusUnauthorized), 0,
			"the client has signed out")
	}
	signature := compact[strings.LastIndexByte(compact, '.')+1:]
	if _, _, spent := st.spent.get(signature); spent && behaviour.RevokeOnRefresh {
		return grant{}, c.refusal(ruleTokenEnded, cmp.Or(behaviour.BadRefreshToken, http.StatusUnauthorized), 0,
			"the refresh token was used before")
	}
	g := grant{tenant: claims.Tenant, account: a.id, device: claims.Device, serial: st.nextSerial(), now: now,
		fixedExp: int64(claims.FixedExp), refreshed: true}
	if d != nil {
		g.class = d.class
	}
	if behaviour.RevokeOnRefresh {
		if !st.spent.put(signature, struct{}{}, time.Unix(int64(claims.Expires), 0).Add(-a.offset), s.now(c.set)) {
			return grant{}, c.refusal(ruleCapacity, http.StatusServiceUnavailable, 0,
				"the mock holds as many ended tokens as it may")
		}
	}
	if behaviour.KeepTokenID {
		g.tokenID = claims.ID
	}
	if !c.enforces(ruleFreshTimes) {
		_, refresh, _ := behaviour.Lifetimes.seconds()
		g.now = time.Unix(int64(claims.Expires)-refresh-600, 0)
	}
	return g, nil
}

// refusedOnRefresh gives a refusal the status that refresh documents: it knows no 404.
func refusedOnRefresh(c *call, refused *reply) *reply {
	if refused.status == http.StatusNotFound {
		return c.refusal(refused.refused, http.StatusForbidden, 20003, "the device does not exist")
	}
	return refused
}

// signedOut tells whether the tokens of a pair ended when their device signed out.
func (s *Server) signedOut(c *call, d *device, jti string) bool {
	if d == nil || d.ended == 0 || c.set.behaviour.TokensOutliveSignOut || !c.enforces(ruleTokenEnded) {
		return false
	}
	serial, known := s.serialOf(jti)
	return known && serial <= d.ended
}
