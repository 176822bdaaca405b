package ports

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// Closed is an address that refuses connections until the test ends: a socket holds its port and does not listen, so
// that nobody else opens it meanwhile.
func Closed(t testing.TB) string {
	t.Helper()
	check := func(call string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(os.NewSyscallError(call, err))
		}
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	check("socket", err)
	t.Cleanup(func() { check("close", syscall.Close(fd)) })
	check("bind", syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(fd)
	check("getsockname", err)
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}
