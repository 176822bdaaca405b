#!/usr/bin/env bash
# k8s.io/client-go v0.37.2: a POST that is answered 500 or 503 is sent up to eleven times, if the answer has Retry-After in seconds; with a
# date it is sent once.
#
# A create is not safe to repeat, and one would expect a client to leave that to its caller, who sees one error for one call. A 5xx need not come from
# before the work: a gateway says 503 for an answer that it lost. The client looks at Retry-After and not at the method: with a number it
# waits and sends again, ten times. The other form of the header (RFC 9110 section 10.2.3) it cannot read, and takes for none, so that what the
# caller has to expect depends on how a proxy writes the same moment.
# Seen, Create of a ConfigMap: no header: 1 request; Retry-After 0: 11; a date that is over: 1; alike for 429, 500 and 503.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	k8s.io/apimachinery v0.37.2
	k8s.io/client-go v0.37.2
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

func main() {
	var status, requests int
	var after string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
	}))
	defer service.Close()
	client, err := rest.RESTClientFor(&rest.Config{Host: service.URL, APIPath: "/api", QPS: 1000, Burst: 1000, ContentConfig: rest.ContentConfig{
		GroupVersion:         &schema.GroupVersion{Version: "v1"},
		NegotiatedSerializer: serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion(),
	}})
	if err != nil {
		panic(err)
	}
	for _, status = range []int{429, 500, 503} {
		fmt.Print(status)
		for _, after = range []string{"", "0", time.Now().Add(-time.Second).UTC().Format(http.TimeFormat)} {
			requests = 0
			body := []byte(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}`)
			if err := client.Post().Namespace("x").Resource("configmaps").Body(body).Do(context.Background()).Error(); err == nil {
				panic("it was not refused")
			}
			fmt.Print(" ", requests)
		}
		fmt.Println()
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = "429 1 11 1
500 1 11 1
503 1 11 1" ] || { echo "changed"; exit 1; }
