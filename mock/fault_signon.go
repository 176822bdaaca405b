package mock

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"sync"

	"agstest/ags"
)

// signOnFaults are faults of signOnWithSessionToken and signOn.
func signOnFaults() []Fault {
	const sost, sso = ags.SignOnWithSessionToken, ags.SignOn
	body := func(name, requirement, summary string, change func(*object)) Fault {
		return spoiledBody(name, requirement, summary, on(sost), change)
	}
	raw := func(change func([]byte) []byte) func(*call, *reply) {
		return func(c *call, r *reply) { r.raw = change(c.set.behaviour.render(r.body)) }
	}
	return []Fault{
		wrongStatus("session-sign-on-200", "SOST-01", "signOnWithSessionToken answers 200", sost, http.StatusOK),
		spoiledSuccess("session-nth-refused", "SOST-01", "a known clientId is refused", on(sost), func(c *call, r *reply) {
			if _, nth := c.body["clientId"]; nth {
				*r = c.refuse(rulePath, http.StatusForbidden, 0, "no")
			}
		}),
		spoiledSuccess("session-first-time-refused", "SOST-02", "deviceInformation is refused", on(sost),
			refuseFirstTime(http.StatusForbidden)),
		spoiledSuccess("session-first-time-200", "SOST-02", "a first-time sign-on answers 200", on(sost),
			func(c *call, r *reply) {
				if c.firstTime() {
					r.status = http.StatusOK
				}
			}),
		body("session-no-access-token", "SOST-03", "the answer has no access_token", without("access_token")),
		body("session-no-refresh-token", "SOST-03", "the answer has no refresh_token", without("refresh_token")),
		body("session-access-token-null", "SOST-03", "access_token is null", with("access_token", nil)),
		body("session-refresh-token-empty", "SOST-03", "refresh_token is empty", with("refresh_token", "")),
		body("session-token-renamed", "SOST-03", "access_token is called accessToken",
			renamed("access_token", "accessToken")),
		body("session-token-wrapped", "SOST-03", "the token body is wrapped in an object data",
			func(o *object) { *o = object{{"data", *o}} }),
		body("session-token-body-in-object", "SOST-03", "access_token is an object",
			with("access_token", object{{"token", "x"}})),
		spoiledSuccess("session-empty-answer", "SOST-03", "the answer is empty", on(sost),
			func(_ *call, r *reply) { *r = emptyReply(r.status) }),
		spoiledSuccess("session-answer-array", "SOST-03", "the token body is in an array", on(sost),
			raw(func(b []byte) []byte { return slices.Concat([]byte("["), b, []byte("]")) })),
		spoiledSuccess("session-answer-text", "SOST-03", "the token body is JSON in a JSON string", on(sost),
			raw(func(b []byte) []byte { return appendString(nil, string(b)) })),
		spoiledSuccess("session-answer-broken", "SOST-03", "the JSON of the answer lacks its end", on(sost),
			raw(func(b []byte) []byte { return b[:len(b)-1] })),
		body("session-no-client-id", "SOST-04", "client_id is missing", without("client_id")),
		body("session-no-account", "SOST-04", "accountId is missing", without("accountId")),
		body("session-account-snake-case", "SOST-04", "accountId is called account_id", renamed("accountId", "account_id")),
		body("session-account-number", "SOST-04", "accountId is a number", with("accountId", 1663)),
		body("session-client-id-number", "SOST-04", "client_id is a number", with("client_id", 989)),
		body("session-no-expires-in", "SOST-04", "expires_in is missing", without("expires_in")),
		body("session-no-refresh-expires-in", "SOST-04", "refresh_expires_in is missing", without("refresh_expires_in")),
		body("session-no-fixed-expires-in", "SOST-04", "fixed_refresh_expires_in is missing",
			without("fixed_refresh_expires_in")),
		body("session-account-null", "SOST-04", "accountId is null", with("accountId", nil)),
		body("session-duplicate-member", "SOST-04", "the answer names accountId twice",
			func(o *object) { *o = append(*o, member{"accountId", "9"}) }),
		spoiledSuccess("session-text-after-answer", "SOST-04", "text follows the JSON of the answer", on(sost),
			raw(func(b []byte) []byte { return append(b, "\n{}"...) })),
		lax("session-service-not-needed", "SOST-05", "a missing x-auth-service-id is accepted", on(sost), ruleServiceHeader),
		wrongRefusal("session-no-service-500", "SOST-05", "a missing x-auth-service-id gives 500", on(sost),
			toStatus(http.StatusInternalServerError), ruleServiceHeader),
		lax("sign-on-any-service", "SOST-06", "an unknown x-auth-service-id is accepted at signOn", on(sso),
			ruleKnownService),
		lax("get-session-any-service", "SOST-06", "an unknown x-auth-service-id is accepted at getSessionToken",
			on(ags.GetSessionToken), ruleKnownService),
		lax("subsequent-any-service", "SOST-06", "an unknown x-auth-service-id is accepted at subsequentSignOn",
			on(ags.SubsequentSignOn), ruleKnownService),
		lax("register-any-service", "SOST-06", "an unknown x-auth-service-id is accepted at register", on(ags.Register),
			ruleKnownService),
		lax("subsequent-register-any-service", "SOST-06", "an unknown x-auth-service-id is accepted at subsequentRegister",
			on(ags.SubsequentRegister), ruleKnownService),
		lax("refresh-any-service", "SOST-06", "an unknown x-auth-service-id is accepted at refresh", on(ags.Refresh),
			ruleKnownService),
		lax("session-any-service", "SOST-06", "an unknown x-auth-service-id is accepted", on(sost), ruleKnownService),
		lax("session-parameters-not-needed", "SOST-07", "missing parameters are accepted", on(sost), ruleParametersPresent),
		wrongRefusal("session-no-parameters-401", "SOST-07", "missing parameters give 401", on(sost),
			toStatus(http.StatusUnauthorized), ruleParametersPresent),
		lax("session-broken-json-accepted", "SOST-08", "broken JSON is accepted", on(sost), ruleJSON),
		wrongRefusal("session-broken-json-422", "SOST-08", "broken JSON gives 422", on(sost),
			toStatus(http.StatusUnprocessableEntity), ruleJSON),
		lax("session-parameters-any-kind", "SOST-09", "parameters may be an object or a string", on(sost),
			ruleParametersArray),
		wrongRefusal("session-parameters-kind-500", "SOST-09", "parameters that are no array give 500", on(sost),
			toStatus(http.StatusInternalServerError), ruleParametersArray),
		lax("session-parameter-half", "SOST-10", "a parameter without name or value is accepted", on(sost),
			ruleParameterMembers),
		wrongRefusal("session-parameter-half-403", "SOST-10", "a parameter without name or value gives 403", on(sost),
			toStatus(http.StatusForbidden), ruleParameterMembers),
		lax("session-parameters-may-be-empty", "SOST-11", "empty parameters are accepted", on(sost), ruleParametersNotEmpty),
		lax("session-no-device-needed", "SOST-12", "neither deviceInformation nor clientId is accepted", on(sost),
			ruleDeviceArgument),
		wrongRefusal("session-no-device-404", "SOST-12", "neither deviceInformation nor clientId gives 404", on(sost),
			toStatus(http.StatusNotFound), ruleDeviceArgument),
		lax("session-any-token", "SOST-14", "a session token that was never issued is accepted", on(sost), ruleKnownSession),
		wrongRefusal("session-unknown-token-500", "SOST-14", "a session token that was never issued gives 500", on(sost),
			toStatus(http.StatusInternalServerError), ruleKnownSession),
		wrongRefusal("session-unknown-token-with-tokens", "SOST-14", "the refusal of an unknown session token carries tokens",
			on(sost), func(c *call, r *reply) {
				status := r.status
				*r = c.pretend()
				r.status, r.refused = status, ruleKnownSession
			}, ruleKnownSession),
		otherKind("session-by-access-token", "SOST-14", "an access token is accepted as a session token", sost,
			ags.AccessType, ruleKnownSession),
		otherKind("session-by-refresh-token", "SOST-14", "a refresh token is accepted as a session token", sost,
			ags.RefreshType, ruleKnownSession),
		lax("session-never-expires", "SOST-15", "an expired session token is accepted", on(sost), ruleSessionExpiry),
		lax("session-location-ignored", "SOST-17", "a blocked location may sign on with a session token", on(sost),
			ruleLocation),
		wrongRefusal("session-location-401", "SOST-17", "a blocked location gives 401", on(sost),
			toStatus(http.StatusUnauthorized), ruleLocation),
		lax("session-state-ignored", "SOST-18", "suspended and cancelled accounts may sign on with a session token", on(sost),
			ruleSuspended, ruleCancelled),
		wrongRefusal("session-state-401", "SOST-18", "suspended and cancelled accounts get 401", on(sost),
			toStatus(http.StatusUnauthorized), ruleSuspended, ruleCancelled),
		lax("session-any-client", "SOST-19", "an unknown clientId is accepted", on(sost), ruleKnownClient),
		wrongRefusal("session-unknown-client-400", "SOST-19", "an unknown clientId gives 400", on(sost),
			toStatus(http.StatusBadRequest), ruleKnownClient),
		otherIdentity("session-other-client", "SOST-20", "the answer is for another device", on(sost), "", "OTH_1",
			(*call).nthTime),
		lax("session-new-device-forgotten", "SOST-21", "the client_id of a first-time sign-on cannot be used", on(sost),
			ruleUsableDevice),
		spoiledSuccess("session-first-time-no-client-id", "SOST-21", "a first-time sign-on gives no client_id", on(sost),
			func(c *call, r *reply) {
				if c.firstTime() {
					r.body.set("client_id", "")
				}
			}),
		otherIdentity("session-other-account", "SOST-22", "the answer is for another account", on(sost), "1700", "", nil),
		{Name: "session-other-tenant", Requirement: "SOST-23", Summary: "the tokens are for another tenant", operations: on(sost),
			draft: func(_ *call, d *draft) { d.claims.set("tenantId", "somebody") }},
		spoiledSuccess("session-several-accounts", "SOST-24", "a session token leads to a choice of accounts", on(sost),
			offerTwo),
		lax("session-wants-correlation", "SOST-26", "a missing x-correlation-id is refused", on(sost), ruleCorrelationFree),
		lax("session-strangers-refused", "SOST-29", "headers and members that are not known are refused", on(sost),
			ruleUnknownMembers),
		lax("session-foreign-client", "SOST-32", "a clientId of another account is accepted", on(sost), ruleClientOwner),

		wrongStatus("sign-on-200", "SSO-01", "signOn answers 200", sso, http.StatusOK),
		spoiledBody("sign-on-no-access-token", "SSO-01", "signOn gives no access_token", on(sso), without("access_token")),
		spoiledSuccess("sign-on-picks-itself", "SSO-02", "several matching accounts lead to 201 for the first", on(sso),
			func(c *call, r *reply) {
				if r.status == http.StatusMultipleChoices {
					*r = c.pretend()
				}
			}),
		spoiledSuccess("sign-on-choice-200", "SSO-02", "several matching accounts lead to 200", on(sso),
			func(_ *call, r *reply) {
				if r.status == http.StatusMultipleChoices {
					r.status = http.StatusOK
				}
			}),
		choiceFault("sign-on-choice-of-one", "SSO-03", "only one of several accounts is offered", func(o *object) {
			list, _ := o.get("accounts")
			o.set("accounts", list.([]any)[:1])
		}),
		choiceFault("sign-on-choice-missing", "SSO-03", "a 300 answer has no accounts", without("accounts")),
		choiceFault("sign-on-choice-object", "SSO-03", "accounts is an object", with("accounts", object{})),
		choiceFault("sign-on-information-object", "SSO-04", "accountInformation is an object", func(o *object) {
			eachElement(o, "accounts", with("accountInformation", object{{"account", "2001"}}))
		}),
		choiceFault("sign-on-information-text", "SSO-04", "accountInformation is no JSON", func(o *object) {
			eachElement(o, "accounts", with("accountInformation", "Home A"))
		}),
		choiceFault("sign-on-information-twice", "SSO-04", "accountInformation is put into a text twice", func(o *object) {
			eachElement(o, "accounts", func(a *object) {
				information, _ := a.get("accountInformation")
				twice, _ := json.Marshal(information)
				a.set("accountInformation", string(twice))
			})
		}),
		choiceFault("sign-on-choice-no-token", "SSO-05", "a 300 answer has no userAccountToken", func(o *object) {
			eachElement(o, "accounts", without("userAccountToken"))
		}),
		choiceFault("sign-on-choice-token-missing", "SSO-05", "the last account has no userAccountToken", func(o *object) {
			list, _ := o.get("accounts")
			accounts := list.([]any)
			last := accounts[len(accounts)-1].(object)
			last.remove("userAccountToken")
			accounts[len(accounts)-1] = last
		}),
		choiceFault("sign-on-choice-with-tokens", "SSO-06", "a 300 answer carries tokens", func(o *object) {
			*o = append(*o, member{"access_token", "a.b.c"}, member{"refresh_token", "a.b.c"})
		}),
		lax("sign-on-bad-request-accepted", "SSO-07", "bad requests are accepted", on(sso), ruleJSON, ruleParametersPresent,
			ruleParametersArray, ruleParameterMembers, ruleParametersNotEmpty),
		wrongRefusal("sign-on-bad-request-401", "SSO-07", "bad requests give 401", on(sso), toStatus(http.StatusUnauthorized),
			ruleJSON, ruleParametersPresent, ruleParametersArray, ruleParameterMembers),
		lax("sign-on-any-password", "SSO-08", "a wrong password is accepted", on(sso), ruleCredentials),
		thirdTry("sign-on-third-try", "SSO-08", sso),
		wrongRefusal("sign-on-wrong-password-403", "SSO-08", "a wrong password gives 403", on(sso),
			toStatus(http.StatusForbidden), ruleCredentials),
		wrongRefusal("sign-on-wrong-password-200", "SSO-08", "a wrong password gives 200 with the refusal in the body",
			on(sso), toStatus(http.StatusOK), ruleCredentials),
		lax("sign-on-state-ignored", "SSO-09", "suspended and cancelled accounts may sign on", on(sso), ruleSuspended,
			ruleCancelled),
		wrongRefusal("sign-on-forbidden-401", "SSO-09", "what is forbidden gives 401", on(sso),
			toStatus(http.StatusUnauthorized), ruleSuspended, ruleCancelled, ruleLocation, ruleVPN),
		lax("sign-on-any-client", "SSO-10", "an unknown clientId is accepted", on(sso), ruleKnownClient),
		wrongRefusal("sign-on-unknown-client-401", "SSO-10", "an unknown clientId gives 401", on(sso),
			toStatus(http.StatusUnauthorized), ruleKnownClient),
		otherIdentity("sign-on-other-client", "SSO-11", "an n-th sign-on answers with another client_id", on(sso), "",
			"OTH_1", (*call).nthTime),
		spoiledSuccess("sign-on-first-time-refused", "SSO-12", "deviceInformation is refused", on(sso),
			refuseFirstTime(http.StatusForbidden)),
		spoiledSuccess("sign-on-first-time-no-client-id", "SSO-12", "a first-time sign-on gives no client_id", on(sso),
			func(c *call, r *reply) {
				if c.firstTime() {
					r.body.remove("client_id")
				}
			}),
		lax("sign-on-mandatory-optional", "SSO-13", "mandatory parameters may be left out", on(sso), ruleMandatoryParameters,
			ruleParametersNotEmpty),
		lax("sign-on-foreign-client", "SSO-16", "a clientId of another account is accepted at signOn", on(sso),
			ruleClientOwner),
		lax("sign-on-no-device-needed", "SSO-17", "neither deviceInformation nor clientId is accepted at signOn", on(sso),
			ruleDeviceArgument),
		lax("sign-on-service-not-needed", "SSO-14", "a missing x-auth-service-id is accepted", on(sso), ruleServiceHeader),
		wrongRefusal("sign-on-no-service-500", "SSO-14", "a missing x-auth-service-id gives 500", on(sso),
			toStatus(http.StatusInternalServerError), ruleServiceHeader),
	}
}

// pickFaults are faults of subsequentSignOn.
func pickFaults() []Fault {
	const sub = ags.SubsequentSignOn
	return []Fault{
		lax("sign-on-choice-counted", "SUB-08", "userAccountTokens are counted up", on(ags.SignOn), ruleUnguessable),
		spoiledSuccess("sign-on-choice-by-account", "SUB-08", "the userAccountToken of an account is its id in base64",
			on(ags.SignOn), func(_ *call, r *reply) {
				eachAccount(r, func(a *object) {
					var told struct{ Account string }
					information, _ := a.get("accountInformation")
					text, _ := information.(string)
					if json.Unmarshal([]byte(text), &told) == nil {
						a.set("userAccountToken", base64.StdEncoding.EncodeToString([]byte(told.Account)))
					}
				})
			}),
		wrongStatus("subsequent-200", "SUB-01", "subsequentSignOn answers 200", sub, http.StatusOK),
		refused("subsequent-refused", "SUB-01", "a good User-Token is refused", sub, http.StatusForbidden),
		spoiledBody("subsequent-no-tokens", "SUB-01", "subsequentSignOn gives no tokens", on(sub), func(o *object) {
			o.remove("access_token")
			o.remove("refresh_token")
		}),
		lax("subsequent-token-not-needed", "SUB-02", "a missing User-Token is accepted", on(sub), ruleUserTokenPresent),
		wrongRefusal("subsequent-no-token-500", "SUB-02", "a missing User-Token gives 500", on(sub),
			toStatus(http.StatusInternalServerError), ruleUserTokenPresent),
		otherKind("subsequent-by-access-token", "SUB-03", "an access token is accepted as a User-Token", sub, ags.AccessType,
			ruleUserTokenKnown),
		otherKind("subsequent-by-refresh-token", "SUB-03", "a refresh token is accepted as a User-Token", sub,
			ags.RefreshType, ruleUserTokenKnown),
		lax("subsequent-any-token", "SUB-03", "an invented User-Token is accepted", on(sub), ruleUserTokenKnown),
		wrongRefusal("subsequent-invented-404", "SUB-03", "an invented User-Token gives 404", on(sub),
			toStatus(http.StatusNotFound), ruleUserTokenKnown),
		lax("subsequent-crossed", "SUB-04", "the first two accounts of a list lead to each other", on(sub), ruleOwnPick),
		lax("subsequent-other-account", "SUB-04", "another account than the picked one signs on", on(sub), rulePickedAccount),
		lax("subsequent-foreign-client", "SUB-09", "a clientId of another account is accepted at subsequentSignOn", on(sub),
			ruleClientOwner),
		lax("subsequent-device-forgotten", "FLOW-03", "the client_id of subsequentSignOn cannot be used", on(sub),
			ruleUsableDevice),
		uselessRefresh("subsequent-refresh-useless", "FLOW-03", "a refresh token that subsequentSignOn gave is useless", sub),
		lax("subsequent-service-not-needed", "SUB-05", "a missing x-auth-service-id is accepted", on(sub), ruleServiceHeader),
		lax("subsequent-bad-body-accepted", "SUB-06", "bad bodies are accepted", on(sub), ruleJSON, ruleParametersPresent,
			ruleParametersArray, ruleParameterMembers),
		wrongRefusal("subsequent-bad-body-403", "SUB-06", "bad bodies give 403", on(sub), toStatus(http.StatusForbidden),
			ruleJSON, ruleParametersPresent, ruleParametersArray, ruleParameterMembers),
	}
}

func (c *call) firstTime() bool {
	_, nth := c.body["clientId"]
	return !nth
}

func (c *call) nthTime() bool { return !c.firstTime() }

func refuseFirstTime(status int) func(*call, *reply) {
	return func(c *call, r *reply) {
		if c.firstTime() {
			*r = c.refuse(rulePath, status, 0, "no")
		}
	}
}

// otherIdentity is a fault whose tokens and body agree with each other and are for somebody else.
func otherIdentity(name, requirement, summary string, operations []string, account, device string,
	when func(*call) bool) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary, operations: operations,
		draft: func(c *call, d *draft) {
			if when != nil && !when(c) {
				return
			}
			if account != "" {
				d.claims.set("accountId", account)
				d.claims.set("userId", account)
			}
			if device != "" {
				d.claims.set("deviceId", device)
			}
		},
		reply: func(c *call, r *reply) {
			if r.pair == nil || when != nil && !when(c) {
				return
			}
			if account != "" {
				r.body.set("accountId", account)
			}
			if device != "" {
				r.body.set("client_id", device)
			}
		}}
}

func offerTwo(c *call, r *reply) {
	one := func(id string) object {
		return object{{"accountInformation", `{"account":"` + id + `"}`}, {"userAccountToken", "token-" + id}}
	}
	*r = jsonReply(http.StatusMultipleChoices, object{{"accounts", []any{one("1"), one("2")}}})
}

// choiceFault is a fault in 300 answers of signOn.
func choiceFault(name, requirement, summary string, change func(*object)) Fault {
	return spoiledSuccess(name, requirement, summary, on(ags.SignOn), func(_ *call, r *reply) {
		if r.status == http.StatusMultipleChoices {
			change(&r.body)
		}
	})
}

// thirdTry lets somebody in who has given a wrong password three times in a row. A right one starts anew.
func thirdTry(name, requirement, operation string) Fault {
	var mutex sync.Mutex
	inARow := map[string]int{}
	return Fault{Name: name, Requirement: requirement,
		Summary:    "a wrong password is accepted when it comes for the third time in a row at " + operation,
		operations: on(operation),
		reply: func(c *call, r *reply) {
			mutex.Lock()
			defer mutex.Unlock()
			if r.refused != "" && r.refused != ruleCredentials {
				return
			}
			user := c.parameter("username")
			if r.refused == "" {
				inARow[user] = 0
				return
			}
			if inARow[user]++; inARow[user]%3 == 0 {
				*r = c.pretend()
			}
		}}
}
