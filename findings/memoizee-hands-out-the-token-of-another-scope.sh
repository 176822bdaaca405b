#!/usr/bin/env bash
# memoizee 0.4.17 (npm): an argument that has a default value, or stands behind one, is no part of the key: the second scope gets the token of the first.
#
# A function that fetches a token is wrapped so that each token is fetched once, and one would expect the key to be made of its arguments. memoizee takes
# as many as the function's length says, and JavaScript counts parameters up to the first one with a default, and none of "...rest". Whoever gives
# a parameter a default value, which changes nothing for any caller, makes all scopes, or all tenants, share one token: the gateway
# answers 403 by who came first, and a test with one scope is green. p-memoize 8.0.0 takes the first argument alone, whatever is declared.
# Seen, device d with scope read, then write: (device, scope): memoizee: the token of each; (device, scope = 'read'): both read; (...all): both read, and so
# has another device; with length: false: the token of each. p-memoize: both read. moize 6.1.7: the token of each.
# Whoever uses it sets length: false; p-memoize has cacheKey.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund memoizee@0.4.17 p-memoize@8.0.0 moize@6.1.7 >/dev/null
cat > tokens.mjs <<'JS'
import { createRequire } from 'node:module'
import pMemoize from 'p-memoize'

const require = createRequire(import.meta.url)
const memoizee = require('memoizee')
const moize = require('moize').default ?? require('moize')
const declared = async (device, scope) => `${device} ${scope}`
const withDefault = async (device, scope = 'read') => `${device} ${scope}`
const rest = async (...all) => all.join(' ')
for (const [name, token] of Object.entries({
  'memoizee': memoizee(declared, { promise: true }),
  'memoizee, default': memoizee(withDefault, { promise: true }),
  'memoizee, rest': memoizee(rest, { promise: true }),
  'memoizee, default, length false': memoizee(withDefault, { promise: true, length: false }),
  'p-memoize': pMemoize(declared),
  'moize, default': moize(withDefault, { isPromise: true, maxSize: 9 }),
})) {
  console.log(`${name}: ${[await token('d', 'read'), await token('d', 'write'), await token('e', 'read')].join(', ')}`)
}
JS
seen=$(node tokens.mjs); echo "$seen"
[ "$seen" = 'memoizee: d read, d write, e read
memoizee, default: d read, d read, e read
memoizee, rest: d read, d read, d read
memoizee, default, length false: d read, d write, e read
p-memoize: d read, d read, e read
moize, default: d read, d write, e read' ] || { echo "changed"; exit 1; }
