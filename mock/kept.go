package mock

import (
	"cmp"
	"time"

	"agstest/ags"
)

// keptType is the claim typ of tokens that the service keeps, where they are JWTs.
const keptType = "KeptAuthN"

// signsKept tells whether the session tokens or userAccountTokens that a call takes are JWTs.
func (set *setting) signsKept(taker string) bool {
	return set.off[ruleKey{ruleOpaqueKept, taker}]
}

// told returns what clients get of a token, and the text under which the service keeps it. The two are the same unless
// the call that takes such tokens wants JWTs, whose claim jti is that text.
func (s *Server) told(set *setting, taker, token, tenant, account string, expires time.Time) (told, key string) {
	if !set.signsKept(taker) {
		return token, token
	}
	by := s.signers[cmp.Or(set.behaviour.Algorithm, "HS256")]
	return by.sign(by.header(), object{{"typ", keptType}, {"tenantId", tenant}, {"accountId", account}, {"jti", token},
		{"exp", expires.Unix()}}), signedKept + token
}

// signedKept stands before the text under which a JWT is kept, so that its jti alone is no token.
const signedKept = "signed "

// keptUnder returns the text under which the service keeps a token that came. A JWT counts only if its signature is
// right, but for what faults overlook.
func (c *call) keptUnder(token string) string {
	if !c.set.signsKept(c.operation) {
		return token
	}
	var claims tokenClaims
	by := c.signerOf(token)
	overlook := c.overlooks(token, by, ruleTokenSignature, ruleTokenAlgorithm, ruleSignatureWhole, ruleSignaturePresent,
		ruleSignatureEnd, ruleKnownKey)
	if by.verify(token, &claims, overlook) != nil || claims.Type != keptType {
		return token
	}
	return signedKept + claims.ID
}

// keptFaults accept session tokens and userAccountTokens that nobody issued as they are, where these are JWTs.
func keptFaults() []Fault {
	var all []Fault
	for _, at := range []struct{ name, what, operation, requirement string }{
		{"session", "a session token", ags.SignOnWithSessionToken, "SOST-14"},
		{"user-token", "a User-Token", ags.SubsequentSignOn, "SUB-03"},
		{"user-token-at-register", "a User-Token", ags.SubsequentRegister, "REG-07"},
	} {
		fault := func(name, words string, rules ...rule) Fault {
			return lax("forged-"+at.name+"-"+name, at.requirement, at.what+" "+words+" is accepted at "+at.operation,
				on(at.operation), rules...)
		}
		some := append([]Fault{
			fault("algorithm-none", "of the algorithm none", ruleTokenAlgorithm),
			fault("any-signature", "with another signature", ruleTokenSignature),
			fault("signature-empty", "with an empty signature", ruleSignaturePresent),
			fault("signature-cut", "with a signature that is cut short", ruleSignatureWhole),
			fault("unknown-key", "of a key that nobody has", ruleKnownKey),
			fault("empty-key", "that is signed with an empty key", ruleNoEmptyKey),
			fault("kid-as-key", "that is signed with its own kid", ruleKeyIDNoKey),
		}, broughtKeyFaults("forged-"+at.name, at.requirement, at.operation)...)
		for _, f := range some {
			f.rules = append(f.rules, ruleOpaqueKept)
			all = append(all, f)
		}
	}
	return all
}

// keptChoices make JWTs of tokens that the service keeps.
func keptChoices() []Choice {
	signed := func(name, summary string, takers ...string) Choice {
		return Choice{Name: name, Summary: summary, means: Fault{operations: takers, rules: []rule{ruleOpaqueKept}}}
	}
	return []Choice{
		signed("session-token-jwt", "session tokens are JWTs", ags.SignOnWithSessionToken),
		signed("user-token-jwt", "userAccountTokens are JWTs", ags.SubsequentSignOn, ags.SubsequentRegister),
	}
}
