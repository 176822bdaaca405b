//go:build linux

package gateways

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/ports"
)

// left names the program that TestStartsAndIsKilled starts, and is set by TestNoGatewayOutlivesItsTest alone.
const left = "AGSTEST_GATEWAY_LEFT"

// TestStartsAndIsKilled is a test that starts a gateway and comes to no end, in a process of its own.
func TestStartsAndIsKilled(t *testing.T) {
	program := os.Getenv(left)
	if program == "" {
		t.Skip("it is run by TestNoGatewayOutlivesItsTest")
	}
	g := Start(t, Program(program), Config{Upstream: ports.Closed(t)})
	port := g.Port
	if g.URL == "" {
		port = g.SecurePort
	}
	fmt.Printf("folder %s\nport %d\n", g.Folder, port)
	io.Copy(io.Discard, os.Stdin)
}

// TestNoGatewayOutlivesItsTest: where the process of a test is killed, no cleanup runs, and still nobody listens any
// more on the port of the gateway that it started.
func TestNoGatewayOutlivesItsTest(t *testing.T) {
	t.Parallel()
	for _, program := range slices.Concat(Programs, Others) {
		t.Run(string(program), func(t *testing.T) {
			t.Parallel()
			test := exec.Command(os.Args[0], "-test.run=^TestStartsAndIsKilled$", "-test.v")
			test.Env = append(os.Environ(), left+"="+string(program))
			_, err := test.StdinPipe()
			require.NoError(t, err)
			out, err := test.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, test.Start())
			port, said := "", []string{}
			for lines := bufio.NewScanner(out); port == "" && lines.Scan(); {
				said = append(said, lines.Text())
				if folder, is := strings.CutPrefix(lines.Text(), "folder "); is {
					t.Cleanup(func() { os.RemoveAll(folder) })
				}
				port, _ = strings.CutPrefix(lines.Text(), "port ")
				if port == lines.Text() {
					port = ""
				}
			}
			require.NoError(t, test.Process.Kill())
			test.Wait()
			if text := strings.Join(said, "\n"); strings.Contains(text, "--- SKIP") {
				t.Skip(text)
			}
			require.NotEmpty(t, port, strings.Join(said, "\n"))
			assert.EventuallyWithT(t, func(t *assert.CollectT) {
				c, err := net.Dial("tcp", "127.0.0.1:"+port)
				if err == nil {
					c.Close()
				}
				assert.Error(t, err, "it still takes connections")
			}, 20*time.Second, 20*time.Millisecond)
		})
	}
}
