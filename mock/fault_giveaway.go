package mock

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"

	"agstest/ags"
)

// giveawayFaults tell secrets that stand nowhere in a sound answer.
func giveawayFaults() []Fault {
	intoToken := func(name, summary string, refresh bool) Fault {
		return Fault{Name: name, Requirement: "ERR-14", Summary: summary, operations: on(ags.SignOn),
			draft: func(c *call, d *draft) {
				if password := c.parameter("password"); password != "" && d.refresh == refresh {
					d.claims.set("credential", object{{"entered", password}})
				}
			}}
	}
	digest := func(name, summary string, refresh bool, of func(string) string) Fault {
		return Fault{Name: name, Requirement: "ERR-14", Summary: summary, operations: on(ags.SignOn),
			draft: func(c *call, d *draft) {
				if password := c.parameter("password"); password != "" && d.refresh == refresh {
					d.claims.set("pwh", of(password))
				}
			}}
	}
	return []Fault{
		digest("token-holds-md5", "the access token holds the MD5 of the password", false,
			func(p string) string { sum := md5.Sum([]byte(p)); return hex.EncodeToString(sum[:]) }),
		digest("refresh-token-holds-sha1", "the refresh token holds the SHA-1 of the password, in base64", true,
			func(p string) string { sum := sha1.Sum([]byte(p)); return base64.StdEncoding.EncodeToString(sum[:]) }),
		{Name: "token-holds-md5-of-both", Requirement: "ERR-14", Summary: "the access token holds the MD5 of user name and password", operations: on(ags.SignOn), draft: func(c *call, d *draft) {
			if password := c.parameter("password"); password != "" && !d.refresh {
				sum := md5.Sum([]byte(c.parameter("username") + ":" + password))
				d.claims.set("ha1", hex.EncodeToString(sum[:]))
			}
		}},
		spoiledSuccess("discovery-tells-key", "ERR-14", "discovery tells the key of the operator", on(ags.ServiceDiscovery),
			func(c *call, r *reply) {
				r.body.set("settings", object{{"hmac", string(c.server.operator.key)}})
			}),
		spoiledSuccess("discovery-key-in-header", "ERR-14", "discovery tells the key of the operator in a header",
			on(ags.ServiceDiscovery), func(c *call, r *reply) {
				r.setHeader("X-Debug", "hmac="+string(c.server.operator.key))
			}),
		intoToken("token-holds-password", "the access token holds the password", false),
		intoToken("refresh-token-holds-password", "the refresh token holds the password", true),
		wrongRefusal("operator-key-in-refusal", "ERR-14",
			"a refused OperatorAuthToken is told the key that it should have been signed with", on(ags.GetSessionToken),
			func(c *call, r *reply) {
				if r.hasBody {
					r.body.set("message", "signed with another key than "+string(c.server.operator.key))
				}
			}, ruleOperatorSignature),
	}
}
