//go:build !linux

package ports

import "testing"

// Closed is an address that refuses connections: one that nobody is given.
func Closed(t testing.TB) string {
	t.Helper()
	return FreeAddress(t)
}
