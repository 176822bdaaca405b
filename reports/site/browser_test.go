package site

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInABrowser opens the site in Chromium, from a disk and under Jenkins' policy: light, dark, on a phone and on paper, with no violation
// of accessibility, no request but for its own style sheet, and a search that finds. (reports/browser; make browser installs what it needs.)
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short leaves the browser out")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: no node on this machine")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("skipped: no chromium on this machine")
	}
	for _, module := range []string{"playwright-core", "axe-core"} {
		if _, err := os.Stat(filepath.Join("..", "browser", "node_modules", module)); err != nil {
			t.Skipf("skipped: reports/browser has no module %s; run npm ci there", module)
		}
	}
	to := filepath.Join(t.TempDir(), "public")
	_, err = Build(sample(t), to, Options{Reports: 1})
	require.NoError(t, err)
	pictures := os.Getenv("SITE_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	out, err := exec.Command(node, filepath.Join("..", "browser", "site.mjs"), to, chromium, pictures).CombinedOutput()
	require.NoError(t, err, string(out))
}
