package mock

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"agstest/ags"
)

// The tenants of the fixtures and the names that other files need.
const (
	firstTenant           = "nagra"
	secondTenant          = "acme"
	emptyTenant           = "empty"
	firstAccount          = "1663"
	firstDevice           = "PUB_989"
	expiredSessionAccount = "1663-expired"
	roomForMany           = 1 << 30 // a device limit that nobody reaches before MaxDevices
)

// standingSituations have a session token of their own that may be used any number of times, so that a suite can run
// again. Tokens from getSessionToken are single-use.
var standingSituations = []struct{ name, tenant, account string }{
	{"suspended-account", firstTenant, "1664"},
	{"cancelled-account", firstTenant, "1665"},
	{"restricted-account", firstTenant, "1666"},
	{"ended-account", firstTenant, "1669"},
	{"early-account", firstTenant, "1670"},
	{"device-limit", firstTenant, "1667"},
	{"group-limit", firstTenant, "1668"},
	{"expired-session", firstTenant, expiredSessionAccount},
	{"other-tenant", secondTenant, "A-1"},
}

// restore puts the fixtures back: the state that a mock starts with.
func (s *Server) restore() {
	st := &s.state
	st.mutex.Lock()
	defer st.mutex.Unlock()
	st.offset = 0
	st.maxDevices = cmp.Or(s.config.MaxDevices, 500_000)
	maxTokens := cmp.Or(s.config.MaxTokens, 2_000_000)
	st.sessions, st.userTokens, st.spent = newExpiring[session](maxTokens), newExpiring[offer](maxTokens),
		newExpiring[struct{}](maxTokens)
	st.registrations, st.activations = newExpiring[registration](10_000), newExpiring[activation](10_000)
	st.operators, st.operatorJTIs = newExpiring[struct{}](10_000), newExpiring[struct{}](100_000)
	st.devices, st.refused = 0, 0
	st.population = s.secret.population
	services := s.config.Services
	if services == nil {
		services = defaultServices()
	}
	on := platform{VPNBlocking: true, GeoBlocking: true, GeoFiltering: true}
	st.tenants = map[string]*tenant{}
	for _, id := range []string{firstTenant, secondTenant, emptyTenant} {
		t := &tenant{id: id, services: services, platform: on, accounts: map[string]*account{},
			devices: map[string]*device{}, users: map[string]user{}}
		if id == emptyTenant {
			t.services = nil
		}
		st.tenants[id] = t
	}
	st.standing = map[string]session{}
	for _, situation := range standingSituations {
		st.standing[s.secret.standing[situation.name]] = session{tenant: situation.tenant, account: situation.account}
	}

	t := st.tenants[firstTenant]
	account := func(t *tenant, id, status string, limit int, devices ...string) *account {
		a := &account{id: id, status: status, first: status, deviceLimit: limit, troubled: false,
			provider: &firstProvider}
		t.accounts[id] = a
		for _, d := range devices {
			st.devices++
			made := &device{id: d, account: id, status: enabled, activity: active, approved: true}
			a.devices = append(a.devices, made)
			t.devices[d] = made
		}
		a.recount()
		return a
	}
	account(t, firstAccount, active, roomForMany, firstDevice, "PUB_990", "PUB_991", "PUB_992", "PUB_993", "PUB_994")
	t.devices["PUB_990"].status = disabled
	t.devices["PUB_991"].deleted = true
	t.devices["PUB_992"].activity = inactive
	t.devices["PUB_993"].approved = false
	t.accounts[firstAccount].recount()
	account(t, "1700", active, roomForMany, "OTH_1")
	account(t, "1664", suspended, 5, "SUS_1")
	account(t, "1665", cancelled, 5, "CAN_1")
	account(t, "1666", restricted, roomForMany, "RES_1")
	account(t, "1669", active, roomForMany, "END_1").ends = s.clock().Add(-24 * time.Hour)
	account(t, "1670", active, roomForMany, "EAR_1").begins = s.clock().Add(10 * 365 * 24 * time.Hour)
	account(t, "1667", active, 2, "LIM_1", "LIM_2")
	grouped := account(t, "1668", active, 50, "GRP_1", "GRP_2")
	grouped.groupClass, grouped.groupLimit = groupClass, 2
	for _, d := range grouped.devices {
		d.class = groupClass
	}
	account(t, expiredSessionAccount, active, 5, "EXP_1")
	account(t, "2001", active, roomForMany, "MUL_1")
	account(t, "2002", active, roomForMany, "MUL_2")
	account(t, "2003", active, roomForMany)
	account(st.tenants[secondTenant], "A-1", active, roomForMany, "ACM_1")
	account(st.tenants[secondTenant], "A-2", active, roomForMany)

	t.users["dave"] = user{s.secret.password, []string{firstAccount}}
	t.users["multi"] = user{s.secret.password, []string{"2001", "2002", "2003", "1664", "1665", "1667"}}
	t.users["full-1667"] = user{s.secret.password, []string{"1667"}}
	t.users["suspended"] = user{s.secret.password, []string{"1664"}}
	t.users["cancelled"] = user{s.secret.password, []string{"1665"}}
	st.tenants[secondTenant].users["erin"] = user{s.secret.password, []string{"A-1"}}
}

// groupClass is the class of devices of which the account of the situation group-limit has as many as it may.
const groupClass = "mobileDevice"

// expiredRefresh makes a refresh token that ended a day ago.
func (s *Server) expiredRefresh() string {
	st := &s.state
	st.mutex.Lock()
	now := s.now(s.setting.Load()).Add(-72 * time.Hour)
	jti := strconv.FormatUint(st.serialBase+st.nextSerial(), 10)
	st.mutex.Unlock()
	signer := s.signers["HS256"]
	_, refresh, fixed := (Lifetimes{}).seconds()
	g := grant{tenant: firstTenant, account: firstAccount, device: firstDevice}
	return signer.sign(signer.header(), refreshClaims(&Behaviour{}, &g, jti, now.Unix()+refresh, now.Unix()+fixed))
}

// pretend makes up a success for the first account, as a service that does not look at its input would.
func (s *Server) pretend(c *call) reply {
	tenantID := firstTenant
	if c.tenant != nil {
		tenantID = c.tenant.id
	}
	g := grant{tenant: tenantID, account: firstAccount, device: firstDevice, serial: 1<<39 + uint64(len(c.raw)),
		now: s.clock()}
	if id, isString := c.body["clientId"].(string); isString {
		g.device = id
	}
	switch c.operation {
	case ags.SignOn, ags.SubsequentSignOn, ags.SignOnWithSessionToken:
		return s.tokens(c, http.StatusCreated, g)
	case ags.Refresh, iasRefresh, activationSignOn:
		return s.tokens(c, http.StatusOK, g)
	case ags.GetSessionToken:
		return jsonReply(http.StatusOK, object{{"sessionToken", s.secret.standing["other-tenant"] + "x"}})
	case ags.Register, ags.SubsequentRegister:
		return emptyReply(http.StatusCreated)
	case ags.ServiceDiscovery:
		return jsonReply(http.StatusOK,
			object{{"availableServices", []any{c.set.behaviour.describe(defaultServices()[0])}}})
	}
	return emptyReply(http.StatusOK)
}

func (c *call) pretend() reply { return c.server.pretend(c) }
