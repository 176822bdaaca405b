// Command agstest checks a running Authentication Gateway Service against its published documentation, loads it, and writes reports.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)) }
