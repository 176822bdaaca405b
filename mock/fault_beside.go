package mock

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"time"

	"agstest/ags"
)

// besideFaults believe what stands beside a good token, and take good tokens of one kind for those of another.
func besideFaults() []Fault {
	const sost, ref, out, gst = ags.SignOnWithSessionToken, ags.Refresh, ags.SignOut, ags.GetSessionToken
	all := []Fault{
		keptAs("session-by-user-token", "SOST-14", "a userAccountToken is accepted as a session token", sost,
			ruleKnownSession, func(c *call) bool {
				_, _, known := c.server.state.userTokens.get(c.parameter("sessionToken"))
				return known
			}),
		keptAs("subsequent-by-session-token", "SUB-03", "a session token is accepted as a User-Token", ags.SubsequentSignOn,
			ruleUserTokenKnown, sessionIn(ags.HeaderUserToken)),
		keptAs("subsequent-register-by-session-token", "REG-07",
			"a session token is accepted as a User-Token at subsequentRegister", ags.SubsequentRegister, ruleUserTokenKnown,
			sessionIn(ags.HeaderUserToken)),
		keptAs("refresh-by-user-token", "REF-05", "a userAccountToken is accepted as a refresh token", ref, ruleToken,
			userTokenIn((*call).authorization)),
		keptAs("sign-out-by-user-token", "OUT-03", "a userAccountToken is accepted as an access token", out, ruleToken,
			userTokenIn((*call).authorization)),
		keptAs("get-session-by-user-token", "GST-04", "a userAccountToken is accepted as an OperatorAuthToken", gst,
			ruleOperatorForm, userTokenIn(operatorShown)),
		keptAs("get-session-by-session-token", "GST-04", "a session token is accepted as an OperatorAuthToken", gst,
			ruleOperatorForm, func(c *call) bool {
				_, _, known := c.server.state.sessions.get(operatorShown(c))
				return known
			}),
		byOperator("session-by-operator-token", "SOST-14", sost, ruleKnownSession,
			func(c *call) string { return c.parameter("sessionToken") }),
		byOperator("subsequent-by-operator-token", "SUB-03", ags.SubsequentSignOn, ruleUserTokenKnown,
			func(c *call) string { return c.header(ags.HeaderUserToken) }),
		byOperator("refresh-by-operator-token", "REF-05", ref, ruleTokenSignature, (*call).authorization),
		byOperator("sign-out-by-operator-token", "OUT-03", out, ruleTokenSignature, (*call).authorization),
		byClient("get-session-by-access-token", "an access token of a client", ags.AccessType),
		byClient("get-session-by-refresh-token", "a refresh token of a client", ags.RefreshType),
		keptAs("refresh-by-session-token", "REF-05", "a session token is accepted as a refresh token", ref, ruleToken,
			sessionIn(ags.HeaderAuthorization)),
		keptAs("sign-out-by-session-token", "OUT-03", "a session token is accepted as an access token", out, ruleToken,
			sessionIn(ags.HeaderAuthorization)),
		answeredByCorrelation(),
		deviceTwice("session-device-twice", "SOST-32", sost),
		deviceTwice("sign-on-device-twice", "SSO-16", ags.SignOn),
		wrongRefusal("session-token-null", "SOST-14", "the word null is accepted as a session token", on(sost),
			func(c *call, r *reply) {
				if c.parameter("sessionToken") == "null" {
					*r = c.pretend()
				}
			}, ruleKnownSession),
		wrongRefusal("get-session-by-undefined", "GST-04", "the word undefined is accepted as an OperatorAuthToken",
			on(ags.GetSessionToken), func(c *call, r *reply) {
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
			wrongRefusal("session-account-in-"+place.name, "SOST-32",
				"the account that "+place.words+" names signs on, whosever the session token is", on(sost),
				func(c *call, r *reply) {
					if id := place.named(c); id != "" {
						*r = c.pretend()
					}
				}, ruleClientOwner),
			spoiledSuccess("sign-on-account-in-"+place.name, "SSO-16",
				"the tokens that signOn gives are for the account that "+place.words+" names", on(ags.SignOn),
				func(c *call, r *reply) {
					if id := place.named(c); id != "" && r.pair != nil {
						r.body.set("accountId", id)
					}
				}),
			spoiledSuccess("subsequent-account-in-"+place.name, "SUB-09",
				"the tokens that subsequentSignOn gives are for the account that "+place.words+" names", on(ags.SubsequentSignOn),
				func(c *call, r *reply) {
					if id := place.named(c); id != "" {
						r.body.set("accountId", id)
					}
				}),
			spoiledSuccess("get-session-account-in-"+place.name, "GST-17",
				"the session token that getSessionToken gives is for the account that "+place.words+" names",
				on(ags.GetSessionToken), func(c *call, r *reply) {
					if id := place.named(c); id != "" {
						if token, refused := c.server.mintSession(c, c.tenant, id, time.Minute); refused == nil {
							r.body.set("sessionToken", token)
						}
					}
				}),
			spoiledSuccess("refresh-account-in-"+place.name, "REF-12",
				"the tokens that refresh gives are for the account that "+place.words+" names", on(ref), func(c *call, r *reply) {
					if id := place.named(c); id != "" {
						r.body.set("accountId", id)
					}
				}))
	}
	return append(all, spoiledSuccess("sign-out-named-device", "OUT-09",
		"signOut signs out the device too that its body names", on(out), func(c *call, _ *reply) {
			id, _ := c.body["deviceId"].(string)
			c.server.state.mutex.Lock()
			defer c.server.state.mutex.Unlock()
			if d := c.server.state.device(c.tenant, id); d != nil {
				d.ended = c.server.state.serial
			}
		}))
}

// deviceTwice signs on as the last device of a request that names two.
func deviceTwice(name, requirement, operation string) Fault {
	return wrongRefusal(name, requirement, "of two clientIds in a request of "+operation+
		" the first is looked at, and the last signs on", on(operation), func(c *call, r *reply) {
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

func operatorShown(c *call) string { return c.parameter(operatorParameter) }

func userTokenIn(shown func(*call) string) func(*call) bool {
	return func(c *call) bool {
		_, _, known := c.server.state.userTokens.get(shown(c))
		return known
	}
}

// byOperator accepts a good OperatorAuthToken in place of another token.
func byOperator(name, requirement, operation string, reason rule, shown func(*call) string) Fault {
	return wrongRefusal(name, requirement, "an OperatorAuthToken is accepted in place of the token of "+operation,
		on(operation), func(c *call, r *reply) {
			var claims tokenClaims
			if c.server.operator.verify(shown(c), &claims, overlookNothing) == nil {
				*r = c.pretend()
			}
		}, reason)
}

// byClient accepts a good token of a client in place of an OperatorAuthToken.
func byClient(name, what, kind string) Fault {
	return wrongRefusal(name, "GST-14", what+" is accepted as an OperatorAuthToken", on(ags.GetSessionToken),
		func(c *call, r *reply) {
			if _, refused := c.server.verify(c, operatorShown(c), kind, http.StatusUnauthorized); refused == nil {
				*r = c.pretend()
			}
		}, ruleOperatorForm, ruleOperatorSignature, ruleOperatorAlgorithm)
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
	return Fault{Name: "session-answered-by-correlation", Requirement: "SOST-14",
		Summary:    "what comes under a correlation id that signed on before is answered as that was",
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
		all = append(all, Fault{Name: k.name, Requirement: k.requirement,
			Summary: fmt.Sprintf("at %s the %s is accepted with a NUL and more behind it", k.operation, k.kind),
			near:    []nearness{{k.kind, on(k.operation), func(given, right string) bool { return given == right+"\x00x" }}}})
	}
	return all
}
