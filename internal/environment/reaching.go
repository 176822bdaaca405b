package environment

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"agstest/internal/wire"
)

// The words that Proxy may hold beside an address.
const (
	proxyOfEnvironment = "environment"
	proxyNone          = "none"
)

// defaultPrefix is the path of the operations where a file does not say.
const defaultPrefix = "/ags"

// longestTimeout of one exchange is far above what any gateway waits.
const longestTimeout = 10 * time.Minute

// checkReaching finds mistakes in how the service is reached, and settles which proxy is used.
func (r *reader) checkReaching(e *Environment) {
	if e.Timeout < 0 || e.Timeout > longestTimeout || e.Timeout > 0 && e.Timeout < 10*time.Millisecond {
		r.wrong("timeout", "must be between 10ms and %s", longestTimeout)
	}
	if !slices.Contains([]string{"", string(wire.HTTP1), string(wire.HTTP2), string(wire.HTTPAuto)}, e.HTTP) {
		r.wrong("http", "must be 1.1, 2 or auto")
	}
	if !slices.Contains([]string{"", "keep", "none"}, e.Cookies) {
		r.wrong("cookies", "must be keep or none")
	}
	secure := strings.HasPrefix(e.URL, "https://")
	if e.HTTP == string(wire.HTTP2) && !secure {
		r.wrong("http", "HTTP/2 needs a url that starts with https://")
	}
	if e.Host != "" && !isHost(e.Host) {
		r.wrong("host", "must be a host, with a port or without, such as ags.example.com")
	}
	if e.SNI != "" && (!isHost(e.SNI) || strings.Contains(e.SNI, ":")) {
		r.wrong("sni", "must be the name of a host, such as ags.example.com")
	}
	if e.SNI != "" && !secure {
		r.warn("sni", "is not used, because the url starts with http://")
	}
	if e.Prefix != "" && !isPrefix(e.Prefix) {
		r.wrong("prefix", "is a path that begins and does not end with a slash, such as /ags/v2, or / for none")
	}
	r.settleProxy(e)
}

// isPrefix takes a path that operations can be put below.
func isPrefix(path string) bool {
	return path == "/" ||
		strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") && !strings.ContainsAny(path, "?#% ") &&
			!strings.Contains(path, "//")
}

// isHost takes a name or an address, with a port or without.
func isHost(host string) bool {
	u, err := url.Parse("//" + host)
	return err == nil && u.Host == host && u.Hostname() != "" && (u.Port() == "" || validPort(u.Port()))
}

// settleProxy decides whether the service is reached through a proxy. Variables such as HTTPS_PROXY count only if the
// file says so; if they are set and the file says nothing, it adds a warning.
func (r *reader) settleProxy(e *Environment) {
	target, err := url.Parse(e.URL)
	if err != nil || target.Host == "" {
		return
	}
	if e.NoProxy != "" && e.Proxy != "" && !strings.Contains(e.Proxy, "://") {
		r.wrong("noProxy", "stands beside the address of a proxy; with proxy: %s it has no meaning", e.Proxy)
	} else if e.NoProxy != "" && e.Proxy == "" {
		r.wrong("noProxy", "needs proxy: the address of the proxy for every other host")
	}
	switch e.Proxy {
	case proxyNone:
	case "":
		if found, err := proxyOfVariables(r.proxyVariables(), target); e.Mock == nil && err == nil && found != nil {
			name := strings.ToUpper(target.Scheme) + "_PROXY"
			r.warnings = append(r.warnings,
				fmt.Sprintf("%s: %s is set and not used: write proxy: environment to use it, or proxy: none", r.name,
					name))
		}
	case proxyOfEnvironment:
		variables := r.proxyVariables()
		found, err := proxyOfVariables(variables, target)
		if err != nil {
			r.wrong("proxy",
				"HTTP_PROXY or HTTPS_PROXY holds no address of a proxy, such as http://proxy.example.com:3128")
			return
		}
		e.proxy, e.proxies = found, variables
	default:
		u, err := url.Parse(e.Proxy)
		if err != nil || !isProxy(u) {
			r.wrong("proxy",
				"must be the address of a proxy, such as http://proxy.example.com:3128, or environment, or none")
			return
		}
		if !excluded(target, e.NoProxy) {
			e.proxy = u
		}
	}
}

// proxyVariables are the values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or else in small letters; empty:
// not set.
func (r *reader) proxyVariables() (values [3]string) {
	for i, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		for _, spelled := range []string{name, strings.ToLower(name)} {
			if value, set := r.getenv(spelled); set && value != "" {
				values[i] = strings.TrimSpace(value)
				break
			}
		}
	}
	return values
}

// proxyOfVariables returns the proxy that the variables name for a target; nil if none.
func proxyOfVariables(variables [3]string, target *url.URL) (*url.URL, error) {
	config := httpproxy.Config{HTTPProxy: variables[0], HTTPSProxy: variables[1], NoProxy: variables[2]}
	return config.ProxyFunc()(target)
}

func isProxy(u *url.URL) bool {
	return u.Host != "" && validHost(u.Host) && (u.Port() == "" || validPort(u.Port())) &&
		slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)
}

// excluded tells whether a list in the form of NO_PROXY names a host. The library that reads such lists never uses a
// proxy for this machine; a file that names a proxy wants it, so only the list counts here.
func excluded(target *url.URL, list string) bool {
	if list == "" {
		return false
	}
	host := target.Hostname()
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return slices.ContainsFunc(strings.Split(list, ","), func(entry string) bool {
			entry = strings.TrimSpace(entry)
			if _, network, err := net.ParseCIDR(entry); err == nil && ip != nil {
				return network.Contains(ip)
			}
			return entry == "*" || strings.EqualFold(entry, host) || strings.EqualFold(entry, target.Host)
		})
	}
	config := httpproxy.Config{HTTPProxy: "http://p.invalid", HTTPSProxy: "http://p.invalid", NoProxy: list}
	found, _ := config.ProxyFunc()(target)
	return found == nil
}

// expandProxy puts in the values of ${NAME} in the address of a proxy. Those of user name and password are taken as
// they are and escaped; in any other place they are put in as everywhere.
func (r *reader) expandProxy(text, path string, line int) (string, bool) {
	scheme, rest, found := strings.Cut(text, "://")
	at := strings.LastIndex(rest, "@")
	if !found || at < 0 || !strings.Contains(rest[:at], "${") {
		return r.expand(text, path, line)
	}
	user, password, hasPassword := cutOutside(rest[:at])
	var parts [2]string
	for i, part := range []string{user, password} {
		value, ok := r.expand(part, path, line)
		if !ok {
			return "", false
		}
		if value != part {
			value = url.UserPassword("", value).String()[1:]
		}
		parts[i] = value
	}
	host, ok := r.expand(rest[at+1:], path, line)
	if hasPassword {
		parts[0] += ":"
	}
	r.written[path] = text
	return scheme + "://" + parts[0] + parts[1] + "@" + host, ok
}

// cutOutside cuts at the first colon that does not stand within ${}.
func cutOutside(text string) (before, after string, found bool) {
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "${") {
			i += max(strings.IndexByte(text[i:], '}'), 0)
		} else if text[i] == ':' {
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// SentHeaders returns the headers of every request: those of the file, and Host if it is given.
func (e *Environment) SentHeaders() map[string]string {
	if e.Host == "" {
		return e.Headers
	}
	headers := maps.Clone(e.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	headers["Host"] = e.Host
	return headers
}

// PathOf is the path of an operation at this service.
func (e *Environment) PathOf(path string) string {
	rest, found := strings.CutPrefix(path, defaultPrefix+"/")
	if !found || e.Prefix == "" || strings.HasPrefix(path, e.Prefix+"/") {
		return path
	}
	return strings.TrimSuffix(e.Prefix, "/") + "/" + rest
}
