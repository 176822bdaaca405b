// Package ags is the published contract of the Authentication Gateway Service as data: its nine operations, their
// headers and statuses, the fields of their answers, the claims of their tokens, the numeric sub-codes, and every
// testable requirement with its grade and source page. It holds no logic and imports nothing of this module: the mock
// serves from these facts and the judge checks against them, and neither sees the other's code.
package ags

// The names of the nine operations, as used in features, limits and reports.
const (
	ServiceDiscovery       = "servicediscovery"
	SignOn                 = "signOn"
	SubsequentSignOn       = "subsequentSignOn"
	GetSessionToken        = "getSessionToken"
	SignOnWithSessionToken = "signOnWithSessionToken"
	Refresh                = "refresh"
	SignOut                = "signOut"
	Register               = "register"
	SubsequentRegister     = "subsequentRegister"
)

// The request headers that the pages name. Header names are case-insensitive (RFC 9110 section 5.1).
const (
	HeaderTenant        = "nv-tenant-id"
	HeaderService       = "x-auth-service-id"
	HeaderCorrelation   = "x-correlation-id"
	HeaderAuthorization = "Authorization"
	HeaderUserToken     = "User-Token"
)

// Operation is one call of the service.
type Operation struct {
	Name    string
	Method  string
	Path    string // below the base address; {type} stands for one path segment
	Purpose string
	// Headers that the page of the call lists, in its order.
	Headers []Header
	// Success lists the documented statuses of a successful call, the usual one first.
	Success []int
	// Statuses lists every documented status, ascending. Anything else is undocumented (ERR-09).
	Statuses []int
	// Body is the content of a successful answer.
	Body Body
	// Source is the page that describes the call.
	Source string
}

// Header is a request header of an operation.
type Header struct {
	Name      string
	Mandatory bool
}

// Body names the shape of a successful answer.
type Body int

// The shapes of answers. Unspecified: nothing is documented, anything goes.
const (
	Unspecified Body = iota
	DiscoveryBody
	TokenBody
	SessionTokenBody
)

// Operations are the nine calls, in the order of the contract.
var Operations = []Operation{
	{ServiceDiscovery, "GET", "/ags/servicediscovery", "lists the authentication services, their endpoints and the parameters each wants",
		[]Header{{HeaderCorrelation, false}, {HeaderTenant, false}, {"token", false}}, []int{200}, []int{200, 404},
		DiscoveryBody, "DISC"},
	{SignOn, "POST", "/ags/signOn", "signs a client in with credentials of an authentication service",
		[]Header{{HeaderCorrelation, false}, {HeaderService, true}, {HeaderTenant, false}}, []int{201, 300},
		[]int{201, 300, 400, 401, 403, 404}, TokenBody, "SSO"},
	{SubsequentSignOn, "POST", "/ags/subsequentSignOn", "finishes a sign-on for the account picked from several",
		[]Header{{HeaderUserToken, true}, {HeaderCorrelation, false}, {HeaderService, true}, {HeaderTenant, false}},
		[]int{201}, []int{201, 400, 401, 403}, TokenBody, "SUB"},
	{GetSessionToken, "POST", "/ags/getSessionToken", "gives a head-end system a session token for a client app",
		[]Header{{HeaderCorrelation, false}, {HeaderService, true}, {HeaderTenant, false}}, []int{200},
		[]int{200, 400, 401, 403}, SessionTokenBody, "GST"},
	{SignOnWithSessionToken, "POST", "/ags/signOnWithSessionToken", "signs a client app in with a session token",
		[]Header{{HeaderCorrelation, false}, {HeaderService, true}, {HeaderTenant, false}}, []int{201},
		[]int{201, 400, 401, 403, 404}, TokenBody, "SEED"},
	{Refresh, "POST", "/ags/refresh", "exchanges a refresh token for a new pair of tokens",
		[]Header{{HeaderAuthorization, true}, {HeaderCorrelation, false}, {HeaderService, true}, {HeaderTenant, false}},
		[]int{200}, []int{200, 400, 401, 403}, TokenBody, "REF"},
	{SignOut, "POST", "/ags/signOut", "signs a client out",
		[]Header{{HeaderAuthorization, true}, {HeaderCorrelation, false}, {HeaderService, true}, {HeaderTenant, false}},
		[]int{200}, []int{200, 400, 403, 404}, Unspecified, "OUT"},
	{Register, "POST", "/ags/register/{type}", "activates a TVkey device",
		[]Header{{HeaderCorrelation, false}, {HeaderService, true}, {HeaderTenant, false}}, []int{201, 300},
		[]int{201, 300, 400, 401, 403}, Unspecified, "REG"},
	{SubsequentRegister, "POST", "/ags/subsequentRegister", "finishes a registration for the account picked from several",
		[]Header{{HeaderUserToken, true}, {HeaderCorrelation, false}, {HeaderService, true}, {HeaderTenant, false}},
		[]int{201}, []int{201, 400, 401, 403}, Unspecified, "SREG"},
}
