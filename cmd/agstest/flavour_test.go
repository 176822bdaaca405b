//go:build !kubernetes

package main

// flavour is the build tags that tests ask the go command for, which are those that they are built with.
const flavour = ""
