// Package features holds the scenarios of the conformance suite: the behaviour of a conforming service, in the words of
// its users. There is one file for each operation, and one each for tokens, devices, errors, the gateway and whole
// flows. Package steps gives them their meaning.
package features

import "embed"

// Files are the feature files, at the top level of the file system.
//
//go:embed *.feature
var Files embed.FS
