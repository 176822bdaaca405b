package site

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"agstest/reports/browser"
)

// TestInABrowser opens the site in Chromium, from a disk and under Jenkins' policy: light, dark, on a phone and on
// paper, with no violation of accessibility, no request but for its own style sheet, and a search that finds.
// (reports/browser; make browser installs what it needs.)
func TestInABrowser(t *testing.T) {
	node, chromium := browser.Tools(t, filepath.Join("..", "browser"), "playwright-core", "axe-core")
	to := filepath.Join(t.TempDir(), "public")
	_, err := Build(sample(t), to, Options{Reports: 1})
	require.NoError(t, err)
	pictures := os.Getenv("SITE_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	out, err := exec.Command(node, filepath.Join("..", "browser", "site.mjs"), to, chromium, pictures).CombinedOutput()
	require.NoError(t, err, string(out))
}
