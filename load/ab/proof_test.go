//go:build linux

package ab

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agstest/internal/figures"
	"agstest/load/clients"
	"agstest/mock"
	"agstest/reports"
	"agstest/reports/compare"
)

// TestABProof shows on real traffic what the simulations of package reports show on numbers: two mocks answer refreshes
// after a random delay around 10 ms; where the new one's delay is 5 % longer the comparison must find it every time,
// and where both are alike it must stay silent every time. It takes about 25 minutes and needs a quiet machine, so it
// runs only where AB_PROOF says how many times each:
//
//	AB_PROOF=10 go test ./load/ab -run TestABProof -v -timeout 2h
func TestABProof(t *testing.T) {
	times, err := strconv.Atoi(os.Getenv("AB_PROOF"))
	if err != nil || times < 1 {
		t.Skip("set AB_PROOF to the number of comparisons of each kind, such as 10")
	}
	// The service's own variation: log-normal, σ 0.2, and one answer in fifty four times as slow. The delays are kept
	// by timers of the kernel: those of the runtime have steps of a millisecond, which would hide half a one.
	pause := func(d time.Duration) {
		wait := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&wait, nil) // this is the service's answer time, not a wait of the test
	}
	delayed := func(seed uint64, factor float64) func(http.Handler) http.Handler {
		var mu sync.Mutex // guards random
		random := rand.New(rand.NewPCG(seed, 0))
		return func(inner http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				delay := 10e6 * math.Exp(0.2*random.NormFloat64())
				if random.IntN(50) == 0 {
					delay *= 4
				}
				mu.Unlock()
				pause(time.Duration(delay * factor))
				inner.ServeHTTP(w, r)
			})
		}
	}
	once := func(seed uint64, factor float64) *compare.Comparison {
		old := newServer(t, mock.Config{}, delayed(2*seed, 1))
		new := newServer(t, mock.Config{}, delayed(2*seed+1, factor))
		defer old.Server.Close()
		defer new.Server.Close()
		c, err := Run(context.Background(), Options{
			Old: old.Environment, New: new.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh}, Rate: per(300), Pairs: 20, Block: time.Second, Seed: seed,
			Placement: compare.SamePlacement, Confirm: true,
		})
		require.NoError(t, err)
		return c
	}
	words := func(c *compare.Comparison) string {
		text := fmt.Sprintf("%s in %s:", c.Verdict, c.Run.End.Sub(c.Run.Start).Round(time.Second))
		for _, m := range c.Interleaved.Metrics {
			if m.Metric == "p50" || m.Metric == "p95" {
				text += fmt.Sprintf(" %s %s (%s to %s)", m.Metric, figures.Change(m.Change), figures.Change(m.Low), figures.Change(m.High))
			}
		}
		if c.Verdict == reports.NotComparable || c.Verdict == reports.Inconclusive {
			text += " " + c.Reason
		}
		return text
	}
	// Where something else kept this machine busy the comparison says that it cannot compare, which is no verdict; then
	// it is repeated.
	compare := func(seed uint64, factor float64) *compare.Comparison {
		c := once(seed, factor)
		for try := uint64(1); try <= 3 && c.Verdict == reports.NotComparable; try++ {
			t.Log(words(c))
			c = once(seed+10000*try, factor)
		}
		return c
	}
	found, alarms := 0, 0
	for n := range times {
		slower := compare(uint64(1000+n), 1.05)
		t.Logf("+5 %%, run %d: %s", n+1, words(slower))
		if slower.Verdict == reports.Regressed {
			found++
		}
		same := compare(uint64(2000+n), 1)
		t.Logf("alike, run %d: %s", n+1, words(same))
		if same.Verdict == reports.Regressed || same.Verdict == reports.Improved {
			alarms++
		}
	}
	t.Logf("+5 %% found in %d of %d, false alarms in %d of %d", found, times, alarms, times)
	require.Equal(t, times, found, "comparisons that found the slower service")
	require.Zero(t, alarms, "comparisons that told equal services apart")
}
