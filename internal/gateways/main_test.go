package gateways

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// wide makes the bench whole: every file, limit and time of waiting.
var wide = os.Getenv("AGSTEST_GATEWAYS_WIDE") != ""

// Vegeta leaves the connections alone that net/http is still opening when it ends: behind a busy gateway they take a
// while.
func TestMain(m *testing.M) {
	flag.Parse()
	if few := flag.Lookup("test.parallel"); few.Value.String() == few.DefValue {
		_ = flag.Set("test.parallel", "16") // what runs in parallel here waits nearly all the time
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*Transport).dialConn"), goleak.IgnoreAnyFunction("net/http.(*persistConn).addTLS.func2"))
}
