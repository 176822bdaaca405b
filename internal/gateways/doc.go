// Package gateways starts real gateways in front of a service: nginx, HAProxy, Apache, Varnish, Squid, Caddy and
// others, each as Debian packages it. It is for tests only, on Linux; nothing else may import it.
//
// Start with Start and Config. A gateway runs until its test ends, and none outlives the process of the test. Where a
// program is not installed, the test is skipped with the name of its package; AGSTEST_GATEWAYS=required makes that a
// failure. Each has ports, files and an Authority of its own, so tests may run at the same time.
//
//	g := gateways.Start(t, gateways.Nginx, gateways.Config{Upstream: "127.0.0.1:8080", Production: true})
//	address, ca := g.Address() // what stands in url and tls.ca of an environment file
//
// Programs lists those that are tried in every way, Others those that are tried where they differ. docs/gateways.md
// says what was seen; TestTheTableIsTrue holds it to that.
package gateways
