package mock

import (
	"bytes"
	"fmt"
	"sync"

	"agstest/ags"
)

// besideFaults believe what stands beside a good token, and take good tokens of one kind for those of another.
func besideFaults() []Fault {
	const sost, ref, out = ags.SignOnWithSessionToken, ags.Refresh, ags.SignOut
	all := []Fault{
		keptAs("session-by-user-token", "SOST-14", "a userAccountToken is accepted as a session token", sost, ruleKnownSession, func(c *call) bool {
			_, _, known := c.server.state.userTokens.get(c.parameter("sessionToken"))
			return known
		}),
		keptAs("subsequent-by-session-token", "SUB-03", "a session token is accepted as a User-Token", ags.SubsequentSignOn, ruleUserTokenKnown, sessionIn(ags.HeaderUserToken)),
		keptAs("subsequent-register-by-session-token", "REG-07", "a session token is accepted as a User-Token at subsequentRegister", ags.SubsequentRegister, ruleUserTokenKnown, sessionIn(ags.HeaderUserToken)),
		keptAs("refresh-by-session-token", "REF-05", "a session token is accepted as a refresh token", ref, ruleToken, sessionIn(ags.HeaderAuthorization)),
		keptAs("sign-out-by-session-token", "OUT-03", "a session token is accepted as an access token", out, ruleToken, sessionIn(ags.HeaderAuthorization)),
		answeredByCorrelation(),
		deviceTwice("session-device-twice", "SOST-32", sost),
		deviceTwice("sign-on-device-twice", "SSO-16", ags.SignOn),
		wrongRefusal("session-token-null", "SOST-14", "the word null is accepted as a session token", on(sost), func(c *call, r *reply) {
			if c.parameter("sessionToken") == "null" {
				*r = c.pretend()
			}
		}, ruleKnownSession),
		wrongRefusal("get-session-by-undefined", "GST-04", "the word undefined is accepted as an OperatorAuthToken", on(ags.GetSessionToken), func(c *call, r *reply) {
			if c.parameter(operatorParameter) == "undefined" {
				*r = c.pretend()
			}
		}, ruleOperatorForm),
	}
	for _, place := range []struct {
		name, words string
		named       func(c *call) string
	}{
		{"member", "a member", func(c *call) string { id, _ := c.body["accountId"].(string); return id }},
		{"parameter", "a parameter", func(c *call) string { return c.parameter("accountId") }},
		{"header", "a header", func(c *call) string { return c.header("X-Account-Id") }},
		{"query", "the query", func(c *call) string { return c.request.URL.Query().Get("accountId") }},
	} {
		all = append(all,
			wrongRefusal("session-account-in-"+place.name, "SOST-32", "the account that "+place.words+" names signs on, whosever the session token is", on(sost), func(c *call, r *reply) {
				if id := place.named(c); id != "" {
					*r = c.pretend()
				}
			}, ruleClientOwner),
			spoiledSuccess("refresh-account-in-"+place.name, "REF-12", "the tokens that refresh gives are for the account that "+place.words+" names", on(ref), func(c *call, r *reply) {
				if id := place.named(c); id != "" {
					r.body.set("accountId", id)
				}
			}))
	}
	return all
}

// deviceTwice signs on as the last device of a request that names two.
func deviceTwice(name, requirement, operation string) Fault {
	return wrongRefusal(name, requirement, "of two clientIds in a request of "+operation+" the first is looked at, and the last signs on", on(operation), func(c *call, r *reply) {
		if bytes.Count(c.raw, []byte(`"clientId"`)) > 1 {
			*r = c.pretend()
		}
	}, ruleClientOwner)
}

// keptAs accepts a token that the service keeps for another purpose.
func keptAs(name, requirement, summary, operation string, reason rule, keeps func(*call) bool) Fault {
	return wrongRefusal(name, requirement, summary, on(operation), func(c *call, r *reply) {
		c.server.state.mutex.Lock()
		kept := keeps(c)
		c.server.state.mutex.Unlock()
		if kept {
			*r = c.pretend()
		}
	}, reason)
}

func sessionIn(header string) func(*call) bool {
	return func(c *call) bool {
		token := c.header(header)
		if header == ags.HeaderAuthorization {
			token = c.authorization()
		}
		_, _, known := c.server.state.sessions.get(token)
		return known
	}
}

// answeredByCorrelation gives the first answer again to whatever comes under the same correlation id.
func answeredByCorrelation() Fault {
	var first sync.Map
	return Fault{Name: "session-answered-by-correlation", Requirement: "SOST-14", Summary: "what comes under a correlation id that signed on before is answered as that was",
		operations: on(ags.SignOnWithSessionToken), reply: func(c *call, r *reply) {
			key := c.header(ags.HeaderCorrelation)
			if key == "" {
				return
			}
			if r.refused == "" {
				first.Store(key, *r)
			} else if before, known := first.Load(key); known {
				*r = before.(reply)
			}
		}}
}

// nulFaults take a text for what stands before its first NUL, as languages do whose texts end there.
func nulFaults() []Fault {
	var all []Fault
	for _, k := range []struct{ name, kind, requirement, operation string }{
		{"near-session-token-nul", nearSession, "SOST-14", ags.SignOnWithSessionToken},
		{"near-client-id-nul", nearClient, "SOST-19", ags.SignOnWithSessionToken},
		{"near-password-nul", nearPassword, "SSO-08", ags.SignOn},
		{"near-password-at-register-nul", nearPassword, "REG-03", ags.Register},
	} {
		all = append(all, Fault{Name: k.name, Requirement: k.requirement, Summary: fmt.Sprintf("at %s the %s is accepted with a NUL and more behind it", k.operation, k.kind),
			near: []nearness{{k.kind, on(k.operation), func(given, right string) bool { return given == right+"\x00x" }}}})
	}
	return all
}
