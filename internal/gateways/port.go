//go:build linux

package gateways

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
)

// Linux takes the local ports of connections from 32768 on (ip_local_port_range): a load through a gateway cannot take
// one below, so that it is still free when the gateway opens it.
const (
	firstPort = 20000
	portAfter = 32768
)

// chosen are the ports that this process has chosen.
var chosen struct {
	sync.Mutex
	ports map[int]bool
}

// freePort returns a port that nobody listens on, and that no other call has got.
func freePort(t testing.TB) int {
	t.Helper()
	chosen.Lock()
	defer chosen.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(portAfter-firstPort)
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

// closedPort is an address that refuses connections until the test ends: a socket holds its port and does not listen,
// so that nobody else opens it meanwhile.
func closedPort(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	check(t, err)
	t.Cleanup(func() { check(t, os.NewSyscallError("close", syscall.Close(fd))) })
	check(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(fd)
	check(t, err)
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}
