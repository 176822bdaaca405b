package mock

import (
	"cmp"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"agstest/ags"
)

// signOnWithSessionToken signs a client app in with a session token.
func (s *Server) signOnWithSessionToken(c *call) reply {
	if refused := c.open(false); refused != nil {
		return *refused
	}
	if refused := c.odd(); refused != nil {
		return *refused
	}
	argument, refused := c.readDevice()
	if refused != nil {
		return *refused
	}
	g, refused := s.redeem(c, c.parameter("sessionToken"), argument)
	if refused != nil {
		return *refused
	}
	return s.tokens(c, http.StatusCreated, g)
}

// odd refuses harmless things where a fault makes the mock narrow-minded.
func (c *call) odd() *reply {
	bad := func(why string) *reply {
		answer := c.refuse(ruleDeviceArgument, http.StatusBadRequest, 0, why)
		return &answer
	}
	if !c.enforces(ruleCorrelationFree) && c.header(ags.HeaderCorrelation) == "" {
		return bad("the header x-correlation-id is missing")
	}
	if !c.enforces(ruleUnknownMembers) {
		for name := range c.body {
			switch name {
			case "parameters", "clientId", "deviceInformation", "deviceType":
			default:
				return bad("the body has a member that is not known")
			}
		}
		for name := range c.request.Header {
			switch name {
			case "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Connection", "Content-Length", "Content-Type",
				"User-Agent", "User-Token",
				"X-Forwarded-For", "X-Correlation-Id", "X-Auth-Service-Id", "Nv-Tenant-Id":
			default:
				return bad("the request has a header that is not known")
			}
		}
	}
	if !c.enforces(ruleDiscoveredServices) && c.service != &c.tenant.services[0] {
		return bad("the authentication service is not known")
	}
	return nil
}

// redeem uses up a session token.
func (s *Server) redeem(c *call, token string, argument deviceArgument) (grant, *reply) {
	behaviour := &c.set.behaviour
	st := &s.state
	st.mutex.Lock()
	defer st.mutex.Unlock()
	token = c.taken(nearSession, c.keptUnder(token), st.sessionTokens())
	found, expires, standing, known := st.session(c.tenant, token)
	if known && found.tenant != c.tenant.id && c.enforces(ruleSessionTenant) {
		known = false
	}
	var a *account
	if known {
		a = st.account(st.tenants[found.tenant], found.account)
	}
	if a == nil {
		return grant{}, c.refusal(ruleKnownSession, cmp.Or(behaviour.UnknownSession, http.StatusUnauthorized), 0,
			"the session token is not known")
	}
	if (found.account == expiredSessionAccount || !expires.IsZero() && !s.accountNow(c, a).Before(expires)) &&
		c.enforces(ruleSessionExpiry) {
		return grant{}, c.refusal(ruleSessionExpiry, cmp.Or(behaviour.ExpiredSession, http.StatusUnauthorized), 0,
			"the session token has expired")
	}
	if found.used && c.enforces(ruleSessionOnce) && !behaviour.SessionTokensReusable {
		return grant{}, c.refusal(ruleSessionOnce, cmp.Or(behaviour.UsedSession, http.StatusForbidden), 20020,
			"the session token was used before")
	}
	g, refused := s.admit(c, a, argument)
	if refused != nil {
		return grant{}, refused
	}
	switch {
	case !standing:
		found.used = true
		st.sessions.change(token, found)
	case behaviour.PopulationOnce && len(token) > len(st.population) && token[:len(st.population)] == st.population:
		found.used = true
		if !st.sessions.put(token, found, g.now.Add(time.Hour), g.now) {
			return grant{}, c.refusal(ruleCapacity, http.StatusServiceUnavailable, 0,
				"the mock holds as many session tokens as it may")
		}
	}
	return g, nil
}

// signOn signs a client in with credentials.
func (s *Server) signOn(c *call) reply {
	if refused := c.open(false); refused != nil {
		return *refused
	}
	if refused := c.odd(); refused != nil {
		return *refused
	}
	argument, refused := c.readDevice()
	if refused != nil {
		return *refused
	}
	u, refused := s.credentials(c)
	if refused != nil {
		return *refused
	}
	if len(u.accounts) > 1 {
		return s.offerAccounts(c, u, argument, false)
	}
	g, refused := s.signOnAccount(c, u.accounts[0], argument)
	if refused != nil {
		return *refused
	}
	return s.tokens(c, http.StatusCreated, g)
}

func (s *Server) signOnAccount(c *call, id string, argument deviceArgument) (grant, *reply) {
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	a := s.state.account(c.tenant, id)
	if a == nil {
		return grant{}, c.refusal(ruleKnownAccount, http.StatusNotFound, 0, "the account does not exist")
	}
	return s.admit(c, a, argument)
}

// credentials checks user name and password.
func (s *Server) credentials(c *call) (user, *reply) {
	name, password := c.parameter("username"), c.parameter("password")
	s.state.mutex.Lock()
	u, known := c.tenant.users[c.taken(nearUser, name, c.tenant.usersWith(password))]
	s.state.mutex.Unlock()
	password = c.taken(nearPassword, password, just(u.password))
	right := subtle.ConstantTimeCompare([]byte(password), []byte(u.password)) == 1
	if !known && !c.enforces(ruleMandatoryParameters) {
		u, known = user{accounts: []string{firstAccount}}, name == ""
		right = known
	}
	if password == "" && !c.enforces(ruleMandatoryParameters) {
		right = true
	}
	if !known || !right && c.enforces(ruleCredentials) {
		return user{}, c.refusal(ruleCredentials, http.StatusUnauthorized, 0, "the credentials are wrong")
	}
	return u, nil
}

// offerAccounts answers that several accounts match.
func (s *Server) offerAccounts(c *call, u user, argument deviceArgument, register bool) reply {
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	if refused := s.checkCaller(c); refused != nil {
		return *refused
	}
	if !register && argument.clientID != "" && s.state.device(c.tenant, argument.clientID) == nil &&
		c.enforces(ruleKnownClient) {
		return c.refuse(ruleKnownClient, cmp.Or(c.set.behaviour.UnknownClient, http.StatusNotFound), 0,
			"the device does not exist")
	}
	now := s.now(c.set)
	life := cmp.Or(c.set.behaviour.UserTokenLife, 10*time.Minute)
	taker := ags.SubsequentSignOn
	if register {
		taker = ags.SubsequentRegister
	}
	var accounts []any
	var first string
	for i, id := range u.accounts {
		token := s.state.text(32)
		if !c.enforces(ruleUnguessable) {
			s.state.issued++
			token = fmt.Sprintf("pick-%08d", s.state.issued)
		}
		if !c.enforces(ruleDifferentPicks) {
			token = hex.EncodeToString(s.operator.mac([]byte(c.operation + " " + id)))
		}
		kept := offer{tenant: c.tenant.id, account: id, service: c.service.Name, register: register, argument: argument}
		token, key := s.told(c.set, taker, token, c.tenant.id, id, now.Add(life))
		if !s.state.userTokens.put(key, kept, now.Add(life), now) {
			return c.refuse(ruleCapacity, http.StatusServiceUnavailable, 0,
				"the mock holds as many user tokens as it may")
		}
		first = cmp.Or(first, token)
		information, _ := json.Marshal(map[string]any{"account": id, "name": "Home " + string(rune('A'+i)),
			"address": nil, "state": active})
		element := object{{"accountInformation", string(information)}}
		if !c.set.behaviour.UserTokenAtTop {
			element = append(element, member{"userAccountToken", token})
		}
		accounts = append(accounts, element)
	}
	body := object{{"accounts", accounts}}
	if c.set.behaviour.UserTokenAtTop {
		body = append(body, member{"userAccountToken", first})
	}
	return jsonReply(http.StatusMultipleChoices, body)
}

// subsequentSignOn finishes a sign-on for the account that was picked.
func (s *Server) subsequentSignOn(c *call) reply {
	picked, token, refused := s.openPicked(c, false)
	if refused != nil {
		return *refused
	}
	argument := picked.argument
	_, hasID := c.body["clientId"]
	_, hasInformation := c.body["deviceInformation"]
	if hasID || hasInformation || c.set.behaviour.SubsequentNeedsDevice {
		if argument, refused = c.readDevice(); refused != nil {
			return *refused
		}
	}
	id := picked.account
	if other := map[string]string{"2001": "2002", "2002": "2001"}[id]; other != "" && !c.enforces(ruleOwnPick) {
		id = other
	}
	if !c.enforces(rulePickedAccount) {
		id = firstAccount
		argument = deviceArgument{first: true}
	}
	g, refused := s.signOnAccount(c, id, argument)
	if refused != nil {
		return *refused
	}
	s.usePicked(c, token)
	return s.tokens(c, http.StatusCreated, g)
}

// openPicked begins the calls that carry a User-Token.
func (s *Server) openPicked(c *call, register bool) (offer, string, *reply) {
	if refused := c.open(false); refused != nil {
		return offer{}, "", refused
	}
	behaviour := &c.set.behaviour
	token := c.header(ags.HeaderUserToken)
	if token == "" {
		return offer{}, "", c.refusal(ruleUserTokenPresent, cmp.Or(behaviour.MissingUserToken, http.StatusUnauthorized),
			0, "the header User-Token is missing")
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	token = c.taken(nearUserToken, c.keptUnder(token), s.state.openUserTokens())
	picked, expires, known := s.state.userTokens.get(token)
	if !known || picked.tenant != c.tenant.id || picked.register != register || picked.used &&
		behaviour.UserTokensOnce || !s.now(c.set).Before(expires) {
		return offer{}, "", c.refusal(ruleUserTokenKnown, cmp.Or(behaviour.BadUserToken, http.StatusUnauthorized), 0,
			"the user token is not usable")
	}
	return picked, token, nil
}

func (s *Server) usePicked(c *call, token string) {
	if !c.set.behaviour.UserTokensOnce {
		return
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	if picked, _, known := s.state.userTokens.get(token); known {
		picked.used = true
		s.state.userTokens.change(token, picked)
	}
}
