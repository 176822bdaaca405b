package wire

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/internal/ports"
)

// TestReachHeadEnd: what answers at the address of the section operator may be no AGS, which is told before anything is
// judged. Whatever an AGS may answer there is left to the judge.
func TestReachHeadEnd(t *testing.T) {
	page := reply{status: 200, contentType: "text/html", body: "<html><title>Lounge</title>"}
	refusal := reply{status: 400, contentType: "application/json", body: `{"code":400}`}
	login := reply{status: 302, location: "https://login.example.com/x?token=s3cret"}
	at := func(answer reply) string {
		return served(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "POST /ags/getSessionToken", r.Method+" "+r.URL.Path)
			answer.write(w)
		})
	}
	top := authorityNamed(t, "Top", nil)
	overTLS := secure(t, &tls.Config{Certificates: []tls.Certificate{forHere(t, top).pair()}})
	onlyTwo := httptest.NewUnstartedServer(http.NotFoundHandler())
	onlyTwo.Config.ErrorLog = discardLog()
	onlyTwo.TLS = &tls.Config{NextProtos: []string{"h2"}, Certificates: []tls.Certificate{forHere(t, top).pair()}}
	onlyTwo.EnableHTTP2 = true
	onlyTwo.StartTLS()
	defer onlyTwo.Close()
	closed := ports.Closed(t)
	trusting, other := &tls.Config{RootCAs: top.pool()}, &tls.Config{RootCAs: authorityNamed(t, "Other", nil).pool()}
	for name, c := range map[string]struct {
		address   string
		tls       *tls.Config
		want, key string
	}{
		"refusal":      {at(refusal), nil, "", ""},
		"not found":    {at(reply{status: 404, contentType: "text/html", body: "<html>"}), nil, "", ""},
		"down":         {at(reply{status: 502}), nil, "", ""},
		"broken":       {at(reply{status: 500}), nil, "", ""},
		"over TLS":     {overTLS, trusting, "", ""},
		"HTTP/2 alone": {onlyTwo.URL, trusting, "", ""},

		"dead": {"http://" + closed, nil, "got no answer: the connection to " + closed +
			" was refused: nothing listens there", "operator.url"},
		"portal": {at(page), nil, "was answered with an HTML page (status 200) with the page “Lounge” instead of " +
			"JSON; check that operator.url is an AGS and no portal or proxy stands before it", "operator.url"},
		"redirect": {at(login), nil, "was redirected with status 302 to https://login.example.com; redirects are " +
			"not followed: write the final address into operator.url", "operator.url"},
		"TLS is wanted": {"http" + strings.TrimPrefix(overTLS, "https"), nil, "was refused because the service " +
			"speaks TLS on this port; write https:// in operator.url", "operator.url"},
		"not trusted": {overTLS, other, "signed by an authority that is not trusted here (“Top”); give its " +
			"certificate as operator.tls.ca;", "operator.tls.ca"},
	} {
		t.Run(name, func(t *testing.T) {
			noWait := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
			err := newClient(t, Target{URL: c.address, TLS: c.tls, Sleep: noWait}).ReachHeadEnd(t.Context())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Contains(t, err.Error(), "POST "+c.address+"/ags/getSessionToken ")
			assert.Contains(t, err.Error(), c.want)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
			assert.Equal(t, c.key, KeyOf(err))
		})
	}
}
