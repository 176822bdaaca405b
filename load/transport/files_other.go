//go:build !unix

package transport

// MostOpenFiles is the number of files, and so of connections, that this process may have open.
func MostOpenFiles() int { return 1 << 20 }
