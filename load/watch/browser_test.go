package watch

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/browser"
)

// TestInABrowser opens the page in Chromium while a run goes on and when it is over: light, dark, on a phone and
// without a script, with no violation of accessibility, no request that leaves it, a token that is refused and one that
// stops the run.
func TestInABrowser(t *testing.T) {
	folder := filepath.Join("..", "..", "reports", "browser")
	node, chromium := browser.Tools(t, folder, "playwright-core", "axe-core")
	stopped := make(chan struct{})
	page, server, address := serve(t, Options{Kind: "Load", Title: "Load on staging", Facts: []reports.Fact{{Name: "Service", Value: "https://ags.example", Code: true}},
		Token: "the-token-of-this-run", Again: time.Second, Stop: func() { close(stopped) }})
	over := make(chan struct{})
	go func() {
		defer close(over)
		ticker := time.NewTicker(500 * time.Millisecond) // the page has something to follow
		defer ticker.Stop()
		for second := 1; ; second++ {
			page.Tell(sample(second))
			select {
			case <-ticker.C:
			case <-stopped:
				page.Over(Verdict{Verdict: reports.Fail, Reason: "not kept: errors<0.1%", Report: "out/run/load.html", Limits: sample(1).Sides[0].At.Limits})
				server.Close()
				return
			}
		}
	}()
	pictures := os.Getenv("WATCH_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	out, err := exec.Command(node, filepath.Join(folder, "watch.mjs"), address+"/#stop=the-token-of-this-run", chromium, pictures).CombinedOutput()
	if err != nil {
		select {
		case <-stopped:
		default:
			close(stopped)
		}
	}
	<-over
	require.NoError(t, err, string(out))
}
