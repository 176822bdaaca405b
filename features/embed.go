// Package features holds the scenarios of the conformance suite: what a conforming service does, in the words of its users. One file
// an operation, and one each for tokens, devices, errors, the gateway and whole flows. The package steps gives them their meaning.
package features

import "embed"

// Files are the feature files, at the top level of the file system.
//
//go:embed *.feature
var Files embed.FS
