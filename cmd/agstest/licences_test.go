package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The binary holds the modules of the list and no other, on every platform that it is built for.
func TestLicencesListWhatIsBuiltIn(t *testing.T) {
	t.Parallel()
	built := map[string]bool{}
	for _, platform := range []string{"linux", "darwin", "windows"} {
		command := exec.Command("go", "list", "-tags", flavour, "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".")
		command.Env = append(command.Environ(), "GOOS="+platform, "CGO_ENABLED=0")
		out, err := command.Output()
		require.NoError(t, err)
		for module := range strings.FieldsSeq(string(out)) {
			built[module] = true
			assert.NotEmpty(t, licences[module], "%s is built in for %s and not in the list", module, platform)
		}
	}
	require.Greater(t, len(built), 5)
	for module := range licences {
		assert.True(t, built[module], "%s is in the list and not built in", module)
	}
	for module, licence := range licences {
		assert.Contains(t, []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Apache-2.0", "MPL-2.0", "MIT AND Apache-2.0",
			"Apache-2.0 AND BSD-3-Clause", "MIT AND BSD-3-Clause AND Apache-2.0"}, licence, module)
	}
}
