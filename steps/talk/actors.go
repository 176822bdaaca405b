package talk

import (
	"slices"
	"strings"
	"time"

	"agstest/internal/check"
	"agstest/internal/environment"
)

// Account is one account, as far as the scenario knows it.
type Account struct {
	Situation string // of the environment file; empty: made for this scenario
	ID        string // empty: not known
	// Guessed tells that ID is the name in an OperatorAuthToken, and tokens may use another.
	Guessed bool
	// OperatorAccount is the account's name in an OperatorAuthToken, if the file gives it.
	OperatorAccount string
	Parameters      []Parameter
	Token           string                   // the session token that the environment file gives
	Source          *environment.TokenSource // where it says that session tokens come from; nil: nowhere
	Fetched         string                   // the token that came from there last
	Device          string                   // the clientId that stands beside it
	Refresh         string                   // an old refresh token that it gives
	Standing        string                   // ACTIVE, SUSPENDED …
}

// Has tells whether a parameter is there, whatever its case.
func (a *Account) Has(name string) bool {
	return slices.ContainsFunc(a.Parameters, func(p Parameter) bool { return strings.EqualFold(p.Name, name) })
}

// Client is one device with its tokens.
type Client struct {
	ID       string
	Class    string // playoutDeviceClass of its first sign-on
	Pair     *check.Pair
	Previous *check.Pair
	Since    time.Time // when pair came, in the time of the account

	Own       bool   // this run made it, or may sign it out
	Known     string // situation of the environment file whose device a first-time sign-on gave; empty: another
	Operation string // of the sign-on that made it
	Stale     bool   // its tokens are those of a sign-on that other scenarios have seen too
}

// Pair is the tokens of a client after a sign-on.
type Pair = check.Pair

// Offer is one of the accounts that an answer 300 offers.
type Offer struct {
	Information, Token string
	Account            string // as the answer to picking it said
}
