package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/hostile"
	"agstest/internal/redact"
)

// whole is what comes where nothing is the matter with an answer, as far as this package goes: what is in it others
// judge.
type whole struct {
	status    int    // -1: any
	why       string // of Explain; several with | between them
	body      string // "-": any
	truncated bool
}

const (
	late        = "no whole answer within 250ms"
	noAnswer    = "what came back is not a valid HTTP/1.1 answer"
	longHeaders = "the headers of the answer are longer than 256 kB"
)

// hostileAnswers are the behaviours that this package has a word for, and some that it must have none for.
var hostileAnswers = map[string]whole{
	"never answers":                          {0, late, "", false},
	"hangs after the headers":                {200, late, "{", false},
	"hangs in a chunk":                       {200, late, "{", false},
	"one byte of the body a second":          {200, late, "-", false},
	"one byte of the headers a second":       {0, late, "", false},
	"answers that it goes on, and hangs":     {0, late, "", false},
	"closes at once":                         {0, "the service closed the connection without a whole answer", "", false},
	"resets at once":                         {0, "the service reset the connection|the service closed the connection without a whole answer", "", false},
	"resets in the headers":                  {0, noAnswer, "", false},
	"resets in the body":                     {-1, "the service reset the connection", "-", false},
	"cut in the headers":                     {0, noAnswer, "", false},
	"cut in the body":                        {200, "the answer was cut after 5 of 100 bytes", "{\"a\":", false},
	"cut in a chunk":                         {200, "the answer was cut after 3 bytes", "{\"a", false},
	"no last chunk":                          {200, "the answer was cut after 2 bytes", "{}", false},
	"a length above what comes":              {200, "the answer was cut after 2 of 3 bytes", "{}", false},
	"more behind the end":                    {200, "", "{}", false},
	"no length":                              {200, "", "{}", false},
	"two lengths":                            {0, noAnswer, "", false},
	"two lengths in one line":                {0, noAnswer, "", false},
	"a length that is no number":             {0, noAnswer, "", false},
	"a length below zero":                    {0, noAnswer, "", false},
	"a length with a sign":                   {0, noAnswer, "", false},
	"a length of 10^18":                      {200, "the answer was cut after 2 of 1000000000000000000 bytes", "{}", false},
	"a length of 10^30":                      {0, noAnswer, "", false},
	"a length and chunks":                    {200, "", "{}", false},
	"an unknown transfer coding":             {0, noAnswer, "", false},
	"chunked twice":                          {0, noAnswer, "", false},
	"garbage for a chunk":                    {200, "the chunked body of the answer is malformed", "", false},
	"a chunk with a long size":               {200, "the chunked body of the answer is malformed", "", false},
	"a chunk of 2^63-1 bytes":                {200, "the answer was cut after 2 bytes", "{}", false},
	"a chunk with a size below zero":         {200, "the chunked body of the answer is malformed", "", false},
	"a chunk longer than its size":           {200, "the chunked body of the answer is malformed", "{", false},
	"chunks without an end":                  {200, "", "-", true},
	"gzip":                                   {200, "", "{}", false},
	"deflate":                                {200, "", "{}", false},
	"deflate without its frame":              {200, "the body is not what its Content-Encoding deflate says", "", false},
	"gzip bomb":                              {200, "", "-", true},
	"gzip of nothing, endless":               {200, "", "", true},
	"gzip that is none":                      {200, "the body is not what its Content-Encoding gzip says", "", false},
	"gzip, cut":                              {200, "the body is not what its Content-Encoding gzip says", "-", false},
	"gzip, spoilt":                           {200, "the body is not what its Content-Encoding gzip says", "{}", false},
	"gzip in gzip":                           {200, "the body has a Content-Encoding that was not asked for", "", false},
	"a coding that is unknown":               {200, "the body has a Content-Encoding that was not asked for", "", false},
	"100 MB":                                 {200, "", "-", true},
	"100 MB of right JSON":                   {200, "", "-", true},
	"100 MB in chunks":                       {200, "", "-", true},
	"a body without an end":                  {200, "", "-", true},
	"a member of 500 kB":                     {200, "", "-", true},
	"refuses before it has read the request": {413, "", "", false},
	"reads the request and nothing else":     {0, late, "", false},
	"a megabyte of header":                   {0, longHeaders, "", false},
	"thousands of headers":                   {0, longHeaders, "", false},
	"headers without an end":                 {0, longHeaders, "", false},
	"2,000 cookies":                          {200, "", "{}", false},
	"a header without a colon":               {0, noAnswer, "", false},
	"a header without a name":                {0, noAnswer, "", false},
	"a header with NUL":                      {0, noAnswer, "", false},
	"a header with control characters":       {0, noAnswer, "", false},
	"HTTP/0.9":                               {0, noAnswer, "", false},
	"HTTP/0.9, secret":                       {0, noAnswer, "", false},
	"HTTP/1.0":                               {200, "", "{}", false},
	"HTTP/1.0 without a length":              {200, "", "{}", false},
	"HTTP/2 frames":                          {0, noAnswer, "", false},
	"HTTP/2 in the status line":              {0, noAnswer, "", false},
	"HTTP/3.7 in the status line":            {0, noAnswer, "", false},
	"http in small letters":                  {0, noAnswer, "", false},
	"another protocol":                       {0, noAnswer, "", false},
	"a blank line first":                     {0, noAnswer, "", false},
	"an upgrade nobody asked for":            {101, "the service switched to another protocol, which nobody asked for", "", false},
	"interim answers":                        {200, "", "{}", false},
	"interim answers without an end":         {0, longHeaders, "", false},
	"an interim answer and the end":          {0, "the service closed the connection without a whole answer", "", false},
	"no reason phrase":                       {200, "", "{}", false},
	"a status of two digits":                 {0, noAnswer, "", false},
	"a status of four digits":                {0, noAnswer, "", false},
	"a status of five digits":                {0, noAnswer, "", false},
	"a status in words":                      {0, noAnswer, "", false},
	"a status below zero":                    {0, noAnswer, "", false},
	"status 000":                             {0, noAnswer, "", false},
	"status 999":                             {999, "", "{}", false},
	"204 with a body":                        {204, "", "", false},
	"100,000 levels of objects":              {200, "", "-", true},
	"400,000 arrays that are not closed":     {200, "", "-", true},
	"200,000 members":                        {200, "", "-", true},
	"an answer inside an answer":             {200, "", "{}", false},
}

// Whatever a service does, an exchange comes back soon, takes little memory, and says why in one clause.
func TestDoOutlivesHostileServices(t *testing.T) {
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	})
	met := 0
	for _, b := range hostile.Behaviours() {
		if !b.Plain() {
			continue
		}
		if _, special := hostileAnswers[b.Name]; special {
			met++
		}
		t.Run(b.Name, func(t *testing.T) {
			server, err := hostile.Start(b, service, nil)
			require.NoError(t, err)
			defer server.Close()
			timeout := 20 * time.Second
			if b.Endless {
				t.Parallel()
				timeout = 250 * time.Millisecond // for services that would take for ever
			}
			client := newClient(t, Target{URL: server.URL, Timeout: timeout, MaxBody: 64 << 10, Sleep: func(context.Context, time.Duration) error { return nil }})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			x := client.Do(t.Context(), Call{Method: "POST", Path: "/ags/signOn", Body: []byte("{}")})
			assert.Less(t, time.Since(started), 10*time.Second)
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(48<<20), "with what the service takes to answer")
			want, special := hostileAnswers[b.Name]
			if !special {
				want = whole{x.Status, "", "-", false}
				assert.GreaterOrEqual(t, x.Status, 200)
			}
			if want.status >= 0 {
				assert.Equal(t, want.status, x.Status)
			}
			assert.Contains(t, strings.Split(want.why, "|"), Explain(x.Err), "%#v", x.Err)
			if want.body != "-" {
				assert.Equal(t, want.body, string(x.Body))
			}
			assert.LessOrEqual(t, len(x.Body), 64<<10)
			assert.Equal(t, want.truncated, x.Truncated)
			assert.NotContains(t, x.Record(&redact.Redactor{}).Error, "s3cret")
		})
	}
	assert.Equal(t, len(hostileAnswers), met, "a behaviour is gone")
}

func certificate(t testing.TB, host string, from, to time.Time) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses, template.DNSNames = []net.IP{ip}, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestDoSaysWhatIsWrongWithTLS(t *testing.T) {
	year := 365 * 24 * time.Hour
	now := time.Now()
	for name, c := range map[string]struct {
		certificate tls.Certificate
		trusted     bool
		server      func(*tls.Config)
		want        string
	}{
		"fine":        {certificate(t, "127.0.0.1", now.Add(-year), now.Add(year)), true, nil, ""},
		"not trusted": {certificate(t, "127.0.0.1", now.Add(-year), now.Add(year)), false, nil, "the certificate of the service is signed by an authority that is not trusted here; give its certificate as tls.ca"},
		"wrong name": {certificate(t, "api.example.com", now.Add(-year), now.Add(year)), true, nil,
			"the certificate of the service is not for the host 127.0.0.1, but for api.example.com; check the host " +
				"in url, or give the name that it is for as sni"},
		"expired": {certificate(t, "127.0.0.1", time.Date(2001, 2, 3, 0, 0, 0, 0, time.UTC), time.Date(2002, 2, 3, 0, 0, 0, 0, time.UTC)), true, nil,
			"the certificate of the service is valid from 2001-02-03 00:00 UTC to 2002-02-03 00:00 UTC and not now; " +
				"renew it, or check the clock of this machine"},
		"client certificate wanted": {certificate(t, "127.0.0.1", now.Add(-year), now.Add(year)), true, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert },
			"the service wants a client certificate, or refuses ours; give one as tls.cert and tls.key"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") }))
			server.Config.ErrorLog = nil
			server.TLS = &tls.Config{Certificates: []tls.Certificate{c.certificate}}
			if c.server != nil {
				c.server(server.TLS)
			}
			listener := tls.NewListener(server.Listener, server.TLS)
			server.Listener = listener
			server.Config.ErrorLog = discardLog()
			server.Start()
			defer server.Close()
			pool := x509.NewCertPool()
			if c.trusted {
				pool.AddCert(c.certificate.Leaf)
			}
			client := newClient(t, Target{URL: "https" + strings.TrimPrefix(server.URL, "http"), TLS: &tls.Config{RootCAs: pool}})
			x := client.Do(t.Context(), Call{Method: "GET", Path: "/"})
			assert.Equal(t, c.want, Explain(x.Err), "%#v", x.Err)
			if c.want == "" {
				assert.Equal(t, 200, x.Status)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: os.NewSyscallError("connect", err)}
	}
	toProxy := func(err error) error { return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err} }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nothing":         {nil, ""},
		"no such host":    {&net.DNSError{Err: "no such host", Name: "api.example.invalid", IsNotFound: true}, "there is no host api.example.invalid; check the host in url"},
		"resolver down":   {&net.DNSError{Err: "server misbehaving", Name: "api.example.com", IsTemporary: true}, "the name of the host api.example.com cannot be resolved at the moment"},
		"refused":         {dial(syscall.ECONNREFUSED), "the connection to 192.0.2.1:443 was refused: nothing listens there"},
		"no route":        {dial(syscall.EHOSTUNREACH), "there is no route to 192.0.2.1:443"},
		"dial timed out":  {dial(syscall.ETIMEDOUT), "the connection to 192.0.2.1:443 was not accepted in time"},
		"descriptors":     {dial(syscall.EMFILE), "this machine is out of file descriptors; raise the limit (ulimit -n)"},
		"ports":           {dial(syscall.EADDRNOTAVAIL), "this machine is out of local ports"},
		"reset":           {fmt.Errorf("read: %w", syscall.ECONNRESET), "the service reset the connection"},
		"proxy":           {&net.OpError{Op: "proxyconnect", Net: "tcp", Err: dial(syscall.ECONNREFUSED)}, "the proxy cannot be used: the connection to 192.0.2.1:443 was refused: nothing listens there"},
		"handshake":       {&net.OpError{Op: "remote error", Err: errors.New("tls: no application protocol")}, "the service refuses HTTP/1.1 over TLS (no application protocol); it may speak HTTP/2 only"},
		"interrupted":     {context.Canceled, "the run was interrupted"},
		"deadline":        {context.DeadlineExceeded, "no whole answer in time"},
		"own time-out":    {fmt.Errorf("get: %w", timeoutError{after: 30 * time.Second}), "no whole answer within 30s"},
		"unknown":         {errors.New(`odd "s3cret \" value" thing`), `odd "…" thing`},
		"unknown and cut": {errors.New(strings.Repeat("ä", 300)), strings.Repeat("ä", 100) + "…"},

		"no proxy": {toProxy(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host",
			Name: "proxy.example.invalid", IsNotFound: true}}),
			"the proxy cannot be used: there is no host proxy.example.invalid; check the host in proxy"},
		"proxy's name": {toProxy(x509.HostnameError{Host: "proxy.example", Certificate: &x509.Certificate{
			DNSNames: strings.Fields("a.example b.example c.example d.example e.example")}}),
			"the proxy cannot be used: the certificate of the proxy is not for the host proxy.example, but for " +
				"a.example, b.example, c.example, 2 more; check the host in proxy"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, Explain(c.err)) })
	}
}

func TestDoIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := rawServer(t, func(conn net.Conn, _ []byte) { cancel(); io.Copy(io.Discard, conn) })
	x := newClient(t, Target{URL: address}).Do(ctx, Call{Method: "GET", Path: "/"})
	assert.Equal(t, "the run was interrupted", Explain(x.Err))
	assert.Less(t, x.Duration(), 5*time.Second)
}

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
