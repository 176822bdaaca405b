package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAFormThatIsWrittenAnywayMayBeAskedFor: in GitLab Code Quality is written by itself; --reports names it too.
func TestAFormThatIsWrittenAnywayMayBeAskedFor(t *testing.T) {
	t.Parallel()
	for i, variables := range []map[string]string{nil, {"GITLAB_CI": "true"}} {
		folder := filepath.Join(t.TempDir(), "out")
		args := []string{"conform", "--only", "DISC-01", "--generate", "0", "--sequences", "0", "--reports", "codequality,codequality", "--out", folder}
		code, stdout, stderr := call(t, variables, args...)
		assert.Equal(t, exitPass, code, "%d: %s%s", i, stdout, stderr)
		text, err := os.ReadFile(filepath.Join(folder, "codequality.json"))
		require.NoError(t, err)
		assert.True(t, json.Valid(text), string(text))
	}
}
