package plainwords

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFind: each kind of odd sentence is found, and what looks like one is left in peace.
func TestFind(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"The hits differs from the plan", "it is not known whether 1 requirement hold", "the token was issued 2562047h47m16.85s away from it", "exp is 1.794109928166e+12", "1 requirements failed",
		"3 requirement failed", "it took 1m3.204s", "it took 1.00023s", "a share of NaN", "came %!d(string=x)", "(1 scenarios)",
	} {
		assert.NotEmpty(t, Find(text), text)
	}
	for _, text := range []string{
		"1 requirement holds", "2 requirements hold", "TLS 1.1 requests", "0.1 seconds", "1 pass, 2 fail", "p99 of 3.20 ms", "at 2026-11-29", "agstest-1 requests", "REF-01 limits", "12m30s", "id 3e+05x",
	} {
		assert.Empty(t, Find(text), text)
	}
}

// TestPagesAreInPlainWords: the pages of this repository, the help of every command and the samples of reports.
func TestPagesAreInPlainWords(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, pattern := range []string{"../../README.md", "../../CHANGELOG.md", "../../docs/*.md", "../../docs/*/*.md", "../../cmd/agstest/testdata/help/*.txt", "../../reports/testdata/*.txt", "../../reports/testdata/*.md", "../../features/*.feature"} {
		files, err := filepath.Glob(filepath.FromSlash(pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Empty(t, Find(string(text)), file)
			seen++
		}
	}
	assert.Greater(t, seen, 60)
}
