package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/ports"
	"agstest/mock"
)

// echoing answers every call but discovery with a redirect to another host, whose address holds what the call was sent
// with.
func echoing(next http.Handler, elsewhere string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		query := url.Values{"token": {token}, "user": {r.Header.Get("User-Token")}, "body": {string(body)}, "packed": {base64.RawURLEncoding.EncodeToString([]byte(token))}}
		w.Header().Set("Location", elsewhere+"/"+url.PathEscape(token)+"?"+query.Encode()+"#"+url.QueryEscape(token))
		w.Header().Set("Refresh", "0; url="+elsewhere+"/?"+query.Encode())
		w.WriteHeader(http.StatusTemporaryRedirect)
		fmt.Fprintf(w, `<a href="%s/?%s">moved</a> %s`, elsewhere, query.Encode(), body)
	})
}

// TestNoSecretLeavesThroughRedirects: a redirect is an answer like any other. Nobody follows it, and what it echoes is
// not written.
func TestNoSecretLeavesThroughRedirects(t *testing.T) {
	t.Parallel()
	var followed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer elsewhere.Close()
	m, err := newMock(mock.Config{}, nil, nil)
	require.NoError(t, err)
	heard := &overheard{secrets: map[string]string{}}
	service := httptest.NewServer(heard.listen(echoing(m, elsewhere.URL)))
	defer service.Close()
	text := m.Environment(service.URL, "", "")
	e := writeEnvironment(t, text)
	for _, secret := range append(m.Secrets(), e.environment.Secrets()...) {
		heard.add("secret of the environment", secret)
	}
	texts := e.everythingOf(t, heard.secrets,
		[]string{"conform", "--generate", "1", "--sequences", "1", "--tags", "@sign-on-with-session-token or @refresh", "--annotations", "github"},
		[]string{"load", "--workload", "refresh", "--rate", "20/s", "--duration", "1s", "--raw", "--trace"},
		[]string{"load", "--workload", "signon-first", "--rate", "20/s", "--duration", "1s", "--yes-load", "mock", "--json"},
	)
	assert.Contains(t, texts["out-0/conformance.html"], "307", "the redirects are shown")
	assert.Zero(t, followed.Load(), "redirects were followed")
}

// TestNoSecretLeavesThroughProxies: the password of a proxy is in no error text, whatever is wrong with the proxy.
func TestNoSecretLeavesThroughProxies(t *testing.T) {
	t.Parallel()
	const user, password = "proxy-user-of-the-tests", "p4ssw0rd/of the+proxy%"
	refused := ports.Closed(t)
	var asked atomic.Int64
	denying := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		given := r.Header.Get("Proxy-Authorization")
		w.Header().Set("Proxy-Authenticate", `Basic realm="`+given+" "+password+`"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		fmt.Fprintf(w, "%s may not pass: %s %s", given, password, r.URL)
	}))
	defer denying.Close()
	cutting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }))
	defer cutting.Close()
	garbling, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer garbling.Close()
	go func() {
		for {
			conn, err := garbling.Accept()
			if err != nil {
				return
			}
			read := make([]byte, 4096)
			n, _ := conn.Read(read)
			_, _ = conn.Write([]byte("NOTHTTP " + password + " " + string(read[:n])))
			conn.Close()
		}
	}()

	for name, address := range map[string]string{
		"refused": refused, "denying": denying.Listener.Addr().String(), "cutting": cutting.Listener.Addr().String(), "garbling": garbling.Addr().String(),
	} {
		m, err := newMock(mock.Config{}, nil, nil)
		require.NoError(t, err)
		for _, secure := range []bool{false, true} {
			service, authority := httptest.NewUnstartedServer(m), ""
			if secure { // the proxy is asked with CONNECT
				service.StartTLS()
				authority = filepath.Join(t.TempDir(), "ca.pem")
				require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate().Raw}), 0o600))
			} else {
				service.Start()
			}
			defer service.Close()
			proxy := url.URL{Scheme: "http", User: url.UserPassword(user, password), Host: address}
			text := string(m.Environment(service.URL, "", authority))
			text = strings.Replace(text, "{headers: {X-Forwarded-For: 198.51.100.7}}", "{proxy: '"+proxy.String()+"'}", 1)
			require.Contains(t, text, "{proxy: '", "the mock's file has no situation vpn to be changed")
			e := writeEnvironment(t, []byte(text))
			encoded := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
			secrets := map[string]string{password: "the password of the proxy", encoded: "what the proxy is sent", proxy.User.String(): "the user part of the proxy's address"}
			texts := e.everythingOf(t, secrets, []string{"conform", "--generate", "0", "--sequences", "0", "--tags", "@ERR-01", "--annotations", "gitlab"}, []string{"env", "", "--json"})
			assert.Contains(t, texts["out-0/conformance.html"], "proxy", "%s, %v: what is wrong is told", name, secure)
		}
	}
	assert.Positive(t, asked.Load(), "no call went to the proxy, so nothing was shown")
}

// writtenEnvironment is an environment file and a folder for runs.
type writtenEnvironment struct {
	environment *environment.Environment
	file, dir   string
}

func writeEnvironment(t *testing.T, text []byte) writtenEnvironment {
	t.Helper()
	w := writtenEnvironment{file: filepath.Join(t.TempDir(), "mock.yaml"), dir: t.TempDir()}
	require.NoError(t, os.WriteFile(w.file, text, 0o600))
	var err error
	w.environment, err = environment.Parse(text, "mock.yaml", w.dir, os.LookupEnv)
	require.NoError(t, err)
	return w
}

// everythingOf runs commands, renders what they stored once more, and wants none of the secrets in anything that was
// written. Secrets may grow while the commands run. It gives all texts by the path below dir.
func (w writtenEnvironment) everythingOf(t *testing.T, secrets map[string]string, commands ...[]string) map[string]string {
	t.Helper()
	var streams strings.Builder
	for i, args := range commands {
		out := filepath.Join(w.dir, fmt.Sprintf("out-%d", i))
		if args[0] == "env" {
			args[1] = w.file
		} else {
			args = append(args, "--env", w.file, "--out", out)
		}
		code, stdout, stderr := call(t, nil, args...)
		assert.NotEqual(t, exitInternal, code, stderr)
		assert.NotEqual(t, exitUsage, code, stderr)
		streams.WriteString(stdout + stderr)
		if _, err := os.Stat(out); err == nil {
			code, stdout, stderr = call(t, nil, "report", out)
			assert.Equal(t, exitPass, code, stderr)
			streams.WriteString(stdout + stderr)
		}
	}
	texts := map[string]string{"the streams": streams.String()}
	require.NoError(t, filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(w.dir, path)
		texts[filepath.ToSlash(name)] = string(content)
		return err
	}))
	for _, hit := range search(texts, secrets) {
		t.Error(hit)
	}
	return texts
}
