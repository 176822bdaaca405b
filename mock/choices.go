package mock

import (
	"compress/gzip"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Choices are the conforming choices that the mock can make.
func Choices() []Choice {
	choice := func(name, summary string, apply func(*Behaviour)) Choice {
		return Choice{Name: name, Summary: summary, Apply: apply}
	}
	choices := []Choice{
		choice("raw-authorization", "refresh and signOut take the token without a scheme only",
			func(c *Behaviour) { c.Authorization = "raw" }),
		choice("bearer-only", "refresh and signOut take the token with the scheme Bearer only",
			func(c *Behaviour) { c.Authorization = "bearer" }),
		choice("tenant-required", "a missing nv-tenant-id is a bad request", func(c *Behaviour) { c.TenantRequired = true }),
		choice("old-tenant-header", "tenantId is read where nv-tenant-id is missing",
			func(c *Behaviour) { c.OldTenantHeader = true; c.TenantRequired = true }),
		choice("unknown-tenant-403", "an unknown tenant is forbidden", func(c *Behaviour) { c.UnknownTenant = 403 }),
		choice("unknown-tenant-empty", "an unknown tenant has no services, and nothing more is told of it",
			func(c *Behaviour) { c.UnknownTenantEmpty = true }),
		choice("missing-service-401", "a missing x-auth-service-id is unauthorised",
			func(c *Behaviour) { c.MissingService = 401; c.UnknownService = 401 }),
		choice("unknown-service-403", "an unknown x-auth-service-id is forbidden",
			func(c *Behaviour) { c.UnknownService = 403 }),
		choice("wrong-method-404", "a wrong method is not found", func(c *Behaviour) { c.WrongMethod = 404 }),
		choice("wrong-method-501", "a wrong method is not implemented", func(c *Behaviour) { c.WrongMethod = 501 }),
		choice("wrong-method-500", "a wrong method, and OPTIONS, ends in a handler that catches all and answers 500",
			func(c *Behaviour) { c.WrongMethod = 500 }),
		choice("content-type-415", "another content type than JSON is refused with 415",
			func(c *Behaviour) { c.ContentType = "415" }),
		choice("content-type-ignored", "the content type of requests does not matter",
			func(c *Behaviour) { c.ContentType = "any" }),
		choice("both-client-id", "where clientId and deviceInformation are sent, clientId counts",
			func(c *Behaviour) { c.BothDeviceArguments = "clientId" }),
		choice("both-device-information", "where clientId and deviceInformation are sent, deviceInformation counts",
			func(c *Behaviour) { c.BothDeviceArguments = "deviceInformation" }),
		choice("empty-device-refused", "an empty deviceInformation is a bad request",
			func(c *Behaviour) { c.EmptyDeviceRefused = true }),
		choice("parameters-required", "refresh and signOut want parameters too",
			func(c *Behaviour) { c.ParametersRequired = true }),
		choice("parameter-case", "names of parameters are matched with their case",
			func(c *Behaviour) { c.ParameterCase = true }),
		choice("missing-parameter-401", "a missing mandatory parameter is unauthorised",
			func(c *Behaviour) { c.MissingParameter = 401 }),
		choice("operator-token-in-header", "the OperatorAuthToken may come in a header",
			func(c *Behaviour) { c.OperatorTokenInHeader = true }),
		choice("operator-end-in-text", "exp of an OperatorAuthToken may stand in a text",
			func(c *Behaviour) { c.OperatorEndInText = true }),
		choice("operator-account-number", "OpfAccountId of an OperatorAuthToken may be a number",
			func(c *Behaviour) { c.OperatorAccountNumber = true }),
		choice("operator-leeway", "an OperatorAuthToken is good for five minutes after its exp",
			func(c *Behaviour) { c.OperatorLeeway = 5 * time.Minute }),
		choice("operator-any-hmac", "an OperatorAuthToken may be signed with HS384 or HS512 and the right secret",
			func(c *Behaviour) { c.OperatorAnyHMAC = true }),
		choice("operator-token-once", "an OperatorAuthToken says when it was made, and its jti is good for one call",
			func(c *Behaviour) { c.OperatorTokenOnce = true }),
		choice("discovery-reads-token", "an unusable token at discovery finds no services",
			func(c *Behaviour) { c.DiscoveryReadsToken = true }),
		choice("byte-order-mark", "a byte order mark before a body is overlooked",
			func(c *Behaviour) { c.MarkAccepted = true }),
		choice("no-correlation-echo", "x-correlation-id is not echoed", func(c *Behaviour) { c.NoCorrelationEcho = true }),

		choice("unknown-session-404", "unknown, expired and used session tokens are not found",
			func(c *Behaviour) { c.UnknownSession, c.ExpiredSession, c.UsedSession = 404, 404, 404 }),
		choice("unknown-session-403", "unknown, expired and used session tokens are forbidden",
			func(c *Behaviour) { c.UnknownSession, c.ExpiredSession, c.UsedSession = 403, 403, 403 }),
		choice("unknown-session-400", "unknown, expired and used session tokens are bad requests",
			func(c *Behaviour) { c.UnknownSession, c.ExpiredSession, c.UsedSession = 400, 400, 400 }),
		choice("session-reusable", "session tokens can be used again until they expire",
			func(c *Behaviour) { c.SessionTokensReusable = true }),
		choice("unknown-client-403", "an unknown clientId is forbidden", func(c *Behaviour) { c.UnknownClient = 403 }),
		choice("deleted-device-404", "a deleted device does not exist", func(c *Behaviour) { c.DeletedDevice = 404 }),
		choice("foreign-client-404", "a device of another account does not exist",
			func(c *Behaviour) { c.ForeignClient = 404 }),
		choice("refresh-refusals-400", "unusable and expired refresh tokens are bad requests",
			func(c *Behaviour) { c.BadRefreshToken, c.ExpiredRefresh, c.EndedToken = 400, 400, 400 }),
		choice("refresh-expired-401", "expired refresh tokens are unauthorised",
			func(c *Behaviour) { c.ExpiredRefresh = 401 }),
		choice("refresh-refusals-403", "unusable refresh tokens are forbidden",
			func(c *Behaviour) { c.BadRefreshToken, c.EndedToken = 403, 403 }),
		choice("sign-out-refusals-400", "unusable access tokens are bad requests at signOut",
			func(c *Behaviour) { c.BadAccessToken = 400 }),
		choice("sign-out-refusals-403", "unusable access tokens are forbidden at signOut",
			func(c *Behaviour) { c.BadAccessToken = 403 }),
		choice("user-token-refusals", "a missing User-Token is a bad request, an invented one forbidden",
			func(c *Behaviour) { c.MissingUserToken, c.BadUserToken = 400, 403 }),
		choice("operator-refusals-403", "every unusable OperatorAuthToken is forbidden",
			func(c *Behaviour) { c.BadOperatorToken = 403 }),
		choice("operator-refusals-401", "every unusable OperatorAuthToken is unauthorised",
			func(c *Behaviour) { c.BadOperatorToken = 401 }),
		choice("register-type-403", "an unknown type of registration is forbidden",
			func(c *Behaviour) { c.UnknownType = 403 }),
		choice("first-time-codes", "VPN and location give the codes 20021 and 20022",
			func(c *Behaviour) { c.VPNCode, c.LocationCode = 20021, 20022 }),
		choice("geo-filter-code", "a blocked location gives the code 20066", func(c *Behaviour) { c.LocationCode = 20066 }),
		choice("group-limit-code", "a full class of devices gives a code of its own",
			func(c *Behaviour) { c.GroupLimitCode = 20008 }),
		choice("restricted-refused", "restricted accounts cannot sign in", func(c *Behaviour) { c.RestrictedRefused = true }),
		choice("refused-device-kept", "a first-time sign-on refused for its caller leaves a device behind",
			func(c *Behaviour) { c.DeviceOfRefused = true }),
		choice("legacy-gateway", "the gateway refuses with status 200", func(c *Behaviour) { c.LegacyGateway = true }),

		choice("one-session-a-device", "a sign-on of a known device ends the session that it had",
			func(c *Behaviour) { c.OneSession = true }),
		choice("one-session-an-account", "a sign-on ends the sessions of all devices of its account",
			func(c *Behaviour) { c.OneSessionAccount = true }),
		choice("one-device-an-account", "a sign-on ends the sessions of the other devices of its account",
			func(c *Behaviour) { c.OneDeviceAccount = true }),
		choice("sessions-limited", "the fourth sign-on of an account ends its oldest session, as its tokens say",
			func(c *Behaviour) { c.SessionLimit = maxSessions }),
		choice("one-session-token-an-account", "a session token that getSessionToken gives ends the one that the account had",
			func(c *Behaviour) { c.OneSessionToken = true }),
		choice("errors-empty", "refusals have no body", func(c *Behaviour) { c.ErrorBody = "empty" }),
		choice("errors-html", "refusals are HTML", func(c *Behaviour) { c.ErrorBody = "html" }),
		choice("errors-text", "refusals are plain text", func(c *Behaviour) { c.ErrorBody = "text" }),
		choice("errors-problem", "refusals are application/problem+json", func(c *Behaviour) { c.ErrorBody = "problem" }),
		choice("errors-nested", "refusals carry code and message in an object error",
			func(c *Behaviour) { c.ErrorBody = "nested" }),
		choice("errors-error-code", "refusals carry errorCode instead of code",
			func(c *Behaviour) { c.ErrorBody = "errorCode" }),
		choice("errors-numeric-string", "sub-codes are numeric strings",
			func(c *Behaviour) { c.ErrorBody = "numeric-string" }),
		choice("errors-list", "refusals carry code and message in the first of a list of errors",
			func(c *Behaviour) { c.ErrorBody = "list" }),
		choice("errors-prefixed", "sub-codes stand behind a prefix", func(c *Behaviour) { c.ErrorBody = "prefixed" }),
		choice("errors-bare", "refusals carry a code and nothing else", func(c *Behaviour) { c.ErrorBody = "bare" }),
		choice("errors-varying", "each refusal has another text", func(c *Behaviour) { c.ErrorText = "varying" }),
		choice("errors-localised", "refusals are in other languages", func(c *Behaviour) { c.ErrorText = "localised" }),
		choice("challenge", "401 carries WWW-Authenticate", func(c *Behaviour) { c.Challenge = true }),

		choice("lifetimes-90-days", "sessions end after 90 days, refresh tokens after 7", func(c *Behaviour) {
			c.Lifetimes = Lifetimes{2 * time.Hour, 7 * 24 * time.Hour, 90 * 24 * time.Hour}
		}),
		choice("lifetimes-a-day", "access tokens live for a day, refresh tokens for 30", func(c *Behaviour) {
			c.Lifetimes = Lifetimes{24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour}
		}),
		choice("lifetimes-short", "access tokens live 5 minutes, refresh tokens 30, sessions 2 hours", func(c *Behaviour) {
			c.Lifetimes = Lifetimes{5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
		}),
		choice("constant-fixed-lifetime", "fixed_refresh_expires_in is told in full after a refresh",
			func(c *Behaviour) { c.ConstantFixedLifetime = true }),
		{Name: "opaque-refresh", Summary: "refresh tokens are opaque", Apply: func(c *Behaviour) { c.OpaqueRefresh = true },
			means: Fault{compact: func(_ *call, d *draft, compact string) string {
				if !d.refresh {
					return compact
				}
				return sealedRefresh + hex.EncodeToString([]byte(compact))
			}}},
		choice("revoke-on-refresh", "a refresh ends the refresh token that it used",
			func(c *Behaviour) { c.RevokeOnRefresh = true }),
		choice("keep-jti", "jti stays over a refresh", func(c *Behaviour) { c.KeepTokenID = true }),
		choice("jti-uuid", "jti is a UUID", func(c *Behaviour) { c.TokenIDForm = "uuid" }),
		choice("jti-per-device", "jti is the same in every sign-on of a device",
			func(c *Behaviour) { c.TokenIDForm = "device" }),
		choice("tokens-outlive-sign-out", "tokens stay usable after signOut",
			func(c *Behaviour) { c.TokensOutliveSignOut = true }),
		choice("second-sign-out-200", "signing out again is no mistake", func(c *Behaviour) { c.SecondSignOut = 200 }),
		choice("second-sign-out-404", "signing out again finds nothing", func(c *Behaviour) { c.SecondSignOut = 404 }),
		choice("user-token-once", "a User-Token can be used once", func(c *Behaviour) { c.UserTokensOnce = true }),
		choice("user-token-at-top", "the userAccountToken stands beside the accounts",
			func(c *Behaviour) { c.UserTokenAtTop = true }),
		choice("subsequent-needs-device", "subsequentSignOn wants the device again",
			func(c *Behaviour) { c.SubsequentNeedsDevice = true }),
		choice("clock-ahead", "the service's clock is 90 s ahead", func(c *Behaviour) { c.ClockOffset = 90 * time.Second }),
		choice("clock-behind", "the service's clock is 90 s behind",
			func(c *Behaviour) { c.ClockOffset = -90 * time.Second }),
		choice("neighbouring-seconds", "the tokens of a pair are minted in neighbouring seconds",
			func(c *Behaviour) { c.PairSkew = time.Second }),

		choice("register-gives-tokens", "register answers with tokens", func(c *Behaviour) { c.RegisterBody = "tokens" }),
		choice("register-gives-object", "register answers with an object", func(c *Behaviour) { c.RegisterBody = "object" }),
		choice("sign-out-gives-object", "signOut answers with an object", func(c *Behaviour) { c.SignOutBody = "object" }),
		choice("token-type-capital", "token_type is Bearer", func(c *Behaviour) { c.TokenType = "Bearer" }),
		choice("signed-hs512", "tokens are signed with HS512", func(c *Behaviour) { c.Algorithm = "HS512" }),
		choice("absolute-paths", "discovery tells paths from the root", func(c *Behaviour) { c.AbsolutePaths = true }),
		choice("no-display-attributes", "discovery tells no displayAttributes",
			func(c *Behaviour) { c.NoDisplayAttributes = true }),
		choice("discovery-reversed", "discovery lists in another order", func(c *Behaviour) { c.ReversedDiscovery = true }),
		choice("companion-seconds", "the companion flow tells seconds and answers 200",
			func(c *Behaviour) { c.CompanionSeconds = true }),
		choice("no-client-id-on-refresh", "refresh does not repeat client_id",
			func(c *Behaviour) { c.NoClientIDOnRefresh = true }),
		choice("refresh-token-without-jti", "refresh tokens have neither jti nor sessionControl",
			func(c *Behaviour) { c.NoRefreshSessionControl = true }),
		choice("client-id-long", "client ids have 120 characters", func(c *Behaviour) { c.ClientIDForm = "long" }),
		choice("client-id-dotted", "client ids hold dots and colons", func(c *Behaviour) { c.ClientIDForm = "dotted" }),
		choice("profile-features", "optional claims hold values", func(c *Behaviour) { c.ProfileFeatures = true }),

		choice("extra-members", "answers have members that nobody knows", func(c *Behaviour) { c.ExtraMembers = true }),
		choice("extra-claims", "tokens have claims that nobody knows", func(c *Behaviour) { c.ExtraClaims = true }),
		choice("extra-jose", "headers of tokens have parameters that nobody knows",
			func(c *Behaviour) { c.ExtraJOSE = true }),
		choice("member-order", "members come in another order", func(c *Behaviour) { c.ReversedMembers = true }),
		choice("claim-order", "claims come in another order", func(c *Behaviour) { c.ReversedClaims = true }),
		choice("pretty", "answers are indented", func(c *Behaviour) { c.Pretty = true }),
		choice("escaped", "answers are full of escapes and white space", func(c *Behaviour) { c.Escaped = true }),
		choice("charset", "the content type tells a charset",
			func(c *Behaviour) { c.MediaType = "application/json;charset=UTF-8" }),
		choice("charset-quoted", "the content type is in capitals with a quoted charset",
			func(c *Behaviour) { c.MediaType = `Application/JSON; Charset="utf-8"` }),
		choice("large-tokens", "tokens are 8 KB long", func(c *Behaviour) { c.TokenPadding = 6000 }),
		choice("no-store", "answers forbid caches", func(c *Behaviour) { c.NoStore = true }),
	}
	choices = slices.Concat(choices, nearChoices(), pluginChoices(), keptChoices())
	return append(choices, transportChoices()...)
}

func transportChoices() []Choice {
	header := func(name, summary string, change func(http.Header)) Choice {
		return Choice{Name: name, Summary: summary, Transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := record(next, r)
				a.copyHeader(w)
				change(w.Header())
				w.WriteHeader(a.status)
				_, _ = w.Write(a.body)
			})
		}}
	}
	every := func(name, summary string, n uint64, status int, retryAfter func() string) Choice {
		var count atomic.Uint64
		return Choice{Name: name, Summary: summary, Transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if count.Add(1)%n == 0 {
					w.Header().Set("Retry-After", retryAfter())
					w.WriteHeader(status)
					return
				}
				next.ServeHTTP(w, r)
			})
		}}
	}
	return []Choice{
		{Name: "chunked", Summary: "answers are chunked", Transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := record(next, r)
				a.copyHeader(w)
				w.Header().Del("Content-Length")
				w.WriteHeader(a.status)
				for half := (len(a.body) + 1) / 2; len(a.body) > 0; half = len(a.body) {
					_, _ = w.Write(a.body[:half])
					a.body = a.body[half:]
					flush(w)
				}
			})
		}},
		{Name: "gzip", Summary: "answers are compressed where the client takes that", Transport: compressed},
		header("connection-close", "each answer closes its connection", func(h http.Header) { h.Set("Connection", "close") }),
		header("lower-case-headers", "names of headers are in lower case", func(h http.Header) {
			for name, values := range h {
				// The server looks for these itself by their canonical names.
				if name == "Content-Length" || name == "Connection" || name == "Transfer-Encoding" {
					continue
				}
				delete(h, name)
				h[strings.ToLower(name)] = values
			}
			h["Content-Type"], h["Date"] = nil, nil // set by the server otherwise
			h["date"] = []string{time.Now().UTC().Format(http.TimeFormat)}
		}),
		header("no-date", "answers have no Date", func(h http.Header) { h["Date"] = nil }),
		header("extra-headers", "answers carry headers of proxies, and a cookie", func(h http.Header) {
			h.Set("Via", "1.1 edge")
			h.Add("Set-Cookie", "route=a; Path=/; HttpOnly")
			h.Add("Set-Cookie", "zone=b; Path=/")
			h.Set("X-Request-Id", "edge-1")
			h.Set("Strict-Transport-Security", "max-age=31536000")
			h.Set("Cache-Control", "private, no-store, max-age=0")
			h.Set("Vary", "Accept-Encoding, nv-tenant-id")
		}),
		header("caches-of-the-client", "answers may be kept by the client alone",
			func(h http.Header) { h.Set("Cache-Control", "private, max-age=60") }),
		{Name: "discovery-kept", Summary: "caches may keep what discovery says", Transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					w.Header().Set("Cache-Control", "public, max-age=3600")
				}
				next.ServeHTTP(w, r)
			})
		}},
		{Name: "early-hints", Summary: "an answer of status 103 comes first", Transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusEarlyHints)
				next.ServeHTTP(w, r)
			})
		}},
		{Name: "trailers", Summary: "answers end with a trailer", Transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := record(next, r)
				a.copyHeader(w)
				w.Header().Del("Content-Length")
				w.Header().Set("Trailer", "Server-Timing")
				w.WriteHeader(a.status)
				_, _ = w.Write(a.body)
				w.Header().Set("Server-Timing", "app;dur=1")
			})
		}},
		every("throttled-now-and-then", "every 97th call gets 429 with Retry-After: 1", 97, http.StatusTooManyRequests,
			func() string { return "1" }),
		every("unavailable-now-and-then", "every 41st call gets 503 with Retry-After: 0", 41, http.StatusServiceUnavailable,
			func() string { return strconv.Itoa(0) }),
		every("throttled-until-a-date", "every 113th call gets 429 with a date in Retry-After", 113,
			http.StatusTooManyRequests, func() string {
				return time.Now().Add(time.Second).UTC().Format(http.TimeFormat)
			}),
		{Name: "slow-300ms", Summary: "every answer takes 300 ms", Transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				timer := time.NewTimer(300 * time.Millisecond)
				defer timer.Stop()
				select {
				case <-timer.C:
					next.ServeHTTP(w, r)
				case <-r.Context().Done():
				}
			})
		}},
	}
}

// compressed serves gzip (RFC 9110 section 8.4.1.3) to clients that ask for it.
func compressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		a := record(next, r)
		a.copyHeader(w)
		if len(a.body) == 0 {
			w.WriteHeader(a.status)
			return
		}
		w.Header().Del("Content-Length")
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Vary", "Accept-Encoding")
		w.WriteHeader(a.status)
		squeezed := gzip.NewWriter(w)
		_, _ = squeezed.Write(a.body)
		_ = squeezed.Close()
	})
}
