package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// barred are the statuses of a gateway's own answer to a call that it does not pass on. 502, 503 and 504, for a service
// that does not answer, are not among them: they tell of the service too.
var barred = []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotAcceptable}

// f5 bars calls with status 200, unless its operator has chosen another.
const f5 = "F5"

// builtInPages are the texts of gateways' built-in pages. They hold only words of the programs themselves, none that a
// service could use.
var builtInPages = []struct {
	maker string
	page  *regexp.Regexp
}{
	{"nginx", regexp.MustCompile(`<hr>\s*<center>(nginx|openresty)[^<]*</center>`)},
	{"Apache", regexp.MustCompile(`(?s)^<!DOCTYPE HTML PUBLIC "-//(IETF//DTD HTML 2\.0|W3C//DTD HTML 4\.01)//EN".*(` +
		`You don't have permission to access this resource|Your browser sent a request that this server could not understand|` +
		`An appropriate representation of the requested resource could not be found|The server encountered an internal error or\s+misconfiguration)`)},
	{"HAProxy", regexp.MustCompile(`^<html><body><h1>4\d\d [A-Z][A-Za-z ]+</h1>\s*(Request forbidden by administrative rules|Your browser sent an invalid request)\.`)},
	{"Azure", regexp.MustCompile(`<center>Microsoft-Azure-Application-Gateway/`)},
	{"Google Cloud", regexp.MustCompile(`^<!doctype html><meta charset="?utf-8"?><meta name=viewport content="width=device-width, initial-scale=1"><title>403</title>403 Forbidden\s*$`)},
	{"Imperva", regexp.MustCompile(`Request unsuccessful\. Incapsula incident ID: `)},
	{f5, regexp.MustCompile(`The requested URL was rejected\. Please consult with your administrator\.`)},
}

// builtInTexts are the texts of gateways that send no HTML.
var builtInTexts = map[string]*regexp.Regexp{
	"Envoy":      regexp.MustCompile(`^RBAC: access denied\s*$`),
	"Cloudflare": regexp.MustCompile(`^error code: 1[0-9]{3}\s*$`),
}

// barredInText names the gateway whose text an answer is; empty: it is none.
func barredInText(x *Exchange) string {
	for maker, text := range builtInTexts {
		if x.Status == http.StatusForbidden && text.Match(x.Body) {
			return maker
		}
	}
	return ""
}

// builtInServers are gateways that put their name in place of the service's into the header Server of their own pages.
var builtInServers = map[string]string{"awselb/2.0": "AWS", "CloudFront": "CloudFront", "cloudflare": "Cloudflare",
	"AkamaiGHost": "Akamai"}

// BarredBy names the program or the cloud that answered a call with its own page and did not pass it on, as a firewall
// of web applications does: nginx, Apache, HAProxy, Azure, Google Cloud, Imperva, F5, Envoy, AWS, CloudFront,
// Cloudflare, Akamai. It is empty for all that the service may have said: JSON, pages with other words, and statuses
// other than 400, 403 and 406. A page 200 counts where it is F5's own, a page 500 where Apache wrote it for a request
// whose body is no JSON: so ends its mod_security on one that breaks off.
// Gateways that replace the pages of a service by their own (ProxyErrorOverride, proxy_intercept_errors) look the same.
func BarredBy(x *Exchange) string {
	broken := x.Status == http.StatusInternalServerError && len(x.Call.Body) > 0 && !json.Valid(x.Call.Body)
	passed := x.Status == http.StatusOK
	if maker := barredInText(x); maker != "" {
		return maker
	}
	if !broken && !passed && !slices.Contains(barred, x.Status) || len(x.Body) == 0 || !looksLikeHTML(x) ||
		json.Valid(x.Body) {
		return ""
	}
	body := bytes.TrimSpace(x.Body[:min(len(x.Body), 4<<10)])
	for _, known := range builtInPages {
		if known.page.Match(body) && (!broken || known.maker == "Apache") && (!passed || known.maker == f5) {
			return known.maker
		}
	}
	if broken || passed {
		return ""
	}
	return builtInServers[strings.TrimSpace(x.Header.Get("Server"))]
}
