package mock

import (
	"cmp"
	"time"
)

// Behaviour is the choices that a conforming service has, because the public pages leave them open. The zero value is
// the mock's default; statuses of 0 stand for the default that the comment names.
type Behaviour struct {
	// The request.
	Authorization      string // "": Bearer or raw token, "bearer": only with the scheme, "raw": only without
	OneSession         bool   // a sign-on of a known device ends the session that it had
	OneSessionAccount  bool   // a sign-on of any device ends the sessions of all devices of its account
	OneDeviceAccount   bool   // a sign-on of a device ends the sessions of the other devices of its account
	SessionLimit       int    // a sign-on beyond so many ends the oldest session of its account; 0: no limit
	OneSessionToken    bool   // a session token of getSessionToken ends the one that the account had
	TenantRequired     bool   // a call without nv-tenant-id is refused (400) instead of served as the first tenant
	UnknownTenant      int    // 400; at discovery 404
	UnknownTenantEmpty bool   // discovery answers for an unknown tenant as for one without services
	MissingService     int    // 400
	UnknownService     int    // 400
	WrongMethod        int    // 405
	// "": other content types than JSON are refused with 400, "415": with 415, "any": accepted
	ContentType           string
	BothDeviceArguments   string // "": 400, "clientId" or "deviceInformation": that one counts
	DeviceClass           string // the only playoutDeviceClass that is known; "": any
	NoDeviceMakesOne      bool   // a sign-on without clientId and deviceInformation signs a new device on
	OperatorAccountPrefix string // what an OperatorAuthToken writes before the accountId that tokens tell
	AnyDescription        bool   // deviceInformation may be of any kind
	EmptyDeviceRefused    bool   // deviceInformation {} is a bad request
	ParametersRequired    bool   // refresh and signOut want parameters too
	ParameterCase         bool   // names of parameters are matched with their case
	OperatorTokenInHeader bool   // a header OperatorAuthToken serves as well as the parameter
	// an OperatorAuthToken must say when it was made (iat), and have a jti that was not taken before
	OperatorTokenOnce   bool
	DiscoveryReadsToken bool // an unusable header token makes discovery answer 404
	OldTenantHeader     bool // tenantId is read where nv-tenant-id is missing

	MarkAccepted bool // a byte order mark before a body is overlooked

	// Refusals.
	UnknownSession    int  // 401
	ExpiredSession    int  // 401
	UsedSession       int  // 403
	UnknownClient     int  // 404
	DeletedDevice     int  // 403, with sub-code 20003
	ForeignClient     int  // 403
	BadRefreshToken   int  // 401
	ExpiredRefresh    int  // 403, with sub-code 20020
	BadAccessToken    int  // 401, at signOut
	EndedToken        int  // 401, of tokens after signOut
	BadUserToken      int  // 401
	MissingUserToken  int  // 401
	BadOperatorToken  int  // 401 for form, key and time, 403 for the claims
	UnknownType       int  // 400, of register/{type}
	MissingParameter  int  // 400
	VPNCode           int  // 20018
	LocationCode      int  // 20019
	GroupLimitCode    int  // 20007
	LegacyGateway     bool // the gateway refuses with status 200
	RestrictedRefused bool // a restricted account cannot sign in
	// "", "empty", "html", "text", "problem", "nested", "errorCode", "numeric-string", "list", "prefixed", "bare"
	ErrorBody string
	ErrorText string // "": one sentence, "varying": another text each time, "localised": other letters

	// The life of sessions and tokens.
	Lifetimes             Lifetimes
	SessionTokenLife      time.Duration // 10 minutes
	UserTokenLife         time.Duration // 10 minutes
	SessionTokensReusable bool
	UserTokensOnce        bool
	PopulationOnce        bool          // the load population's session tokens are single-use too
	RevokeOnRefresh       bool          // the refresh token that was used ends
	KeepTokenID           bool          // jti stays over a refresh
	TokenIDForm           string        // "": 19 digits, "uuid", "device": one for each device
	OperatorAnyHMAC       bool          // an OperatorAuthToken may be signed with HS384 or HS512
	OperatorEndInText     bool          // exp of an OperatorAuthToken may stand in a text
	OperatorAccountNumber bool          // OpfAccountId may be a number
	OperatorLeeway        time.Duration // how long after its exp an OperatorAuthToken is taken
	OpaqueRefresh         bool          // refresh tokens say nothing to clients
	ConstantFixedLifetime bool          // fixed_refresh_expires_in is told in full after a refresh
	TokensOutliveSignOut  bool
	SecondSignOut         int  // 401; 200 for a forgiving service
	DeviceOfRefused       bool // a first-time sign-on refused for VPN or location leaves its device behind
	CancelledForGood      bool // an account that was cancelled stays so
	ClockOffset           time.Duration
	NodeOffset            func() time.Duration // of the clock of the node that answers; nil: one node
	PairSkew              time.Duration        // the refresh token is minted this much after the access token

	// The answers.
	NoCorrelationEcho       bool
	RegisterBody            string // "": empty, "tokens", "object"
	SignOutBody             string // "": empty, "object"
	TokenType               string // bearer
	Algorithm               string // HS256
	UserTokenAtTop          bool   // one userAccountToken beside accounts instead of one in each
	SubsequentNeedsDevice   bool   // subsequentSignOn wants clientId or deviceInformation again
	AbsolutePaths           bool   // discovery tells /ags/signOn
	NoDisplayAttributes     bool
	ExtraServices           bool // discovery offers a service with calls that nobody knows
	ReversedDiscovery       bool
	ExtraMembers            bool
	ExtraClaims             bool
	ExtraJOSE               bool
	ReversedMembers         bool
	ReversedClaims          bool
	Pretty                  bool
	Escaped                 bool   // \u and \/ escapes, and white space around the body
	MediaType               string // application/json
	TokenPadding            int    // bytes of an additional claim
	NoStore                 bool
	Challenge               bool   // 401 carries WWW-Authenticate
	ClientIDForm            string // "": 24 hex digits, "long", "dotted"
	ProfileFeatures         bool   // optional claims hold values instead of null and {}
	NoClientIDOnRefresh     bool
	CompanionSeconds        bool // expiresAfterMillis is told in seconds, and the poll answers 200
	NoRefreshSessionControl bool // refresh tokens without jti and sessionControl, as older releases have them
}

// Lifetimes are the lifetimes of a token pair, in whole seconds; zero values stand for 1 hour, 48 hours and 30 days.
type Lifetimes struct{ Access, Refresh, Fixed time.Duration }

func (l Lifetimes) seconds() (access, refresh, fixed int64) {
	return seconds(l.Access, time.Hour), seconds(l.Refresh, 48*time.Hour), seconds(l.Fixed, 30*24*time.Hour)
}

func seconds(d, otherwise time.Duration) int64 {
	return int64(cmp.Or(d, otherwise) / time.Second)
}
