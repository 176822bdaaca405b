package environment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"agstest/internal/failure"
	"agstest/internal/userfile"
)

// Portable is an environment as files for another machine. Only Secrets holds secrets.
type Portable struct {
	Text  []byte            // the environment file; it names secrets as ${NAME} and files by their names
	Files map[string][]byte // that it names, by their names: they belong beside it
	// values of ${NAME}, and secret files that it names, by their names: they belong into one folder (FolderLookup)
	Secrets map[string][]byte
}

// The names of the files of a portable environment. SecretsFolder is the variable that stands for the folder of its
// secrets.
const (
	secretsFolder = "AGSTEST_SECRETS_FOLDER"
	portableCA    = "tls-ca.pem"
	portableCert  = "tls-cert.pem"
	portableKey   = "tls-key.pem"
	portableRows  = "clients.csv"
	secretName    = "AGSTEST_SECRET_"
)

// The limits of Kubernetes: a Secret holds 1 MiB at most, and so does a ConfigMap, of which 900 KiB leaves room for its
// metadata (Kubernetes, "Secrets" and "ConfigMaps"). A part of the Secret is for the caller's additions, such as a
// token.
const (
	maxPortableFiles   = 900 << 10
	maxPortableSecrets = 1<<20 - 16<<10
)

// Portable makes the portable form: Parse of it, with the lookup of a folder that holds Secrets, gives the same
// environment but for the paths of files. A value that came from ${NAME} stays one; another secret becomes one of
// ${AGSTEST_SECRET_1} and so on. Errors are of the kind failure.Usage: a file that cannot be read, or more than
// Kubernetes takes.
func (e *Environment) Portable() (*Portable, error) {
	p := &Portable{Files: map[string][]byte{}, Secrets: map[string][]byte{}}
	if unportable := e.unportable(); unportable != "" {
		return nil, failure.Usagef("environment %s: %s", e.Name, unportable)
	}
	c := e.clone()
	c.Actions, c.Allow.Actions = nil, false // a load changes no state
	c.EncryptPassword = nil                 // and sends no password
	files := map[string]bool{}
	secret := "${" + secretsFolder + "}/"
	for _, f := range c.portableFiles() {
		files[f.key] = true
		if *f.path == "" {
			continue
		}
		text, err := readSome(*f.path)
		if err != nil {
			return nil, failure.Usagef("environment %s: cannot read %s: %w", e.Name, *f.path, userfile.WithoutPath(err))
		}
		if f.secret {
			p.Secrets[f.name], *f.path = text, secret+f.name
		} else {
			p.Files[f.name], *f.path = text, f.name
		}
	}
	numbered := 0
	c.eachString(func(path []string, value *string) {
		dotted := strings.Join(path, ".")
		written := e.written[dotted]
		switch {
		case files[dotted]:
		case *value == "":
		case written != "" && e.marked[dotted] == tagPublic:
			*value = strings.ReplaceAll(*value, "$", "$$")
		case written != "" && !strings.Contains(written, "${"+secretsFolder+"}"):
			for _, name := range variablesIn(written) {
				p.Secrets[name] = []byte(e.values[name])
			}
			*value = written
		case e.secretIn(path, *value) != "" || written != "":
			name := ""
			for name == "" || e.values[name] != "" {
				numbered++
				name = fmt.Sprintf("%s%d", secretName, numbered)
			}
			p.Secrets[name] = []byte(*value)
			*value = "${" + name + "}"
		default:
			*value = strings.ReplaceAll(*value, "$", "$$")
		}
	})
	var text bytes.Buffer
	encoder := json.NewEncoder(&text) // JSON is YAML too, and leaves no doubt which values are strings
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	members := tree(reflect.ValueOf(c).Elem()).(map[string]any)
	members["protected"] = c.Protected // said, or a pod would have to guess
	if c.Lockout > 0 || c.NeverLocks {
		members["lockout"] = c.Lockout
	}
	if err := encoder.Encode(members); err != nil {
		return nil, err
	}
	p.Text = text.Bytes()
	return p, p.fits(e.Name)
}

// portableFile is a file that the environment names at a key.
type portableFile struct {
	key    string
	path   *string
	name   string // in the portable form
	secret bool
}

func (e *Environment) portableFiles() []portableFile {
	list := []portableFile{
		{"tls.ca", &e.TLS.CA, portableCA, false}, {"tls.cert", &e.TLS.Cert, portableCert, false},
		{"tls.key", &e.TLS.Key, portableKey, true}, {"load.clients.file", &e.Load.Clients.File, portableRows, true},
	}
	if o := e.Operator; o != nil {
		list = append(list, portableFile{"operator.key", &o.Key, "operator-key.pem", true},
			portableFile{"operator.tls.ca", &o.TLS.CA, "operator-tls-ca.pem", false},
			portableFile{"operator.tls.cert", &o.TLS.Cert, "operator-tls-cert.pem", false},
			portableFile{"operator.tls.key", &o.TLS.Key, "operator-tls-key.pem", true})
		for i, id := range slices.Sorted(maps.Keys(o.More)) {
			list = append(list, portableFile{"operator.keys." + id + ".key", &o.More[id].Key,
				fmt.Sprintf("operator-key-%d.pem", i+1), true})
		}
	}
	return list
}

// readSome reads a file, but not one that is far too large to be taken along.
func readSome(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > 4<<20 {
		return nil, errTooLarge
	}
	return os.ReadFile(path)
}

var errTooLarge = errors.New("it is larger than the 1 MiB that a Kubernetes Secret or ConfigMap holds; describe the " +
	"clients by a pattern, such as clientId: \"LOAD_{n}\", or put the file into a Secret of your own")

// fits returns an error if a file is too large, with what to do.
func (p *Portable) fits(name string) error {
	size := len(p.Text)
	for _, text := range p.Files {
		size += len(text)
	}
	if size > maxPortableFiles {
		return failure.Usagef("environment %s: the file and the certificates that it names have %d KiB, and a Kubernetes "+
			"ConfigMap takes %d KiB of files; leave certificates of tls.ca out that are not needed",
			name, (size+1023)>>10, maxPortableFiles>>10)
	}
	size = 0
	for _, text := range p.Secrets {
		size += len(text)
	}
	if size > maxPortableSecrets {
		return failure.Usagef("environment %s: its secrets have %d KiB, %d KiB of them in load.clients.file, and a "+
			"Kubernetes Secret takes %d KiB; describe the clients by a pattern, such as clientId: \"LOAD_{n}\" with operator "+
			"to mint their session tokens, or put them into a Secret of your own",
			name, (size+1023)>>10, (len(p.Secrets[portableRows])+1023)>>10, maxPortableSecrets>>10)
	}
	return nil
}

// variablesIn lists the names of ${NAME} in a text that Parse has read.
func variablesIn(text string) []string {
	var names []string
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "$$"):
			i++
		case strings.HasPrefix(text[i:], "${"):
			end := i + strings.IndexByte(text[i:], '}')
			names = append(names, text[i+2:end])
			i = end
		}
	}
	return names
}

// tree returns a value as maps and plain values, by the keys of the file, without empty ones.
func tree(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return tree(v.Elem())
	case reflect.Struct:
		members := map[string]any{}
		for _, field := range fieldsOf(v.Type()) {
			key, member := keyOf(field), v.FieldByIndex(field.Index)
			if key == "" || member.IsZero() {
				continue
			}
			value := tree(member)
			if before, ok := members[key].(map[string]any); ok { // values of a map, and sources of further ones
				maps.Copy(before, value.(map[string]any))
				continue
			}
			members[key] = value
		}
		return members
	case reflect.Map:
		members := map[string]any{}
		for _, key := range v.MapKeys() {
			members[key.String()] = tree(v.MapIndex(key))
		}
		return members
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = tree(v.Index(i))
		}
		return list
	}
	if v.Type() == durationType {
		return time.Duration(v.Int()).String()
	}
	return v.Interface()
}

// FolderLookup finds the values of a portable environment in the folder of its secrets.
func FolderLookup(folder string) Lookup {
	return func(name string) (string, bool) {
		if name == secretsFolder {
			return folder, true
		}
		if !isVariableName(name) {
			return "", false
		}
		text, err := os.ReadFile(filepath.Join(folder, name))
		return string(text), err == nil
	}
}
