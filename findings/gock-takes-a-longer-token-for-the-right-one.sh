#!/usr/bin/env bash
# github.com/h2non/gock v1.2.0: a mock of one header, path or body answers requests that only contain it: one for "Bearer a.c" takes
# "Bearer a.c,a.c" and "Bearer abc".
#
# A test says which request it expects, and that any other fails, which is why one writes header, path and body down. gock takes each of these for a
# pattern, and looks for it anywhere in what came. A client that sends the whole answer in place of the token, the token twice, or a path below the
# right one passes. A point in a token, and every JWT has two, stands for any character. JSON is compared as a whole.
# Seen, mock of POST /ags/refresh with "Bearer a.c": answered are Bearer a.c, Bearer abc, Bearer a.c,a.c, xBearer a.c, and the path /old/ags/refresh/x; not
# answered: Bearer z. Body "ab": xabx is answered. With ^, $ and \. only the right one.
# Whoever uses it writes "^", "$" and regexp.QuoteMeta around what is meant.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/h2non/gock v1.2.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/h2non/gock"
)

// answered tells whether a mock of the path, the header and the body takes a request with another header, path or body.
func answered(path, wanted, wantedBody, sentPath, header, body string) bool {
	defer gock.Off()
	gock.New("http://service.test").Post(path).MatchHeader("Authorization", wanted).BodyString(wantedBody).Reply(200)
	request, err := http.NewRequest(http.MethodPost, "http://service.test"+sentPath, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", header)
	answer, err := http.DefaultClient.Do(request)
	return err == nil && answer.StatusCode == 200
}

func main() {
	for _, sent := range [][3]string{
		{"/ags/refresh", "Bearer a.c", "ab"},
		{"/ags/refresh", "Bearer abc", "ab"},
		{"/ags/refresh", "Bearer a.c,a.c", "ab"},
		{"/ags/refresh", "xBearer a.c", "ab"},
		{"/ags/refresh", "Bearer z", "ab"},
		{"/old/ags/refresh/x", "Bearer a.c", "ab"},
		{"/ags/refresh", "Bearer a.c", "xabx"},
	} {
		plain := answered("/ags/refresh", "Bearer a.c", "ab", sent[0], sent[1], sent[2])
		strict := answered("^/ags/refresh$", `^Bearer a\.c$`, "^ab$", sent[0], sent[1], sent[2])
		fmt.Println(strings.Join(sent[:], " | "), plain, strict)
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = '/ags/refresh | Bearer a.c | ab true true
/ags/refresh | Bearer abc | ab true false
/ags/refresh | Bearer a.c,a.c | ab true false
/ags/refresh | xBearer a.c | ab true false
/ags/refresh | Bearer z | ab false false
/old/ags/refresh/x | Bearer a.c | ab true false
/ags/refresh | Bearer a.c | xabx true false' ] || { echo "changed"; exit 1; }
