package environment

import (
	"cmp"
	"maps"
	"slices"
)

// A copied line that was not finished makes two situations the same: somebody else's device is then one's own, and the
// service seems to let a stranger in. Contradictions are refused before anything is sent.

// apartDevices are situations whose device cannot be that of another one of the list.
var apartDevices = [][]string{
	{"active", "foreign-device", "disabled-device", "deleted-device", "suspended-account", "cancelled-account", "restricted-account", "ended-account", "early-account"},
	{"active", "foreign-device", "inactive-device", "deleted-device", "suspended-account", "cancelled-account", "restricted-account", "ended-account", "early-account"},
	{"credentials", "foreign-device", "disabled-device", "deleted-device"},
	{"credentials", "inactive-device"},
}

// apartAccounts are situations whose account cannot be that of another one of the list.
var apartAccounts = []string{"active", "suspended-account", "cancelled-account", "restricted-account", "ended-account",
	"early-account"}

// apartSessions are situations whose session token cannot be that of another one of the list.
var apartSessions = []string{"active", "expired-session", "suspended-account", "cancelled-account",
	"restricted-account", "ended-account", "early-account", "other-tenant"}

func (r *reader) checkContradictions(e *Environment) {
	device := func(_ string, s Situation) string { return s.ClientID }
	told := map[string]bool{}
	for _, names := range apartDevices {
		r.checkApart(e, names, "clientId", told, device)
	}
	account := func(name string, s Situation) string {
		if name == "active" && s.AccountID == "" && e.Operator != nil {
			return e.Operator.Account
		}
		return s.AccountID
	}
	r.checkApart(e, apartAccounts, "accountId", told, account)
	// the device of another account may be of one in any state
	r.checkApart(e, []string{"active", "foreign-device"}, "accountId", told, account)
	r.checkApart(e, apartSessions, "sessionToken", told, func(_ string, s Situation) string { return s.SessionToken })
	r.checkTenants(e)
	for _, pair := range [][2]string{{"credentials", "multi-account"}, {"registration", "multi-registration"}} {
		one, several := e.Situations[pair[0]], e.Situations[pair[1]]
		if len(one.Parameters) > 0 && e.sameTenant(one, several) && one.Type == several.Type &&
			maps.Equal(one.Parameters, several.Parameters) {
			r.wrong("situations."+pair[1], "has the parameters of %s, and a user cannot have one account and several",
				pair[0])
		}
	}
	for _, name := range SituationNames {
		s := e.Situations[name]
		if e.UnknownClientID != "" && s.ClientID == e.UnknownClientID && name != "deleted-device" {
			r.wrong("unknownClientId", "is the clientId of situations.%s, and must be one that nobody has", name)
			break
		}
	}
	for _, name := range SituationNames {
		for _, parameter := range slices.Sorted(maps.Keys(e.Situations[name].Parameters)) {
			if e.WrongPassword != "" && e.Situations[name].Parameters[parameter] == e.WrongPassword {
				r.wrong("wrongPassword",
					"is what situations.%s.parameters.%s says, and must be a password that nobody has", name, parameter)
				return
			}
		}
	}
}

// checkApart refuses a value that two of the named situations have.
func (r *reader) checkApart(e *Environment, names []string, key string, told map[string]bool,
	value func(name string, s Situation) string) {
	for i, name := range names {
		for _, earlier := range names[:i] {
			one, other := e.Situations[earlier], e.Situations[name]
			path := "situations." + name + "." + key
			if value(name, other) == "" || value(earlier, one) != value(name, other) || !e.sameTenant(one, other) ||
				told[path] {
				continue
			}
			told[path] = true
			r.wrong(path, "is that of situations.%s too, and both cannot be true of it; one was copied and not changed",
				earlier)
		}
	}
}

// checkTenants refuses a tenant that is to be another one and is not.
func (r *reader) checkTenants(e *Environment) {
	for _, name := range []string{"other-tenant", "empty-tenant"} {
		if s, ok := e.Situations[name]; ok && s.Tenant != "" && s.Tenant == e.Tenant {
			r.wrong("situations."+name+".tenant", "is the tenant of everything else, and must be another one")
		}
	}
	if other, empty := e.Situations["other-tenant"].Tenant, e.Situations["empty-tenant"].Tenant; other != "" &&
		other == empty && other != e.Tenant {
		r.wrong("situations.empty-tenant.tenant", "is that of situations.other-tenant too, which has a service")
	}
}

// sameTenant tells whether two situations are of one tenant, so that one id means one thing in both.
func (e *Environment) sameTenant(one, other Situation) bool {
	return cmp.Or(one.Tenant, e.Tenant) == cmp.Or(other.Tenant, e.Tenant)
}
