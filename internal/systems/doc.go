// Package systems holds no program: its test keeps the code right for the systems that it is not tested on.
//
// TestEverySystemTakesTheCode checks the types of all packages, tests included, for Windows and macOS, without building
// for them. So a call of a system that another one lacks is found on any machine, before a release is built. Code of
// one system stands in files named after it (_linux, _windows, _unix with a build tag), each with a partner for the
// others; make quick looks at Windows alone, which lacks most.
package systems
