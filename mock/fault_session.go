package mock

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"agstest/ags"
)

func sessionTokenFaults() []Fault {
	const gst = ags.GetSessionToken
	body := func(name, summary string, change func(*object)) Fault {
		return spoiledBody(name, "GST-02", summary, on(gst), change)
	}
	return []Fault{
		wrongStatus("get-session-201", "GST-01", "getSessionToken answers 201", gst, http.StatusCreated),
		refused("get-session-refused", "GST-01", "a good OperatorAuthToken is refused", gst, http.StatusUnauthorized),
		body("get-session-missing", "sessionToken is missing", without("sessionToken")),
		body("get-session-empty", "sessionToken is empty", with("sessionToken", "")),
		body("get-session-number", "sessionToken is a number", with("sessionToken", 42)),
		body("get-session-renamed", "sessionToken is called session_token", renamed("sessionToken", "session_token")),
		body("get-session-null", "sessionToken is null", with("sessionToken", nil)),
		lax("get-session-bad-body-accepted", "GST-03", "bad bodies are accepted", on(gst), ruleJSON, ruleParametersPresent,
			ruleParametersArray, ruleParameterMembers, ruleParametersNotEmpty),
		wrongRefusal("get-session-bad-body-401", "GST-03", "bad bodies give 401", on(gst), toStatus(http.StatusUnauthorized),
			ruleJSON, ruleParametersPresent, ruleParametersArray, ruleParameterMembers, ruleParametersNotEmpty),
		lax("get-session-any-signature", "GST-04", "the signature of the OperatorAuthToken is not checked", on(gst),
			ruleOperatorSignature),
		lax("get-session-expired", "GST-05", "an expired OperatorAuthToken is accepted", on(gst), ruleOperatorExpiry),
		lax("get-session-any-audience", "GST-06", "another audience is accepted", on(gst), ruleOperatorAudience),
		lax("get-session-any-type", "GST-07", "another typ is accepted", on(gst), ruleOperatorType),
		lax("get-session-any-algorithm", "GST-08", "the algorithm none is accepted", on(gst), ruleOperatorAlgorithm),
		lax("get-session-any-account", "GST-09", "an unknown account is accepted", on(gst), ruleOperatorAccount),
		wrongRefusal("get-session-any-account-500", "GST-09", "an unknown account gives 500", on(gst),
			toStatus(http.StatusInternalServerError), ruleOperatorAccount),
		lax("get-session-any-tenant", "GST-10", "an OperatorAuthToken of another tenant is accepted", on(gst),
			ruleOperatorTenant),
		wrongRefusal("get-session-signature-404", "GST-04", "a wrong signature gives 404", on(gst),
			toStatus(http.StatusNotFound), ruleOperatorSignature),
		lax("get-session-service-not-needed", "GST-11", "a missing x-auth-service-id is accepted", on(gst),
			ruleServiceHeader),
		lax("get-session-counted", "GST-15", "session tokens are counted up", on(gst), ruleUnguessable),
		lax("get-session-useless", "GST-13", "the session token is not accepted afterwards", on(gst), ruleSessionUsable),
	}
}

func refreshFaults() []Fault {
	const ref = ags.Refresh
	body := func(name, requirement, summary string, change func(*object)) Fault {
		return spoiledBody(name, requirement, summary, on(ref), change)
	}
	identity := func(name, claim string) Fault {
		f := spoiledBoth(name, "REF-12", "a refresh changes "+claim, func(d *draft) { d.claims.set(claim, "somebody") })
		f.operations = on(ref)
		return f
	}
	return []Fault{
		wrongStatus("refresh-201", "REF-01", "refresh answers 201", ref, http.StatusCreated),
		refused("refresh-refused", "REF-01", "a good refresh token is refused", ref, http.StatusUnauthorized),
		body("refresh-no-access-token", "REF-02", "refresh gives no access_token", without("access_token")),
		spoiledSuccess("refresh-gives-the-same", "REF-02", "refresh gives the refresh token back that it was given",
			on(ags.Refresh), giveSameRefresh),
		spoiledSuccess("refresh-same-told-anew", "TOK-11",
			"refresh gives the refresh token back that it was given, and tells its whole lifetime", on(ags.Refresh),
			func(c *call, r *reply) {
				r.body.set("refresh_token", c.authorization())
			}),
		body("refresh-no-refresh-token", "REF-02", "refresh gives no refresh_token", without("refresh_token")),
		body("refresh-token-in-object", "REF-02", "refresh gives the tokens in an object tokens",
			func(o *object) { *o = object{{"tokens", *o}} }),
		body("refresh-no-expires-in", "REF-03", "refresh does not tell expires_in", without("expires_in")),
		body("refresh-no-account", "REF-03", "refresh does not tell accountId", without("accountId")),
		body("refresh-no-token-type", "REF-03", "refresh does not tell token_type", without("token_type")),
		lax("refresh-token-not-needed", "REF-04", "a missing Authorization is accepted", on(ref), ruleAuthorization),
		wrongRefusal("refresh-no-token-500", "REF-04", "a missing Authorization gives 500", on(ref),
			toStatus(http.StatusInternalServerError), ruleAuthorization),
		lax("refresh-any-token", "REF-05", "garbage is accepted as a refresh token", on(ref), ruleToken),
		wrongRefusal("refresh-garbage-500", "REF-05", "garbage gives 500", on(ref), toStatus(http.StatusInternalServerError),
			ruleToken),
		lax("refresh-any-type", "REF-06", "an access token is accepted as a refresh token", on(ref), ruleTokenType),
		lax("refresh-never-expires", "REF-07", "an expired refresh token is accepted", on(ref), ruleTokenExpiry),
		lax("refresh-past-fixed-end", "REF-08", "a session can be refreshed past its absolute end", on(ref), ruleFixedExpiry,
			ruleTokenExpiry),
		lax("refresh-old-times", "REF-09", "a refresh counts from long before", on(ref), ruleFreshTimes),
		lax("refresh-extends-fixed-end", "REF-10", "each refresh moves the absolute end", on(ref), ruleExtendFixed),
		lax("refresh-outlives-fixed-end", "REF-11", "refresh tokens outlive the absolute end", on(ref), ruleCap),
		identity("refresh-other-account", "accountId"),
		identity("refresh-other-device", "deviceId"),
		identity("refresh-other-user", "userId"),
		identity("refresh-other-tenant", "tenantId"),
		otherIdentity("refresh-somebody-else", "REF-12", "a refresh gives the tokens of another account", on(ref), "1700",
			"OTH_1", nil),
		lax("refresh-suspended", "REF-13", "a suspended account can refresh", on(ref), ruleSuspended),
		lax("refresh-cancelled", "REF-13", "a cancelled account can refresh", on(ref), ruleCancelled),
		wrongRefusal("refresh-suspended-401", "REF-13", "a suspended account gets 401 at refresh", on(ref),
			toStatus(http.StatusUnauthorized), ruleSuspended),
		lax("refresh-disabled", "REF-14", "a disabled device can refresh", on(ref), ruleDeviceDisabled),
		lax("refresh-deleted", "REF-14", "a deleted device can refresh", on(ref), ruleDeviceDeleted),
		lax("refresh-inactive", "REF-14", "an inactive device can refresh", on(ref), ruleDeviceInactive),
		wrongRefusal("refresh-disabled-code", "REF-14", "a disabled device gets the code of an account that is suspended",
			on(ref), toCode(20002), ruleDeviceDisabled),
		lax("refresh-no-bearer", "REF-15", "the scheme Bearer is not understood at refresh", on(ref), ruleBearer),
		uselessRefresh("refresh-no-chain", "REF-18", "a refresh token that a refresh gave is useless", ref),
		lax("refresh-service-not-needed", "REF-19", "a missing x-auth-service-id is accepted", on(ref), ruleServiceHeader),
		wrongRefusal("refresh-no-service-500", "REF-19", "a missing x-auth-service-id gives 500", on(ref),
			toStatus(http.StatusInternalServerError), ruleServiceHeader),
		countedRefreshTokens(),
		lax("refresh-any-signature", "REF-22", "the signature of the refresh token is not checked", on(ref),
			ruleTokenSignature),
		fixedEndSlides(),
		noSignOnAfterExpiry(),
	}
}

// uselessRefresh signs refresh tokens with a key that the service does not take for its own.
func uselessRefresh(name, requirement, summary, operation string) Fault {
	return Fault{Name: name, Requirement: requirement, Summary: summary, operations: on(operation),
		draft: func(_ *call, d *draft) {
			if d.refresh {
				d.signer = newSigner("HS256", d.signer.keyID, []byte("another key of thirty-two bytes!"))
			}
		}}
}

// fixedEndSlides moves the absolute end only at the third refresh of a device, so that a single refresh looks right.
func fixedEndSlides() Fault {
	var mutex sync.Mutex
	counts := map[string]int{}
	slides := func(g *grant) bool {
		mutex.Lock()
		defer mutex.Unlock()
		return counts[g.device] >= 3
	}
	end := func(c *call, g *grant) int64 {
		_, _, fixed := c.set.behaviour.Lifetimes.seconds()
		return g.now.Unix() + fixed + 3600
	}
	return Fault{Name: "refresh-third-extends-fixed-end", Requirement: "FLOW-06",
		Summary: "from the third refresh on the absolute end moves", operations: on(ags.Refresh),
		draft: func(c *call, d *draft) {
			if !d.refresh {
				mutex.Lock()
				counts[d.grant.device]++
				mutex.Unlock()
			}
			if slides(d.grant) {
				d.claims.set("fixed_exp", end(c, d.grant))
			}
		},
		reply: func(c *call, r *reply) {
			if r.pair != nil && slides(r.pair) {
				r.body.set("fixed_refresh_expires_in", end(c, r.pair)-r.pair.now.Unix())
			}
		}}
}

// noSignOnAfterExpiry locks out clients that came with an expired refresh token.
func noSignOnAfterExpiry() Fault {
	var locked sync.Map
	return Fault{Name: "sign-on-locked-after-expiry", Requirement: "FLOW-05",
		Summary: "after an expired refresh token the account cannot sign on again",
		reply: func(c *call, r *reply) {
			switch {
			case c.operation == ags.Refresh && r.refused == ruleTokenExpiry:
				locked.Store(payloadAccount(c.authorization()), time.Time{})
			case r.pair != nil && c.operation != ags.Refresh:
				if _, is := locked.Load(r.pair.account); is {
					*r = c.refuse(rulePath, http.StatusUnauthorized, 0, "no")
				}
			}
		}}
}

func payloadAccount(compact string) string {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims tokenClaims
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return ""
	}
	return claims.Account
}

func signOutFaults() []Fault {
	const out = ags.SignOut
	return []Fault{
		wrongStatus("sign-out-204", "OUT-01", "signOut answers 204", out, http.StatusNoContent),
		refused("sign-out-refused", "OUT-01", "a good access token is refused at signOut", out, http.StatusForbidden),
		lax("sign-out-token-not-needed", "OUT-02", "a missing Authorization is accepted at signOut", on(out),
			ruleAuthorization),
		wrongRefusal("sign-out-no-token-500", "OUT-02", "a missing Authorization gives 500 at signOut", on(out),
			toStatus(http.StatusInternalServerError), ruleAuthorization),
		lax("sign-out-any-token", "OUT-03", "garbage is accepted at signOut", on(out), ruleToken, ruleTokenSignature),
		wrongRefusal("sign-out-garbage-500", "OUT-03", "garbage gives 500 at signOut", on(out),
			toStatus(http.StatusInternalServerError), ruleToken, ruleTokenSignature),
		lax("sign-out-service-not-needed", "OUT-04", "a missing x-auth-service-id is accepted at signOut", on(out),
			ruleServiceHeader),
		lax("sign-out-bad-body-accepted", "OUT-05", "bad bodies are accepted at signOut", on(out), ruleJSON,
			ruleParametersArray, ruleParameterMembers),
		wrongRefusal("sign-out-bad-body-403", "OUT-05", "bad bodies give 403 at signOut", on(out),
			toStatus(http.StatusForbidden), ruleJSON, ruleParametersArray, ruleParameterMembers),
		lax("sign-out-deletes-device", "OUT-06", "signing out deletes the device", on(out), ruleKeepDevice),
		lax("sign-out-everywhere", "OUT-09", "signing out ends the sessions of the account's other devices", on(out),
			ruleOnlyThisDevice),
	}
}

func registerFaults() []Fault {
	const reg, sreg = ags.Register, ags.SubsequentRegister
	return []Fault{
		thirdTry("register-third-try", "REG-03", reg),
		wrongStatus("register-200", "REG-01", "register answers 200", reg, http.StatusOK),
		spoiledSuccess("register-refused", "REG-01", "good parameters are refused at register", on(reg),
			func(c *call, r *reply) {
				if r.status == http.StatusCreated {
					*r = c.refuse(rulePath, http.StatusForbidden, 0, "no")
				}
			}),
		spoiledSuccess("register-picks-itself", "REG-02", "several matching accounts lead to 201 at register", on(reg),
			func(_ *call, r *reply) {
				if r.status == http.StatusMultipleChoices {
					*r = emptyReply(http.StatusCreated)
				}
			}),
		spoiledSuccess("register-choice-missing", "REG-02", "a 300 answer of register has no accounts", on(reg),
			func(_ *call, r *reply) {
				if r.status == http.StatusMultipleChoices {
					r.body.remove("accounts")
				}
			}),
		lax("register-any-password", "REG-03", "a wrong password is accepted at register", on(reg), ruleCredentials),
		lax("register-bad-body-accepted", "REG-03", "bad bodies are accepted at register", on(reg), ruleJSON,
			ruleParametersPresent, ruleParametersArray, ruleParameterMembers),
		lax("register-state-ignored", "REG-03", "suspended and cancelled accounts can register", on(reg), ruleSuspended,
			ruleCancelled),
		wrongRefusal("register-bad-body-401", "REG-03", "bad bodies give 401 at register", on(reg),
			toStatus(http.StatusUnauthorized), ruleJSON, ruleParametersPresent, ruleParametersArray, ruleParameterMembers),
		wrongRefusal("register-wrong-password-500", "REG-03", "a wrong password gives 500 at register", on(reg),
			toStatus(http.StatusInternalServerError), ruleCredentials),
		lax("register-any-type", "REG-04", "a type that discovery does not offer is accepted", on(reg), ruleRegisterType),
		wrongStatus("subsequent-register-200", "REG-06", "subsequentRegister answers 200", sreg, http.StatusOK),
		refused("subsequent-register-refused", "REG-06", "a good User-Token is refused at subsequentRegister", sreg,
			http.StatusForbidden),
		lax("subsequent-register-token-not-needed", "REG-07", "a missing User-Token is accepted at subsequentRegister",
			on(sreg), ruleUserTokenPresent),
		otherKind("subsequent-register-by-access-token", "REG-07",
			"an access token is accepted as a User-Token at subsequentRegister", sreg, ags.AccessType, ruleUserTokenKnown),
		otherKind("subsequent-register-by-refresh-token", "REG-07",
			"a refresh token is accepted as a User-Token at subsequentRegister", sreg, ags.RefreshType, ruleUserTokenKnown),
		wrongRefusal("subsequent-register-no-token-500", "REG-07", "a missing User-Token gives 500 at subsequentRegister",
			on(sreg), toStatus(http.StatusInternalServerError), ruleUserTokenPresent),
		lax("register-service-not-needed", "REG-08", "a missing x-auth-service-id is accepted at register", on(reg),
			ruleServiceHeader),
		lax("subsequent-register-service-not-needed", "REG-08",
			"a missing x-auth-service-id is accepted at subsequentRegister", on(sreg), ruleServiceHeader),
		spoiledSuccess("register-choice-useless", "FLOW-08", "the tokens of a 300 answer of register are useless", on(reg),
			func(_ *call, r *reply) {
				eachElement(&r.body, "accounts", with("userAccountToken", "useless"))
			}),
		spoiledSuccess("sign-on-choice-useless", "FLOW-03", "the tokens of a 300 answer of signOn are useless",
			on(ags.SignOn), func(_ *call, r *reply) {
				eachElement(&r.body, "accounts", func(o *object) {
					if token, has := o.get("userAccountToken"); has {
						o.set("userAccountToken", token.(string)+"x")
					}
				})
			}),
	}
}

// giveSameRefresh returns the refresh token of the request, with the rest of its time.
func giveSameRefresh(c *call, r *reply) {
	token := c.authorization()
	claims, refused := c.server.verify(c, token, ags.RefreshType, http.StatusUnauthorized)
	if refused != nil {
		return
	}
	if r.pair != nil {
		r.body.set("refresh_expires_in", int64(claims.Expires)-r.pair.now.Unix())
	}
	r.body.set("refresh_token", token)
}
