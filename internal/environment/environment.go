// Package environment reads an environment file: where a service is, which accounts and keys we have there, and which
// situations it offers for tests.
//
// Start with [Read] and [Environment], whose fields are the keys of the file (docs/environment.md,
// environments/environment.schema.json). Read refuses a wrong file as a whole, with every mistake at its line and what
// to write instead. It fills in variables ${NAME}. Environment.Secrets returns the values that came from a variable, or
// are secret by their name; they are never written anywhere.
package environment

import (
	"cmp"
	"net/url"
	"time"

	"agstest/internal/wire"
)

// Environment is the content of one file, with ${NAME} replaced and paths made absolute.
type Environment struct {
	Name          string             `yaml:"name"`
	URL           string             `yaml:"url"`
	Tenant        string             `yaml:"tenant"`
	Service       string             `yaml:"service"`
	Release       string             `yaml:"release"` // names the build under test, in reports alone
	Authorization wire.Authorization `yaml:"authorization"`
	ClockSkew     time.Duration      `yaml:"clockSkew"` // 0 in a file means the default of 120 s
	Headers       map[string]string  `yaml:"headers"`
	// RenewedHeaders are headers whose value comes from a source and is renewed. No name is in Headers too.
	RenewedHeaders map[string]*Fresh `yaml:"headers.from"`

	TLS     TLS           `yaml:"tls"`
	Proxy   string        `yaml:"proxy"`   // of every request: an address, environment, or none
	NoProxy string        `yaml:"noProxy"` // hosts that are reached without it, as in NO_PROXY
	Timeout time.Duration `yaml:"timeout"` // of one exchange; 0: 30 s
	Host    string        `yaml:"host"`    // header Host, if it is not that of url
	// server name of the TLS handshake and of the certificate, if it is not that of url
	SNI    string `yaml:"sni"`
	Prefix string `yaml:"prefix"` // path of the operations; default /ags
	HTTP   string `yaml:"http"`   // 1.1, 2 or auto
	// Cookies is keep if a client sends back the cookies that the service or a balancer before it sets; empty or none:
	// it does not.
	Cookies string `yaml:"cookies"`
	// Absent are the Parts that the platform does not have: scenarios about them are skipped by name.
	Absent []string `yaml:"absent"`
	// SignOn says how signOnWithSessionToken takes the session token.
	SignOn SessionSignOn `yaml:"signOnWithSessionToken"`
	// DeviceInformation is the device description of first-time sign-ons, as a JSON object; empty: an Android phone.
	// {n} in it differs from run to run, or from client to client.
	DeviceInformation JSON `yaml:"deviceInformation"`
	// UnknownClientID is a clientId that nobody has; empty: made up in the form of a known one.
	UnknownClientID string `yaml:"unknownClientId"`
	// WrongPassword is a password that nobody has, in the form that the service expects, such as encrypted; empty: made
	// up.
	WrongPassword string `yaml:"wrongPassword"`
	// EncryptPassword turns each password, right or wrong, into the value that is sent in its place; nil: passwords are
	// sent as they are.
	EncryptPassword *Filter `yaml:"encryptPassword"`

	Operator *Operator `yaml:"operator"`
	// Actions change the state of the platform, where Allow says that they may.
	Actions    *Actions   `yaml:"actions"`
	Situations Situations `yaml:"situations"`
	Allow      Allow      `yaml:"allow"`
	Devices    Devices    `yaml:"devices"`
	// more than a calm client sends needs --yes HOST; left out: yes, unless on this machine
	Protected bool `yaml:"protected"`
	Lockout   int  `yaml:"lockout"` // wrong passwords in a row that lock an account; fewer are sent to each
	Load      Load `yaml:"load"`
	// NeverLocks: the file says lockout: 0, and does not only leave it out.
	NeverLocks bool `yaml:"-"`
	// Coverage is how much a conformance run must judge, or it ends as not enough checked; empty: it may judge
	// anything.
	Coverage Coverage `yaml:"coverage"`

	// File is the path the environment was read from; empty for the embedded mock.
	File string `yaml:"-"`
	// Mock tells that the service is our own, with a control interface.
	Mock *MockControl `yaml:"mock"`

	variables map[string]string // the ${NAME} that a value came from, by its dotted path
	written   map[string]string // the text of a value with ${NAME} in it, by its dotted path
	values    map[string]string // of the ${NAME}
	marked    map[string]string // values with the tag !secret or !public, by their dotted path
	dir       string            // that relative paths start from
	proxies   [3]string         // HTTP_PROXY, HTTPS_PROXY and NO_PROXY, where Proxy is environment
	proxy     *url.URL          // the proxy that Proxy and NoProxy select; nil: none
	assumed   bool              // Protected, because the file does not say
	warnings  []string
	places    places
}

// MockControl is the control interface of a running mock: it lets scenarios move the clock and change states.
type MockControl struct {
	URL   string `yaml:"url"`
	Token string `yaml:"token"`
}

// TLS names files in PEM form, relative to the environment file.
type TLS struct {
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Operator lets the suite act as a head-end system that asks for session tokens.
type Operator struct {
	Secret    string        `yaml:"secret"`   // HMAC key of the OperatorAuthToken
	Encoding  string        `yaml:"encoding"` // of Secret: text, base64 or hex; empty: text
	Algorithm string        `yaml:"alg"`      // HS256, HS384, HS512, RS256 or ES256; empty: HS256
	Key       string        `yaml:"key"`      // file of the private key of RS256 and ES256, in PEM form
	Lifetime  time.Duration `yaml:"lifetime"` // of an OperatorAuthToken; 0: 5 minutes
	KeyID     string        `yaml:"kid"`
	// More are further keys by their kid: the tokens of a run are signed with each in turn.
	More map[string]*OperatorKey `yaml:"keys"`
	// Account is the account for which session tokens are requested. {accountId} in it becomes the accountId of a
	// situation, if the claim has another form.
	Account   string `yaml:"account"`
	Parameter string `yaml:"parameter"` // name of the request parameter; default OperatorAuthToken
	// Parameters are sent beside it.
	Parameters map[string]string `yaml:"parameters"`
	// Header carries the OperatorAuthToken in place of the parameter; empty: the parameter does.
	Header string `yaml:"header"`
	// ClaimNames are the platform's names for the claims of account and tenant.
	ClaimNames ClaimNames `yaml:"claimNames"`
	// Claims are further ones of the OperatorAuthToken, or other values of typ and aud, as a JSON object. "{now}" and
	// "{unique}" in it are of each token.
	Claims JSON `yaml:"claims"`

	URL     string            `yaml:"url"`     // where getSessionToken is called; empty: where everything is
	Service string            `yaml:"service"` // x-auth-service-id of that call; empty: the one of all calls
	Headers map[string]string `yaml:"headers"` // of that call, beside those of all calls
	// RenewedHeaders are headers of that call whose value comes from a source and is renewed.
	RenewedHeaders map[string]*Fresh `yaml:"headers.from"`
	TLS            TLS               `yaml:"tls"` // of url
}

// ClaimNames are names of claims of the OperatorAuthToken; empty: as it is documented.
type ClaimNames struct {
	Account string `yaml:"account"`
	Tenant  string `yaml:"tenant"`
}

// SessionSignOn is how a plugin of the service wants the request of signOnWithSessionToken.
type SessionSignOn struct {
	// Parameter is the name of the parameter that carries the session token; empty: as servicediscovery tells, else
	// sessionToken.
	Parameter string `yaml:"parameter"`
	// Parameters are sent beside it.
	Parameters map[string]string `yaml:"parameters"`
}

// JSON is a JSON object in a file, kept as JSON text.
type JSON string

// Situations are those that the environment offers. A scenario that needs a missing one is skipped with that reason.
type Situations map[string]Situation

// SituationNames are the names of situations that a file may give.
var SituationNames = []string{
	"active", "spare-device", "foreign-device", "suspended-account", "cancelled-account", "restricted-account",
	"ended-account", "early-account", "disabled-device", "inactive-device",
	"unapproved-device", "deleted-device", "device-limit", "group-limit", "expired-session", "expired-refresh",
	"other-tenant",
	"empty-tenant", "geo-blocked", "vpn", "credentials", "multi-account", "registration", "multi-registration",
}

// Situation is one account, device or caller. Which fields matter depends on its name.
type Situation struct {
	SessionToken  string       `yaml:"sessionToken"`      // left out: minted through the operator
	SessionTokens *TokenSource `yaml:"sessionToken.from"` // what stands in its place
	ClientID      string       `yaml:"clientId"`
	AccountID     string       `yaml:"accountId"`
	// OperatorAccount is the account's name in an OperatorAuthToken, if that is not accountId.
	OperatorAccount string            `yaml:"operatorAccount"`
	RefreshToken    string            `yaml:"refreshToken"`
	Tenant          string            `yaml:"tenant"`
	Service         string            `yaml:"service"`
	Headers         map[string]string `yaml:"headers"`
	Proxy           string            `yaml:"proxy"`
	Parameters      map[string]string `yaml:"parameters"`
	// PasswordParameter names the one of Parameters that is the password, if neither servicediscovery nor its name says
	// so.
	PasswordParameter string `yaml:"passwordParameter"`
	Type              string `yaml:"type"` // of register/{type}
}

// Allow lists what may be done to the service beyond reading.
type Allow struct {
	// FirstTime: first-time sign-ons create devices.
	FirstTime bool `yaml:"first-time"`
	// Devices is the earlier name of Devices.Budget.
	Devices int `yaml:"devices"`
	// Surroundings: calls of the platform beside the nine operations may be made, to see that tokens are of use there.
	Surroundings bool `yaml:"surroundings"`
	// Register: devices may be activated (register and subsequentRegister).
	Register bool `yaml:"register"`
	// Actions: accounts that the file names, their devices and the switches of the platform may be changed, and are put
	// back.
	Actions bool `yaml:"actions"`
}

// Devices is how many devices the first-time sign-ons of a conformance run may leave.
type Devices struct {
	// Budget is how many devices a run makes at most, where Allow.FirstTime says that it may; 0: usualDevices.
	Budget int `yaml:"budget"`
}

// usualDevices is how many devices scenarios share if a file does not say: one that signs on for the first time, one
// more with the same deviceInformation, one with credentials, one of a picked account. With them all scenarios run but
// the few that need a device of their own.
const usualDevices = 4

// DeviceBudget returns how many devices a conformance run makes at most on a live service; 0: none are allowed.
func (e *Environment) DeviceBudget() int {
	if !e.Allow.FirstTime {
		return 0
	}
	return cmp.Or(e.Devices.Budget, e.Allow.Devices, usualDevices)
}

// Load is the section about load runs.
type Load struct {
	Clients    Clients        `yaml:"clients"`
	Parameters LoadParameters `yaml:"parameters"`
	MaxRate    string         `yaml:"maxRate"` // such as 500/s
}

// LoadParameters are the parameters that a load sends with calls whose token identifies the client; none unless they
// are given. In values {n} becomes the number of the client, from 1, and {clientId} and {accountId} its ids.
type LoadParameters struct {
	Refresh map[string]string `yaml:"refresh"`
	SignOut map[string]string `yaml:"signOut"`
}

// Clients are the virtual clients: a pattern with {n} from 1 to Count, or a CSV file with the columns sessionToken,
// clientId, accountId.
type Clients struct {
	Count         int          `yaml:"count"`
	SessionToken  string       `yaml:"sessionToken"`
	SessionTokens *TokenSource `yaml:"sessionToken.from"`
	ClientID      string       `yaml:"clientId"`
	AccountID     string       `yaml:"accountId"`
	File          string       `yaml:"file"`
}
