#!/usr/bin/env bash
# github.com/patrickmn/go-cache v2.1.0, github.com/jellydator/ttlcache/v3 v3.4.1 and github.com/coocood/freecache v1.2.7: what is stored with less
# than no time left stays for ever.
#
# A token goes into a cache for the time that it has left, often less a margin so that it is renewed early: time.Until(exp) - margin. For a token
# that lives shorter than the margin, or came late, that is less than nothing, and one would expect the cache to keep nothing. All three take every
# negative time, not just their constant -1, for "never": the one token that should not be used is used until the process ends, and each call
# is refused. No time at all, 0, is each one's own default. The caches of npm (lru-cache, node-cache, keyv) drop what has a negative time.
# Seen, one second and one minute past: go-cache and ttlcache have it without an end, freecache too.
# Whoever caches tokens stores none whose time is not above 0.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/coocood/freecache v1.2.7
	github.com/jellydator/ttlcache/v3 v3.4.1
	github.com/patrickmn/go-cache v2.1.0+incompatible
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/coocood/freecache"
	"github.com/jellydator/ttlcache/v3"
	gocache "github.com/patrickmn/go-cache"
)

// word says what a cache makes of a token: whether it is there, and whether that ends.
func word(there, ends bool) string {
	switch {
	case !there:
		return "gone"
	case ends:
		return "there for a while"
	default:
		return "there for ever"
	}
}

func main() {
	first := gocache.New(time.Hour, time.Hour)
	second := ttlcache.New[string, string](ttlcache.WithTTL[string, string](time.Hour))
	third := freecache.NewCache(1 << 20)
	for _, left := range []time.Duration{time.Minute, -time.Second, -time.Minute} {
		first.Set("token", "t", left)
		_, end, there := first.GetWithExpiration("token")
		fmt.Printf("%v: go-cache %s", left, word(there, !end.IsZero()))

		second.Set("token", "t", left)
		item := second.Get("token")
		fmt.Printf(", ttlcache %s", word(item != nil, item != nil && !item.ExpiresAt().IsZero()))

		if err := third.Set([]byte("token"), []byte("t"), int(left.Seconds())); err != nil {
			panic(err)
		}
		_, second, err := third.GetWithExpiration([]byte("token"))
		fmt.Printf(", freecache %s\n", word(err == nil, second != 0))
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = '1m0s: go-cache there for a while, ttlcache there for a while, freecache there for a while
-1s: go-cache there for ever, ttlcache there for ever, freecache there for ever
-1m0s: go-cache there for ever, ttlcache there for ever, freecache there for ever' ] || { echo "changed"; exit 1; }
