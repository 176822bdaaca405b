package ags

// Level says how sure a requirement is.
type Level string

// The levels. Documented: a public page states it. Sampled: only a page's sample shows it, or it follows from two facts
// together. Probe: nothing public says; the behaviour of the service is recorded and shown.
const (
	Documented Level = "documented"
	Sampled    Level = "sampled"
	Probe      Level = "probe"
)

// Gating says what a missed requirement does to a run by default. A lenient run turns every sampled miss into a
// warning, a strict run every warning into a failure; a probe never fails.
type Gating string

// The gatings.
const (
	Gates Gating = "fails"
	Warns Gating = "warns"
	Never Gating = "shown"
)

// Ground is the source of a requirement. It decides what a miss does.
type Ground string

// The grounds. Stated: a sentence of a page says it. Schema: the members, kinds and statuses of a page's sample of a
// request or answer show it. Security: nobody is let in without a good token or password, as another account, tenant or
// device, whoever says so. Inferred: it follows from facts taken together, or samples of other systems and releases
// show it. Open: no page names it.
const (
	Stated   Ground = "a page states it"
	Schema   Ground = "a page's sample shows it"
	Security Ground = "plain security"
	Inferred Ground = "inferred"
	Open     Ground = "no page names it"
)

// Gating returns what a miss does by default: a requirement that is stated, shown by a sample's schema, or plain
// security fails the run.
func (g Ground) Gating() Gating {
	switch g {
	case Inferred:
		return Warns
	case Open:
		return Never
	}
	return Gates
}

// Requirement is one testable sentence about the service. IDs are permanent and never renumbered.
type Requirement struct {
	ID     string
	Level  Level
	Ground Ground
	// Text is one sentence, in our words.
	Text string
	// Sources are the keys of Pages that it rests on, separated by blanks.
	Sources string
	// SoftPart names the part of a gating requirement whose miss only warns; empty: all of it gates.
	SoftPart string
}

// Gating returns what a miss does by default.
func (r Requirement) Gating() Gating { return r.Ground.Gating() }

// Page is a source of requirements.
type Page struct {
	Key, Title, Where string
}

// Pages are the public pages of the platform's documentation (docs.nagra.vision/opentv-docs and
// docs.nagra.com/opentv-docs) and the other grounds a requirement can rest on.
var Pages = []Page{
	{"SEED", "Signing in with a session token", "signing-in-with-a-session-token"},
	{"SOST+", "Signing in with a session token (release 24.38, with the list of device arguments)", "signing-in-with-a-session-token"},
	{"GST", "Requesting a session token", "requesting-a-session-token"},
	{"HE", "Signing in using a session token obtained by a head-end system", "signing-in-using-a-session-token-obtained-by-a-hea"},
	{"DISC", "Getting SSO services", "getting-sso-services"},
	{"SSO", "Signing in with SSO", "signing-in-with-sso"},
	{"SUB", "Signing in to a specific account (multiple OPF accounts)", "signing-in-to-a-specific-account-multiple-opf-acco"},
	{"REF", "Re-authenticating using the refresh token", "re-authenticating-using-the-refresh-token"},
	{"OUT", "Signing out with SSO", "signing-out-with-sso"},
	{"REG", "Activating a TVkey device with SSO", "activating-a-tvkey-device-with-sso"},
	{"SREG", "Activating a TVkey device for a specific account", "activating-a-tvkey-device-for-a-specific-account-m"},
	{"INT", "Integrating with your account and authentication service", "integrating-with-your-account-and-authentication-s"},
	{"ATOK", "Authentication token", "authentication-token"},
	{"RTOK", "Refresh token", "refresh-token"},
	{"BTR", "Bearer token response", "bearer-token-response"},
	{"DAS", "Signing in securely using dasSignOnByCasn", "signing-in-securely-using-dassignonbycasn"},
	{"FTN", "First-time and n-th time sign-on", "first-time-and-n-th-time-sign-on"},
	{"ERRS", "Sign-in error code management", "sign-in-error-code-management"},
	{"ION", "Error code management on clients", "error-code-management-on-clients"},
	{"DLIM", "Device limits", "device-limits"},
	{"NET", "Network settings", "network-settings"},
	{"ACC", "Activating, suspending, restricting and cancelling accounts", "get-account-data"},
	{"ADM", "Device data", "get-device-data"},
	{"GW", "Access and authentication information", "access-and-authentication-information"},
	{"CMP", "Signing on with a companion app", "signing-on-with-a-companion-app"},
	{"MON", "Monitoring", "monitoring"},
	{"SSP", "SSP tokens reference", "ssp-tokens-reference"},
	{"CLIENT", "Behaviour that public client programs rely on", ""},
	{"HTTP", "HTTP Semantics", "RFC 9110"},
	{"OAUTH", "The OAuth 2.0 Authorization Framework", "RFC 6749"},
	{"INFERRED", "Follows from the samples and facts taken together", ""},
	{"DESIGN", "Nothing public says; worth knowing", ""},
}
