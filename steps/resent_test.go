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

// relay is a gateway that carries some requests and their answers over each connection, and ends the connection when one
// more begins to come.
func relay(t *testing.T, to string, carries int) (address string) {
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
				for range carries {
					if n, err := c.Read(buffer); err == nil {
						service.Write(buffer[:n]) // a request of the suite comes in one piece
					}
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
// the report tells of it. One that keeps none is found out before: nothing is sent on a connection that has carried an
// answer.
func TestWhatNeverReachedTheServiceIsSentOnceMoreAndTold(t *testing.T) {
	for name, c := range map[string]struct{ carries, told int }{"it keeps some": {2, 1}, "it keeps none": {1, 0}} {
		t.Run(name, func(t *testing.T) {
			var report *reports.Conformance
			var signOn, refresh reports.Requirement
			// On a busy machine the proof comes too late now and then, and the request could not be told.
			for range 10 {
				o := quick
				o.Environment, o.Only = behind(t, mock.Config{}, itself), []string{"SOST-01", "REF-01"}
				o.Environment.URL = relay(t, strings.TrimPrefix(o.Environment.URL, "http://"), c.carries)
				report = run(t, o)
				signOn, refresh = requirement(t, report, "SOST-01"), requirement(t, report, "REF-01")
				if c.carries == 1 || signOn.Verdict != reports.Error && refresh.Verdict != reports.Error {
					break
				}
			}
			assert.Equal(t, reports.Pass, signOn.Verdict, signOn.Reason)
			assert.Equal(t, reports.Pass, refresh.Verdict, refresh.Reason)
			assert.Equal(t, c.told > 0, report.Counts.Resent > 0)
			told := 0
			for _, note := range report.Notes {
				if strings.Contains(note, "resent (") && strings.Contains(note, "sent once more on a fresh connection") {
					told++
				}
			}
			assert.Equal(t, c.told, told, "%v", report.Notes)
		})
	}
}
