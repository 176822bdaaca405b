// Package check judges exchanges against the contract: documented status, shape of the answer, token rules, identity,
// error rules. It is pure: no network, no clock, no state but its arguments. It never sees the mock's code.
//
// Start with [Judge]: from an exchange and what is [Known] of it, such as the client that asked, it makes findings,
// each about one requirement of package ags. Under load [ScanTokens] looks at every answer and allocates nothing; it
// leaves unclear answers to Judge.
//
// A rule that could not have failed is not reported. To add one, write it beside those of its kind, and put a
// hand-written answer that breaks it into testdata; TestJudgeFindsEachFault compares both.
package check

import "time"

// Outcome is the result of one rule for one exchange.
type Outcome int

// The outcomes. Soft is a miss in the part of a requirement that only warns (ags.Requirement.SoftPart or Gating Warns
// decides in the end; Soft marks the part). Observed is a probe's observation. Unknown: it could not be told, with the
// reason in Got.
const (
	Held Outcome = iota
	Broken
	Soft
	Observed
	Unknown
)

// Finding is the outcome of one rule that was really evaluated on an exchange. A rule that did not apply leaves none.
type Finding struct {
	Requirement string // id of ags.Requirements
	Outcome     Outcome
	Expected    string // what must be, in words or as a value; holds no secret
	Got         string // what came; holds no secret
}

// Known is the caller's knowledge of the exchange beyond its bytes. Zero fields are not checked.
type Known struct {
	Tenant      string        // nv-tenant-id that was sent
	ClientID    string        // clientId that was sent, or that the token of the request belongs to
	AccountID   string        // account that the answer must belong to
	FirstTime   bool          // deviceInformation was sent: a new client_id must come
	Taken       bool          // of FirstTime: the client_id that came was another device's already
	DeviceClass string        // playoutDeviceClass that was sent at the first sign-on
	Skew        time.Duration // clocks may differ by this much
	Previous    *Pair         // tokens before a refresh
	Since       time.Duration // from the arrival of Previous to the request, by this machine's clock; 0: not known
	Secrets     []string      // values submitted that no error may echo
	Guarded     []string      // the operator's key and passwords of users, which stand in no answer
	Passwords   []string      // of those, the passwords: their digests stand in none either
	Credentials []string      // user name and password of the request as one text, whose digests stand in none either
}

// Pair is the tokens of a client after a sign-on or a refresh: the answer's members and the claims of both tokens.
type Pair struct {
	AccessToken, RefreshToken                          string
	ClientID, AccountID                                string
	ExpiresIn, RefreshExpiresIn, FixedRefreshExpiresIn int64
	Access, Refresh                                    Claims
	Issued                                             time.Time // access.exp − expires_in
}

// Claims are the claims of a token that later rules compare.
type Claims struct {
	Type, Tenant, Account, User, Device, JTI string
	Exp, FixedExp                            int64
}
