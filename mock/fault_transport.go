package mock

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/ags"
)

// transportFaults stand around the service. They name the call whose success they spoil.
func transportFaults() []Fault {
	around := func(name, requirement, summary, path string,
		spoil func(w http.ResponseWriter, r *http.Request, next http.Handler)) Fault {
		return Fault{Name: name, Requirement: requirement, Summary: summary, transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, path) {
					spoil(w, r, next)
					return
				}
				next.ServeHTTP(w, r)
			})
		}}
	}
	const sost = "/ags/signOnWithSessionToken"
	busy := func(status int) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(status)
		}
	}
	return []Fault{
		around("transport-cut", "SOST-01", "answers end in the middle of the body", sost,
			func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				a := record(next, r)
				a.copyHeader(w)
				w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
				w.WriteHeader(a.status)
				_, _ = w.Write(a.body[:len(a.body)/2])
				abort(w)
			}),
		around("transport-closed", "REF-01", "the connection is closed instead of an answer", "/ags/refresh",
			func(_ http.ResponseWriter, _ *http.Request, _ http.Handler) {
				panic(http.ErrAbortHandler)
			}),
		around("transport-length-short", "SOST-03", "Content-Length is ten bytes too small", sost,
			func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				a := record(next, r)
				a.copyHeader(w)
				short := max(0, len(a.body)-10)
				w.Header().Set("Content-Length", strconv.Itoa(short))
				w.WriteHeader(a.status)
				_, _ = w.Write(a.body[:short])
			}),
		around("transport-trickle", "SUB-01", "the answer comes one byte in 50 ms", "/ags/subsequentSignOn",
			func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				a := record(next, r)
				a.copyHeader(w)
				w.WriteHeader(a.status)
				tick := time.NewTicker(50 * time.Millisecond)
				defer tick.Stop()
				for i := range a.body {
					select {
					case <-r.Context().Done():
						return
					case <-tick.C:
					}
					_, _ = w.Write(a.body[i : i+1])
					flush(w)
				}
			}),
		around("transport-silent", "REG-06", "the call is never answered", "/ags/subsequentRegister",
			func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
				<-r.Context().Done()
			}),
		around("transport-not-gzip", "SSO-01", "answers say that they are compressed and are not", "/ags/signOn",
			func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				a := record(next, r)
				a.copyHeader(w)
				if r.URL.Path == "/ags/signOn" {
					w.Header().Set("Content-Encoding", "gzip")
				}
				w.WriteHeader(a.status)
				_, _ = w.Write(a.body)
			}),
		around("transport-redirect", "GST-01", "the call is redirected to a login page", "/ags/getSessionToken",
			func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.Header().Set("Location", "/login")
				w.WriteHeader(http.StatusFound)
			}),
		around("transport-503-forever", "DISC-01", "discovery answers 503 with Retry-After for ever", "/ags/servicediscovery",
			busy(http.StatusServiceUnavailable)),
		around("transport-429-forever", "OUT-01", "signOut answers 429 with Retry-After for ever", "/ags/signOut",
			busy(http.StatusTooManyRequests)),
		around("transport-html-login", "GST-02", "a captive portal answers getSessionToken with its page",
			"/ags/getSessionToken", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = w.Write([]byte("<html><body>Welcome to the lounge</body></html>"))
			}),
		around("transport-chunks-cut", "DISC-04", "a chunked answer ends in the middle", "/ags/servicediscovery",
			func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				a := record(next, r)
				a.copyHeader(w)
				w.Header().Del("Content-Length")
				w.WriteHeader(a.status)
				_, _ = w.Write(a.body[:len(a.body)/2])
				abort(w)
			}),
	}
}

// rareFaults show only among many calls or between calls at the same time.
func rareFaults() []Fault {
	return []Fault{oneInMany(200), flaky(50), sameIDAtOnce(), crossedAtOnce()}
}

// oneInMany gives every n-th token answer to somebody else.
func oneInMany(n uint64) Fault {
	var count atomic.Uint64
	return Fault{Name: "rare-somebody-else", Requirement: "SOST-22", UnderLoad: true,
		Summary: "one sign-on in 200 gets the tokens of another client", operations: on(ags.SignOnWithSessionToken),
		reply: func(c *call, r *reply) {
			if r.pair == nil || count.Add(1)%n != 0 {
				return
			}
			g := *r.pair
			g.account, g.device = "1700", "OTH_1"
			*r = c.server.tokens(c, r.status, g)
		}}
}

// flaky fails one call in n.
func flaky(n uint64) Fault {
	var count atomic.Uint64
	return Fault{Name: "rare-500", Requirement: "ERR-08", UnderLoad: true, Summary: "one answer in 50 is a 500",
		transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if count.Add(1)%n == 0 {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				next.ServeHTTP(w, r)
			})
		}}
}

// atOnce knows the call before that is still, or was just now, under way.
type atOnce struct {
	mutex sync.Mutex
	busy  int
	other *reply
}

// window is how long a call waits for another to come across it.
const window = 20 * time.Millisecond

// meet gives a call the success of another that is under way at the same time.
func (a *atOnce) meet(r *reply) *reply {
	a.mutex.Lock()
	a.busy++
	met := a.other
	if met == nil {
		a.other = r
	}
	a.mutex.Unlock()
	if met == nil {
		time.Sleep(window)
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.busy--; a.busy == 0 || met == nil {
		a.other = nil
	}
	return met
}

// sameIDAtOnce gives first-time sign-ons at the same time the same device.
func sameIDAtOnce() Fault {
	var calls atOnce
	return Fault{Name: "race-same-client-id", Requirement: "SOST-33", UnderLoad: true,
		Summary: "first-time sign-ons at the same time get the same client_id", operations: on(ags.SignOnWithSessionToken),
		reply: func(c *call, r *reply) {
			if r.pair == nil || !c.firstTime() {
				return
			}
			own := *r
			if other := calls.meet(&own); other != nil {
				g := *r.pair
				g.device = other.pair.device
				*r = c.server.tokens(c, r.status, g)
			}
		}}
}

// crossedAtOnce gives refreshes at the same time one another's tokens.
func crossedAtOnce() Fault {
	var calls atOnce
	return Fault{Name: "race-crossed-refreshes", Requirement: "REF-12", UnderLoad: true,
		Summary: "refreshes at the same time get one another's tokens", operations: on(ags.Refresh),
		reply: func(_ *call, r *reply) {
			if r.pair == nil {
				return
			}
			own := *r
			if other := calls.meet(&own); other != nil {
				r.body = other.body
			}
		}}
}

// recorded is an answer that was caught before it went out.
type recorded struct {
	status int
	header http.Header
	body   []byte
}

// Header, WriteHeader and Write make it an http.ResponseWriter.
func (a *recorded) Header() http.Header { return a.header }

func (a *recorded) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK { // informational answers pass by
		a.status = status
	}
}

func (a *recorded) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}

func record(next http.Handler, r *http.Request) *recorded {
	a := &recorded{header: http.Header{}}
	next.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return a
}

func (a *recorded) copyHeader(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// abort ends the connection without ending the answer.
func abort(w http.ResponseWriter) {
	flush(w)
	panic(http.ErrAbortHandler)
}
