//go:build unix && !linux

package main

// forbidDumps does nothing where the limit of core dumps is all there is.
func forbidDumps() {}
