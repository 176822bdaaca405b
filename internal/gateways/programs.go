//go:build linux

package gateways

import (
	"errors"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Program is a gateway that can be started.
type Program string

// The programs, with the version that Debian 12 packages.
const (
	Nginx   Program = "nginx"   // 1.22
	HAProxy Program = "haproxy" // 2.6
	Apache  Program = "apache"  // 2.4
	Varnish Program = "varnish" // 7.1; plain HTTP only
	Squid   Program = "squid"   // 5.7, as an accelerator; plain HTTP only, as Debian builds it
	Caddy   Program = "caddy"   // 2.6

	Lighttpd      Program = "lighttpd"      // 1.4.69
	Nghttpx       Program = "nghttpx"       // 1.52
	TrafficServer Program = "trafficserver" // 9.2
	Hitch         Program = "hitch"         // 1.7; TLS only
	Stunnel       Program = "stunnel"       // 5.68; TLS only

	Tinyproxy Program = "tinyproxy" // 1.11; a forward proxy
	Dante     Program = "dante"     // 1.4; a forward proxy of SOCKS
)

// Programs lists those that are tried in every way, and Others those that are tried in the ways in which they differ.
var (
	Programs = []Program{Nginx, HAProxy, Apache, Varnish, Squid, Caddy}
	Others   = []Program{Lighttpd, Nghttpx, TrafficServer, Hitch, Stunnel}
)

// kind is how a program is run. The texts are templates over a Gateway.
type kind struct {
	binary, debian       string
	modules              []string // files that it needs besides, of the same packages
	user                 string   // of its workers, when it is started by root
	secure               bool     // ends TLS
	onlyTLS              bool     // takes nothing else
	prepare              func(g *Gateway)
	defaults, production string
	args                 func(g *Gateway) []string
	version              []string
	reload               func(g *Gateway) error
}

var kinds = map[Program]*kind{
	Nginx: {
		binary: "nginx", debian: "nginx-light", user: "root", secure: true, version: []string{"-v"},
		args:     func(g *Gateway) []string { return []string{"-p", g.Folder, "-c", g.File(), "-g", "daemon off;"} },
		reload:   hup(syscall.SIGHUP),
		defaults: nginxMain + nginxServer + "    location / { proxy_pass http://{{.Config.Upstream}}; }\n  }\n}\n",
		production: nginxMain + `  upstream ags { server {{.Config.Upstream}}; keepalive 32; }
  keepalive_timeout 15s;
  gzip on; gzip_types application/json; gzip_min_length 256;
  server_tokens off;
  client_max_body_size 64k;
` + nginxServer + `    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:1m; ssl_session_timeout 10m;
    add_header Strict-Transport-Security "max-age=63072000" always;
    location / {
      proxy_pass http://ags; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_connect_timeout 2s; proxy_read_timeout 30s;
    }
  }
}
`,
	},
	HAProxy: {
		binary: "haproxy", debian: "haproxy", secure: true, version: []string{"-v"},
		args:   func(g *Gateway) []string { return []string{"-W", "-db", "-f", g.File()} },
		reload: haproxyReload,
		defaults: `global
  stats socket {{.Folder}}/admin.sock mode 600 level admin expose-fd listeners
  {{.Config.Outer}}
defaults
  mode http
  timeout client 50s
  timeout server 50s
  timeout connect 5s
` + haproxyFrontend,
		production: `global
  maxconn 4000
  stats socket {{.Folder}}/admin.sock mode 600 level admin expose-fd listeners
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
  {{.Config.Outer}}
defaults
  mode http
  option forwardfor
  option redispatch
  retries 3
  timeout http-request 10s
  timeout queue 1m
  timeout connect 10s
  timeout client 1m
  timeout server 1m
  {{if not .Config.Idle}}timeout http-keep-alive 10s{{end}}
` + haproxyFrontend,
	},
	Apache: {
		binary: "apache2", debian: "apache2", user: "www-data", secure: true, version: []string{"-v"},
		args:     func(g *Gateway) []string { return []string{"-d", g.Folder, "-f", g.File(), "-DFOREGROUND"} },
		reload:   hup(syscall.SIGUSR1),
		defaults: apacheMain + apacheSites,
		production: apacheMain + `KeepAliveTimeout {{if .Config.Idle}}{{.Seconds}}{{else}}15{{end}}
MaxKeepAliveRequests 1000
Timeout 60
ServerTokens Prod
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLSessionCache shmcb:{{.Folder}}/tls(512000)
LimitRequestBody 65536
RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}
` + apacheSites,
	},
	Varnish: {
		binary: "varnishd", debian: "varnish", version: []string{"-V"},
		args: func(g *Gateway) []string {
			args := []string{"-F", "-n", g.Folder + "/varnish", "-f", g.File(), "-a", "127.0.0.1:" + itoa(g.Port), "-s",
				"malloc,32m", "-p", "vsl_space=4M"}
			if g.Root() {
				args = append(args, "-j", "none")
			}
			if g.Config.Idle > 0 {
				args = append(args, "-p", "timeout_idle="+itoa(g.Seconds()))
			}
			return args
		},
		// A new program is loaded; connections stay.
		reload: func(g *Gateway) error {
			g.loaded++
			name := "again" + itoa(g.loaded)
			if err := g.do("varnishadm", "-n", g.Folder+"/varnish", "vcl.load", name, g.File()); err != nil {
				return err
			}
			return g.do("varnishadm", "-n", g.Folder+"/varnish", "vcl.use", name)
		},
		defaults: varnishBackend + "sub vcl_recv {\n  {{.Config.Inner}}\n}\n",
		production: varnishBackend + `sub vcl_recv {
  {{.Config.Inner}}
  return (pass);
}
`,
	},
	Squid: {
		binary: "squid", debian: "squid", user: "proxy", version: []string{"-v"},
		args:     func(g *Gateway) []string { return []string{"-N", "-f", g.File()} },
		reload:   hup(syscall.SIGHUP),
		defaults: squidMain + "http_access allow all\n{{.Config.Inner}}\n",
		production: squidMain + `cache deny all
forwarded_for on
reply_header_access X-Cache deny all
http_access allow all
{{.Config.Inner}}
`,
	},
	Caddy: {
		binary: "caddy", debian: "caddy", user: "root", secure: true, version: []string{"version"},
		args: func(g *Gateway) []string { return []string{"run", "--config", g.File(), "--adapter", "caddyfile"} },
		reload: func(g *Gateway) error {
			return g.do("caddy", "reload", "--force", "--config", g.File(), "--adapter", "caddyfile", "--address",
				"127.0.0.1:"+itoa(g.AdminPort))
		},
		defaults: caddyMain + caddySites,
		production: caddyMain + `(more) {
  encode gzip
  header Strict-Transport-Security "max-age=63072000"
  request_body {
    max_size 64KB
  }
}
` + caddySites,
	},
}

// hup is a reload by a signal to the first process.
func hup(signal syscall.Signal) func(g *Gateway) error {
	return func(g *Gateway) error { return g.command.Process.Signal(signal) }
}

// haproxyReload sends the signal until the first process says that it has come: one that comes soon after the start is
// lost.
func haproxyReload(g *Gateway) error {
	done := strings.Count(g.Output(), "Reloading HAProxy")
	for range 20 {
		if err := g.command.Process.Signal(syscall.SIGUSR2); err != nil {
			return err
		}
		for range 50 {
			if strings.Count(g.Output(), "Reloading HAProxy") > done {
				return nil
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return errors.New("it does not say that it reloads")
}

const nginxMain = `{{if .Root}}user root;{{end}}
worker_processes 2;
pid {{.Folder}}/pid;
error_log {{.Folder}}/error.log notice;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path {{.Folder}}/body; proxy_temp_path {{.Folder}}/proxy; fastcgi_temp_path {{.Folder}}/fastcgi;
  uwsgi_temp_path {{.Folder}}/uwsgi; scgi_temp_path {{.Folder}}/scgi;
  {{.Config.Outer}}
`

const nginxServer = `  server {
    listen 127.0.0.1:{{.Port}};
    listen 127.0.0.1:{{.SecurePort}} ssl;
    ssl_certificate {{.Authority.Cert}}; ssl_certificate_key {{.Authority.Key}};
    {{if .Config.ClientCert}}ssl_client_certificate {{.Authority.File}}; ssl_verify_client on;{{end}}
    {{if .Config.Idle}}keepalive_timeout {{.Seconds}}s;{{end}}
    {{.Config.Inner}}
`

const haproxyFrontend = `  {{if .Config.Idle}}timeout http-keep-alive {{.Seconds}}s{{end}}
frontend in
  bind 127.0.0.1:{{.Port}}
  bind 127.0.0.1:{{.SecurePort}} ssl crt {{.Authority.Both}}{{if .Config.ClientCert}} ca-file {{.Authority.File}} verify required{{end}}{{if .Config.Strict}} strict-sni{{end}}
  {{.Config.Inner}}
  default_backend ags
backend ags
  server one {{.Config.Upstream}}
`

const apacheMain = `ServerName localhost
PidFile {{.Folder}}/pid
ErrorLog {{.Folder}}/error.log
Mutex file:{{.Folder}} default
{{if .Root}}User {{.User}}
Group {{.User}}{{end}}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
Listen 127.0.0.1:{{.Port}}
Listen 127.0.0.1:{{.SecurePort}}
{{if .Config.Idle}}KeepAliveTimeout {{.Seconds}}{{end}}
{{.Config.Outer}}
`

const apacheSites = apacheSite + `</VirtualHost>
<VirtualHost 127.0.0.1:{{.SecurePort}}>
` + apacheInside + `  SSLEngine on
  SSLCertificateFile {{.Authority.Cert}}
  SSLCertificateKeyFile {{.Authority.Key}}
{{if .Config.ClientCert}}  SSLCACertificateFile {{.Authority.File}}
  SSLVerifyClient require
{{end}}</VirtualHost>
`

const apacheSite = "<VirtualHost 127.0.0.1:{{.Port}}>\n" + apacheInside

const apacheInside = `  ProxyPass / http://{{.Config.Upstream}}/
  ProxyPassReverse / http://{{.Config.Upstream}}/
  {{.Config.Inner}}
`

const varnishBackend = `vcl 4.1;
backend default { .host = "{{.Host}}"; .port = "{{.UpstreamPort}}"; }
{{.Config.Outer}}
`

// Without login=PASSTHRU Squid keeps the header Authorization to itself. On AdminPort it is a forward proxy.
const squidMain = `http_port 127.0.0.1:{{.AdminPort}}
http_port 127.0.0.1:{{.Port}} accel defaultsite=127.0.0.1:{{.UpstreamPort}}
cache_peer {{.Host}} parent {{.UpstreamPort}} 0 no-query originserver login=PASSTHRU name=ags
pid_filename {{.Folder}}/pid
cache_log {{.Folder}}/error.log
access_log none
coredump_dir {{.Folder}}
visible_hostname gateway
pinger_enable off
netdb_filename none
shutdown_lifetime 1 seconds
{{if .Config.Idle}}client_idle_pconn_timeout {{.Seconds}} seconds{{end}}
{{.Config.Outer}}
`

const caddyMain = `{
  admin 127.0.0.1:{{.AdminPort}}
  auto_https off
  default_sni localhost
  servers {
    {{if .Config.Idle}}timeouts {
      idle {{.Seconds}}s
    }{{end}}
    {{.Config.Outer}}
  }
}
`

const caddySites = `http://127.0.0.1:{{.Port}}, http://localhost:{{.Port}} {
` + caddyInside + `}
https://127.0.0.1:{{.SecurePort}}, https://localhost:{{.SecurePort}} {
` + caddyInside + `  tls {{.Authority.Cert}} {{.Authority.Key}}{{if .Config.ClientCert}} {
    client_auth {
      mode require_and_verify
      trusted_ca_cert_file {{.Authority.File}}
    }
  }{{end}}
}
`

const caddyInside = `  reverse_proxy {{.Config.Upstream}}
  {{if .Config.Production}}import more{{end}}
  {{.Config.Inner}}
`

func itoa(n int) string { return strconv.Itoa(n) }
