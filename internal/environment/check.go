package environment

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/userfile"
	"agstest/internal/wire"
)

// defaultClockSkew is how far the clocks of service and generator may differ where a file does not say.
const defaultClockSkew = 120 * time.Second

// defaultLockout is after how many wrong passwords an account is taken to be locked where a file does not say.
const defaultLockout = 3

// DefaultOperatorParameter is the name of the parameter that carries the OperatorAuthToken (the page "Requesting a
// session token").
const DefaultOperatorParameter = "OperatorAuthToken"

// complete fills in defaults and makes paths absolute.
func (r *reader) complete(e *Environment) {
	if r.variables["name"] != "" && r.marked["name"] != tagPublic || r.marked["name"] == tagSecret {
		r.warnings = append(r.warnings,
			fmt.Sprintf("%s:%d: what comes from ${NAME} counts as secret, and a name stands in reports and in names of "+
				"folders; the name of the file is used (name: %s \"${NAME}\" says that it is none)",
				r.name, r.line("name"), tagPublic))
		e.Name = ""
		delete(r.written, "name")
	}
	if e.Name == "" {
		base := filepath.Base(r.name)
		e.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	e.URL = strings.TrimRight(e.URL, "/")
	if r.lines["protected"] == 0 && !onLoopback(e.URL) {
		e.Protected, e.assumed = true, true
	}
	e.NeverLocks = e.Lockout == 0 && r.lines["lockout"] != 0
	if e.Lockout == 0 && !onLoopback(e.URL) && r.lines["lockout"] == 0 {
		e.Lockout = defaultLockout
	}
	if e.Authorization == "" {
		e.Authorization = wire.Bearer
	}
	if e.ClockSkew == 0 {
		e.ClockSkew = defaultClockSkew
	}
	if e.Operator != nil && e.Operator.Parameter == "" {
		e.Operator.Parameter = DefaultOperatorParameter
	}
	r.settleSources(e)
	r.settleKeys(e)
	for _, path := range []*string{&e.TLS.CA, &e.TLS.Cert, &e.TLS.Key, &e.Load.Clients.File} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(r.dir, *path)
		}
	}
}

// check finds values that cannot work, before anything is sent.
func (r *reader) check(e *Environment) {
	r.checkBasics(e)
	r.checkHeaders("headers", e.Headers)
	r.checkRenewed("headers", e.RenewedHeaders, e.Headers, e)
	r.checkFilter(e)
	r.checkDevices(e)
	r.checkTLS(e)
	if e.Operator != nil {
		r.checkOperator(e)
	}
	if name := e.SignOn.Parameter; name != "" && e.SignOn.Parameters[name] != "" {
		r.wrong("signOnWithSessionToken.parameters."+name,
			"is the parameter of the session token, which has a value of its own")
	}
	for _, name := range SituationNames {
		if s, ok := e.Situations[name]; ok {
			r.checkSituation("situations."+name, s)
			r.checkSource("situations."+name+".sessionToken", s.SessionTokens, e.givenIn(s))
		}
	}
	r.checkContradictions(e)
	r.checkReaching(e)
	r.checkAbsent(e)
	r.checkActions(e)
	r.checkLoad(e)
	r.warnOfOpenness(e)
	if e.Mock != nil {
		if u, err := url.Parse(e.Mock.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			r.wrong("mock.url", "must be the address of the mock's control interface, such as http://127.0.0.1:8081")
		}
	}
}

// checkBasics finds single values that cannot work.
func (r *reader) checkBasics(e *Environment) {
	if len(e.Name) > 64 {
		r.wrong("name", "must be at most 64 characters")
	}
	if len(e.Release) > 64 {
		r.wrong("release", "must be at most 64 characters")
	}
	r.checkURL(e)
	if e.Authorization != wire.Bearer && e.Authorization != wire.Raw {
		r.wrong("authorization", "must be bearer or raw%s",
			didYouMean(string(e.Authorization), []string{string(wire.Bearer), string(wire.Raw)}))
	}
	if e.ClockSkew < time.Second || e.ClockSkew > time.Hour {
		r.wrong("clockSkew", "must be between 1s and 1h")
	}
	if e.Lockout < 0 || e.Lockout > 1000 {
		r.wrong("lockout", "must be a number of wrong passwords such as 3; 0: accounts are not locked")
	}
	if _, err := e.Coverage.Wanted(); err != nil {
		r.mistake(r.line("coverage"), "coverage %v", err)
	}
}

func (r *reader) checkTLS(e *Environment) {
	if _, err := e.tlsConfig(); err != nil {
		path := "tls"
		if key, _, ok := strings.Cut(err.Error(), ":"); ok && r.lines[key] > 0 {
			path = key
		}
		r.mistake(r.line(path), "%v", err)
	}
	if e.TLS != (TLS{}) && strings.HasPrefix(e.URL, "http://") {
		r.warnings = append(r.warnings, fmt.Sprintf("%s:%d: tls is not used, because the url starts with http://",
			r.name, r.line("tls")))
	}
}

// checkDevices finds a budget that cannot be kept.
func (r *reader) checkDevices(e *Environment) {
	for path, budget := range map[string]int{"devices.budget": e.Devices.Budget, "allow.devices": e.Allow.Devices} {
		if budget < 0 || budget > 1000 || budget == 0 && r.lines[path] > 0 {
			r.wrong(path,
				"must be a number of devices between 1 and 1000; where none may be made, leave out allow: {first-time: true}")
		}
	}
	switch {
	case e.Devices.Budget > 0 && e.Allow.Devices > 0:
		r.wrong("allow.devices", "is the earlier name of devices: {budget: …}, which is given too; leave it out")
	case e.Devices.Budget > 0 && !e.Allow.FirstTime:
		r.warn("devices.budget",
			"is not used: a run makes no device unless the file allows it (allow: {first-time: true})")
	}
}

// warnOfOpenness warns of parts that others could read: the connection, and the key of the client certificate.
func (r *reader) warnOfOpenness(e *Environment) {
	if strings.HasPrefix(e.URL, "http://") && !onLoopback(e.URL) {
		r.warnings = append(r.warnings,
			fmt.Sprintf("%s:%d: url starts with http://, so tokens and passwords go over the network in clear; write https:// "+
				"where the service speaks it", r.name, r.line("url")))
	}
	if e.TLS.Key != "" {
		r.warnOfReaders("tls.key", e.TLS.Key)
	}
}

// warnOfReaders warns about a file of a secret that others may read.
func (r *reader) warnOfReaders(path, file string) {
	if info, err := os.Stat(file); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		r.warnings = append(r.warnings,
			fmt.Sprintf("%s:%d: the file of %s may be read by others (mode %04o); make it yours alone: chmod 600",
				r.name, r.line(path), path, info.Mode().Perm()))
	}
}

func (r *reader) checkURL(e *Environment) {
	const example = "such as https://api.staging.example.com"
	if e.URL == "" {
		r.mistake(r.line("url"), "url is missing: the address of the service, %s", example)
		return
	}
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		r.wrong("url", "must be an address that starts with https:// or http://, %s", example)
	case !validHost(u.Host):
		r.wrong("url", "holds a character that no host has; the value of a variable is written as ${NAME}")
	case u.User != nil:
		r.wrong("url", "must not hold a user name or password; send them as headers: {Authorization: \"${NAME}\"}")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		r.wrong("url", "must end before ? and #, %s", example)
	case r.lines["prefix"] == 0 && (strings.HasSuffix(u.Path, "/ags") || strings.Contains(u.Path, "/ags/")):
		r.wrong("url",
			"leave /ags out: it is appended to the address; where /ags does not stand before the operations, say what does "+
				"with prefix")
	case u.Port() != "" && !validPort(u.Port()):
		r.wrong("url", "the port must be between 1 and 65535")
	}
}

// validHost tells whether a host is free of characters that no name or address has. Placeholders that were never filled
// in have them.
func validHost(host string) bool { return !strings.ContainsAny(host, "$*{}<>\"'`!,;|()&+=~^") }

func validPort(port string) bool {
	n := 0
	for _, c := range port {
		if c < '0' || c > '9' || n > 65535 {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n >= 1 && n <= 65535
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// Headers that the suite itself sets, and where their value belongs.
var ownHeaders = map[string]string{
	ags.HeaderTenant: "tenant", ags.HeaderService: "service", "host": "host", "content-length": "",
	"transfer-encoding": "", "connection": "",
}

func (r *reader) checkHeaders(path string, headers map[string]string) {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		at := path + "." + name
		if same, twice := seen[strings.ToLower(name)]; twice {
			r.wrong(at, "is the header %s again: names of headers have no case", same)
			continue
		}
		seen[strings.ToLower(name)] = name
		if !headerName.MatchString(name) {
			r.wrong(at, "is not a header name (letters, digits and - only)")
			continue
		}
		if key, own := ownHeaders[strings.ToLower(name)]; own {
			if key == "" {
				r.wrong(at, "this header is made by HTTP itself; leave it out")
			} else {
				r.wrong(at, "this header is set by %s:; write it there", key)
			}
		}
	}
}

func (r *reader) checkSituation(path string, s Situation) {
	r.checkHeaders(path+".headers", s.Headers)
	if s.Proxy != "" {
		u, err := url.Parse(s.Proxy)
		if err != nil || !isProxy(u) {
			r.wrong(path+".proxy", "must be the address of a proxy, such as http://proxy.example.com:3128")
		}
	}
	if name := s.PasswordParameter; name != "" && s.parameter(name) == "" {
		r.wrong(path+".passwordParameter", "must name one of parameters: %s",
			cmp.Or(strings.Join(slices.Sorted(maps.Keys(s.Parameters)), ", "), "there are none"))
	}
	if strings.ContainsAny(s.Type, "/?#% ") {
		r.wrong(path+".type", "is one segment of the path register/{type}, such as tvkey")
	}
}

func (r *reader) checkLoad(e *Environment) {
	if e.Load.MaxRate != "" {
		if _, err := ParseRate(e.Load.MaxRate); err != nil {
			r.wrong("load.maxRate", "%v", err)
		}
	}
	clients := e.Load.Clients
	if clients.File != "" {
		if clients.Count != 0 || clients.SessionToken != "" || clients.SessionTokens != nil || clients.ClientID != "" ||
			clients.AccountID != "" {
			r.wrong("load.clients", "give either file or count with patterns, not both")
		}
		r.checkClientsFile(clients.File)
		return
	}
	if clients == (Clients{}) {
		return
	}
	if clients.Count < 1 {
		r.wrong("load.clients.count", "must be at least 1: how many virtual clients there are")
	}
	r.checkSource("load.clients.sessionToken", clients.SessionTokens,
		map[string]bool{"{accountId}": clients.AccountID != "", "{clientId}": clients.ClientID != "",
			"{tenant}": e.Tenant != "", numberInBraces: true})
	if clients.SessionToken == "" && clients.SessionTokens == nil && clients.ClientID == "" {
		r.wrong("load.clients",
			"needs clientId (and sessionToken, unless operator mints it), such as clientId: \"LOAD_{n}\"")
	}
	for key, pattern := range map[string]string{"sessionToken": clients.SessionToken, "clientId": clients.ClientID,
		"accountId": clients.AccountID} {
		r.checkBraces("load.clients."+key, pattern, map[string]bool{numberInBraces: true})
	}
	for key, pattern := range map[string]string{"sessionToken": clients.SessionToken, "clientId": clients.ClientID} {
		if clients.Count > 1 && pattern != "" && !strings.Contains(pattern, "{n}") {
			r.wrong("load.clients."+key, "needs {n}, which becomes 1 to %d, so that clients differ", clients.Count)
		}
	}
}

func (r *reader) checkClientsFile(path string) {
	const at = "load.clients.file"
	file, err := userfile.Open(path)
	if err != nil {
		r.wrong(at, "cannot read %s: %v", path, err)
		return
	}
	defer file.Close()
	columns, err := csv.NewReader(file).Read()
	if err != nil {
		r.wrong(at, "%s is not a CSV file with a first line of column names%s", path, csvPlace(err))
		return
	}
	if i := strings.IndexAny(columns[0], ";\t"); len(columns) == 1 && i >= 0 {
		r.wrong(at, "%s: the columns in line 1 are separated by %q; separate them by commas, in each line", path,
			columns[0][i])
		return
	}
	for i := range columns {
		columns[i] = strings.TrimSpace(columns[i])
	}
	allowed := []string{"sessionToken", "clientId", "accountId"}
	// never quoted: without a first line of names it is a session token, or a line of any file
	for i, column := range columns {
		if !known(column, allowed) {
			r.wrong(at, "%s: the name of column %d in line 1 is none of %s%s", path, i+1, strings.Join(allowed, ", "),
				didYouMean(column, allowed))
			return
		}
	}
	if !known("clientId", columns) && !known("sessionToken", columns) {
		r.wrong(at, "%s needs the columns sessionToken and clientId (accountId is optional)", path)
	}
}

// csvPlace returns the place where a CSV file is damaged, without its content.
func csvPlace(err error) string {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return fmt.Sprintf(": line %d, column %d", parse.Line, parse.Column)
	}
	return ""
}

var ratePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)/(s|m|min|h)$`)

// ParseRate reads a rate such as 500/s, 30/m or 0.5/s, in hits a second.
func ParseRate(text string) (float64, error) {
	parts := ratePattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("must be a rate with its unit, such as 500/s or 30/m")
	}
	rate, err := strconv.ParseFloat(parts[1], 64)
	if err != nil || rate <= 0 || rate > 1e7 {
		return 0, fmt.Errorf("must be a rate above 0, such as 500/s or 30/m")
	}
	switch parts[2] {
	case "m", "min":
		rate /= 60
	case "h":
		rate /= 3600
	}
	return rate, nil
}

// MaxRate returns load.maxRate in requests a second; 0 if the file sets none.
func (e *Environment) MaxRate() float64 {
	if e.Load.MaxRate == "" {
		return 0
	}
	rate, err := ParseRate(e.Load.MaxRate)
	if err != nil {
		return 0 // Parse has refused it
	}
	return rate
}
