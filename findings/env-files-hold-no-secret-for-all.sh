#!/usr/bin/env bash
# dotenv 18.0.10 (npm), node --env-file, godotenv v1.5.1, compose-go v2.16.2 and docker/cli v29.9.3 (Go): a secret that holds # and $ can be written in
# no way that all of them read alike.
#
# KEY=value, a line for each, is read by all, and a secret of a password manager may hold any sign. Without quotes dotenv and Node take # for the
# start of a comment, where the others want a blank before it, and Compose puts a variable in for $. Within quotes of either kind all is well, but
# for "docker run --env-file", which has no quotes and takes them for a part of the secret. None says a word. The tokens signed with it are
# refused, in the container or on the desk, and the file is the same.
# Seen, k#e$y: bare: k, k, k#e$y, k#e, k#e$y; in single quotes all right but docker, which has the quotes; in double ones Compose has k#e as well.
# Whoever makes a secret for such files makes it of letters and digits.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund dotenv@18.0.10 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/compose-spec/compose-go/v2 v2.16.2
	github.com/docker/cli v29.9.3+incompatible
	github.com/joho/godotenv v1.5.1
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/docker/cli/pkg/kvfile"
	"github.com/joho/godotenv"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	simple := must(godotenv.Read(os.Args[1]))
	compose := must(dotenv.Read(os.Args[1]))
	docker := must(kvfile.Parse(os.Args[1], nil))
	for i, key := range []string{"BARE", "SINGLE", "DOUBLE"} {
		fmt.Printf("%s godotenv %s, compose %s, docker %s\n", key, simple[key], compose[key], docker[i][len(key)+1:])
	}
}
GO
cat > secrets.env <<'ENV'
BARE=k#e$y
SINGLE='k#e$y'
DOUBLE="k#e$y"
ENV
cat > read.cjs <<'JS'
const { parsed } = require('dotenv').config({ path: 'secrets.env', processEnv: {}, quiet: true })
for (const key of ['BARE', 'SINGLE', 'DOUBLE']) console.log(`${key} dotenv ${parsed[key]}, node ${process.env[key]}`)
JS
go mod tidy >/dev/null 2>&1
seen=$(node --env-file=secrets.env read.cjs; go run . secrets.env 2>/dev/null); echo "$seen"
[ "$seen" = 'BARE dotenv k, node k
SINGLE dotenv k#e$y, node k#e$y
DOUBLE dotenv k#e$y, node k#e$y
BARE godotenv k#e$y, compose k#e, docker k#e$y
SINGLE godotenv k#e$y, compose k#e$y, docker '"'k#e\$y'"'
DOUBLE godotenv k#e$y, compose k#e, docker "k#e$y"' ] || { echo "changed"; exit 1; }
