//go:build !unix

package main

// keepPrivate does nothing where files are private to the user's profile by the rules of their folder.
func keepPrivate() {}
