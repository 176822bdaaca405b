package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"agstest": main, "agstest-with-broken-clock": mainWithBrokenClock, fullProgram: mainOnFakeCluster})
}

// call runs the program in this process.
func call(t *testing.T, variables map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(args, func(name string) (string, bool) { v, ok := variables[name]; return v, ok }, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestMainIsOneCall(t *testing.T) {
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "func main() { os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)) }\n") {
		t.Error("main does more than calling run")
	}
}
