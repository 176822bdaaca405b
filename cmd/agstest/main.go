// Command agstest checks a running Authentication Gateway Service against its published documentation, loads it, and
// writes reports.
//
// Each command is a file: conform.go, load.go, gate.go (both), ab.go and capacity.go (other ways to load), compare.go
// and history.go (changes), and so on. This package alone reads flags, the environment and signals, and ends the
// process; exit.go decides with which status. record.go keeps a run: its folder, its files, its output.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)) }
