#!/usr/bin/env bash
# github.com/getkin/kin-openapi v0.153.0: an answer whose status the document does not list is valid, whatever its body; and so is any body of a listed
# status that has no content.
#
# ValidateResponse holds an answer against an OpenAPI document, and whoever tests a service with it would expect an answer that the document
# does not know to be found. It looks for the status, and where there is none it says nothing. A refresh that answers 200 instead of 201,
# or 500 with a page, is green, while a missing member of a 201 is red: the test looks as if it worked. An option of the filter (IncludeResponseStatus)
# makes it say so.
# Seen, 201 with access_token and 401 listed: 201 without it: invalid; 200 with another body, 500 with text/html: valid; with the option: both invalid.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/getkin/kin-openapi v0.153.0
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

const document = `
openapi: 3.0.3
info: {title: service, version: "1"}
servers: [{url: http://ags.example}]
paths:
  /refresh:
    post:
      responses:
        "201":
          description: tokens
          content:
            application/json:
              schema: {type: object, required: [access_token], properties: {access_token: {type: string}}}
        "401": {description: refused}
`

func main() {
	read, err := openapi3.NewLoader().LoadFromData([]byte(document))
	if err != nil {
		panic(err)
	}
	router, err := gorillamux.NewRouter(read)
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequest(http.MethodPost, "http://ags.example/refresh", nil)
	if err != nil {
		panic(err)
	}
	route, params, err := router.FindRoute(request)
	if err != nil {
		panic(err)
	}
	valid := func(status int, kind, body string, option bool) bool {
		return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: route},
			Status:                 status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)),
			Options: &openapi3filter.Options{IncludeResponseStatus: option},
		}) == nil
	}
	for _, one := range []struct {
		status     int
		kind, body string
	}{
		{201, "application/json", `{"access_token":"a"}`},
		{201, "application/json", `{}`},
		{200, "application/json", `{"token":1}`},
		{500, "text/html", `<p>`},
		{401, "text/html", `<p>`},
	} {
		fmt.Printf("%d %s: %t, with the option %t\n", one.status, one.body,
			valid(one.status, one.kind, one.body, false), valid(one.status, one.kind, one.body, true))
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = '201 {"access_token":"a"}: true, with the option true
201 {}: false, with the option false
200 {"token":1}: true, with the option false
500 <p>: true, with the option false
401 <p>: true, with the option true' ] || { echo "changed"; exit 1; }
