package mock

import (
	"cmp"
	"maps"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// The callers that the mock takes for users of a VPN, for callers from a blacklisted and from a geo-filtered place.
// They are the documentation addresses of RFC 5737; X-Forwarded-For tells the caller.
var (
	vpnCallers      = netip.MustParsePrefix("198.51.100.0/24")
	blockedCallers  = netip.MustParsePrefix("203.0.113.0/24")
	filteredCallers = netip.MustParsePrefix("192.0.2.0/24")
)

func (c *call) caller() netip.Addr {
	first, _, _ := strings.Cut(c.header("X-Forwarded-For"), ",")
	address, err := netip.ParseAddr(strings.TrimSpace(first))
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap()
}

// checkCaller refuses callers by VPN and place. The caller of it holds the mutex.
func (s *Server) checkCaller(c *call) *reply {
	from := c.caller()
	if !from.IsValid() {
		return nil
	}
	p := c.tenant.platform
	if !c.enforces(rulePlatformSwitch) {
		p = platform{true, true, true}
	}
	behaviour := &c.set.behaviour
	switch {
	case p.VPNBlocking && vpnCallers.Contains(from) && c.enforces(ruleVPN):
		return c.refusal(ruleVPN, http.StatusForbidden, cmp.Or(behaviour.VPNCode, 20018),
			"the call comes through a VPN or proxy")
	case p.GeoBlocking && blockedCallers.Contains(from) && c.enforces(ruleLocation):
		return c.refusal(ruleLocation, http.StatusForbidden, cmp.Or(behaviour.LocationCode, 20019),
			"the call comes from a blocked location")
	case p.GeoFiltering && filteredCallers.Contains(from) && c.enforces(ruleLocation):
		return c.refusal(ruleLocation, http.StatusForbidden, 20066, "the call comes from a filtered location")
	}
	return nil
}

// checkAccount refuses accounts by their state.
func (s *Server) checkAccount(c *call, a *account) *reply {
	status := a.status
	if !c.enforces(ruleStatusVisible) {
		status = a.first
	}
	if a.wasCancelled && c.set.behaviour.CancelledForGood {
		status = cancelled
	}
	if a.troubled && status == active && !c.enforces(ruleReactivation) {
		status = suspended
	}
	switch {
	case status == cancelled && c.enforces(ruleCancelled):
		return c.refusal(ruleCancelled, http.StatusForbidden, 20001, "the account is cancelled")
	case status == suspended && c.enforces(ruleSuspended):
		return c.refusal(ruleSuspended, http.StatusForbidden, 20002, "the account is suspended")
	case status == restricted && c.set.behaviour.RestrictedRefused && c.enforces(ruleRestricted):
		return c.refusal(ruleRestricted, http.StatusForbidden, 0, "the account is restricted")
	case !a.validAt(s.accountNow(c, a)) && c.enforces(ruleAccountDates):
		return c.refusal(ruleAccountDates, http.StatusForbidden, 0, "the account is not valid now")
	}
	return nil
}

// checkDevice refuses devices by their state and owner.
func (s *Server) checkDevice(c *call, a *account, d *device) *reply {
	behaviour := &c.set.behaviour
	switch {
	case d == nil:
		if c.enforces(ruleKnownClient) {
			return c.refusal(ruleKnownClient, cmp.Or(behaviour.UnknownClient, http.StatusNotFound), 0,
				"the device does not exist")
		}
	case d.account != a.id:
		if c.enforces(ruleClientOwner) {
			return c.refusal(ruleClientOwner, cmp.Or(behaviour.ForeignClient, http.StatusForbidden), 0,
				"the device does not belong to the account")
		}
	case d.deleted && c.enforces(ruleDeviceDeleted):
		if status := cmp.Or(behaviour.DeletedDevice, http.StatusForbidden); status != http.StatusForbidden {
			return c.refusal(ruleDeviceDeleted, status, 0, "the device does not exist")
		}
		return c.refusal(ruleDeviceDeleted, http.StatusForbidden, 20003, "the device was deleted")
	case d.status == disabled && c.enforces(ruleDeviceDisabled):
		return c.refusal(ruleDeviceDisabled, http.StatusForbidden, 20004, "the device is disabled")
	case d.activity == inactive && c.enforces(ruleDeviceInactive):
		return c.refusal(ruleDeviceInactive, http.StatusForbidden, 20004, "the device is inactive")
	case !d.approved && !c.enforces(ruleUnapprovedMay):
		return c.refusal(ruleDeviceUnapproved, http.StatusForbidden, 20004, "the device is not approved")
	}
	return nil
}

// admit lets a device of an account sign on, making it first where it signs on for the first time. The caller holds the
// mutex.
func (s *Server) admit(c *call, a *account, argument deviceArgument) (grant, *reply) {
	if refused := s.checkCaller(c); refused != nil {
		if argument.first && c.set.behaviour.DeviceOfRefused && len(a.devices) < a.deviceLimit {
			s.state.add(c.tenant, a, s.clientID(c), argument.class)
		}
		return grant{}, refused
	}
	if refused := s.checkAccount(c, a); refused != nil {
		return grant{}, refused
	}
	if argument.first {
		return s.admitFirst(c, a, argument)
	}
	argument.clientID = c.taken(nearClient, argument.clientID, maps.Keys(c.tenant.devices))
	d := s.state.device(c.tenant, argument.clientID)
	if refused := s.checkDevice(c, a, d); refused != nil {
		return grant{}, refused
	}
	if !c.enforces(ruleLimitFirstOnly) && a.counted >= a.deviceLimit {
		return grant{}, c.refusal(ruleDeviceLimit, http.StatusForbidden, 20007,
			"the account has as many devices as it may")
	}
	if !c.enforces(ruleNoDeviceOnNth) {
		s.state.add(c.tenant, a, s.clientID(c), "")
	}
	s.endSessions(c, a, d)
	g := grant{tenant: c.tenant.id, account: a.id, device: argument.clientID, serial: s.state.nextSerial(),
		now: s.now(c.set).Add(a.offset)}
	if d != nil {
		g.class = d.class
	}
	return g, nil
}

// full tells whether an account has as many devices as it may.
func (c *call) full(a *account) bool {
	counted := a.counted
	if !c.enforces(ruleOnlyActiveCount) {
		counted = len(a.devices)
	}
	if !c.enforces(ruleExactLimit) {
		counted--
	}
	return counted == a.deviceLimit || counted > a.deviceLimit && c.enforces(ruleFullAbove)
}

func (s *Server) admitFirst(c *call, a *account, argument deviceArgument) (grant, *reply) {
	if refused := c.checkDescription(); refused != nil {
		return grant{}, refused
	}
	if c.full(a) && c.enforces(ruleDeviceLimit) {
		return grant{}, c.refusal(ruleDeviceLimit, http.StatusForbidden, 20007,
			"the account has as many devices as it may")
	}
	if a.groupClass != "" && argument.class == a.groupClass && a.inGroup(argument.class) >= a.groupLimit &&
		c.enforces(ruleGroupLimit) {
		return grant{}, c.refusal(ruleGroupLimit, http.StatusForbidden, cmp.Or(c.set.behaviour.GroupLimitCode, 20007),
			"the account has as many devices of this class as it may")
	}
	if !c.enforces(ruleFreshAfterDeletion) {
		for _, d := range a.devices {
			if d.deleted {
				return grant{}, c.refusal(ruleDeviceDeleted, http.StatusForbidden, 20003, "the device was deleted")
			}
		}
	}
	var d *device
	if !c.enforces(ruleNewDevice) && len(a.devices) > 0 {
		d = a.devices[len(a.devices)-1]
	} else if d = s.state.add(c.tenant, a, s.clientID(c), argument.class); d == nil {
		answer := c.refuse(ruleCapacity, http.StatusServiceUnavailable, 0,
			"the mock holds as many devices as it may; start it with a higher limit")
		return grant{}, &answer
	}
	if argument.managed && !d.managed {
		d.managed = true
		a.recount()
	}
	s.endSessions(c, a, d)
	g := grant{tenant: c.tenant.id, account: a.id, device: d.id, class: d.class, serial: s.state.nextSerial(),
		now: s.now(c.set).Add(a.offset)}
	if !c.enforces(ruleUsableDevice) {
		delete(c.tenant.devices, d.id)
	}
	return g, nil
}

// endSessions ends those that the sign-on of a device ends; none, unless a choice says so. The caller holds the mutex.
func (s *Server) endSessions(c *call, a *account, d *device) {
	switch behaviour := &c.set.behaviour; {
	case behaviour.OneSessionAccount, behaviour.OneDeviceAccount:
		for _, each := range a.devices {
			if each != d || behaviour.OneSessionAccount {
				each.ended = s.state.serial
			}
		}
	case behaviour.OneSession && d != nil:
		d.ended = s.state.serial
	case behaviour.SessionLimit > 0:
		a.sessions = append(a.sessions, s.state.serial+1)
		if over := len(a.sessions) - behaviour.SessionLimit; over > 0 {
			for _, each := range a.devices {
				each.ended = max(each.ended, a.sessions[over-1])
			}
			a.sessions = a.sessions[over:]
		}
	}
}

// checkDescription refuses descriptions of devices only where a fault makes the mock narrow-minded.
func (c *call) checkDescription() *reply {
	description, _ := c.body["deviceInformation"].(map[string]any)
	described, _ := description["device"].(map[string]any)
	bad := func(r rule) *reply {
		answer := c.refuse(ruleDeviceArgument, http.StatusBadRequest, 0, "deviceInformation is not understood: "+
			string(r))
		return &answer
	}
	if _, has := description["securePlayer"]; !has && !c.enforces(ruleReduced) {
		return bad(ruleReduced)
	}
	if hardware, _ := described["hardware"].(map[string]any); !c.enforces(ruleKnownDescription) &&
		(description["somethingElse"] != nil || hardware["somethingElse"] != nil) {
		return bad(ruleKnownDescription)
	}
	if !c.enforces(ruleLeafKinds) {
		for _, part := range described {
			leaves, _ := part.(map[string]any)
			for _, leaf := range leaves {
				if _, isNumber := leaf.(float64); isNumber {
					return bad(ruleLeafKinds)
				}
			}
		}
	}
	if !c.enforces(rulePlatforms) {
		system, _ := described["OS"].(map[string]any)
		if kind, _ := system["type"].(string); kind == "WebOS" || kind == "Tizen" || kind == "Roku OS" {
			return bad(rulePlatforms)
		}
	}
	return nil
}

// clientID makes the id of a new device.
func (s *Server) clientID(c *call) string {
	id := s.state.hex(12)
	switch c.set.behaviour.ClientIDForm {
	case "long":
		id = strings.Repeat(id, 5)
	case "dotted":
		id = "Device." + id[:8] + ":" + id[8:]
	}
	return id
}

func (s *Server) accountNow(c *call, a *account) time.Time { return s.now(c.set).Add(a.offset) }
