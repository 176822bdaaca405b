//go:build linux

package cluster

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// operatorSecret and operatorKey are what no object of a run but its Secret may hold.
const (
	operatorSecret = "cluster-test-operator-secret-0123456789abcdef"
	operatorKey    = "cluster-test-key"
)

// service is the service under test: agstest mock behind a server of ours, which answers over https, some time later.
type service struct {
	environment string       // file; its secrets are ${NAME}
	variables   []string     // that give them
	answered    atomic.Int64 // requests
}

// delays are how long answers are kept back, by turns: 20 to 119 ms, each as often as any other. Against them the noise
// of a busy machine is small, and two runs of the same number of requests have the same percentiles.
func delay(request int64) time.Duration { return time.Duration(20+request*37%100) * time.Millisecond }

// serve starts a service at the nodes' address, for one test. With a nil delay answers come at once.
func serve(t *testing.T, delay func(int64) time.Duration, faults ...string) *service {
	t.Helper()
	folder := t.TempDir()
	mock := exec.Command(lab.Parts.Agstest, "mock", "--listen", "127.0.0.1:0", "--environment", filepath.Join(folder, "mock.yaml"))
	for _, fault := range faults {
		mock.Args = append(mock.Args, "--fault", fault)
	}
	mock.Env = append(os.Environ(), "AGSTEST_MOCK_OPERATOR_SECRET="+operatorSecret, "AGSTEST_MOCK_OPERATOR_KID="+operatorKey)
	said, err := mock.StdoutPipe()
	require.NoError(t, err)
	mock.Stderr = mock.Stdout
	require.NoError(t, mock.Start())
	lines := bufio.NewScanner(said)
	var target *url.URL
	for target == nil && lines.Scan() {
		if at, found := strings.CutPrefix(lines.Text(), "listening on "); found {
			target, err = url.Parse(at)
			require.NoError(t, err)
		}
	}
	require.NotNil(t, target, "agstest mock did not say where it listens")
	drained := make(chan struct{})
	go func() {
		for lines.Scan() {
		}
		close(drained)
	}()
	t.Cleanup(func() {
		require.NoError(t, mock.Process.Signal(syscall.SIGTERM))
		<-drained
		require.NoError(t, mock.Wait())
	})

	s := &service{environment: filepath.Join(folder, "environment.yaml"), variables: []string{"OPERATOR_SECRET=" + operatorSecret, "OPERATOR_KEY=" + operatorKey}}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.Transport = &http.Transport{MaxIdleConnsPerHost: 200}
	listener, err := net.Listen("tcp", Address+":0")
	require.NoError(t, err)
	require.NoError(t, lab.authority.server("service", "service", Address))
	pair, err := tls.LoadX509KeyPair(filepath.Join(lab.authority.folder, "service.crt"), filepath.Join(lab.authority.folder, "service.key"))
	require.NoError(t, err)
	front := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := s.answered.Add(1)
			if delay != nil {
				time.Sleep(delay(n))
			}
			forward.ServeHTTP(w, r)
		}),
	}
	served := make(chan error, 1)
	go func() { served <- front.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		require.NoError(t, front.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})

	ca, err := os.ReadFile(filepath.Join(lab.authority.folder, "ca.crt"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "ca.pem"), ca, 0o644))
	require.NoError(t, os.WriteFile(s.environment, []byte(`name: lab
url: https://`+listener.Addr().String()+`
tenant: nagra
service: Operator SSO
tls: {ca: ca.pem}
operator:
  secret: "${OPERATOR_SECRET}"
  kid: "${OPERATOR_KEY}"
  account: "1663"
situations:
  active: {clientId: PUB_989, accountId: "1663"}
load:
  clients: {count: 1000, clientId: "LOAD_{n}", accountId: "L{n}"}
`), 0o600))
	return s
}

// staysSilent says that nobody sends anything for a time.
func (s *service) staysSilent(t *testing.T, long time.Duration) {
	t.Helper()
	after := s.answered.Load()
	require.Never(t, func() bool { return s.answered.Load() > after }, long, 100*time.Millisecond, "a shard sends")
}
