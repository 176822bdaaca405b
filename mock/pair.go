package mock

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// grant says for whom and when a pair of tokens is made.
type grant struct {
	tenant, account, device, class string
	serial                         uint64
	tokenID                        string // kept from the pair before; empty: a new one
	now                            time.Time
	fixedExp                       int64 // kept from the first pair; 0: a new session
	refreshed                      bool
}

// draft is a token before it is signed.
type draft struct {
	refresh bool
	header  object
	claims  object
	signer  *signer
	grant   *grant
}

// tokens makes the answer of a successful sign-on or refresh. It is called without the mutex.
func (s *Server) tokens(c *call, status int, g grant) reply {
	behaviour := &c.set.behaviour
	signer := c.signer()
	access, refresh, fixed := behaviour.Lifetimes.seconds()
	issued := g.now.Unix()
	fixedExp := issued + fixed
	if g.fixedExp != 0 && c.enforces(ruleExtendFixed) {
		fixedExp = g.fixedExp
	}
	capped := func(exp int64) int64 {
		if c.enforces(ruleCap) {
			return min(exp, fixedExp)
		}
		return exp
	}
	accessExp, refreshExp := capped(issued+access), capped(issued+refresh)
	jti := g.tokenID
	if jti == "" {
		jti = s.tokenID(behaviour, &g)
	}
	fixedIn := fixedExp - issued
	if behaviour.ConstantFixedLifetime {
		fixedIn = fixed
	}

	a := draft{false, signer.header(), s.accessClaims(behaviour, &g, jti, accessExp, fixedExp), signer, &g}
	accessToken := c.sign(&a)
	later := int64(behaviour.PairSkew / time.Second)
	r := draft{true, signer.header(), refreshClaims(behaviour, &g, jti, capped(refreshExp+later), fixedExp), signer, &g}
	refreshToken := c.sign(&r)
	body := object{{"access_token", accessToken}, {"refresh_token", refreshToken}, {"client_id", g.device},
		{"accountId", g.account},
		{"token_type", cmp.Or(behaviour.TokenType, "bearer")}, {"expires_in", accessExp - issued},
		{"refresh_expires_in", refreshExp - issued},
		{"fixed_refresh_expires_in", fixedIn}}
	if g.refreshed && behaviour.NoClientIDOnRefresh {
		body.remove("client_id")
	}
	answer := jsonReply(status, body)
	answer.pair = &g
	return answer
}

func (s *Server) accessClaims(behaviour *Behaviour, g *grant, jti string, exp, fixedExp int64) object {
	var class any
	if g.class != "" {
		class = g.class
	}
	claims := object{{"accountProfileId", "DEFAULT"}, {"tenantId", g.tenant}, {"filteringInformation", object{}},
		{"blockingInformation", object{}},
		{"accountId", g.account}, {"userId", g.account}, {"ver", "1.0"}, {"geoBlockExempt", false}, {"parentalControl", nil},
		{"typ", "DevAuthN"},
		{"jti", jti}, {"playoutDeviceClass", class}, {"deviceId", g.device}, {"exp", exp}, {"fixed_exp", fixedExp},
		{"onNetwork", true},
		{"sessionControl", sessionControl()}, {"billingCountryCode", "EmptyCountry"}}
	if behaviour.ProfileFeatures {
		claims.set("parentalControl", object{{"ratingThreshold", object{{"FSK", "16"}}}})
		claims.set("billingCountryCode", "CH")
		claims.set("filteringInformation", object{{"regions", []any{"west"}}})
	}
	return claims
}

func refreshClaims(behaviour *Behaviour, g *grant, jti string, exp, fixedExp int64) object {
	claims := object{{"accountProfileId", "DEFAULT"}, {"tenantId", g.tenant}, {"accountId", g.account},
		{"userId", g.account}, {"ver", "1.0"},
		{"typ", "RefreshAuthN"}, {"jti", jti}, {"deviceId", g.device}, {"exp", exp}, {"fixed_exp", fixedExp},
		{"sessionControl", sessionControl()}}
	if behaviour.NoRefreshSessionControl {
		claims.remove("jti")
		claims.remove("sessionControl")
	}
	return claims
}

// maxSessions is how many sessions of an account tokens tell of.
const maxSessions = 3

func sessionControl() object {
	return object{{"maxSessions", maxSessions}, {"sessionControlEnabled", true}}
}

// sign turns a draft into a token. Choices come first, then faults.
func (c *call) sign(d *draft) string {
	behaviour := &c.set.behaviour
	if behaviour.ExtraClaims {
		d.claims = append(d.claims, member{"deviceProfileId", "standard"}, member{"inHome", false},
			member{"deviceProfileFeatures", []any{"hd", "dolby"}}, member{"countryCode", "CH"})
	}
	if behaviour.KeepTokenID || behaviour.TokenIDForm == "device" || behaviour.RevokeOnRefresh &&
		behaviour.NoRefreshSessionControl {
		// Without it two pairs of one second would be the same.
		d.claims = append(d.claims, member{"pair", int64(d.grant.serial)})
	}
	if behaviour.TokenPadding > 0 {
		d.claims = append(d.claims, member{"entitlements", strings.Repeat("e", behaviour.TokenPadding)})
	}
	if behaviour.ExtraJOSE {
		d.header = append(d.header, member{"x5t", "bW9jaw"}, member{"cty", "claims"})
	}
	if behaviour.ReversedClaims {
		d.claims = reversed(d.claims).(object)
		d.header = reversed(d.header).(object)
	}
	for _, change := range c.set.drafts {
		change(c, d)
	}
	compact := d.signer.sign(d.header, d.claims)
	for _, change := range c.set.compacts {
		compact = change(c, d, compact)
	}
	return compact
}

// tokenID makes the claim jti: 19 digits, unique in the life of the mock, and later ones greater, so that signing out
// can end all tokens up to a point without remembering each.
func (s *Server) tokenID(behaviour *Behaviour, g *grant) string {
	switch behaviour.TokenIDForm {
	case "uuid":
		return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(s.state.serialBase>>40), g.serial)
	case "device":
		return "1" + fmt.Sprintf("%018d", fnv(g.tenant+"/"+g.device)%1_000_000_000_000_000_000)
	}
	return strconv.FormatUint(s.state.serialBase+g.serial, 10)
}

// serialOf is the way back from a jti; false where it does not tell.
func (s *Server) serialOf(jti string) (uint64, bool) {
	if len(jti) == 36 {
		n, err := strconv.ParseUint(jti[24:], 16, 64)
		return n, err == nil
	}
	n, err := strconv.ParseUint(jti, 10, 64)
	if err != nil || n < s.state.serialBase {
		return 0, false
	}
	return n - s.state.serialBase, n-s.state.serialBase < 1<<40
}

// fnv is the FNV-1a hash of 64 bits.
func fnv(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
