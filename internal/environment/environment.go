// Package environment reads an environment file: where a service is, who we are there, and which situations it offers to be tested.
package environment

import (
	"net/url"
	"time"

	"agstest/internal/wire"
)

// Environment is what one file says, with ${NAME} replaced and paths made absolute.
type Environment struct {
	Name          string             `yaml:"name"`
	URL           string             `yaml:"url"`
	Tenant        string             `yaml:"tenant"`
	Service       string             `yaml:"service"`
	Release       string             `yaml:"release"` // names the build under test, in reports alone
	Authorization wire.Authorization `yaml:"authorization"`
	ClockSkew     time.Duration      `yaml:"clockSkew"` // 0 in a file means the default of 120 s
	Headers       map[string]string  `yaml:"headers"`
	TLS           TLS                `yaml:"tls"`
	Proxy         string             `yaml:"proxy"`   // of every request: an address, environment, or none
	NoProxy       string             `yaml:"noProxy"` // hosts that are reached without it, as in NO_PROXY
	Timeout       time.Duration      `yaml:"timeout"` // of one exchange; 0: 30 s
	Host          string             `yaml:"host"`    // header Host, where it is not that of url
	SNI           string             `yaml:"sni"`     // server name of the TLS handshake and of the certificate, where it is not that of url
	Prefix        string             `yaml:"prefix"`  // path of the operations; default /ags
	HTTP          string             `yaml:"http"`    // 1.1, 2 or auto
	// Cookies is keep where a client sends the cookies back that the service or a balancer before it sets; empty or none: they are left.
	Cookies string `yaml:"cookies"`
	// Absent are the Parts that the platform does not have: what is about them is skipped by name.
	Absent []string `yaml:"absent"`
	// SignOn says how signOnWithSessionToken takes the session token.
	SignOn SessionSignOn `yaml:"signOnWithSessionToken"`
	// DeviceInformation is what first-time sign-ons describe, as a JSON object; empty: an Android phone. {n} in it differs from run to run, or from client to client.
	DeviceInformation JSON `yaml:"deviceInformation"`
	// UnknownClientID is one that nobody has; empty: made in the form of a known one.
	UnknownClientID string `yaml:"unknownClientId"`
	// WrongPassword is one that nobody has, in the form that the service expects, such as encrypted; empty: made up.
	WrongPassword string `yaml:"wrongPassword"`

	Operator *Operator `yaml:"operator"`
	// Actions change the state of the platform, where Allow says that they may.
	Actions    *Actions   `yaml:"actions"`
	Situations Situations `yaml:"situations"`
	Allow      Allow      `yaml:"allow"`
	Protected  bool       `yaml:"protected"` // what is more than a calm client sends needs --yes HOST; left out: yes, unless on this machine
	Lockout    int        `yaml:"lockout"`   // so many wrong passwords in a row lock an account; fewer are sent to each
	Load       Load       `yaml:"load"`
	// Coverage is what a conformance run must judge, or it ends as not enough checked; empty: nothing is asked.
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
	proxy     *url.URL          // what Proxy and NoProxy come to; nil: none is used
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
	// Account is the one that session tokens are asked for. {accountId} in it becomes the accountId of a situation, where the claim has another form.
	Account   string `yaml:"account"`
	Parameter string `yaml:"parameter"` // name of the request parameter; default OperatorAuthToken
	// Parameters are sent beside it.
	Parameters map[string]string `yaml:"parameters"`
	// Header carries the OperatorAuthToken in place of the parameter; empty: the parameter does.
	Header string `yaml:"header"`
	// ClaimNames are what the platform calls the claims of account and tenant.
	ClaimNames ClaimNames `yaml:"claimNames"`
	// Claims are further ones of the OperatorAuthToken, or other values of typ and aud, as a JSON object.
	Claims JSON `yaml:"claims"`

	URL     string            `yaml:"url"`     // where getSessionToken is called; empty: where everything is
	Service string            `yaml:"service"` // x-auth-service-id of that call; empty: that of everything
	Headers map[string]string `yaml:"headers"` // of that call, beside those of everything
	TLS     TLS               `yaml:"tls"`     // of url
}

// ClaimNames are names of claims of the OperatorAuthToken; empty: as it is documented.
type ClaimNames struct {
	Account string `yaml:"account"`
	Tenant  string `yaml:"tenant"`
}

// SessionSignOn is how a plugin of the service wants the request of signOnWithSessionToken.
type SessionSignOn struct {
	// Parameter is the name of the one that carries the session token; empty: what servicediscovery tells, else sessionToken.
	Parameter string `yaml:"parameter"`
	// Parameters are sent beside it.
	Parameters map[string]string `yaml:"parameters"`
}

// JSON is a JSON object in a file, kept as JSON text.
type JSON string

// Situations are what the environment can offer. A scenario that needs a missing one is skipped with that reason.
type Situations map[string]Situation

// SituationNames are the names of situations that a file may give.
var SituationNames = []string{
	"active", "foreign-device", "suspended-account", "cancelled-account", "restricted-account", "disabled-device", "inactive-device",
	"unapproved-device", "deleted-device", "device-limit", "group-limit", "expired-session", "expired-refresh", "other-tenant",
	"empty-tenant", "geo-blocked", "vpn", "credentials", "multi-account", "registration", "multi-registration",
}

// Situation is one account, device or caller. Which fields matter depends on its name.
type Situation struct {
	SessionToken  string       `yaml:"sessionToken"`      // left out: minted through the operator
	SessionTokens *TokenSource `yaml:"sessionToken.from"` // what stands in its place
	ClientID      string       `yaml:"clientId"`
	AccountID     string       `yaml:"accountId"`
	// OperatorAccount is what an OperatorAuthToken calls the account, where that is not accountId.
	OperatorAccount string            `yaml:"operatorAccount"`
	RefreshToken    string            `yaml:"refreshToken"`
	Tenant          string            `yaml:"tenant"`
	Service         string            `yaml:"service"`
	Headers         map[string]string `yaml:"headers"`
	Proxy           string            `yaml:"proxy"`
	Parameters      map[string]string `yaml:"parameters"`
	// PasswordParameter names the one of Parameters that is the password, where neither servicediscovery nor its name says so.
	PasswordParameter string `yaml:"passwordParameter"`
	Type              string `yaml:"type"` // of register/{type}
}

// Allow lists what may be done to the service beyond reading.
type Allow struct {
	// FirstTime: first-time sign-ons create devices.
	FirstTime bool `yaml:"first-time"`
	// Devices is how many devices a conformance run makes at most, where first-time sign-ons are allowed; 0: 4, which scenarios share.
	Devices int `yaml:"devices"`
	// Surroundings: calls of the platform beside the nine operations may be made, to see that tokens are of use there.
	Surroundings bool `yaml:"surroundings"`
	// Register: devices may be activated (register and subsequentRegister).
	Register bool `yaml:"register"`
	// Actions: accounts that the file names, their devices and the switches of the platform may be changed, and are put back.
	Actions bool `yaml:"actions"`
}

// Load is what a load run may use.
type Load struct {
	Clients Clients `yaml:"clients"`
	MaxRate string  `yaml:"maxRate"` // such as 500/s
}

// Clients are the virtual clients: a pattern with {n} from 1 to Count, or a CSV file with the columns sessionToken, clientId, accountId.
type Clients struct {
	Count         int          `yaml:"count"`
	SessionToken  string       `yaml:"sessionToken"`
	SessionTokens *TokenSource `yaml:"sessionToken.from"`
	ClientID      string       `yaml:"clientId"`
	AccountID     string       `yaml:"accountId"`
	File          string       `yaml:"file"`
}
