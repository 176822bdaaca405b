#!/usr/bin/env bash
# github.com/jellydator/ttlcache/v3 v3.4.1: a value outlives its time to live for as long as somebody asks for it.
#
# A token with expires_in 3600 goes into a cache with that time to live, so that it is gone when it is over. Each Get starts the time anew, unless
# WithDisableTouchOnHit says otherwise, as it does with no other cache of this kind (go-cache v2.1.0, golang-lru v2.0.7). A token that is
# used more often than once an hour, which is what the cache is for, stays in it and is sent long after its exp. A quiet environment gets fresh tokens,
# and the one under load 401 for ever.
# Seen, time to live 2 s, asked each 100 ms for 5 s: ttlcache has it, go-cache and golang-lru do not; ttlcache not asked for 5 s: gone;
# WithDisableTouchOnHit: gone.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/hashicorp/golang-lru/v2 v2.0.7
	github.com/jellydator/ttlcache/v3 v3.4.1
	github.com/patrickmn/go-cache v2.1.0+incompatible
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/jellydator/ttlcache/v3"
	"github.com/patrickmn/go-cache"
)

const live = 2 * time.Second

func main() {
	touched := ttlcache.New(ttlcache.WithTTL[string, string](live))
	left := ttlcache.New(ttlcache.WithTTL[string, string](live))
	untouched := ttlcache.New(ttlcache.WithTTL[string, string](live), ttlcache.WithDisableTouchOnHit[string, string]())
	simple := cache.New(live, 0)
	lru := expirable.NewLRU[string, string](9, nil, live)
	for _, one := range []*ttlcache.Cache[string, string]{touched, left, untouched} {
		one.Set("user", "token", ttlcache.DefaultTTL)
	}
	simple.SetDefault("user", "token")
	lru.Add("user", "token")
	asked := func() [4]bool {
		_, inSimple := simple.Get("user")
		_, inLRU := lru.Get("user")
		return [4]bool{touched.Get("user") != nil, untouched.Get("user") != nil, inSimple, inLRU}
	}
	for start := time.Now(); time.Since(start) < 5*time.Second; time.Sleep(100 * time.Millisecond) {
		asked()
	}
	has := asked()
	fmt.Printf("ttlcache %t, not asked %t, not touched %t, go-cache %t, golang-lru %t\n", has[0], left.Get("user") != nil, has[1], has[2], has[3])
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'ttlcache true, not asked false, not touched false, go-cache false, golang-lru false' ] || { echo "changed"; exit 1; }
