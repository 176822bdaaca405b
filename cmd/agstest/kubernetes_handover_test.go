package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The success of a hand-over is in testdata/script/kubernetes.txtar: it ends this process.
func TestOnlyTheSameProgramWithAnEngineIsTaken(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("the programs of this test are scripts")
	}
	own := buildInfo()
	for name, test := range map[string]struct{ answers, want string }{
		"none":            {"", "agstest: this agstest is built without Kubernetes, and agstest-kubernetes was found neither beside it nor on the PATH; take agstest-kubernetes-" + runtime.GOOS + "-" + runtime.GOARCH + " of the same release, or build it from the sources with make kubernetes, and put it beside agstest or on the PATH under the name agstest-kubernetes"},
		"another version": {fmt.Sprintf(`{"version":"v0.0.1","commit":%q,"engines":["kubernetes"]}`, own.Commit), "is version v0.0.1 (" + own.Commit + "), and this agstest is " + own.Version + " (" + own.Commit + "); they must be the same"},
		"another commit":  {fmt.Sprintf(`{"version":%q,"commit":"abc","engines":["kubernetes"]}`, own.Version), "they must be the same"},
		"no engine":       {fmt.Sprintf(`{"version":%q,"commit":%q}`, own.Version, own.Commit), "agstest-kubernetes is built without Kubernetes as well"},
		"no agstest":      {"hello", "agstest-kubernetes does not say which version it is"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir)
			if test.answers != "" {
				script := "#!/bin/sh\n[ \"$*\" = 'version --json' ] && echo '" + test.answers + "'\n"
				require.NoError(t, os.WriteFile(filepath.Join(dir, fullProgram), []byte(script), 0o700))
			}
			for _, args := range [][]string{{"kubernetes", "list"}, {"load", "--on", "kubernetes"}} {
				code, stdout, stderr := call(t, nil, args...) // which looks for programs on this PATH
				assert.Equal(t, exitUsage, code)
				assert.Empty(t, stdout)
				assert.Contains(t, stderr, test.want)
				assert.NotContains(t, stderr, "goroutine")
			}
		})
	}
}
