package reports_test

import (
	"fmt"
	"os"
	"time"

	"agstest/reports"
)

// A stored run of load is read, and says first whether its figures can be trusted.
func Example() {
	file, err := os.Open("testdata/load.json")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	run, err := reports.ReadLoad(file)
	if err != nil {
		panic(err)
	}
	fmt.Println("valid:", run.Valid, "verdict:", run.Verdict)
	signOns := run.Operations["signon"]
	fmt.Println(signOns.Right, "sign-ons were right, 99 % of them within", time.Duration(signOns.Response.P99))
	for _, l := range run.Limits {
		fmt.Println(l.Expression, l.Verdict)
	}
	// Output:
	// valid: true verdict: fail
	// 540 sign-ons were right, 99 % of them within 37.8ms
	// signon.p95<500ms pass
	// refresh.p99<300ms fail
	// errors<1% pass
}
