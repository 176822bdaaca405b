package ags

// Kind is a kind of JSON value.
type Kind string

// The kinds that fields and claims of the contract have. Integer is a JSON number without fraction.
const (
	String  Kind = "string"
	Integer Kind = "integer"
	Boolean Kind = "boolean"
	Object  Kind = "object"
	Array   Kind = "array"
	Null    Kind = "null"
)

// Field is a member of a JSON answer. Path uses dots for members and [] for the elements of an array.
type Field struct {
	Path     string
	Kind     Kind
	Required bool
}

// TokenFields are the members of the token body: 201 of the sign-ons, 200 of refresh (the page "Signing in with a
// session token").
var TokenFields = []Field{
	{"access_token", String, true},
	{"refresh_token", String, true},
	{"client_id", String, true}, // tolerated absent in the answer of refresh (REF-03)
	{"accountId", String, true},
	{"token_type", String, true},
	{"expires_in", Integer, true},
	{"refresh_expires_in", Integer, true},
	{"fixed_refresh_expires_in", Integer, true},
}

// DiscoveryFields are the members of the answer of servicediscovery (the page "Getting SSO services").
var DiscoveryFields = []Field{
	{"availableServices", Array, true},
	{"availableServices[].authServiceName", String, true},
	{"availableServices[].displayAttributes", Object, false},
	{"availableServices[].displayAttributes.logo", String, false},
	{"availableServices[].displayAttributes.name", String, false},
	{"availableServices[].endpoints", Array, true},
	{"availableServices[].endpoints[].name", String, true},
	{"availableServices[].endpoints[].path", String, true},
	{"availableServices[].endpoints[].parameterProperties", Array, false},
	{"availableServices[].endpoints[].parameterProperties[].name", String, true},
	{"availableServices[].endpoints[].parameterProperties[].mandatory", Boolean, true},
	{"availableServices[].endpoints[].parameterProperties[].isPassword", Boolean, true},
}

// SessionTokenFields are the members of the answer of getSessionToken (the page "Requesting a session token").
var SessionTokenFields = []Field{{"sessionToken", String, true}}

// AccountFields are the members of a 300 answer of signOn and register.
var AccountFields = []Field{
	{"accounts", Array, true},
	{"accounts[].accountInformation", String, true}, // text that holds JSON
	{"accounts[].userAccountToken", String, false},  // here, or at the top level (ambiguity 7.21)
}

// Claim is a claim of a token.
type Claim struct {
	Name  string
	Kinds []Kind
	// In the access token, in the refresh token.
	Access, Refresh bool
	// Core claims gate; a miss in another claim warns.
	Core bool
}

// Claims are the claims of the sample tokens: 18 in the access token, 11 of them in the refresh token.
var Claims = []Claim{
	{"typ", []Kind{String}, true, true, true},
	{"ver", []Kind{String}, true, true, false},
	{"tenantId", []Kind{String}, true, true, true},
	{"accountId", []Kind{String}, true, true, true},
	{"userId", []Kind{String}, true, true, false},
	{"deviceId", []Kind{String}, true, true, true},
	{"accountProfileId", []Kind{String}, true, true, false},
	{"jti", []Kind{String}, true, true, false},
	{"exp", []Kind{Integer}, true, true, true},
	{"fixed_exp", []Kind{Integer}, true, true, true},
	{"sessionControl", []Kind{Object}, true, true, false},
	{"geoBlockExempt", []Kind{Boolean}, true, false, false},
	{"onNetwork", []Kind{Boolean}, true, false, false},
	{"billingCountryCode", []Kind{String}, true, false, false},
	{"filteringInformation", []Kind{Object}, true, false, false},
	{"blockingInformation", []Kind{Object}, true, false, false},
	{"parentalControl", []Kind{Null, Object}, true, false, false},
	{"playoutDeviceClass", []Kind{Null, String}, true, false, false},
}

// The values of the claim typ that tell the tokens apart.
const (
	AccessType  = "DevAuthN"
	RefreshType = "RefreshAuthN"
)

// OperatorToken names the claims of the OperatorAuthToken, a JWT that the head-end system signs with HS256
// (the page "Requesting a session token").
var OperatorToken = struct{ Type, Audience, Tenant, Account string }{"GetSessionTokenAuthN", "ags", "OpfTenantId",
	"OpfAccountId"}
