package environment

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"agstest/internal/userfile"
)

// TokenSource is the source of session tokens, one for each sign-on. It takes the place of a session token. One of its
// fields is given.
type TokenSource struct {
	// Command is a program and its arguments. The token is its output on stdout. A program with a slash in its name is
	// relative to the environment file, whose folder is also its working folder.
	Command []string `yaml:"command"`
	// Pool is a file with a token a line. Each is used once, over all runs: a file beside it lists the used ones.
	Pool string `yaml:"pool"`
	// Request is sent, and Token is the place of the token in the JSON of the answer (RFC 6901).
	Request *TokenRequest `yaml:"request"`
	Token   string        `yaml:"token"`
}

// Folder returns the working folder of a source's command: that of the environment file.
func (e *Environment) Folder() string { return e.dir }

// HasSessionToken tells whether a situation has session tokens of its own.
func (s Situation) HasSessionToken() bool { return s.SessionToken != "" || s.SessionTokens != nil }

// maxPool is far above any pool of session tokens.
const maxPool = 256 << 20

// ReadPool reads the session tokens of a pool file. Errors name the line and quote no token.
func ReadPool(path string) ([]string, error) {
	data, err := userfile.Read(path, maxPool)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	var tokens []string
	lines := map[string]int{}
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" {
			continue
		}
		if flaw := userfile.Flaw(line); flaw != "" {
			return nil, fmt.Errorf("%s:%d: the session token %s", path, i+1, flaw)
		}
		if earlier := lines[line]; earlier > 0 {
			return nil, fmt.Errorf("%s:%d: this session token is in line %d already", path, i+1, earlier)
		}
		lines[line] = i + 1
		tokens = append(tokens, line)
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("%s holds no session token; it has one a line", path)
	}
	return tokens, nil
}

// The names in braces that the command of a source may hold, and {n} for load's clients.
var namesInBraces = []string{"{accountId}", "{clientId}", "{tenant}"}

const numberInBraces = "{n}"

var inBraces = regexp.MustCompile(`\{[A-Za-z]+\}`)

// checkSource finds what cannot work in a source. Given tells which of the names in braces have a value.
func (r *reader) checkSource(path string, s *TokenSource, given map[string]bool) {
	if s == nil {
		return
	}
	ways := 0
	for _, given := range []bool{len(s.Command) > 0, s.Pool != "", s.Request != nil} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		r.wrong(path, "give one of command, request and pool")
	case s.Token != "" && s.Request == nil:
		r.wrong(path+".token", "belongs to a request")
	case s.Request != nil:
		r.checkRequest(path, s, given)
	case len(s.Command) > 0:
		r.checkCommand(path, s.Command, given)
	case s.Pool != "":
		if _, err := ReadPool(s.Pool); err != nil {
			r.wrong(path+".pool", "%v", err)
		}
	default:
		r.wrong(path,
			"must be a session token, or say where they come from: {command: [./mint.sh, \"{accountId}\"]}, {request: {url: "+
				"https://…}, token: /sessionToken} or {pool: tokens.txt}")
	}
}

func (r *reader) checkCommand(path string, command []string, given map[string]bool) {
	for i, part := range command {
		at := fmt.Sprintf("%s.command.%d", path, i)
		if r.variables[at] != "" && r.marked[at] != tagPublic || r.marked[at] == tagSecret {
			r.wrong(at,
				"is secret, and everybody on this machine can read the arguments of a process; the command finds environment "+
					"variables by itself (%s \"${NAME}\" says that it is no secret)", tagPublic)
		}
		r.checkBraces(at, part, given)
	}
	if strings.TrimSpace(command[0]) == "" {
		r.wrong(path+".command", "begins with the name of a program, such as ./mint.sh")
		return
	}
	if !filepath.IsAbs(command[0]) {
		return // one of PATH, which is looked up when it is run
	}
	switch info, err := os.Stat(command[0]); {
	case err != nil:
		r.wrong(path+".command", "cannot find %s: %v", command[0], userfile.WithoutPath(err))
	case info.IsDir():
		r.wrong(path+".command", "%s is a folder and no program", command[0])
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0:
		r.wrong(path+".command", "%s is no program that may be run; make it one: chmod +x", command[0])
	}
}

// checkBraces refuses names in braces that have no value here, and those that are misspelt.
func (r *reader) checkBraces(at, text string, given map[string]bool) {
	known := slices.Clone(namesInBraces)
	if given[numberInBraces] {
		known = append(known, numberInBraces)
	}
	for _, name := range inBraces.FindAllString(text, -1) {
		switch known := known; {
		case given[name]:
		case slices.Contains(known, name):
			r.wrong(at, "needs %s, which is not given here", strings.Trim(name, "{}"))
		default:
			// else it belongs to the text, as in awk '{print}'
			begins := slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k[:3], name[:3]) })
			if near := didYouMean(name, known); near != "" && begins {
				r.wrong(at, "knows no %s%s", name, near)
			}
		}
	}
}

// givenIn tells which names in braces have a value for a situation.
func (e *Environment) givenIn(s Situation) map[string]bool {
	return map[string]bool{
		"{accountId}": s.AccountID != "" || e.Operator != nil && e.Operator.Account != "", "{clientId}": s.ClientID != "",
		"{tenant}": e.Tenant != "" || s.Tenant != "",
	}
}

// eachSource visits the sources of session tokens with their paths.
func (e *Environment) eachSource(visit func(path string, s *TokenSource)) {
	for _, name := range slices.Sorted(maps.Keys(e.Situations)) {
		if s := e.Situations[name].SessionTokens; s != nil {
			visit("situations."+name+".sessionToken", s)
		}
	}
	if s := e.Load.Clients.SessionTokens; s != nil {
		visit("load.clients.sessionToken", s)
	}
}

// settleSources makes the paths of commands and pools absolute.
func (r *reader) settleSources(e *Environment) {
	e.dir = r.dir
	if dir, err := filepath.Abs(r.dir); err == nil {
		e.dir = dir
	}
	e.eachFresh(func(_ string, f *Fresh) {
		if f != nil {
			e.settleCommand(f.Command)
		}
	})
	if e.EncryptPassword != nil {
		e.settleCommand(e.EncryptPassword.Command)
	}
	for _, kind := range actionKinds {
		if a := e.Actions.ActionOf(kind); a != nil {
			e.settleCommand(a.Command)
		}
	}
	e.eachSource(func(_ string, s *TokenSource) {
		if s.Pool != "" && !filepath.IsAbs(s.Pool) {
			s.Pool = filepath.Join(e.dir, s.Pool)
		}
		e.settleCommand(s.Command)
	})
}

// settleCommand makes the path of a program with a slash in its name absolute.
func (e *Environment) settleCommand(command []string) {
	if len(command) > 0 && strings.ContainsAny(command[0], `/`+string(filepath.Separator)) &&
		!filepath.IsAbs(command[0]) {
		command[0] = filepath.Join(e.dir, command[0])
	}
}

// eachFresh visits the sources of values that are renewed, with their paths.
func (e *Environment) eachFresh(visit func(path string, f *Fresh)) {
	for _, name := range slices.Sorted(maps.Keys(e.RenewedHeaders)) {
		visit("headers."+name, e.RenewedHeaders[name])
	}
	if e.Operator != nil {
		for _, name := range slices.Sorted(maps.Keys(e.Operator.RenewedHeaders)) {
			visit("operator.headers."+name, e.Operator.RenewedHeaders[name])
		}
	}
	if e.Actions != nil && e.Actions.ADM != nil && e.Actions.ADM.Tokens != nil {
		visit("actions.adm.token", e.Actions.ADM.Tokens)
	}
}

func (s *TokenSource) clone() *TokenSource {
	if s == nil {
		return nil
	}
	c := *s
	c.Command = slices.Clone(s.Command)
	c.Request = s.Request.clone()
	return &c
}

// unportable says what in the file cannot be taken to another machine; empty: nothing.
func (e *Environment) unportable() (why string) {
	e.eachSource(func(path string, s *TokenSource) {
		switch {
		case len(s.Command) > 0:
			why = path + " comes from a command, which is of this machine; give operator, or load.clients.file, instead"
		case s.Pool != "":
			why = path +
				" comes from a pool, which belongs to one machine, as each token is used once; give operator, or " +
				"load.clients.file, instead"
		}
	})
	e.eachFresh(func(path string, f *Fresh) {
		if len(f.Command) > 0 && !strings.HasPrefix(path, "actions.") {
			why = path + " comes from a command, which is of this machine; give a request or a value instead"
		}
	})
	return why
}
