package environment

import "strings"

// Ability says what one situation, or one other part of the file, makes it possible to check.
type Ability struct {
	// Name is a situation, or operator, allow.first-time, load.clients.
	Name string
	// Allows says in words what can be checked with it.
	Allows string
	// Offered: the file gives it, whole.
	Offered bool
	// Missing says what the file lacks; empty if Offered.
	Missing string
	// Absent: the file says that the platform does not have it.
	Absent bool
	// Example is a line that would give it.
	Example string
}

// need lists what a situation must give to be of use.
type need struct {
	allows, example string
	// missing names what lacks in a situation that is there.
	missing func(e *Environment, s Situation) []string
}

func needs(fields ...func(e *Environment, s Situation) string) func(*Environment, Situation) []string {
	return func(e *Environment, s Situation) []string {
		var lacking []string
		for _, field := range fields {
			if name := field(e, s); name != "" {
				lacking = append(lacking, name)
			}
		}
		return lacking
	}
}

func clientID(_ *Environment, s Situation) string {
	return lacks(s.ClientID == "", "clientId")
}
func sessionToken(e *Environment, s Situation) string {
	return lacks(!s.HasSessionToken() && (e.Operator == nil || e.Operator.AccountFor(s.OperatorAccount,
		s.AccountID) == ""), "sessionToken (or operator with an account, to mint one)")
}
func parameters(_ *Environment, s Situation) string {
	return lacks(len(s.Parameters) == 0, "parameters")
}
func caller(_ *Environment, s Situation) string {
	return lacks(len(s.Headers) == 0 && s.Proxy == "", "headers or proxy")
}
func tenant(_ *Environment, s Situation) string { return lacks(s.Tenant == "", "tenant") }
func ownSession(_ *Environment, s Situation) string {
	return lacks(!s.HasSessionToken(), "sessionToken")
}

func lacks(missing bool, name string) string {
	if missing {
		return name
	}
	return ""
}

// needOf lists the purpose of each situation, in the order of SituationNames.
var needOf = map[string]need{
	"active": {"sign-on with a session token, n-th time, refresh, sign-out and the rules of tokens",
		`active: {sessionToken: "${AGS_SESSION}", clientId: PUB_989, accountId: "1663"}`, needs(sessionToken, clientID)},
	"spare-device": {"signing out where no device can be made: it is signed out, and may be lost by that",
		`spare-device: {clientId: PUB_994}   # of the account of active`, needs(clientID)},
	"foreign-device": {"refusal of a device that belongs to another account",
		`foreign-device: {clientId: OTH_1, accountId: "1700"}`, needs(clientID)},
	"suspended-account": {"refusal of a suspended account (403, 20002)",
		`suspended-account: {sessionToken: "${AGS_SUSPENDED}", clientId: SUS_1}`, needs(sessionToken)},
	"cancelled-account": {"refusal of a cancelled account (403, 20001)",
		`cancelled-account: {sessionToken: "${AGS_CANCELLED}", clientId: CAN_1}`, needs(sessionToken)},
	"restricted-account": {"what happens to a restricted account, for the record",
		`restricted-account: {sessionToken: "${AGS_RESTRICTED}", clientId: RES_1}`, needs(sessionToken)},
	"ended-account": {"what happens to an account after its end date, for the record",
		`ended-account: {sessionToken: "${AGS_ENDED}", clientId: END_1}`, needs(sessionToken)},
	"early-account": {"what happens to an account before its start date, for the record",
		`early-account: {sessionToken: "${AGS_EARLY}", clientId: EAR_1}`, needs(sessionToken)},
	"disabled-device": {"refusal of a disabled device (403, 20004)", `disabled-device: {clientId: PUB_990}`,
		needs(clientID)},
	"inactive-device": {"refusal of an inactive device", `inactive-device: {clientId: PUB_992}`, needs(clientID)},
	"unapproved-device": {"sign-on of a device that is not approved", `unapproved-device: {clientId: PUB_993}`,
		needs(clientID)},
	"deleted-device": {"refusal of a deleted device (403, 20003, or 404)", `deleted-device: {clientId: PUB_991}`,
		needs(clientID)},
	"device-limit": {"refusal of one device too many (403, 20007)",
		`device-limit: {sessionToken: "${AGS_LIMIT}", clientId: LIM_1}`, needs(sessionToken)},
	"group-limit": {"refusal where a group of devices is full (403)", `group-limit: {sessionToken: "${AGS_GROUP}"}`,
		needs(sessionToken)},
	"expired-session": {"refusal of an expired session token", `expired-session: {sessionToken: "${AGS_OLD_SESSION}"}`,
		needs(ownSession)},
	"expired-refresh": {"refusal of an expired refresh token", `expired-refresh: {refreshToken: "${AGS_OLD_REFRESH}"}`,
		needs(func(_ *Environment, s Situation) string { return lacks(s.RefreshToken == "", "refreshToken") })},
	"other-tenant": {"tenants that do not see each other",
		`other-tenant: {tenant: acme, sessionToken: "${AGS_OTHER_SESSION}"}`, needs(tenant, ownSession)},
	"empty-tenant": {"404 where no service is configured", `empty-tenant: {tenant: empty}`, needs(tenant)},
	"geo-blocked": {"refusal of a blocked location (403, 20019)",
		`geo-blocked: {headers: {X-Forwarded-For: 203.0.113.7}}   # or proxy: http://…`, needs(caller)},
	"vpn": {"refusal of a VPN or proxy (403, 20018)",
		`vpn: {headers: {X-Forwarded-For: 198.51.100.7}}   # or proxy: http://…`, needs(caller)},
	"credentials": {"sign-on with user name and password",
		`credentials: {parameters: {username: dave, password: "${AGS_PASSWORD}"}, clientId: PUB_989}`, needs(parameters)},
	"multi-account": {"the choice between several accounts (300) and subsequentSignOn",
		`multi-account: {parameters: {username: multi, password: "${AGS_PASSWORD}"}}`, needs(parameters)},
	"registration": {"activation of a TVkey device",
		`registration: {type: tvkey, parameters: {username: dave, password: "${AGS_PASSWORD}"}}`,
		needs(registerType, parameters)},
	"multi-registration": {"activation where several accounts match (300) and subsequentRegister",
		`multi-registration: {type: tvkey, parameters: {username: multi, password: "${AGS_PASSWORD}"}}`,
		needs(registerType, parameters)},
}

func registerType(_ *Environment, s Situation) string { return lacks(s.Type == "", "type") }

// Abilities returns what can be checked and what the file lacks for it: for every situation, in the order of
// SituationNames, and for the other parts that checks depend on.
func (e *Environment) Abilities() []Ability {
	var list []Ability
	for _, name := range SituationNames {
		need := needOf[name]
		ability := Ability{Name: name, Allows: need.allows, Example: need.example}
		if s, ok := e.Situations[name]; !ok {
			ability.Missing = "situations." + name
		} else if lacking := need.missing(e, s); len(lacking) > 0 {
			ability.Missing = "situations." + name + ": " + strings.Join(lacking, ", ")
		}
		if part := e.absentFor(name); part != "" {
			ability.Absent, ability.Missing = true, "the platform has no "+part+" (absent)"
		}
		ability.Offered = ability.Missing == ""
		list = append(list, ability)
	}
	parts := []Ability{
		{Name: "operator", Allows: "getSessionToken, and session tokens minted for other checks", Offered: e.Operator != nil, Missing: "operator",
			Example: `operator: {secret: "${AGS_OPERATOR_SECRET}", kid: "70646948", account: "1663"}`},
		{Name: "allow.first-time", Allows: "first-time sign-ons, which create devices", Offered: e.Allow.FirstTime, Missing: "allow: {first-time: true}",
			Example: `allow: {first-time: true}`},
		{Name: "allow.register", Allows: "activation of devices, which creates them", Offered: e.MayRegister(), Missing: "allow: {register: true}",
			Example: `allow: {register: true}`},
		{Name: "allow.actions", Allows: "accounts, devices and switches whose state changes while a scenario runs", Offered: e.MayAct() || e.Mock != nil,
			Missing: "actions, with allow: {actions: true}",
			Example: "allow: {actions: true}\nactions: {adm: {url: https://operator.staging.example.com, token: " +
				"\"${AGS_OPERATOR_TOKEN}\"}}"},
		{Name: "allow.surroundings", Allows: "that tokens are of use at the platform's other services", Offered: e.Allow.Surroundings || e.Mock != nil,
			Missing: "allow: {surroundings: true}", Example: `allow: {surroundings: true}`},
		{Name: "load.clients", Allows: "load by many virtual clients", Offered: e.Load.Clients != Clients{}, Missing: "load.clients",
			Example: `load: {clients: {count: 2000, sessionToken: "load-{n}", clientId: "LOAD_{n}", accountId: "L{n}"}}`},
	}
	for _, part := range parts {
		if part.Name == "allow.register" && e.IsAbsent("register") {
			part.Absent, part.Offered, part.Missing = true, false, "the platform has no register (absent)"
		}
		if part.Offered {
			part.Missing = ""
		}
		list = append(list, part)
	}
	return list
}
