package mock

import (
	"net/http"
	"strings"
	"sync"

	"agstest/ags"
)

// deviceFaults are faults of devices and of the states of accounts.
func deviceFaults() []Fault {
	return []Fault{
		lax("device-recognised", "DEV-01", "a repeated deviceInformation gives the device of before", nil, ruleNewDevice),
		givenTwice(),
		lax("device-made-on-nth", "DEV-02", "an n-th sign-on makes a device", nil, ruleNoDeviceOnNth),
		overlooked("state-suspended-first-session", "DEV-08", ags.SignOnWithSessionToken, ruleSuspended, (*call).firstTime),
		overlooked("state-suspended-first-sign-on", "DEV-08", ags.SignOn, ruleSuspended, (*call).firstTime),
		overlooked("state-suspended-known-session", "DEV-08", ags.SignOnWithSessionToken, ruleSuspended, (*call).nthTime),
		overlooked("state-suspended-known-sign-on", "DEV-08", ags.SignOn, ruleSuspended, (*call).nthTime),
		overlooked("state-cancelled-first-session", "DEV-09", ags.SignOnWithSessionToken, ruleCancelled, (*call).firstTime),
		overlooked("state-cancelled-first-sign-on", "DEV-09", ags.SignOn, ruleCancelled, (*call).firstTime),
		overlooked("state-cancelled-known-session", "DEV-09", ags.SignOnWithSessionToken, ruleCancelled, (*call).nthTime),
		overlooked("state-cancelled-known-sign-on", "DEV-09", ags.SignOn, ruleCancelled, (*call).nthTime),
		overlooked("state-suspended-subsequent", "DEV-08", ags.SubsequentSignOn, ruleSuspended, nil),
		overlooked("state-cancelled-subsequent", "DEV-09", ags.SubsequentSignOn, ruleCancelled, nil),
		overlooked("state-suspended-register", "REG-03", ags.Register, ruleSuspended, nil),
		overlooked("state-cancelled-register", "REG-03", ags.Register, ruleCancelled, nil),
		overlooked("state-disabled-session", "DEV-06", ags.SignOnWithSessionToken, ruleDeviceDisabled, nil),
		overlooked("state-disabled-sign-on", "DEV-06", ags.SignOn, ruleDeviceDisabled, nil),
		overlooked("state-disabled-second-try", "DEV-06", ags.SignOnWithSessionToken, ruleDeviceDisabled, askedBefore()),
		overlooked("state-suspended-second-try", "DEV-08", ags.SignOnWithSessionToken, ruleSuspended, askedBefore()),
		overlooked("state-deleted-session", "DEV-07", ags.SignOnWithSessionToken, ruleDeviceDeleted, nil),
		overlooked("state-deleted-sign-on", "DEV-07", ags.SignOn, ruleDeviceDeleted, nil),
		overlooked("state-inactive-session", "DEV-11", ags.SignOnWithSessionToken, ruleDeviceInactive, nil),
		overlooked("state-inactive-sign-on", "DEV-11", ags.SignOn, ruleDeviceInactive, nil),
		lax("state-unapproved-sign-on", "DEV-12", "a device that is not approved may not sign on at signOn", on(ags.SignOn),
			ruleUnapprovedMay),
		lax("state-deleted-for-good-sign-on", "DEV-14", "who has lost a device may not sign on with a new one at signOn",
			on(ags.SignOn), ruleFreshAfterDeletion),
		lax("device-no-limit", "DEV-03", "the limit of devices is not kept", nil, ruleDeviceLimit),
		lax("device-no-limit-sign-on", "DEV-03", "the limit of devices is not kept at signOn", on(ags.SignOn),
			ruleDeviceLimit),
		lax("device-no-limit-subsequent", "DEV-03", "the limit of devices is not kept at subsequentSignOn",
			on(ags.SubsequentSignOn), ruleDeviceLimit),
		lax("device-limit-hinders-nth-sign-on", "DEV-04", "an account at its limit refuses n-th sign-ons at signOn",
			on(ags.SignOn), ruleLimitFirstOnly),
		lax("device-limit-off-by-one", "DEV-03", "an account gets one device more than it may", nil, ruleExactLimit),
		wrongRefusal("device-limit-code", "DEV-03", "the limit of devices gives code 20008", nil, toCode(20008),
			ruleDeviceLimit),
		wrongRefusal("device-limit-401", "DEV-03", "the limit of devices gives 401", nil, toStatus(http.StatusUnauthorized),
			ruleDeviceLimit),
		lax("device-limit-hinders-nth", "DEV-04", "an account at its limit refuses n-th sign-ons", nil, ruleLimitFirstOnly),
		lax("device-no-group-limit", "DEV-05", "the limit of a class of devices is not kept", nil, ruleGroupLimit),
		lax("device-disabled-accepted", "DEV-06", "a disabled device may sign on", nil, ruleDeviceDisabled),
		wrongRefusal("device-disabled-code", "DEV-06", "a disabled device gets code 20003", nil, toCode(20003),
			ruleDeviceDisabled),
		lax("device-deleted-accepted", "DEV-07", "a deleted device may sign on", nil, ruleDeviceDeleted),
		wrongRefusal("device-deleted-code", "DEV-07", "a deleted device gets code 20004", nil, toCode(20004),
			ruleDeviceDeleted),
		lax("account-suspended-accepted", "DEV-08", "a suspended account may sign on", nil, ruleSuspended),
		wrongRefusal("account-suspended-code", "DEV-08", "a suspended account gets code 20001", nil, toCode(20001),
			ruleSuspended),
		wrongRefusal("account-suspended-404", "DEV-08", "a suspended account gets 404", nil, toStatus(http.StatusNotFound),
			ruleSuspended),
		lax("account-cancelled-accepted", "DEV-09", "a cancelled account may sign on", nil, ruleCancelled),
		wrongRefusal("account-cancelled-code", "DEV-09", "a cancelled account gets code 20002", nil, toCode(20002),
			ruleCancelled),
		lax("account-stays-suspended", "DEV-10", "an account that is active again is still refused", nil, ruleReactivation),
		lax("device-inactive-accepted", "DEV-11", "an inactive device may sign on", nil, ruleDeviceInactive),
		lax("device-wants-approval", "DEV-12", "an unapproved device may not sign on", nil, ruleUnapprovedMay),
		lax("device-limit-only-at", "DEV-13", "an account that is above its limit has room", nil, ruleFullAbove),
		lax("device-all-count", "DEV-13", "disabled and inactive devices count towards the limit", nil, ruleOnlyActiveCount),
		lax("device-none-after-deletion", "DEV-14", "an account with a deleted device gets no new one", nil,
			ruleFreshAfterDeletion),
		lax("device-strings-only", "DEV-15", "numbers in deviceInformation are refused", nil, ruleLeafKinds),
		lax("device-full-description", "DEV-16", "a reduced deviceInformation is refused", nil, ruleReduced),
		lax("device-strangers-refused", "DEV-24", "members of deviceInformation that are not known are refused", nil,
			ruleKnownDescription),
		lax("device-no-smart-tv", "DEV-17", "smart TVs and Roku are refused", nil, rulePlatforms),
		lax("account-state-frozen", "DEV-20", "a changed state of an account is never seen", nil, ruleStatusVisible),
		onlyOneInstallation(),
		lax("flow-device-made-on-nth", "FLOW-02", "an n-th sign-on with credentials makes a device", on(ags.SignOn),
			ruleNoDeviceOnNth),
		lax("flow-not-reactivated", "FLOW-07", "a session token of an account that is active again is still refused",
			on(ags.SignOnWithSessionToken), ruleReactivation),
		noSecondSession(),
		lax("flow-refresh-tenants-mixed", "FLOW-11", "refresh tokens are good in every tenant", on(ags.Refresh),
			ruleTokenTenant),
		lax("flow-sign-out-tenants-mixed", "FLOW-11", "access tokens sign out in every tenant", on(ags.SignOut),
			ruleTokenTenant),
		lax("flow-tenants-mixed", "FLOW-11", "session tokens are good in every tenant", nil, ruleSessionTenant),
		lax("flow-companion-account", "FLOW-09", "the companion flow ends in another account", nil, ruleCompanionAccount),
		lax("flow-ias-refuses", "FLOW-10", "IAS refuses refresh tokens of this service", nil, ruleIASRefresh),
		refused("flow-token-useless", "FLOW-01", "access tokens of a sign-on are refused by the platform", userDevices,
			http.StatusForbidden),
	}
}

// noSecondSession refuses the second session token of a device that a first one made.
func noSecondSession() Fault {
	var made sync.Map
	return Fault{Name: "flow-no-second-session", Requirement: "FLOW-04",
		Summary: "a device that a session token made cannot use another", operations: on(ags.SignOnWithSessionToken),
		reply: func(c *call, r *reply) {
			if r.pair == nil {
				return
			}
			if c.firstTime() {
				made.Store(r.pair.device, true)
			} else if _, is := made.Load(r.pair.device); is {
				*r = c.refuse(rulePath, http.StatusUnauthorized, 0, "no")
			}
		}}
}

// onlyOneInstallation refuses a second first-time sign-on of an account, as after a reinstallation.
func onlyOneInstallation() Fault {
	var seen sync.Map
	return Fault{Name: "device-no-reinstallation", Requirement: "DEV-22",
		Summary: "a client that has lost its clientId cannot sign on again",
		reply: func(c *call, r *reply) {
			if r.pair == nil || c.operation == ags.Refresh || !c.firstTime() {
				return
			}
			if _, again := seen.LoadOrStore(r.pair.account, true); again {
				*r = c.refuse(rulePath, http.StatusForbidden, 0, "no")
			}
		}}
}

// errorFaults are faults of the refusals of every call.
func errorFaults() []Fault {
	badRequests := []rule{ruleJSON, ruleParametersPresent, ruleParametersArray, ruleParameterMembers}
	refusals := func(name, requirement, summary string, change func(*call, *reply)) Fault {
		return Fault{Name: name, Requirement: requirement, Summary: summary, reply: func(c *call, r *reply) {
			if r.refused != "" && r.hasBody {
				change(c, r)
			}
		}}
	}
	return []Fault{
		lax("error-vpn-ignored", "ERR-01", "callers through a VPN are served", nil, ruleVPN),
		overlooked("error-vpn-known-sign-on", "ERR-01", ags.SignOn, ruleVPN, (*call).nthTime),
		overlooked("error-vpn-first-sign-on", "ERR-01", ags.SignOn, ruleVPN, (*call).firstTime),
		overlooked("error-vpn-subsequent", "ERR-01", ags.SubsequentSignOn, ruleVPN, nil),
		overlooked("error-location-first-sign-on", "ERR-02", ags.SignOn, ruleLocation, (*call).firstTime),
		overlooked("error-location-subsequent", "ERR-02", ags.SubsequentSignOn, ruleLocation, nil),
		wrongRefusal("error-vpn-code", "ERR-01", "callers through a VPN get code 20019", nil, toCode(20019), ruleVPN),
		wrongRefusal("error-vpn-401", "ERR-01", "callers through a VPN get 401", nil, toStatus(http.StatusUnauthorized),
			ruleVPN),
		lax("error-location-ignored", "ERR-02", "callers from a blocked location are served", nil, ruleLocation),
		wrongRefusal("error-location-code", "ERR-02", "callers from a blocked location get code 20018", nil, toCode(20018),
			ruleLocation),
		wrongRefusal("error-token-code", "ERR-03", "a token that is not valid gives code 20005", nil, toCode(20005),
			ruleTokenSignature, ruleTokenExpiry, ruleTokenType, ruleSessionOnce, ruleFixedExpiry),
		refusals("error-code-renamed", "ERR-04", "the sub-code is in reason", func(_ *call, r *reply) {
			r.body.rename("code", "reason")
			r.body.remove("errorCode")
		}),
		refusals("error-message-number", "ERR-05", "message is a number",
			func(_ *call, r *reply) { r.body.set("message", 1) }),
		refusals("error-with-tokens", "ERR-07", "refusals carry tokens", func(c *call, r *reply) {
			r.body = append(r.body, member{"access_token", "a.b.c"}, member{"refresh_token", "a.b.c"})
		}),
		wrongRefusal("error-500", "ERR-08", "bad requests give 500", nil, toStatus(http.StatusInternalServerError),
			badRequests...),
		wrongRefusal("error-502-device", "ERR-08", "bad device arguments give 502", nil, toStatus(http.StatusBadGateway),
			ruleDeviceArgument),
		wrongRefusal("error-unknown-service-500", "ERR-08", "an unknown x-auth-service-id gives 500", nil,
			toStatus(http.StatusInternalServerError), ruleKnownService),
		wrongRefusal("error-undocumented-409", "ERR-09", "an unknown session token gives 409", nil,
			toStatus(http.StatusConflict), ruleKnownSession),
		wrongRefusal("error-undocumented-418", "ERR-09", "an unknown client gives 418", nil, toStatus(http.StatusTeapot),
			ruleKnownClient),
		refusals("error-echoes-parameters", "ERR-10", "refusals repeat the parameters", func(c *call, r *reply) {
			var given []string
			for _, value := range c.parameters {
				given = append(given, value)
			}
			r.body.set("message", "refused: "+strings.Join(given, " "))
		}),
		refusals("error-echoes-token", "ERR-10", "refusals repeat the header Authorization", func(c *call, r *reply) {
			r.body.set("message", "refused: "+c.header(ags.HeaderAuthorization))
		}),
		refusals("error-echoes-in-header", "ERR-10", "refusals repeat the parameters in a header", func(c *call, r *reply) {
			for _, value := range c.parameters {
				r.setHeader("X-Debug", strings.Map(visible, value))
			}
		}),
		refusals("error-stack-trace", "ERR-10", "refusals show a stack trace", func(_ *call, r *reply) {
			r.body.set("message", "java.lang.IllegalStateException: no\n\tat "+
				"com.example.ags.SignOn.handle(SignOn.java:42)\n\tat com.example.ags.Filter.apply(Filter.java:7)")
		}),
		lax("error-switches-ignored", "ERR-13", "VPN and location are refused though switched off", nil, rulePlatformSwitch),
	}
}

// visible drops what cannot stand in a header.
func visible(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

// gatewayFaults are faults of the gateway and of content types.
func gatewayFaults() []Fault {
	refusal := func(_ *call, r *reply) {
		*r = jsonReply(http.StatusOK,
			object{{"resultCode", ags.GatewayRefusal}, {"localeMessage", "none"}, {"requestId", "mock"},
				{"result", "<message>no</message>"}})
	}
	return []Fault{
		wrongRefusal("gateway-401", "GW-01", "an unusable token gives 401 without a resultCode at the gateway",
			on(userDevices), func(_ *call, r *reply) {
				*r = jsonReply(http.StatusUnauthorized, object{{"message", "no"}})
			}, ruleToken),
		lax("gateway-any-token", "GW-01", "an unusable token is accepted at the gateway", on(userDevices), ruleToken),
		spoiledSuccess("gateway-refusal-as-200", "GW-02", "a refresh gets the gateway's refusal under status 200",
			on(ags.Refresh), refusal),
		spoiledSuccess("gateway-refusal-as-201", "GW-02", "a sign-on gets the gateway's refusal under status 201",
			on(ags.SignOnWithSessionToken), func(c *call, r *reply) {
				refusal(c, r)
				r.status = http.StatusCreated
			}),
		spoiledSuccess("tokens-for-caches", "GW-06", "answers with tokens may be kept by any cache for ten minutes", nil,
			func(_ *call, r *reply) {
				if r.pair != nil {
					r.setHeader("Cache-Control", "public, max-age=600")
				}
			}),
		spoiledSuccess("content-type-text", "GW-05", "token bodies are said to be plain text",
			[]string{ags.SignOn, ags.SignOnWithSessionToken, ags.Refresh, ags.SubsequentSignOn}, func(_ *call, r *reply) {
				r.media = "text/plain"
			}),
		spoiledSuccess("content-type-missing", "GW-05", "answers have no content type", nil,
			func(_ *call, r *reply) { r.media = noMedia }),
	}
}

// overlooked is a state that one call does not look at.
func overlooked(name, requirement, operation string, reason rule, when func(*call) bool) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: operation + " overlooks the state (" + string(reason) +
		")", operations: on(operation), reply: func(c *call, r *reply) {
		if r.refused == reason && (when == nil || when(c)) {
			*r = c.pretend()
		}
	}}
}

// askedBefore tells whether a known device was there before: only its first try is looked at.
func askedBefore() func(*call) bool {
	var seen sync.Map
	return func(c *call) bool {
		device, known := c.body["clientId"].(string)
		_, before := seen.LoadOrStore(device, true)
		return known && before
	}
}

// givenTwice gives every third first-time sign-on the client_id that the one before was given, whoever asked.
func givenTwice() Fault {
	var mutex sync.Mutex
	var last string
	count := 0
	return Fault{Name: "device-given-twice", Requirement: "DEV-01", operations: on(ags.SignOnWithSessionToken, ags.SignOn),
		Summary: "every third first-time sign-on is given the client_id of the one before",
		draft: func(c *call, d *draft) {
			if d.refresh || !c.firstTime() {
				return
			}
			mutex.Lock()
			defer mutex.Unlock()
			if count++; count%3 == 0 {
				d.grant.device = last
				d.claims.set("deviceId", last)
			}
			last = d.grant.device
		}}
}
