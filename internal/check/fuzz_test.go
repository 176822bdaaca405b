package check

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"agstest/ags"
	"agstest/internal/wire"
)

// Whatever a service answers, Judge ends, holds to the catalogue, says the same twice, and shows no session token.
func FuzzJudge(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.http")
	for i, file := range files {
		data, _ := os.ReadFile(file)
		head, body, _ := strings.Cut(string(data), "\r\n\r\n")
		status := 200
		for s := range 600 {
			if strings.HasPrefix(head, "HTTP/1.1 "+string([]byte{byte('0' + s/100), byte('0' + s/10%10), byte('0' + s%10)})) {
				status = s
			}
		}
		f.Add(uint8(i), status, "application/json", []byte(body))
	}
	f.Add(uint8(4), 201, "", []byte(`{"access_token":"e30.e30.","refresh_token":"e30.e30.","expires_in":1e18}`))
	f.Fuzz(func(t *testing.T, operation uint8, status int, contentType string, body []byte) {
		o := ags.Operations[int(operation)%len(ags.Operations)]
		x := &wire.Exchange{
			Call:   wire.Call{Operation: o.Name, Method: o.Method, Path: o.Path},
			Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: body, Sent: issued, Received: issued.Add(time.Second),
		}
		known := Known{Tenant: "t", ClientID: "c", AccountID: "a", DeviceClass: "d", Skew: time.Second, Previous: previous, Secrets: []string{"s7v1q9k3x5m2"}}
		first, second := Judge(x, known), Judge(x, known)
		if len(first) != len(second) {
			t.Fatal("two judgements differ")
		}
		for i, finding := range first {
			if _, ok := ags.RequirementByID(finding.Requirement); !ok {
				t.Fatalf("%s is no requirement", finding.Requirement)
			}
			if finding != second[i] {
				t.Fatalf("%+v and %+v", finding, second[i])
			}
		}
		shape(x)
		ReadPair(x)
		Accounts(x)
		SubCode(x)
	})
}
