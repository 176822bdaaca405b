#!/usr/bin/env bash
# undici 7.30.2 (npm, ProxyAgent and EnvHttpProxyAgent) with squid 5.7 (Debian 12): plain HTTP through a proxy as Debian sets it up is refused.
#
# For http:// a client sends the proxy the whole address (RFC 9112 section 3.2.2), and for https:// it asks for a tunnel (CONNECT). curl, Go and axios
# do so, and Squid lets tunnels through to port 443 alone, since a tunnel to any port is a way around them. undici asks for a tunnel for
# http:// too, and fetch says "fetch failed", which reads as if the proxy or the service were down; each other client comes through. A log or
# a cache of the proxy sees no more of such calls than of encrypted ones.
# Seen: net/http of Go: 200. undici: fetch failed, "Proxy response (403) !== 200 when HTTP Tunneling"; with proxyTunnel: false: 200.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 777 .
apt-get download -qq squid=5.7-2+deb12u6 squid-common=5.7-2+deb12u6 squid-langpack libecap3 libltdl7 libnetfilter-conntrack3 libnfnetlink0 libmnl0 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
libraries=$dir/usr/lib/$(uname -m)-linux-gnu
npm init -y >/dev/null && npm install --silent --no-audit --no-fund undici@7.30.2 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
)

func main() {
	proxy, err := url.Parse(os.Args[1])
	if err != nil {
		panic(err)
	}
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	answer, err := client.Get(os.Args[2])
	if err != nil {
		panic(err)
	}
	fmt.Println("Go:", answer.StatusCode)
}
GO
go build -o ask .
cat > talk.mjs <<'JS'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { EnvHttpProxyAgent, ProxyAgent, fetch } from 'undici'

const service = http.createServer((request, answer) => answer.end('ok'))
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const url = `http://127.0.0.1:${service.address().port}/`
const free = net.createServer()
await new Promise((done) => free.listen(0, '127.0.0.1', done))
const port = free.address().port
await new Promise((done) => free.close(done))
const rules = fs.readFileSync('etc/squid/squid.conf', 'utf8').split('\n').filter((line) => /^(acl|http_access) /.test(line))
const root = process.argv[2]
fs.writeFileSync('config', `${rules.join('\n')}
http_port 127.0.0.1:${port}
cache deny all
cache_effective_user nobody
mime_table ${root}/usr/share/squid/mime.conf
icon_directory ${root}/usr/share/squid/icons
error_directory ${root}/usr/share/squid-langpack/templates
pid_filename ${root}/pid
cache_log ${root}/cache.log
access_log none
coredump_dir ${root}
visible_hostname proxy
pinger_enable off
netdb_filename none
shutdown_lifetime 1 seconds
`)
const daemon = spawn('usr/sbin/squid', ['-N', '-f', `${root}/config`], { stdio: 'ignore', env: { ...process.env, LD_LIBRARY_PATH: process.argv[3] } })
const up = () => new Promise((done) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); done(true) }).on('error', () => done(false))
})
for (let i = 0; i < 300 && !(await up()); i++) await new Promise((done) => setTimeout(done, 100))
const proxy = `http://127.0.0.1:${port}`
console.log((await promisify(execFile)('./ask', [proxy, url])).stdout.trim())
for (const [name, dispatcher] of [
  ['ProxyAgent', new ProxyAgent(proxy)],
  ['EnvHttpProxyAgent', new EnvHttpProxyAgent({ httpProxy: proxy, noProxy: '' })],
  ['without tunnel', new ProxyAgent({ uri: proxy, proxyTunnel: false })],
]) {
  try {
    console.log(`${name}:`, (await fetch(url, { dispatcher })).status)
  } catch (error) {
    console.log(`${name}: ${error.message}: ${error.cause?.cause?.message ?? error.cause?.message}`)
  }
}
daemon.kill()
await new Promise((done) => daemon.once('exit', done))
process.exit()
JS
seen=$(timeout 90 node talk.mjs "$dir" "$libraries"); echo "$seen"
[ "$seen" = 'Go: 200
ProxyAgent: fetch failed: Proxy response (403) !== 200 when HTTP Tunneling
EnvHttpProxyAgent: fetch failed: Proxy response (403) !== 200 when HTTP Tunneling
without tunnel: 200' ] || { echo "changed"; exit 1; }
