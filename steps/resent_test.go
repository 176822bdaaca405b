//go:build linux || darwin

package steps_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
)

// relay is a gateway that carries one request and its answer over each connection, and ends the connection when a
// second one begins to come.
func relay(t *testing.T, to string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			talks.Go(func() {
				defer c.Close()
				service, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer service.Close()
				talks.Go(func() { io.Copy(c, service) })
				buffer := make([]byte, 64<<10)
				if n, err := c.Read(buffer); err == nil {
					service.Write(buffer[:n]) // a request of the suite comes in one piece
				}
				c.Read(buffer[:1])
				c.(*net.TCPConn).CloseWrite()
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		talks.Wait()
	})
	return "http://" + listener.Addr().String()
}

// TestWhatNeverReachedTheServiceIsSentOnceMoreAndTold: a gateway that closes kept connections changes no verdict, and
// the report tells of it.
func TestWhatNeverReachedTheServiceIsSentOnceMoreAndTold(t *testing.T) {
	o := quick
	o.Environment, o.Only = behind(t, mock.Config{}, itself), []string{"SOST-01", "REF-01"}
	o.Environment.URL = relay(t, strings.TrimPrefix(o.Environment.URL, "http://"))
	report := run(t, o)
	assert.Equal(t, reports.Pass, requirement(t, report, "SOST-01").Verdict)
	assert.Equal(t, reports.Pass, requirement(t, report, "REF-01").Verdict)
	assert.Positive(t, report.Counts.Resent)
	told := 0
	for _, note := range report.Notes {
		if strings.Contains(note, "resent (") && strings.Contains(note, "sent once more on a fresh connection") {
			told++
		}
	}
	assert.Equal(t, 1, told, "%v", report.Notes)
}
