#!/usr/bin/env bash
# fast-jwt 6.3.6 with jsonwebtoken 9.0.3 (npm): expiresIn: 3600 is a token for 4 s, where jsonwebtoken makes one for an hour; the reader's
# clockTolerance of 60 is 0.06 s.
#
# The names of the options are those of jsonwebtoken, and exp in the token is a number of seconds as ever, but numbers at fast-jwt are milliseconds (its
# documentation says so), those of the reader too. A service that changed its library for the faster one issues tokens that are over before a user has logged on, or, with a clock a
# few seconds behind, are refused at once. "1M" is no month but one minute with both, since case does not count. Texts with a unit
# mean the same to all.
# Seen, exp - iat: fast-jwt 3600: 4, "1h": 3600, "1M": 60; jsonwebtoken: 3600, 3600, 60; a token that ended 10 s ago, tolerance 60: refused, taken.
# Whoever moves writes each lifetime with its unit, and tests exp - iat.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund fast-jwt@6.3.6 jsonwebtoken@9.0.3 >/dev/null
cat > sign.mjs <<'JS'
import { createDecoder, createSigner, createVerifier } from 'fast-jwt'
import jsonwebtoken from 'jsonwebtoken'

const key = 'k'.repeat(32)
const lifetime = token => {
  const claims = createDecoder()(token)
  return claims.exp - claims.iat
}
for (const expiresIn of [3600, '1h', '1M']) {
  const fast = lifetime(createSigner({ key, expiresIn })({ sub: 'user' }))
  console.log(`${expiresIn}: fast-jwt ${fast}, jsonwebtoken ${lifetime(jsonwebtoken.sign({ sub: 'user' }, key, { expiresIn }))}`)
}
const over = jsonwebtoken.sign({ sub: 'user', exp: Math.floor(Date.now() / 1000) - 10 }, key)
const taken = read => {
  try { return read(over).sub } catch (refused) { return refused.message }
}
console.log(`fast-jwt: ${taken(createVerifier({ key, clockTolerance: 60 }))}`.replace(/ at .*/, ''))
console.log(`fast-jwt, 60000: ${taken(createVerifier({ key, clockTolerance: 60_000 }))}`)
console.log(`jsonwebtoken: ${taken(token => jsonwebtoken.verify(token, key, { clockTolerance: 60 }))}`)
JS
seen=$(node sign.mjs); echo "$seen"
[ "$seen" = '3600: fast-jwt 4, jsonwebtoken 3600
1h: fast-jwt 3600, jsonwebtoken 3600
1M: fast-jwt 60, jsonwebtoken 60
fast-jwt: The token has expired
fast-jwt, 60000: user
jsonwebtoken: user' ] || { echo "changed"; exit 1; }
