//go:build linux

package gateways

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// otherKinds are programs that stand at the edge less often, and pass on what the first six do. Hitch and stunnel end
// TLS and pass bytes on: they have no page of their own.
var otherKinds = map[Program]*kind{
	Lighttpd: {
		binary: "lighttpd", debian: "lighttpd lighttpd-mod-openssl", user: "root", secure: true, version: []string{"-v"},
		modules:  []string{"/usr/lib/lighttpd/mod_openssl.so"},
		args:     func(g *Gateway) []string { return []string{"-D", "-f", g.File()} },
		reload:   hup(syscall.SIGUSR1),
		defaults: lighttpdMain,
		production: lighttpdMain + "server.max-request-size = 64\nserver.tag = \"\"\nproxy.forwarded = (\"for\" => 1, " +
			"\"proto\" => 1)\n",
	},
	Nghttpx: {
		binary: "nghttpx", debian: "nghttp2-proxy", secure: true, version: []string{"--version"},
		args:       func(g *Gateway) []string { return []string{"--conf=" + g.File()} },
		reload:     hup(syscall.SIGHUP),
		defaults:   nghttpxMain,
		production: nghttpxMain + "add-x-forwarded-for=yes\nworkers=2\n",
	},
	TrafficServer: {
		binary: "traffic_manager", debian: "trafficserver", user: "trafficserver", secure: true,
		version: []string{"--version"},
		prepare: trafficServerFiles,
		args:    func(g *Gateway) []string { return []string{"--run-root=" + g.trafficServerRoot()} },
		reload: func(g *Gateway) error {
			return g.do("traffic_ctl", "--run-root="+g.trafficServerRoot(), "config", "reload")
		},
		defaults: trafficServerMain,
		production: trafficServerMain + "CONFIG proxy.config.http.cache.http INT 0\nCONFIG " +
			"proxy.config.http.insert_squid_x_forwarded_for INT 1\n",
	},
	Hitch: {
		binary: "hitch", debian: "hitch", secure: true, onlyTLS: true, version: []string{"--version"},
		args:   func(g *Gateway) []string { return []string{"--config=" + g.File()} },
		reload: hup(syscall.SIGHUP),
		defaults: `frontend = { host = "127.0.0.1" port = "{{.SecurePort}}" }
backend = "[{{.Host}}]:{{.UpstreamPort}}"
pem-file = "{{.Authority.Both}}"
{{if .Config.ClientCert}}client-verify = required
client-verify-ca = "{{.Authority.File}}"
{{end}}{{if .Root}}user = "{{.User}}"
{{end}}daemon = off
`,
	},
	Stunnel: {
		binary: "stunnel4", debian: "stunnel4", secure: true, onlyTLS: true, version: []string{"-version"},
		args:   func(g *Gateway) []string { return []string{g.File()} },
		reload: hup(syscall.SIGHUP),
		defaults: `foreground = yes
pid = {{.Folder}}/pid
[ags]
accept = 127.0.0.1:{{.SecurePort}}
connect = {{.Config.Upstream}}
cert = {{.Authority.Both}}
{{if .Config.ClientCert}}verifyChain = yes
CAfile = {{.Authority.File}}
{{end}}`,
	},
}

// forwardKinds are proxies that clients ask for a service.
var forwardKinds = map[Program]*kind{
	Tinyproxy: {
		binary: "tinyproxy", debian: "tinyproxy", version: []string{"-v"},
		args: func(g *Gateway) []string { return []string{"-d", "-c", g.File()} },
		defaults: `Port {{.Port}}
Listen 127.0.0.1
Allow 127.0.0.1
{{.Config.Outer}}
`,
	},
	Dante: {
		binary: "danted", debian: "dante-server", version: []string{"-v"},
		args: func(g *Gateway) []string { return []string{"-f", g.File()} },
		defaults: `logoutput: stderr
internal: 127.0.0.1 port = {{.Port}}
external: lo
clientmethod: none
user.unprivileged: {{.User}}
{{.Config.Outer}}
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }
`,
	},
}

const lighttpdMain = `server.modules = ("mod_openssl", "mod_proxy")
server.document-root = "{{.Folder}}"
server.bind = "127.0.0.1"
server.port = {{.Port}}
server.errorlog = "{{.Folder}}/error.log"
{{if .Config.Idle}}server.max-keep-alive-idle = {{.Seconds}}{{end}}
$SERVER["socket"] == "127.0.0.1:{{.SecurePort}}" {
  ssl.engine = "enable"
  ssl.pemfile = "{{.Authority.Both}}"
  {{if .Config.ClientCert}}ssl.verifyclient.activate = "enable"
  ssl.verifyclient.enforce = "enable"
  ssl.verifyclient.ca-file = "{{.Authority.File}}"{{end}}
}
proxy.server = ("" => (("host" => "{{.Host}}", "port" => "{{.UpstreamPort}}")))
{{.Config.Outer}}
`

const nghttpxMain = `frontend=127.0.0.1,{{.Port}};no-tls
frontend=127.0.0.1,{{.SecurePort}}
backend={{.Host}},{{.UpstreamPort}}
private-key-file={{.Authority.Key}}
certificate-file={{.Authority.Cert}}
errorlog-file={{.Folder}}/error.log
{{if .Config.Idle}}frontend-keep-alive-timeout={{.Seconds}}s
{{end}}{{if .Config.ClientCert}}verify-client=yes
verify-client-cacert={{.Authority.File}}
{{end}}`

// trafficServerMain is its records.config, which is the one file that differs.
const trafficServerMain = `CONFIG proxy.config.http.server_ports STRING {{.Port}}:ip-in=127.0.0.1 {{.SecurePort}}:ssl:ip-in=127.0.0.1
{{if .Root}}CONFIG proxy.config.admin.user_id STRING {{.User}}
{{end}}CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.reverse_proxy.enabled INT 1
CONFIG proxy.config.ssl.server.cert.path STRING {{.Folder}}
CONFIG proxy.config.ssl.server.private_key.path STRING {{.Folder}}
{{if .Config.Idle}}CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT {{.Seconds}}
{{end}}{{if .Config.ClientCert}}CONFIG proxy.config.ssl.client.certification_level INT 2
CONFIG proxy.config.ssl.CA.cert.filename STRING {{.Authority.File}}
{{end}}`

func (g *Gateway) trafficServerRoot() string { return filepath.Join(g.Folder, "runroot.yaml") }

// trafficServerFiles writes what else Traffic Server reads, and names its folders to it.
func trafficServerFiles(g *Gateway) {
	write := func(name, text string) { check(g.t, os.WriteFile(filepath.Join(g.Folder, name), []byte(text), 0o644)) }
	for _, name := range []string{"etc", "run", "log", "cache", "share"} {
		check(g.t, os.Mkdir(filepath.Join(g.Folder, name), 0o777))
		check(g.t, os.Chmod(filepath.Join(g.Folder, name), 0o777))
	}
	write("runroot.yaml", strings.ReplaceAll(`prefix: FOLDER
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: FOLDER/etc
datadir: FOLDER/share
includedir: /usr/include
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
localstatedir: FOLDER/run
runtimedir: FOLDER/run
logdir: FOLDER/log
cachedir: FOLDER/cache
`, "FOLDER", g.Folder))
	check(g.t, os.Symlink(g.File(), filepath.Join(g.Folder, "etc", "records.config")))
	write("etc/remap.config", "map / http://"+g.Config.Upstream+"/\n")
	write("etc/ssl_multicert.config", "dest_ip=* ssl_cert_name=cert.pem ssl_key_name=key.pem\n")
	write("etc/storage.config", g.Folder+"/cache 64M\n")
	write("etc/ip_allow.yaml", "ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n    methods: ALL\n")
}
