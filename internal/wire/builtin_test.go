package wire

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The pages are those that nginx 1.22, Apache 2.4 and HAProxy 2.6 of Debian 12 gave.
const (
	nginxPage   = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
	apachePage  = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>403 Forbidden</title>\n</head><body>\n<h1>Forbidden</h1>\n<p>You don't have permission to access this resource.</p>\n</body></html>\n"
	apache500   = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\">\n<html><head>\n<title>500 Internal Server Error</title>\n</head><body>\n<h1>Internal Server Error</h1>\n<p>The server encountered an internal error or\nmisconfiguration and was unable to complete\nyour request.</p>\n</body></html>\n"
	haproxyPage = "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
	azurePage   = "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center><hr><center>Microsoft-Azure-Application-Gateway/v2</center></body></html>"
	awsPage     = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n"
	f5Page      = "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator.<br><br>Your support ID is: 17</body></html>"
	tomcatPage  = "<!doctype html><html lang=\"en\"><head><title>HTTP Status 403 – Forbidden</title></head><body><h1>HTTP Status 403 – Forbidden</h1></body></html>"
)

// armorPage is what Google's load balancers send for a rule of Cloud Armor.
const armorPage = `<!doctype html><meta charset="utf-8"><meta name=viewport ` +
	`content="width=device-width, initial-scale=1"><title>403</title>403 Forbidden`

const impervaPage = `<html><body><iframe>Request unsuccessful. Incapsula incident ID: 877-1</iframe></body></html>`

// TestBarredBy: the page of a known program, with a status that it gives by itself, and nothing that a service may have
// said.
func TestBarredBy(t *testing.T) {
	for name, c := range map[string]struct {
		status             int
		body, server, sent string
		want               string
	}{
		"nginx":                        {403, nginxPage, "nginx/1.22.1", "{}", "nginx"},
		"Apache":                       {403, apachePage, "Apache", "{}", "Apache"},
		"HAProxy":                      {403, haproxyPage, "", "{}", "HAProxy"},
		"Azure":                        {403, azurePage, "", "{}", "Azure"},
		"AWS":                          {403, awsPage, "awselb/2.0", "{}", "AWS"},
		"Cloudflare":                   {403, tomcatPage, "cloudflare", "{}", "Cloudflare"},
		"406":                          {406, nginxPage, "", "{}", "nginx"},
		"400":                          {400, nginxPage, "", "{}", "nginx"},
		"F5":                           {200, f5Page, "", "{}", "F5"},
		"F5, with a status":            {403, f5Page, "", "{}", "F5"},
		"Apache, JSON that breaks off": {500, apache500, "", `{"a":`, "Apache"},

		"Google Cloud":        {403, armorPage, "", "{}", "Google Cloud"},
		"Imperva":             {403, impervaPage, "", "{}", "Imperva"},
		"Envoy":               {403, "RBAC: access denied", "", "{}", "Envoy"},
		"Cloudflare, in text": {403, "error code: 1020", "", "{}", "Cloudflare"},

		"Envoy's text, 401":           {401, "RBAC: access denied", "", "{}", ""},
		"a text that quotes Envoy":    {403, "no: RBAC: access denied", "", "{}", ""},
		"a page 403 of a service":     {403, "<!doctype html><title>403</title>403 Forbidden", "", "{}", ""},
		"Apache, JSON":                {500, apache500, "", `{}`, ""},
		"Apache, no body":             {500, apache500, "", ``, ""},
		"nginx, JSON that breaks off": {500, nginxPage, "", `{"a":`, ""},
		"the service is down":         {502, nginxPage, "", "{}", ""},
		"no room":                     {503, nginxPage, "", "{}", ""},
		"no route":                    {404, nginxPage, "", "{}", ""},
		"Tomcat behind Apache":        {403, tomcatPage, "Apache", "{}", ""},
		"JSON through AWS":            {403, `{"code":20020}`, "awselb/2.0", "{}", ""},
		"a page that is no refusal":   {200, nginxPage, "awselb/2.0", "{}", ""},
		"nothing":                     {403, "", "awselb/2.0", "{}", ""},
		"no answer":                   {0, "", "", "{}", ""},
	} {
		x := &Exchange{Call: Call{Body: []byte(c.sent)}, Status: c.status, Body: []byte(c.body), Header: http.Header{"Content-Type": {"text/html"}, "Server": {c.server}}}
		assert.Equal(t, c.want, BarredBy(x), name)
	}
}

// TestStandIn: pages under a status of success and redirects, and nothing that an AGS may have said.
func TestStandIn(t *testing.T) {
	for name, c := range map[string]struct {
		status           int
		kind, body, want string
	}{
		"a login":                 {200, "text/html", "<html><head><title>Sign in</title></head></html>", "a page “Sign in” (status 200)"},
		"without a title":         {201, "", "<!doctype html><p>", "a page (status 201)"},
		"a redirect":              {302, "", "", "a redirect (status 302)"},
		"a choice of accounts":    {300, "application/json", "{}", ""},
		"JSON of the wrong type":  {200, "text/html", `{"accountId":"1"}`, ""},
		"nothing":                 {200, "text/html", "", ""},
		"a page with a token":     {200, "text/html", `<html>{"access_token":"a"}</html>`, ""},
		"a page with a JWT":       {200, "text/html", "<html>eyJhbGciOiJub25lIn0.e30.</html>", ""},
		"a form with its own key": {200, "text/html", `<html><input name="csrf_token"></html>`, "a page (status 200)"},
		"a refusal":               {403, "text/html", "<html></html>", ""},
		"text":                    {200, "text/plain", "ok", ""},
	} {
		header := http.Header{}
		if c.kind != "" {
			header.Set("Content-Type", c.kind)
		}
		assert.Equal(t, c.want, StandIn(&Exchange{Status: c.status, Header: header, Body: []byte(c.body)}), name)
	}
}
