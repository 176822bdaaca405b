package mock

import (
	"net/http"
	"strconv"
	"sync/atomic"

	"agstest/ags"
)

// intermittentFaults show in one answer of several only, so that a scenario may well miss them.
func intermittentFaults() []Fault {
	ref, sost, d, head := on(ags.Refresh), on(ags.SignOnWithSessionToken), on(ags.ServiceDiscovery),
		on(ags.GetSessionToken)
	nth := func(f func(*object)) func(*call, *reply) {
		return func(c *call, r *reply) {
			if r.hasBody && !c.firstTime() {
				f(&r.body)
			}
		}
	}
	return []Fault{
		nowAndThen(2, spoiledBody("sometimes-refresh-no-account", "REF-03", "accountId is missing", ref,
			without("accountId"))),
		nowAndThen(3, spoiledBody("sometimes-refresh-token-text", "REF-03", "expires_in is a text", ref,
			with("expires_in", "3600"))),
		nowAndThen(7, wrongStatus("sometimes-refresh-201", "REF-01", "the status is 201", ags.Refresh, http.StatusCreated)),
		nowAndThen(3, refused("sometimes-refresh-refused", "REF-01", "a good token gets 401", ags.Refresh,
			http.StatusUnauthorized)),
		nowAndThen(5, spoiledSuccess("sometimes-session-no-account", "SOST-04", "accountId is missing", sost,
			nth(without("accountId")))),
		nowAndThen(3, spoiledSuccess("sometimes-session-no-refresh-token", "SOST-03", "refresh_token is missing", sost,
			nth(without("refresh_token")))),
		nowAndThen(7, spoiledSuccess("sometimes-session-expires-text", "SOST-04", "expires_in is a text", sost,
			nth(with("expires_in", "3600")))),
		nowAndThen(3, wrongStatus("sometimes-session-200", "SOST-01", "the status is 200", ags.SignOnWithSessionToken,
			http.StatusOK)),
		nowAndThen(4, wrongStatus("sometimes-discovery-201", "DISC-01", "the status is 201", ags.ServiceDiscovery,
			http.StatusCreated)),
		nowAndThen(3, spoiledBody("sometimes-discovery-renamed", "DISC-04", "availableServices is called services", d,
			renamed("availableServices", "services"))),
		nowAndThen(3, spoiledBody("sometimes-head-end-number", "GST-02", "the session token is a number", head,
			with("sessionToken", 7))),
		{Name: "sometimes-503", Requirement: "ERR-08", Summary: "every 41st call gets 503 that does not say when to come again", transport: func(next http.Handler) http.Handler {
			var calls atomic.Int64
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1)%41 == 0 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(w, r)
			})
		}},
		nowAndThen(2, spoiledSuccess("sometimes-head-end-500", "GST-01", "the status is 500", head,
			toStatus(http.StatusInternalServerError))),
	}
}

// nowAndThen makes a fault of successes show in every n-th success of its calls.
func nowAndThen(n int64, f Fault) Fault {
	ordinal := map[int64]string{2: "second", 3: "third"}[n]
	if ordinal == "" {
		ordinal = strconv.FormatInt(n, 10) + "th"
	}
	f.Summary = "in every " + ordinal + " success of " + f.operations[0] + ", " + f.Summary
	f.Every = int(n)
	var calls atomic.Int64
	spoil := f.reply
	f.reply = func(c *call, r *reply) {
		if r.refused == "" && calls.Add(1)%n == 0 {
			spoil(c, r)
		}
	}
	return f
}
