package mock

import "agstest/ags"

// giveawayFaults tell secrets that stand nowhere in a sound answer.
func giveawayFaults() []Fault {
	intoToken := func(name, summary string, refresh bool) Fault {
		return Fault{Name: name, Requirement: "ERR-14", Summary: summary, operations: on(ags.SignOn), draft: func(c *call, d *draft) {
			if password := c.parameter("password"); password != "" && d.refresh == refresh {
				d.claims.set("credential", object{{"entered", password}})
			}
		}}
	}
	return []Fault{
		spoiledSuccess("discovery-tells-key", "ERR-14", "discovery tells the key of the operator", on(ags.ServiceDiscovery), func(c *call, r *reply) {
			r.body.set("settings", object{{"hmac", string(c.server.operator.key)}})
		}),
		spoiledSuccess("discovery-key-in-header", "ERR-14", "discovery tells the key of the operator in a header", on(ags.ServiceDiscovery), func(c *call, r *reply) {
			r.setHeader("X-Debug", "hmac="+string(c.server.operator.key))
		}),
		intoToken("token-holds-password", "the access token holds the password", false),
		intoToken("refresh-token-holds-password", "the refresh token holds the password", true),
		wrongRefusal("operator-key-in-refusal", "ERR-14", "a refused OperatorAuthToken is told the key that it should have been signed with", on(ags.GetSessionToken), func(c *call, r *reply) {
			if r.hasBody {
				r.body.set("message", "signed with another key than "+string(c.server.operator.key))
			}
		}, ruleOperatorSignature),
	}
}
