package mock

import (
	"errors"
	"net/http"
	"time"

	"agstest/ags"
)

// The calls in this file are not the service's. They let a suite see that its tokens are of use (the pages "Device
// data", "Refresh token" and "Signing on with a companion app").

// registration is a device that waits for a companion app to let it in.
type registration struct {
	tenant, token, code, account string
	approved                     bool
}

// activation lets one device of an account sign on.
type activation struct {
	tenant, account, device string
}

const (
	registrationLife = 5 * time.Minute
	pollSeconds      = 5
)

// userDevices lists the devices of the account whose access token is presented.
func (s *Server) userDevices(c *call) reply {
	if refused := c.findTenant(); refused != nil {
		return *refused
	}
	claims, err := s.bearer(c)
	if err != nil {
		return c.gatewayRefusal(ruleToken)
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	devices := []any{}
	for _, d := range s.state.account(c.tenant, claims.Account).devices {
		if d.deleted {
			continue
		}
		var class any
		if d.class != "" {
			class = d.class
		}
		devices = append(devices, object{{"_id", d.id}, {"accountId", d.account}, {"status", d.status},
			{"activity", d.activity},
			{"approved", d.approved}, {"playoutDeviceClass", class}})
	}
	return jsonReply(http.StatusOK, object{{"devices", devices}})
}

// deviceApproved tells whether the device whose access token is presented may play.
func (s *Server) deviceApproved(c *call) reply {
	if refused := c.findTenant(); refused != nil {
		return *refused
	}
	claims, err := s.bearer(c)
	if err != nil {
		return c.gatewayRefusal(ruleToken)
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	d := s.state.device(c.tenant, claims.Device)
	if !d.approved {
		return c.refuse(ruleDeviceUnapproved, http.StatusForbidden, 0, "the device is not approved")
	}
	return jsonReply(http.StatusCreated, object{{"_id", d.id}})
}

// iasRefresh takes refresh tokens that this service issued.
func (s *Server) iasRefresh(c *call) reply {
	if refused := c.findTenant(); refused != nil {
		return *refused
	}
	compact := c.authorization()
	var claims tokenClaims
	err := c.signer().verify(compact, &claims, overlookNothing)
	if err != nil || claims.Type != ags.RefreshType || !c.enforces(ruleIASRefresh) {
		return c.gatewayRefusal(ruleToken)
	}
	return s.exchange(c, compact)
}

// registrationCode gives a device the code that it shows.
func (s *Server) registrationCode(c *call) reply {
	if refused := c.findTenant(); refused != nil {
		return *refused
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	now := s.now(c.set)
	r := registration{tenant: c.tenant.id, token: s.state.text(32), code: s.state.text(8)}
	if !s.state.registrations.put("token "+r.token, r, now.Add(registrationLife), now) ||
		!s.state.registrations.put("code "+r.code, r, now.Add(registrationLife), now) {
		return c.refuse(ruleCapacity, http.StatusConflict, 0, "no registration code is free")
	}
	expires := int64(registrationLife / time.Millisecond)
	if c.set.behaviour.CompanionSeconds {
		expires /= 1000
	}
	return jsonReply(http.StatusOK, object{{"deviceRegistrationCode", r.code}, {"dsraToken", r.token},
		{"expiresAfterMillis", expires}, {"pollingPeriodSeconds", pollSeconds}})
}

// activationToken is polled by the device until a companion app has approved it.
func (s *Server) activationToken(c *call) reply {
	if refused := c.findTenant(); refused != nil {
		return *refused
	}
	if refused := c.parse(); refused != nil {
		return *refused
	}
	var argument deviceArgument
	if _, managed := c.body["managedDeviceInformation"].(map[string]any); managed {
		argument = deviceArgument{first: true, managed: true}
	} else {
		read, refused := c.readDevice()
		if refused != nil {
			return *refused
		}
		argument = read
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	now := s.now(c.set)
	r, expires, known := s.state.registrations.get("token " + c.authorization())
	switch {
	case !known || r.tenant != c.tenant.id:
		return c.refuse(ruleToken, http.StatusUnauthorized, 0, "the token is not usable")
	case !now.Before(expires):
		return c.refuse(ruleTokenExpiry, http.StatusForbidden, 0, "the registration has expired")
	}
	approved, _, _ := s.state.registrations.get("code " + r.code)
	if !approved.approved {
		return emptyReply(http.StatusNoContent)
	}
	id := approved.account
	if !c.enforces(ruleCompanionAccount) {
		id = "1700"
	}
	a := s.state.account(c.tenant, id)
	if a == nil {
		return c.refuse(ruleKnownAccount, http.StatusForbidden, 0, "the account does not exist")
	}
	g, refused := s.admit(c, a, argument)
	if refused != nil {
		return *refused
	}
	token := s.state.text(40)
	if !s.state.activations.put(token, activation{c.tenant.id, a.id, g.device}, now.Add(registrationLife), now) {
		return c.refuse(ruleCapacity, http.StatusServiceUnavailable, 0,
			"the mock holds as many registrations as it may")
	}
	s.state.registrations.remove("token " + r.token)
	s.state.registrations.remove("code " + r.code)
	status := http.StatusAccepted
	if c.set.behaviour.CompanionSeconds {
		status = http.StatusOK
	}
	return jsonReply(status, object{{"clientId", g.device}, {"signOnActivationToken", token}})
}

// approveRegistration lets the companion app, signed in itself, approve the code that the device shows.
func (s *Server) approveRegistration(c *call) reply {
	if refused := c.findTenant(); refused != nil {
		return *refused
	}
	claims, err := s.bearer(c)
	if err != nil {
		return c.gatewayRefusal(ruleToken)
	}
	if refused := c.parse(); refused != nil {
		return *refused
	}
	code, isString := c.body["deviceRegistrationCode"].(string)
	if !isString || code == "" {
		return c.refuse(ruleJSON, http.StatusBadRequest, 0, "deviceRegistrationCode is missing")
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	r, expires, known := s.state.registrations.get("code " + code)
	if !known || r.tenant != c.tenant.id || !s.now(c.set).Before(expires) {
		return c.refuse(ruleKnownClient, http.StatusNotFound, 0, "the registration code is not known")
	}
	r.account, r.approved = claims.Account, true
	s.state.registrations.change("code "+code, r)
	return emptyReply(http.StatusAccepted)
}

// activationSignOn is the last step of the companion flow.
func (s *Server) activationSignOn(c *call) reply {
	if refused := c.findTenant(); refused != nil {
		return *refused
	}
	g, err := s.redeemActivation(c, c.authorization())
	if err != nil {
		return c.refuse(ruleToken, http.StatusUnauthorized, 0, "the token is not usable")
	}
	return s.tokens(c, http.StatusCreated, g)
}

func (s *Server) redeemActivation(c *call, token string) (grant, error) {
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	found, expires, known := s.state.activations.get(token)
	if !known || found.tenant != c.tenant.id || !s.now(c.set).Before(expires) {
		return grant{}, errUnusable
	}
	a := s.state.account(c.tenant, found.account)
	d := s.state.device(c.tenant, found.device)
	if a == nil || d == nil {
		return grant{}, errors.New("the device does not exist")
	}
	s.state.activations.remove(token)
	return grant{tenant: c.tenant.id, account: a.id, device: d.id, class: d.class, serial: s.state.nextSerial(),
		now: s.accountNow(c, a)}, nil
}
