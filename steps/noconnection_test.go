package steps_test

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestARequestThatReachedNobodyIsNoFault: a node whose TLS is broken refuses connections, whatever is sent on them, so
// that ERR-08 could not be told of an odd request that met it. That a request which arrived and is never answered
// fails is shown by TestWhatIsAnsweredAtLastIsNoFault.
func TestARequestThatReachedNobodyIsNoFault(t *testing.T) {
	told := 0
	for good := int64(20); good < 40; good++ { // handshakes before the end: it comes under requests of all kinds
		server := mock.New(mock.Config{})
		var shaken atomic.Int64
		api := httptest.NewUnstartedServer(server)
		api.Config.ErrorLog = log.New(io.Discard, "", 0)
		api.Config.SetKeepAlivesEnabled(false)
		api.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			if shaken.Add(1) > good {
				return nil, errors.New("no certificate")
			}
			return nil, nil
		}}
		api.StartTLS()
		control := httptest.NewServer(server.Control())
		ca := filepath.Join(t.TempDir(), "ca.pem")
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
		require.NoError(t, os.WriteFile(ca, text, 0o600))
		e, err := environment.Parse(server.Environment(api.URL, control.URL, ca), "mock.yaml", ".",
			func(string) (string, bool) { return "", false })
		require.NoError(t, err)
		report := run(t, steps.Options{Environment: e, Tags: "@generated", Generate: 10, Seed: 11, Concurrency: 1,
			Sleep: quick.Sleep})
		q := requirement(t, report, "ERR-08")
		assert.Equal(t, reports.Error, q.Verdict, "after %d handshakes: %s", good, q.Reason)
		for _, s := range report.Scenarios {
			for _, step := range s.Steps {
				if strings.HasPrefix(step.Message, "an odd request never reached anybody: the service ended the TLS") {
					told++
				}
			}
		}
		api.Close()
		control.Close()
	}
	assert.Positive(t, told)
}
