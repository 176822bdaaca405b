package gateways

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// Vegeta leaves the connections alone that net/http is still opening when it ends: behind a busy gateway they take a while.
func TestMain(m *testing.M) {
	flag.Parse()
	if few := flag.Lookup("test.parallel"); few.Value.String() == few.DefValue {
		_ = flag.Set("test.parallel", "16") // what runs in parallel here waits nearly all the time
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*Transport).dialConn"), goleak.IgnoreAnyFunction("net/http.(*persistConn).addTLS.func2"))
}
