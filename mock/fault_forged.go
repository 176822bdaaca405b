package mock

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"

	"agstest/ags"
)

// overlooks tells which failures of a token the faults of a call let pass. signer made the good ones.
func (c *call) overlooks(compact string, by *signer, signature, algorithm, whole, present, end,
	key rule) func(error) bool {
	return func(failure error) bool {
		parts := strings.Split(compact, ".")
		if len(parts) == 3 && c.believesBroughtKey(parts) {
			return true
		}
		switch {
		case errors.Is(failure, errAlgorithm):
			return !c.enforces(algorithm) ||
				by == c.server.operator && c.set.behaviour.OperatorAnyHMAC && by.signedOtherwise(parts)
		case errors.Is(failure, errKeyID):
			return !c.enforces(algorithm) && headerOf(parts[0]).Algorithm != by.algorithm || !c.enforces(key) ||
				by == c.server.operator && (!c.enforces(ruleOperatorKey) || c.resemblesKeyID(parts[0], by))
		case !errors.Is(failure, errSignature) || len(parts) != 3:
			return false
		}
		return !c.enforces(signature) || c.takes(by.compared(parts), whole, present, end, key)
	}
}

// resemblesKeyID tells whether the kid of a token is taken for that of the signer.
func (c *call) resemblesKeyID(header string, by *signer) bool {
	kid := headerOf(header).KeyID
	return kid != nil && c.taken(nearKeyID, *kid, just(by.keyID)) == by.keyID
}

// takes tells whether a fault passes over what is wrong with a signature.
func (c *call) takes(forged forgery, whole, present, end, key rule) bool {
	return !c.enforces(whole) && forged.cut ||
		!c.enforces(present) && forged.empty ||
		!c.enforces(ruleSignatureNoZeros) && forged.zeros ||
		!c.enforces(end) && forged.end ||
		!c.enforces(key) && forged.key
}

// forgery tells what is wrong with a token whose signature is not the right one; several fields may hold, or none.
type forgery struct {
	cut   bool // the right signature, cut short
	empty bool // no signature, under the right algorithm
	zeros bool // as many zeros as the right one has bytes
	end   bool // the right signature, but for its last character at most
	key   bool // it names another key, or none
}

// compared compares the parts of a token with those that this signer would have made.
func (by *signer) compared(parts []string) forgery {
	right := base64.RawURLEncoding.EncodeToString(by.mac([]byte(parts[0] + "." + parts[1])))
	given, n := parts[2], len(right)-1
	header := headerOf(parts[0])
	return forgery{
		cut:   given != "" && len(given) < len(right) && strings.HasPrefix(right, given),
		empty: given == "" && header.Algorithm == by.algorithm,
		zeros: len(given) == len(right) && strings.Trim(given, "A") == "",
		end:   len(given) == len(right) && given[:n] == right[:n],
		key:   header.KeyID == nil || *header.KeyID != by.keyID,
	}
}

func headerOf(part string) jose {
	var header jose
	raw, _ := base64.RawURLEncoding.DecodeString(part)
	_ = json.Unmarshal(raw, &header)
	return header
}

// forgedFaults accept tokens that nobody issued as they are.
func forgedFaults() []Fault {
	const ref, out, gst = ags.Refresh, ags.SignOut, ags.GetSessionToken
	var all []Fault
	for _, at := range []struct{ name, operation, requirement string }{{"refresh", ref, "REF-22"},
		{"sign-out", out, "OUT-03"}} {
		all = append(all,
			lax("forged-"+at.name+"-signature-cut", at.requirement, "a signature that is cut short is accepted at "+at.operation,
				on(at.operation), ruleSignatureWhole),
			lax("forged-"+at.name+"-signature-empty", at.requirement, "an empty signature is accepted at "+at.operation,
				on(at.operation), ruleSignaturePresent),
			lax("forged-"+at.name+"-signature-end", at.requirement, "the last character of the signature is not looked at by "+
				at.operation, on(at.operation), ruleSignatureEnd),
			lax("forged-"+at.name+"-unknown-key", at.requirement, "the signature by a key that nobody knows is not checked at "+
				at.operation, on(at.operation), ruleKnownKey),
			lax("forged-"+at.name+"-operator-key", at.requirement,
				"a token that is signed with the key of the operator is accepted at "+at.operation, on(at.operation),
				ruleNoOperatorKey),
			lax("forged-"+at.name+"-empty-key", at.requirement, "a token that is signed with an empty key is accepted at "+
				at.operation, on(at.operation), ruleNoEmptyKey),
			lax("forged-"+at.name+"-no-key-empty-key", at.requirement,
				"a token of a key that nobody has is checked with an empty key at "+at.operation, on(at.operation),
				ruleNoKeyNoToken),
			lax("forged-"+at.name+"-kid-as-key", at.requirement, "a token that is signed with its own kid is accepted at "+
				at.operation, on(at.operation), ruleKeyIDNoKey),
			lax("forged-"+at.name+"-algorithm-none", at.requirement, "the algorithm none is accepted at "+at.operation,
				on(at.operation), ruleTokenAlgorithm),
		)
		all = append(all, broughtKeyFaults("forged-"+at.name, at.requirement, at.operation)...)
	}
	all = append(all, broughtKeyFaults("get-session", "GST-04", gst)...)
	return append(all,
		lax("sign-out-any-signature", "OUT-03", "the signature of the access token is not checked at signOut", on(out),
			ruleTokenSignature),
		lax("sign-out-any-type", "OUT-03", "a refresh token is accepted at signOut", on(out), ruleTokenType),
		lax("sign-out-never-expires", "OUT-03", "an access token past its time is accepted at signOut", on(out),
			ruleTokenExpiry),
		lax("get-session-never-expires", "GST-05", "an OperatorAuthToken without exp is accepted", on(gst),
			ruleOperatorHasExpiry),
		lax("get-session-no-key-empty-key", "GST-04",
			"an OperatorAuthToken of a key that nobody has is checked with an empty key", on(gst), ruleOperatorNoEmptyKey),
		lax("get-session-end-in-text", "GST-05", "an OperatorAuthToken whose exp is a text is accepted, whatever the text",
			on(gst), ruleOperatorPastText),
		lax("get-session-end-unreadable", "GST-05", "an OperatorAuthToken whose exp is no moment is accepted", on(gst),
			ruleOperatorReadExpiry),
		lax("get-session-end-late", "GST-05", "an OperatorAuthToken is accepted for 40 minutes after its exp", on(gst),
			ruleOperatorPunctual),
		lax("get-session-account-list", "GST-09",
			"an OperatorAuthToken whose OpfAccountId is a list gets a token for the last of it", on(gst), ruleOperatorPlain),
		lax("get-session-for-anybody", "GST-06", "an OperatorAuthToken without aud is accepted", on(gst),
			ruleOperatorHasAudience),
		lax("get-session-without-type", "GST-07", "an OperatorAuthToken without typ is accepted", on(gst),
			ruleOperatorHasType),
		lax("get-session-without-tenant", "GST-10", "an OperatorAuthToken without OpfTenantId is accepted", on(gst),
			ruleOperatorHasTenant),
		lax("get-session-without-account", "GST-09", "an OperatorAuthToken without OpfAccountId gets a token of some account",
			on(gst), ruleOperatorHasAccount),
		lax("get-session-unknown-key", "GST-04", "an OperatorAuthToken by a key that nobody knows is not checked", on(gst),
			ruleKnownKey),
		lax("get-session-key-ignored", "GST-04", "the kid of an OperatorAuthToken with a good signature is not looked at",
			on(gst), ruleOperatorKey),
		lax("get-session-signature-cut", "GST-04", "a signature that is cut short is accepted at getSessionToken", on(gst),
			ruleSignatureWhole),
		lax("get-session-signature-empty", "GST-04", "an empty signature is accepted at getSessionToken", on(gst),
			ruleSignaturePresent),
		lax("get-session-signature-end", "GST-04", "the last character of the signature is not looked at by getSessionToken",
			on(gst), ruleSignatureEnd),
		wrongRefusal("password-is-user-name", "SSO-08", "at signOn the name of a user is accepted as the password",
			on(ags.SignOn), func(c *call, r *reply) {
				if name := c.parameter("username"); name != "" && c.parameter("password") == name {
					*r = c.pretend()
				}
			}, ruleCredentials),
		secondTry("second-try-refresh", "REF-22", ref, ruleTokenSignature),
		secondTry("second-try-sign-out", "OUT-03", out, ruleTokenSignature),
		secondTry("second-try-session-token", "SOST-14", ags.SignOnWithSessionToken, ruleKnownSession),
		secondTry("second-try-get-session", "GST-04", gst, ruleOperatorSignature),
		secondTry("second-try-password", "SSO-08", ags.SignOn, ruleCredentials),
		secondTry("second-try-user-token", "SUB-03", ags.SubsequentSignOn, ruleUserTokenKnown),
	)
}

// secondTry refuses a request once and accepts it when it comes again.
func secondTry(name, requirement, operation string, reason rule) Fault {
	var seen sync.Map
	return Fault{Name: name, Requirement: requirement, Summary: "what " + operation +
		" has refused is accepted when it comes again", operations: on(operation),
		reply: func(c *call, r *reply) {
			if r.refused != reason {
				return
			}
			key := string(c.raw) + c.authorization() + c.header(ags.HeaderUserToken)
			if _, again := seen.LoadOrStore(key, true); again {
				*r = c.pretend()
			}
		}}
}

// otherKind accepts a good token of another kind where the call wants one that the service keeps.
func otherKind(name, requirement, summary, operation, kind string, reason rule) Fault {
	return wrongRefusal(name, requirement, summary, on(operation), func(c *call, r *reply) {
		for _, token := range []string{c.header(ags.HeaderUserToken), c.parameter("sessionToken")} {
			if _, refused := c.server.verify(c, token, kind, http.StatusUnauthorized); refused == nil {
				*r = c.pretend()
				return
			}
		}
	}, reason)
}
