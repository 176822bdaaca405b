#!/usr/bin/env bash
# github.com/gofiber/fiber/v3 v3.1.0 and v2 v2.52.15 (middleware/cache, as it is): a request for page=2 gets the answer to page=1.
#
# A cache goes by the whole address: with another query it is another resource (RFC 9111 section 2, RFC 3986 section 3.4). This one goes by the path
# alone. Behind one line, app.Use(cache.New()), a list of devices has its first page on each page, a search finds what the first one
# searched for, and a client that follows pages to the end goes on for ever or counts the same ten devices. A test of one page is green. v3 tells
# every cache between to keep the wrong page for five minutes more.
# Seen, /devices?page=1, then page=2, then /others?page=2: v3 and v2: 1, 1, 2; the second is X-Cache: hit. Its KeyGenerator set to the
# original URL: 1, 2, 2.
# Whoever uses it sets KeyGenerator.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/gofiber/fiber/v2 v2.52.15
	github.com/gofiber/fiber/v3 v3.1.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	fiber2 "github.com/gofiber/fiber/v2"
	cache2 "github.com/gofiber/fiber/v2/middleware/cache"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/cache"
)

func show(name string, ask func(*http.Request) (*http.Response, error)) {
	fmt.Print(name, ":")
	for _, path := range []string{"/devices?page=1", "/devices?page=2", "/others?page=2"} {
		answer, err := ask(httptest.NewRequest(http.MethodGet, path, nil))
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(answer.Body)
		fmt.Printf(" %s %s", body, answer.Header.Get("X-Cache"))
	}
	fmt.Println()
}

func main() {
	page := func(c fiber.Ctx) error { return c.SendString(c.Query("page")) }
	for name, config := range map[string]cache.Config{
		"a v3":              {},
		"b v3 with the URL": {KeyGenerator: func(c fiber.Ctx) string { return c.OriginalURL() }},
	} {
		app := fiber.New()
		app.Use(cache.New(config))
		app.Get("/*", page)
		show(name, func(request *http.Request) (*http.Response, error) { return app.Test(request) })
	}
	app := fiber2.New()
	app.Use(cache2.New())
	app.Get("/*", func(c *fiber2.Ctx) error { return c.SendString(c.Query("page")) })
	show("c v2", func(request *http.Request) (*http.Response, error) { return app.Test(request) })
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run . | sort); echo "$seen"
[ "$seen" = 'a v3: 1 miss 1 hit 2 miss
b v3 with the URL: 1 miss 2 miss 2 miss
c v2: 1 miss 1 hit 2 miss' ] || { echo "changed"; exit 1; }
