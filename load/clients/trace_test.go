package clients

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/load/hit"
)

// W3C Trace Context section 3.2: version, trace id, parent id, flags; no id is all zeros, and none comes twice.
func TestTraceParents(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$`)
	for how, flags := range map[string]string{TraceSampled: "01", TraceUnsampled: "00"} {
		one, other := newTraceParents(how), newTraceParents(how)
		traces, parents := map[string]bool{}, map[string]bool{}
		for n := range uint64(2000) {
			for _, made := range []*traceParents{one, other} {
				parts := form.FindStringSubmatch(made.of(n))
				require.NotNil(t, parts, made.of(n))
				require.Equal(t, flags, parts[3])
				require.NotEqual(t, "00000000000000000000000000000000", parts[1])
				require.False(t, traces[parts[1]] || parents[parts[2]], "%v came twice", parts)
				traces[parts[1]], parents[parts[2]] = true, true
			}
		}
	}
	made := &traceParents{flags: "-00"}
	copy(made.lead[:], "00-0000000000000001")
	assert.Equal(t, "00-00000000000000010000000000000000-0000000000000001-00", made.of(0), "a parent id of zeros is none")
}

// No two requests of a run, of a replay of it and of its shards have the same x-correlation-id.
func TestCorrelationIdsAreOfOneRequestEach(t *testing.T) {
	t.Parallel()
	e := &environment.Environment{Tenant: "nagra"}
	seen := map[string]bool{}
	for range 2 {
		made := newRequests(e, "SSO", 7)
		for range 100 {
			var request hit.Request
			made.begin(&request, stepRefresh)
			require.Regexp(t, `^agstest-7-[0-9a-z]+-[0-9]+$`, request.CorrelationID)
			require.Contains(t, request.Header, hit.HeaderField{Name: "x-correlation-id", Value: request.CorrelationID})
			require.Empty(t, request.TraceParent)
			require.False(t, seen[request.CorrelationID])
			seen[request.CorrelationID] = true
		}
	}
	e.Headers = map[string]string{"X-Correlation-Id": "mine"}
	var request hit.Request
	newRequests(e, "SSO", 7).begin(&request, stepRefresh)
	assert.Equal(t, "mine", request.CorrelationID, "that of the environment file")
}
