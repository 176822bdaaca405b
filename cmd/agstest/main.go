// Command agstest checks a running Authentication Gateway Service against its published documentation, loads it, and writes reports.
package main

import (
	"io"
	"log"
	"os"
)

func main() {
	// net/http tells the standard logger of stray bytes in answers, and they can hold secrets.
	log.SetOutput(io.Discard)
	os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}
