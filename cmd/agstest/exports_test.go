package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

// TestTestKeysAreBounded: a file of test keys is held to the bounds of all files that people write. Without them one of
// a megabyte of brackets takes all memory.
func TestTestKeysAreBounded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"REF-01: AGS-1\n": "", strings.Repeat("[", 70) + strings.Repeat("]", 70): "is nested more than", "REF-01: &k AGS-1\nREF-02: *k\n": "line 1: anchors",
		"REF-01: AGS-1\n---\nREF-02: AGS-2\n": "line 2: a second YAML document",
	} {
		name := filepath.Join(t.TempDir(), "keys.yaml")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		_, err := readTestKeys(name)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		require.Equal(t, failure.Usage, failure.KindOf(err))
	}
}

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
