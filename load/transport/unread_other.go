//go:build !linux && !darwin

package transport

// unread cannot be told here.
func unread(uintptr) bool { return false }
