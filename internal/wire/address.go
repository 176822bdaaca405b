package wire

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"agstest/internal/failure"
)

func baseAddress(address string) (string, error) {
	const what = "it must look like https://api.example.com"
	if strings.TrimSpace(address) == "" {
		return "", failure.Usagef("no url of the service is given; %s", what)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", failure.Usagef("the url of the service cannot be read; %s", what)
	}
	switch {
	case u.User != nil:
		return "", failure.Usagef("the url of the service holds a user name or password; leave them out")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", failure.Usagef("the url %q does not start with http:// or https://; %s", address, what)
	case u.Hostname() == "":
		return "", failure.Usagef("the url %q names no host; %s", address, what)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "", failure.Usagef("the url of the service has a query or a fragment; /ags/… is appended to it, so %s",
			what)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", failure.Usagef("the url %q has the port %s; ports go from 1 to 65535", address, port)
		}
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// OnLoopback tells whether a host, a name or an IP address without brackets and port, is this machine itself: localhost
// and the names under it (RFC 6761 section 6.3), or an address of loopback. Other names may lead anywhere.
func OnLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

func checkProxy(u *url.URL) error {
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return failure.Usagef("the proxy has the scheme %q; it must be http, https or socks5", u.Scheme)
	}
	if u.Hostname() == "" {
		return failure.Usagef("the proxy names no host; it must look like http://proxy.example.com:3128")
	}
	return nil
}
