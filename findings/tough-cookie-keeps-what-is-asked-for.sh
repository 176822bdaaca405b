#!/usr/bin/env bash
# tough-cookie 6.1.0 (npm): a cookie with Max-Age never ends, as long as it is used more often than its Max-Age.
#
# Max-Age counts from the moment that the cookie was received (RFC 6265 section 5.2.2), and Expires is a moment. The jar that clients of Node use for
# cookies counts Max-Age from the last time that the cookie was sent. A session of an hour, asked for each minute, is sent for days: the client is
# the one that does not sign on again, and gets refused where a browser would have signed on. A test that a cookie ends in time polls for
# its end, and by polling never sees it. The same session with Expires, or asked for once, ends.
# Seen, 2 s to live, asked each 200 ms for 4 s: Max-Age: sent; Expires: not; Max-Age, not asked in between: not; net/http/cookiejar of Go: not.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund tough-cookie@6.1.0 >/dev/null
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"
)

func main() {
	jar, _ := cookiejar.New(nil)
	at, _ := url.Parse("http://gateway.example/")
	jar.SetCookies(at, []*http.Cookie{{Name: "session", Value: "a", MaxAge: 2}})
	first := len(jar.Cookies(at)) == 1
	for start := time.Now(); time.Since(start) < 4*time.Second; time.Sleep(200 * time.Millisecond) {
		jar.Cookies(at)
	}
	fmt.Printf("Go, Max-Age: %t, after 4 s %t\n", first, len(jar.Cookies(at)) == 1)
}
GO
cat > jar.mjs <<'JS'
import { CookieJar } from 'tough-cookie'

const at = 'http://gateway.example/'
const jars = {}
for (const [name, end] of Object.entries({
  'Max-Age': 'Max-Age=2', Expires: `Expires=${new Date(Date.now() + 2000).toUTCString()}`, 'Max-Age, not asked': 'Max-Age=2',
})) {
  jars[name] = new CookieJar()
  await jars[name].setCookie(`session=a; ${end}`, at)
}
const sent = async (name) => (await jars[name].getCookieString(at)) === 'session=a'
const first = { 'Max-Age': await sent('Max-Age'), Expires: await sent('Expires'), 'Max-Age, not asked': 'not asked' }
for (const start = Date.now(); Date.now() - start < 4000; await new Promise((done) => setTimeout(done, 200))) {
  await sent('Max-Age')
  await sent('Expires')
}
for (const name in jars) console.log(`${name}: ${first[name]}, after 4 s ${await sent(name)}`)
JS
seen=$(node jar.mjs; go run main.go); echo "$seen"
[ "$seen" = 'Max-Age: true, after 4 s true
Expires: true, after 4 s false
Max-Age, not asked: not asked, after 4 s false
Go, Max-Age: true, after 4 s false' ] || { echo "changed"; exit 1; }
