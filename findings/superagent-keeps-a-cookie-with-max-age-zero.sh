#!/usr/bin/env bash
# superagent 10.4.2 and supertest 7.2.2 (npm) with net/http of Go: a cookie that the service took back with Max-Age=0 is sent on, and one that is over too.
#
# A service ends a session by setting its cookie with Max-Age=0, which is what net/http writes for MaxAge -1, and one would expect any cookie
# jar to drop it (RFC 6265 section 5.2.2). The jar of superagent's agent reads Expires alone. Sign-out seems not to work, or, where the service
# looks at the cookie's presence, a test that the user is out is red against a service that is well; and whether sessions are over after their
# Max-Age, no test with this agent finds out. Behind a service of Express, which sends Expires, all is as it should be.
# Seen, cookie set, then taken back: Max-Age=0: superagent and supertest send sid=, tough-cookie nothing; Expires in 1970: none of them; Max-Age=1,
# 2 s later: superagent and supertest send sid=s, tough-cookie nothing.
# Whoever tests sessions with it keeps cookies in a jar of tough-cookie.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund superagent@10.4.2 supertest@7.2.2 tough-cookie@6.1.0 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

func main() {
	set := map[string]*http.Cookie{
		"/in":      {Name: "sid", Value: "s", Path: "/"},
		"/brief":   {Name: "sid", Value: "s", Path: "/", MaxAge: 1},
		"/out":     {Name: "sid", Path: "/", MaxAge: -1},
		"/expired": {Name: "sid", Path: "/", Expires: time.Unix(1, 0)},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie := set[r.URL.Path]; cookie != nil {
			http.SetCookie(w, cookie)
		}
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, r.Header.Get("Cookie"))
	})))
}
GO
go build -o service .
cat > talk.mjs <<'JS'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import superagent from 'superagent'
import supertest from 'supertest'
import { CookieJar } from 'tough-cookie'

const service = spawn('./service', { stdio: ['ignore', 'pipe', 'ignore'] })
const root = `http://${(await createInterface({ input: service.stdout })[Symbol.asyncIterator]().next()).value}`

async function withJar(paths, wait) {
  const jar = new CookieJar()
  for (const path of paths) {
    const answer = await fetch(root + path)
    for (const cookie of answer.headers.getSetCookie()) await jar.setCookie(cookie, root + path)
  }
  await new Promise((done) => setTimeout(done, wait))
  return jar.getCookieString(root)
}

async function withAgent(agent, url, paths, wait) {
  for (const path of paths) await agent.get(url + path)
  await new Promise((done) => setTimeout(done, wait))
  return (await agent.get(`${url}/`)).text
}

for (const [paths, wait] of [[['/in', '/out'], 0], [['/in', '/expired'], 0], [['/brief'], 2000]]) {
  const said = [await withAgent(superagent.agent(), root, paths, wait), await withAgent(supertest.agent(root), '', paths, wait), await withJar(paths, wait)]
  console.log(`${paths.join(' ')}: ${said.map((s) => s || 'none').join(', ')}`)
}
service.kill()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = '/in /out: sid=, sid=, none
/in /expired: none, none, none
/brief: sid=s, sid=s, none' ] || { echo "changed"; exit 1; }
