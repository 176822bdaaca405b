// Package ports gives tests ports on which nobody listens. A port that was listened on and closed again may be given
// to somebody else at once, who would then stand in the place of what a test starts there, or of nobody.
//
// Closed is for a test that wants to be refused, Free and FreeAddress for one that starts a server which must be told
// its port. A server of the test itself needs neither: it listens on 127.0.0.1:0 and says which port it got. All may be
// called at the same time; no two calls in one process get the same port.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Systems take the ports of connections, and those of servers that ask for any, from 32768 on or higher (on Linux:
// ip_local_port_range). Nobody is given one below, so that it is still free when it is opened.
const (
	first = 20000
	after = 32768
)

// chosen are the ports that this process has chosen.
var chosen struct {
	sync.Mutex
	ports map[int]bool
}

// Free is a port of 127.0.0.1 that nobody listens on, and that no other call has got.
func Free(t testing.TB) int {
	t.Helper()
	chosen.Lock()
	defer chosen.Unlock()
	for range 1000 {
		port := first + rand.IntN(after-first)
		if chosen.ports[port] {
			continue
		}
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			if chosen.ports == nil {
				chosen.ports = map[int]bool{}
			}
			chosen.ports[port] = true
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// FreeAddress is an address with such a port.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", Free(t))
}
