#!/usr/bin/env bash
# js-yaml 5.5.0 and yaml 2.9.1 (npm): "<<: *base" brings nothing in; the map gets a key called "<<", and no word is said.
#
# Environment and pipeline files often hold one base and a few differences, joined by "<<", and up to version 4 js-yaml did what readers of
# Go, Python and Ruby do with it. It is of YAML 1.1 alone, and both libraries now read 1.2 unless told otherwise. What stood in the base is undefined: a
# host, a limit or a time-out falls back to what the program has for a missing one, and the file is the same that worked.
# Seen, base retries 3 and host a, own host x: js-yaml 4.1.0: x and 3; js-yaml 5.5.0 and yaml 2.9.1: x and undefined.
# Whoever needs it gives js-yaml its YAML11_SCHEMA, and yaml {merge: true}.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund js-yaml@5.5.0 js-yaml-4@npm:js-yaml@4.1.0 yaml@2.9.1 >/dev/null
cat > talk.mjs <<'JS'
import * as five from 'js-yaml'
import four from 'js-yaml-4'
import * as yaml from 'yaml'

const text = 'base: &base {retries: 3, host: a}\nenvironment:\n  <<: *base\n  host: x\n'
for (const [name, read] of [
  ['js-yaml 4', (text) => four.load(text)],
  ['js-yaml 5', (text) => five.load(text)],
  ['js-yaml 5, YAML11_SCHEMA', (text) => five.load(text, { schema: five.YAML11_SCHEMA })],
  ['yaml', (text) => yaml.parse(text)],
  ['yaml, merge', (text) => yaml.parse(text, { merge: true })],
]) {
  const { environment } = read(text)
  console.log(`${name}: ${environment.host} and ${environment.retries}, keys ${Object.keys(environment).sort()}`)
}
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'js-yaml 4: x and 3, keys host,retries
js-yaml 5: x and undefined, keys <<,host
js-yaml 5, YAML11_SCHEMA: x and 3, keys host,retries
yaml: x and undefined, keys <<,host
yaml, merge: x and 3, keys host,retries' ] || { echo "changed"; exit 1; }
