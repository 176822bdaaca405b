package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPhasesOfARun(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(3 * time.Millisecond)
		right(w, r)
	}))
	t.Cleanup(server.Close)
	trust := x509.NewCertPool()
	trust.AddCert(server.Certificate())
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{Rate: per(100), Duration: 300 * time.Millisecond, Workers: 1, Trace: true})
	e.Target.TLS = &tls.Config{RootCAs: trust}
	report, err := e.run(context.Background())
	require.NoError(t, err)
	phases := report.Total.Phases
	require.NotNil(t, phases)
	assert.EqualValues(t, 30, phases.Wait.Count)
	assert.GreaterOrEqual(t, phases.Wait.P50, int64(3*time.Millisecond))
	assert.GreaterOrEqual(t, phases.ReuseRatio, 29.0/30, "one request after the other needs one connection")
	if phases.NewConnections > 0 {
		assert.Equal(t, phases.NewConnections, phases.TLS.Count)
	}
	assert.LessOrEqual(t, phases.Wait.Mean+phases.Read.Mean, report.Total.Service.Mean*101/100)
}
