#!/usr/bin/env bash
# github.com/go-resty/resty/v2 v2.17.2: a request whose body is a reader is sent again without it, each time after the first.
#
# With SetRetryCount a client repeats what failed, and what it repeats would be expected to be the same request. A body given as text or as a struct
# is. One given as io.Reader was read to its end by the first try, and the next ones send none, without an error, even where the reader
# could be set back. What comes back at last is the service's word for an empty body: a service that answered 503 once seems to refuse
# a good sign-on with 400, and what made it 503 is nowhere in the result.
# Seen, service that answers 503 and then 400 to an empty body: text: 503, then 201; strings.Reader: 503, then 400 with an empty body.
# Whoever repeats gives the body as text or bytes.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/go-resty/resty/v2 v2.17.2
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
)

func main() {
	for _, body := range []any{`{"a":1}`, strings.NewReader(`{"a":1}`)} {
		var seen []string
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			if err != nil {
				panic(err)
			}
			status := http.StatusCreated
			switch {
			case len(seen) == 0:
				status = http.StatusServiceUnavailable
			case len(got) == 0:
				status = http.StatusBadRequest
			}
			seen = append(seen, fmt.Sprintf("%q %d", got, status))
			w.WriteHeader(status)
		}))
		client := resty.New().SetRetryCount(2).SetRetryWaitTime(time.Millisecond)
		client.AddRetryCondition(func(answer *resty.Response, _ error) bool { return answer.StatusCode() >= 500 })
		answer, err := client.R().SetHeader("Content-Type", "application/json").SetBody(body).Post(service.URL)
		fmt.Printf("%T: %v, result %d, error %v\n", body, seen, answer.StatusCode(), err)
		service.Close()
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'string: ["{\"a\":1}" 503 "{\"a\":1}" 201], result 201, error <nil>
*strings.Reader: ["{\"a\":1}" 503 "" 400], result 400, error <nil>' ] || { echo "changed"; exit 1; }
