#!/usr/bin/env bash
# github.com/cucumber/godog v0.16.0: a program that only imports it runs "go env GOTOOLDIR" at every start, before main, and says nothing of it.
#
# A package variable of its builder asks the go command where its tools are, which only those need who build a test program with godog's own
# command. One would expect an import to start no other program. A command that has godog in it for one of its subcommands, such as a tester in
# a pipeline, so starts another process for "version" and for each completion of a shell, where go is installed: on the machines of those who
# write it, and not on those of its users, so that the two measure different times. Without go on the PATH nothing happens.
# Seen, the program does nothing but print: with a "go" on the PATH that notes how it is called: "env GOTOOLDIR", once a start; without: no call.
# Whoever starts such a program in a tight loop, as tests of a command do, gives it a PATH without go, or one whose "go" answers at once.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.25
require github.com/cucumber/godog v0.16.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/cucumber/godog"
)

var _ = godog.ErrPending // nothing is run

func main() { fmt.Println("main") }
GO
go mod tidy >/dev/null 2>&1 && go build -o program . >/dev/null 2>&1 || { echo "godog v0.16.0 cannot be had here"; exit 1; }
mkdir with without
printf '#!/bin/sh\necho "$@" >> "%s/calls"\necho /nowhere\n' "$dir" > with/go && chmod +x with/go
seen() { touch calls; echo "$1: said $(PATH="$dir/$1:/bin" "$dir/program"), go was called with: $(paste -sd, calls)"; : > calls; }
out=$(seen with; seen without)
echo "$out"
[ "$out" = "with: said main, go was called with: env GOTOOLDIR
without: said main, go was called with: " ]
