//go:build unix

package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/reports/runs"
)

// fewFiles lets a process have 64 files open.
func (c *child) fewFiles() *child {
	shell, err := exec.LookPath("sh")
	require.NoError(c.t, err)
	c.Args = append([]string{"sh", "-c", `ulimit -n 64 && exec "$@"`}, append([]string{"sh"}, c.Args...)...)
	c.Path = shell
	return c
}

// TestFewOpenFiles: 2,000 clients where 64 files may be open. Hits that leave late or not at all for that are never the
// service's fault.
func TestFewOpenFiles(t *testing.T) {
	t.Parallel()
	m, err := newMock(mock.Config{}, nil, nil)
	require.NoError(t, err)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ags/refresh" {
			time.Sleep(100 * time.Millisecond) // as a slow service; each hit under way holds a connection
		}
		m.ServeHTTP(w, r)
	}))
	defer service.Close()
	file := filepath.Join(t.TempDir(), "mock.yaml")
	require.NoError(t, os.WriteFile(file, m.Environment(service.URL, "", ""), 0o600))
	args := []string{"load", "--env", file, "--workload", "refresh", "--rate", "1000/s", "--duration", "500ms", "--clients", "2000", "--max-lag", "10s", "--out", "run"}

	asked := newChild(t, t.TempDir(), append(args, "--workers", "2000")...).fewFiles().start()
	few := newChild(t, t.TempDir(), args...).fewFiles().start()
	taken := newChild(t, t.TempDir(), append(args, "--workers", "40", "--rate", "500/s", "--clients", "300")...).fewFiles()
	for range 30 { // somebody else's
		null, err := os.Open(os.DevNull)
		require.NoError(t, err)
		defer null.Close()
		taken.ExtraFiles = append(taken.ExtraFiles, null)
	}
	taken.start()

	assert.Equal(t, exitUsage, asked.code())
	assert.Equal(t, []string{"agstest: 2000 workers may each need a connection of their own, and this process may have no more than 64 files open; raise the limit (ulimit -n 2024), or give fewer --workers\n"}, sentences(asked.stderr.String()))
	assert.NoDirExists(t, filepath.Join(asked.Dir, "run"))

	for _, test := range []struct {
		name   string
		child  *child
		reason string
	}{
		{"as many workers as there can be", few, `^[0-9,]+ hits? \([0-9.]+ %\) waited for one of the 20 workers, all of which were busy`},
		{"files that are taken", taken, `^[0-9,]+ hits? \([0-9.]+ %\) found no connection, because this machine was out of file descriptors or local ports; raise the limit \(ulimit -n\), or give fewer --workers$`},
	} {
		assert.Equal(t, exitInvalid, test.child.code(), "%s: %s%s", test.name, test.child.stderr.String(), test.child.stdout.String())
		stored, err := runs.Read(filepath.Join(test.child.Dir, "run"))
		require.NoError(t, err, test.name)
		assert.Equal(t, reports.Invalid, stored.Verdict())
		assert.True(t, slices.ContainsFunc(stored.Load.Invalid, regexp.MustCompile(test.reason).MatchString), "%s: %q", test.name, stored.Load.Invalid)
	}
}

// TestMockOutlivesAFloodOfConnections: where no more files can be opened it accepts again as soon as one is closed.
func TestMockOutlivesAFloodOfConnections(t *testing.T) {
	t.Parallel()
	c := newChild(t, t.TempDir(), "mock", "--listen", "127.0.0.1:0", "--environment", "mock.yaml").fewFiles().start()
	c.says("check it with: ")
	var url string
	c.until("the address", func() bool { // the two streams are read side by side: what was written first may be seen last
		line, _, ended := strings.Cut(c.stdout.String(), "\n")
		url = strings.TrimPrefix(line, "listening on ")
		return ended
	})
	var open []net.Conn
	for range 200 {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), 5*time.Second)
		if err != nil {
			break // what the kernel takes ahead of the mock is full too
		}
		open = append(open, conn)
	}
	assert.Greater(t, len(open), 64)
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.Process.Pid))
	if err == nil {
		c.until("all its files", func() bool {
			entries, err = os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.Process.Pid))
			return err == nil && len(entries) >= 60
		})
	}
	for _, conn := range open {
		conn.Close()
	}
	client := http.Client{Timeout: 20 * time.Second}
	answer, err := client.Get(url + "/")
	require.NoError(t, err)
	answer.Body.Close()
	assert.NotEmpty(t, answer.Header.Get("X-Agstest-Mock"))
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, exitPass, c.code(), c.stderr.String())
}
