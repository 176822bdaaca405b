// Package gateways starts real gateways in front of a service: nginx, HAProxy, Apache, Varnish, Squid and Caddy, each
// as Debian packages it. It is for tests only, on Linux; nothing else may import it.
package gateways
