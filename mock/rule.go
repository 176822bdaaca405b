package mock

// rule names one thing that the mock insists on. A fault of the rule seam switches one off, for one operation or for
// all.
type rule string

const (
	ruleMethod              rule = "method"
	ruleServiceHeader       rule = "service-header"
	ruleKnownService        rule = "known-service"
	ruleTenant              rule = "tenant"
	ruleContentType         rule = "content-type"
	ruleJSON                rule = "json"
	ruleParametersPresent   rule = "parameters-present"
	ruleParametersArray     rule = "parameters-array"
	ruleParameterMembers    rule = "parameter-members"
	ruleParametersNotEmpty  rule = "parameters-not-empty"
	ruleMandatoryParameters rule = "mandatory-parameters"
	ruleDeviceArgument      rule = "device-argument"
	ruleKnownSession        rule = "known-session"
	ruleSessionExpiry       rule = "session-expiry"
	ruleSessionOnce         rule = "session-once"
	ruleSessionTenant       rule = "session-tenant"
	ruleVPN                 rule = "vpn"
	ruleLocation            rule = "location"
	ruleSuspended           rule = "suspended"
	ruleCancelled           rule = "cancelled"
	ruleRestricted          rule = "restricted"
	ruleAccountDates        rule = "account-dates"
	ruleKnownAccount        rule = "known-account"
	ruleKnownClient         rule = "known-client"
	ruleClientOwner         rule = "client-owner"
	ruleDeviceDeleted       rule = "device-deleted"
	ruleDeviceDisabled      rule = "device-disabled"
	ruleDeviceInactive      rule = "device-inactive"
	ruleDeviceUnapproved    rule = "device-unapproved"
	ruleDeviceLimit         rule = "device-limit"
	ruleGroupLimit          rule = "group-limit"
	ruleCapacity            rule = "capacity"
	ruleCredentials         rule = "credentials"
	ruleUserTokenPresent    rule = "user-token-present"
	ruleUserTokenKnown      rule = "user-token-known"
	ruleOperatorForm        rule = "operator-form"
	ruleOperatorAlgorithm   rule = "operator-algorithm"
	ruleOperatorSignature   rule = "operator-signature"
	ruleOperatorExpiry      rule = "operator-expiry"
	ruleOperatorAudience    rule = "operator-audience"
	ruleOperatorType        rule = "operator-type"
	ruleOperatorAccount     rule = "operator-account"
	ruleOperatorTenant      rule = "operator-tenant"
	ruleAuthorization       rule = "authorization"
	ruleToken               rule = "token"
	ruleTokenSignature      rule = "token-signature"
	ruleTokenType           rule = "token-type"
	ruleTokenExpiry         rule = "token-expiry"
	ruleFixedExpiry         rule = "fixed-expiry"
	ruleTokenEnded          rule = "token-ended"
	ruleTokenTenant         rule = "token-tenant"
	ruleRegisterType        rule = "register-type"
	rulePath                rule = "path"
	ruleTrailingComma       rule = "trailing-comma"
	ruleNothingBehind       rule = "nothing-behind"
	ruleClosed              rule = "closed"
	ruleNoNUL               rule = "no-nul"
	ruleDoubleQuotes        rule = "double-quotes"
	ruleParametersNoText    rule = "parameters-no-text"
	ruleParametersNoMap     rule = "parameters-no-map"
	ruleTokenAlgorithm      rule = "token-algorithm"
	ruleSignatureWhole      rule = "signature-whole"
	ruleSignaturePresent    rule = "signature-present"
	ruleSignatureEnd        rule = "signature-end"
	ruleKnownKey            rule = "known-key"
	ruleSignatureNoZeros    rule = "signature-no-zeros"
	ruleNoBroughtKey        rule = "no-brought-key"
	ruleNoBroughtCert       rule = "no-brought-certificate"
	ruleNoKeyAddress        rule = "no-key-address"
	ruleNoCertAddress       rule = "no-certificate-address"
	ruleNoOperatorKey       rule = "no-operator-key"
	ruleNoEmptyKey          rule = "no-empty-key"
	ruleKeyIDNoKey          rule = "key-id-no-key"
	ruleOperatorKey         rule = "operator-key"
	ruleOperatorNoEmptyKey  rule = "operator-no-empty-key"
	ruleOperatorReadExpiry  rule = "operator-read-expiry"
	ruleOperatorPastText    rule = "operator-past-text"
	ruleNoKeyNoToken        rule = "no-key-no-token"
	ruleOperatorPunctual    rule = "operator-punctual"
	ruleOperatorPlain       rule = "operator-plain-account"
	ruleOperatorHasExpiry   rule = "operator-has-expiry"
	ruleOperatorHasAudience rule = "operator-has-audience"
	ruleOperatorHasType     rule = "operator-has-type"
	ruleOperatorHasTenant   rule = "operator-has-tenant"
	ruleOperatorHasAccount  rule = "operator-has-account"

	// These are not reasons for a refusal but promises about what a call does otherwise.
	// VPN and location count only where the tenant has switched them on
	rulePlatformSwitch rule = "platform-switch"
	ruleStatusVisible  rule = "status-visible" // a changed status of an account is seen
	ruleReactivation   rule = "reactivation"   // an account that is active again may sign in again
	// disabled and inactive devices do not count towards the limit
	ruleOnlyActiveCount    rule = "only-active-count"
	ruleFullAbove          rule = "full-above"            // an account above its limit is as full as one at it
	ruleExactLimit         rule = "exact-limit"           // the limit of devices is the number that it says
	ruleLimitFirstOnly     rule = "limit-first-time-only" // the limit does not hinder n-th sign-ons
	ruleNewDevice          rule = "new-device"            // a repeated description makes another device
	ruleNoDeviceOnNth      rule = "no-device-on-nth"      // an n-th sign-on makes no device
	ruleUnapprovedMay      rule = "unapproved-may"        // a device need not be approved to sign in
	ruleFreshAfterDeletion rule = "fresh-after-deletion"  // a user who has lost a device may sign on with a new one
	ruleKeepDevice         rule = "keep-device"           // signing out keeps the device
	ruleOnlyThisDevice     rule = "only-this-device"      // signing out leaves the other devices alone
	ruleReduced            rule = "reduced-description"   // a description of a device may be short
	ruleLeafKinds          rule = "leaf-kinds"            // its leaves may be strings or numbers
	rulePlatforms          rule = "platforms"             // every platform is welcome
	// what nobody knows in a description of a device does no harm
	ruleKnownDescription   rule = "strange-description"
	ruleUnknownMembers     rule = "unknown-members"     // members that nobody knows do no harm
	ruleBearer             rule = "bearer"              // the scheme Bearer is understood
	ruleExtendFixed        rule = "extend-fixed"        // a refresh leaves the absolute end where it is
	ruleCap                rule = "cap"                 // no refresh token outlives the absolute end
	ruleFreshTimes         rule = "fresh-times"         // a refresh counts from now
	ruleIASRefresh         rule = "ias-refresh"         // IAS takes refresh tokens of this service
	ruleCompanionAccount   rule = "companion-account"   // the companion's account gets the new device
	ruleDiscoveredServices rule = "discovered-services" // each discovered service is served
	ruleSessionUsable      rule = "session-usable"      // an issued session token is accepted
	ruleDifferentSessions  rule = "different-sessions"  // no session token is given twice
	// session tokens and userAccountTokens are no JWTs; of the call that takes them
	ruleOpaqueKept     rule = "opaque-kept"
	ruleUnguessable    rule = "unguessable-sessions" // no session token or userAccountToken tells the next
	ruleDifferentPicks rule = "different-picks"      // no userAccountToken is given twice
	ruleOwnKey         rule = "own-key"              // tokens are signed with another key than the operator's
	ruleStrongKey      rule = "strong-key"           // tokens are signed with a key that nobody guesses
	ruleUsableDevice   rule = "usable-device"        // the id of a new device can be used afterwards
	rulePickedAccount  rule = "picked-account"       // the account that was picked is the one that signs in
	// a userAccountToken leads to the account that it stands beside
	ruleOwnPick         rule = "own-pick"
	ruleCorrelationFree rule = "correlation-not-needed" // no correlation id is needed
	ruleTokenFree       rule = "discovery-token-free"   // discovery needs no token
)

// The calls around the service that the mock answers too.
const (
	userDevices         = "userDevices"
	deviceApproved      = "amiapproved"
	iasRefresh          = "iasRefresh"
	registrationCode    = "deviceRegistrationCode"
	activationToken     = "signOnActivationToken"
	approveRegistration = "approveRegistration"
	activationSignOn    = "signOnBySignOnActivationToken"
	operatorToken       = "operatorToken"
	operatorAccount     = "operatorAccount"
	operatorDevices     = "operatorDevices"
)

// ruleKey is a rule of one operation; the empty operation stands for all.
type ruleKey struct {
	rule      rule
	operation string
}
