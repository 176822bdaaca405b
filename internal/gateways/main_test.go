package gateways

import (
	"testing"

	"go.uber.org/goleak"
)

// Vegeta leaves the connections alone that net/http is still opening when it ends: behind a busy gateway they take a while.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*Transport).dialConn"), goleak.IgnoreAnyFunction("net/http.(*persistConn).addTLS.func2"))
}
