package peers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// violations counts what Prism says of the traffic that it forwards, in the header sl-violations of its answers.
type violations struct {
	mutex     sync.Mutex // guards what follows
	answers   int
	responses map[string]int // what is wrong with answers
	requests  map[string]int // what is wrong with requests that succeeded
}

func (v *violations) take(answer *http.Response) error {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	path := answer.Request.URL.Path
	if !strings.HasPrefix(path, "/ags/") {
		return nil // services beside this one, which the document does not describe
	}
	v.answers++
	text := answer.Header.Get("sl-violations")
	answer.Header.Del("sl-violations")
	if text == "" {
		return nil
	}
	place := fmt.Sprintf("%s %d ", path, answer.StatusCode)
	var all []struct {
		Location []string `json:"location"`
		Message  string   `json:"message"`
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) == 0 {
		v.responses[place+text]++ // cut off, with the word "Too many violations!" before it
		return nil
	}
	for _, one := range all {
		said := place + strings.Join(one.Location, ".") + ": " + one.Message
		switch {
		case one.Location[0] != "request":
			v.responses[said]++
		case answer.StatusCode < 300:
			v.requests[said]++ // bad requests are sent on purpose, but are no part of success
		}
	}
	return nil
}

// reset gives what was counted so far and begins anew.
func (v *violations) reset() (answers int, responses, requests map[string]int) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	answers, responses, requests = v.answers, v.responses, v.requests
	v.answers, v.responses, v.requests = 0, map[string]int{}, map[string]int{}
	return answers, responses, requests
}

// manners are conforming choices of the form of answers, several at a time. The document must allow their changes.
// Prism works at each for half a minute: without AGSTEST_PEERS_WIDE=1, which "make peers" sets, it is tried with the
// first two.
var manners = []string{
	"",
	"extra-members no-client-id-on-refresh no-display-attributes errors-html register-gives-tokens sign-out-gives-object charset-quoted token-type-capital user-token-at-top constant-fixed-lifetime",
	"errors-empty pretty register-gives-object unknown-client-403 unknown-session-404 content-type-415 absolute-paths member-order unknown-tenant-403 sign-out-refusals-400 extra-headers",
	"errors-problem escaped second-sign-out-404 missing-service-401 deleted-device-404 throttled-now-and-then chunked raw-authorization",
}

// TestProxyOfOthers lets the whole suite pass through Prism, which validates every answer of our mock against our
// document: the run is green, and no answer violates the document, whatever conforming choices the mock has.
func TestProxyOfOthers(t *testing.T) {
	wide(t)
	server, api, e := service(t)
	behind, err := url.Parse(prism(t, "proxy", document(t), api.URL))
	require.NoError(t, err)
	seen := &violations{}
	seen.reset()
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ModifyResponse = seen.take
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	e.URL = front.URL

	tried := manners
	if os.Getenv("AGSTEST_PEERS_WIDE") != "1" {
		tried = manners[:2]
	}
	for _, names := range tried {
		t.Run("choices "+names, func(t *testing.T) {
			require.NoError(t, server.Use(strings.Fields(names), nil))
			e := *e
			if strings.Contains(names, "raw-authorization") {
				e.Authorization = "raw"
			}
			report := run(t, steps.Options{Environment: &e, Sleep: dozes})
			answers, responses, requests := seen.reset()
			assert.Equal(t, reports.Pass, report.Verdict, "%s; %s", report.Reason, failures(report))
			assert.Empty(t, responses, "answers that violate the document")
			assert.Greater(t, answers, 450, "answers that were validated")
			// One scenario leaves out parameters at a refresh and at a sign-out on purpose and takes success for an answer.
			for said := range requests {
				assert.Contains(t, []string{
					"/ags/refresh 200 request.body: Request body must have required property 'parameters'",
					"/ags/signOut 200 request.body: Request body must have required property 'parameters'",
				}, said, "a request that succeeded and violates the document")
			}
			t.Logf("%d answers validated in %s", answers, report.Run.End.Sub(report.Run.Start))
		})
	}

	// The proxy is no yes-man: what is wrong with an answer it finds on its own.
	for _, c := range []struct{ fault, only, want string }{
		{"discovery-services-null", "DISC-04", "/ags/servicediscovery 200 response.body.availableServices"},
		{"discovery-mandatory-text", "DISC-08", `"mandatory"],"severity":"Error"`},
		{"session-account-number", "SOST-04", "/ags/signOnWithSessionToken 201 response.body.accountId"},
		{"session-access-token-null", "SOST-03", "/ags/signOnWithSessionToken 201 response.body.access_token"},
		{"session-sign-on-200", "SOST-01", "/ags/signOnWithSessionToken 200 response: Unable to match the returned status code"},
		{"get-session-renamed", "GST-02", "/ags/getSessionToken 200 response.body: Response body must have required property 'sessionToken'"},
		{"sign-on-choice-object", "SSO-03", "/ags/signOn 300 response.body.accounts"},
		{"refresh-201", "REF-01", "/ags/refresh 201 response: Unable to match the returned status code"},
		{"token-expires-in-text", "TOK-22", "response.body.expires_in"},
		{"sign-out-204", "OUT-01", "/ags/signOut 204 response: Unable to match the returned status code"},
	} {
		t.Run("fault "+c.fault, func(t *testing.T) {
			require.NoError(t, server.Use(nil, []string{c.fault}))
			fault, found := mock.FaultByName(c.fault)
			require.True(t, found)
			require.Equal(t, c.only, fault.Requirement)
			report := run(t, steps.Options{Environment: e, Only: []string{c.only}, Sleep: dozes})
			assert.Equal(t, reports.Fail, verdicts(report)[c.only], "our own word")
			_, responses, _ := seen.reset()
			said := slices.Sorted(maps.Keys(responses))
			assert.Contains(t, strings.Join(said, "\n"), c.want, "Prism's word")
		})
	}
}
