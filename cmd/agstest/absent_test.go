package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// TestAbsentPartsAreSkippedByName: nothing is sent about them, and the run says why; without the key the same is
// checked.
func TestAbsentPartsAreSkippedByName(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0", control: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	text := running.environment()
	dir := t.TempDir()
	with, without := filepath.Join(dir, "with.yaml"), filepath.Join(dir, "without.yaml")
	require.NoError(t, os.WriteFile(with, text, 0o600))
	lines := regexp.MustCompile(`(?m)^  (registration|multi-registration|geo-blocked|vpn|multi-account):.*\n`).ReplaceAllString(string(text), "")
	lines = strings.ReplaceAll(strings.ReplaceAll(lines, "register: true, ", ""), ", register: true", "")
	require.NoError(t, os.WriteFile(without, []byte(lines+"absent: [register, multi-account, companion, geo]\n"), 0o600))
	ask := []string{"--only", "REG-01,SUB-01,FLOW-09,SOST-17,SOST-01", "--generate", "0", "--sequences", "0", "--out"}
	code, stdout, stderr := call(t, nil, append([]string{"conform", "--env", with}, append(ask, filepath.Join(dir, "with"))...)...)
	assert.Equal(t, exitPass, code, stdout+stderr)
	assert.NotContains(t, stdout, "absent")
	code, stdout, stderr = call(t, nil, append([]string{"conform", "--env", without}, append(ask, filepath.Join(dir, "without"))...)...)
	assert.Equal(t, exitPass, code, stdout+stderr)
	for part, id := range map[string]string{"register": "REG-01", "multi-account": "SUB-01", "companion": "FLOW-09", "geo": "SOST-17"} {
		assert.Regexp(t, `the platform has no `+part+`, as absent in the environment file says: .*`+id, stdout)
	}
	code, stdout, stderr = call(t, nil, "env", without)
	assert.Equal(t, exitPass, code, stderr)
	assert.Regexp(t, `absent\s+vpn `, stdout)
	assert.NotContains(t, stdout, "vpn: {")
}
