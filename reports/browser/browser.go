// Package browser finds what tests need to open a page in a real browser. It is for tests only; the scripts that look
// at the pages stand beside it, and make browser installs their modules.
//
// Tools is all of it: it names node and Chromium, or skips the test and says what is missing, so that a machine without
// a browser tests the rest. A script is run with them and prints what it found as JSON. Tests may call it at the same
// time.
package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tools finds node, a Chromium and modules of npm, or skips the test with the word that is missing. Folder is this one,
// as it is seen from the test.
func Tools(t testing.TB, folder string, modules ...string) (node, chromium string) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: -short leaves the browser out")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: no node on this machine")
	}
	// The first is Chromium without windows of its own: it draws our styles alike, at less than half of the cost.
	names := []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	for _, name := range names {
		if chromium, err = exec.LookPath(name); err == nil {
			break
		}
	}
	if chromium == "" {
		t.Skip("skipped: no chromium on this machine")
	}
	for _, module := range modules {
		if _, err := os.Stat(filepath.Join(folder, "node_modules", filepath.FromSlash(module))); err != nil {
			t.Skipf("skipped: reports/browser has no module %s; run npm ci there", module)
		}
	}
	return node, chromium
}
