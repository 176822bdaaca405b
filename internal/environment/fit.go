package environment

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"agstest/internal/userfile"
)

func typeOf(v any) reflect.Type { return reflect.TypeOf(v) }

var durationType = reflect.TypeOf(time.Duration(0))

// fit walks a YAML tree beside the Go type it is meant for: it refuses keys that the type does not have, refuses values of another
// kind, puts in the values of ${NAME}, and keeps the line of everything. It gives back the tree to decode. The decoder alone would stop
// at the first mistake, quote lines that may hold secrets, and read an unquoted 0012 as the number 10.
func (r *reader) fit(node ast.Node, want reflect.Type, path []string) ast.Node {
	dotted := strings.Join(path, ".")
	line := lineOf(node)
	if dotted != "" {
		r.lines[dotted] = line
	}
	switch n := node.(type) {
	case *ast.TagNode:
		return r.tagged(n, want, path)
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		r.mistake(line, "anchors and aliases (&, *, <<) are not read in environment files; write the value out")
		return node
	}
	for want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	if node.Type() == ast.NullType {
		return node // a key without a value is a key left out
	}
	switch {
	case want == jsonType:
		return r.object(node, dotted)
	case want == coverageType:
		return r.coverage(node, dotted)
	case want == durationType:
		return r.duration(node, dotted)
	case want.Kind() == reflect.Struct, want.Kind() == reflect.Map:
		return r.mapping(node, want, path)
	case want.Kind() == reflect.Slice:
		return r.list(node, want, path)
	default:
		return r.scalar(node, want, dotted)
	}
}

// The tags that a value may have: it is a secret though it is written in the file, or it is none though it came from ${NAME}.
const (
	tagSecret = "!secret"
	tagPublic = "!public"
)

// tagged notes the tag of a single value.
func (r *reader) tagged(node *ast.TagNode, want reflect.Type, path []string) ast.Node {
	tag, dotted := node.Start.Value, strings.Join(path, ".")
	switch {
	case tag != tagSecret && tag != tagPublic:
		r.mistake(lineOf(node), "the tags of environment files are %s and %s; leave any other out", tagSecret, tagPublic)
		return node
	case node.Value == nil || node.Value.Type() == ast.NullType || node.Value.Type() == ast.TagType:
		r.mistake(lineOf(node), "%s: %s stands before a value", dotted, tag)
		return node
	case want.Kind() == reflect.Struct, want.Kind() == reflect.Map, want.Kind() == reflect.Pointer:
		r.mistake(lineOf(node), "%s: %s stands before a single value, such as X-Key: %s …", dotted, tag, tag)
		return node
	}
	r.marked[dotted] = tag
	return r.fit(node.Value, want, path)
}

func lineOf(node ast.Node) int {
	if token := node.GetToken(); token != nil && token.Position != nil {
		return token.Position.Line
	}
	return 1
}

func (r *reader) mapping(node ast.Node, want reflect.Type, path []string) ast.Node {
	var entries []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		what := strings.Join(path, ".")
		if what == "" {
			what = "an environment file"
		}
		r.mistake(lineOf(node), "%s must be keys with values, such as %s", what, sampleKeys(want))
		return node
	}
	seen := map[string]bool{}
	for _, entry := range entries {
		line := lineOf(entry.Key)
		text, ok := entry.Key.(*ast.StringNode)
		var key string
		switch {
		case ok:
			key = text.Value
		case entry.Key.Type() == ast.IntegerType && want.Kind() == reflect.Map:
			key = entry.Key.GetToken().Value
		default:
			r.mistake(line, "a key must be a plain word")
			continue
		}
		if flaw := userfile.Flaw(key); flaw != "" {
			r.mistake(line, "the key %q %s", key, flaw)
			continue
		}
		if seen[key] {
			r.mistake(line, "%s is given twice", cmp.Or(strings.TrimSpace(userfile.QuotedKey(key)), "a key"))
			continue
		}
		seen[key] = true
		below := append(append([]string(nil), path...), key)
		if want.Kind() == reflect.Map {
			if want == typeOf(Situations{}) && !known(key, SituationNames) {
				r.mistake(line, "unknown situation%s%s", userfile.QuotedKey(key), didYouMean(key, SituationNames))
				continue
			}
			entry.Value = r.fit(entry.Value, want.Elem(), below)
		} else {
			field, ok := fieldOf(want, key)
			ok = ok && !strings.HasSuffix(key, insteadOf)
			if from, also := fieldOf(want, key+insteadOf); also && isMapping(entry.Value) {
				field, text.Value = from, key+insteadOf // a source in the place of a value
			}
			if !ok {
				where := ""
				if len(path) > 0 {
					where = " in " + strings.Join(path, ".")
				}
				r.mistake(line, "unknown key%s%s%s", userfile.QuotedKey(key), where, didYouMean(key, keysOf(want)))
				continue
			}
			entry.Value = r.fit(entry.Value, field.Type, below)
		}
		r.lines[strings.Join(below, ".")] = line
	}
	return node
}

// insteadOf ends the tag of a field that holds what stands in a file in the place of a single value. The file knows it by the name of the value.
const insteadOf = ".from"

func isMapping(node ast.Node) bool {
	return node != nil && (node.Type() == ast.MappingType || node.Type() == ast.MappingValueType)
}

// keyOf is the key in the file that a field is read from; empty: none.
func keyOf(field reflect.StructField) string {
	tag := field.Tag.Get("yaml")
	if tag == "-" || !field.IsExported() {
		return ""
	}
	return strings.TrimSuffix(tag, insteadOf)
}

// list fits a list of single values.
func (r *reader) list(node ast.Node, want reflect.Type, path []string) ast.Node {
	n, ok := node.(*ast.SequenceNode)
	if !ok || len(n.Values) == 0 {
		r.mistake(lineOf(node), "%s must be a list, such as [./mint.sh, \"{accountId}\"]", strings.Join(path, "."))
		return node
	}
	for i, value := range n.Values {
		n.Values[i] = r.fit(value, want.Elem(), append(path[:len(path):len(path)], strconv.Itoa(i)))
	}
	return n
}

// scalar fits a single value. Where text is wanted, an unquoted number or true is taken as it is written.
func (r *reader) scalar(node ast.Node, want reflect.Type, path string) ast.Node {
	var text string
	switch n := node.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case ast.ScalarNode:
		text = n.GetToken().Value
	default:
		r.mistake(lineOf(node), "%s must be a single value", path)
		return node
	}
	if flaw := userfile.Flaw(text); flaw != "" {
		r.mistake(lineOf(node), "%s %s", path, flaw)
		return node
	}
	expand := r.expand
	if path == "proxy" || strings.HasSuffix(path, ".proxy") {
		expand = r.expandProxy
	}
	value, ok := expand(text, path, lineOf(node))
	if !ok {
		return node
	}
	switch want.Kind() {
	case reflect.String:
		plain := ast.String(node.GetToken())
		plain.Value = value
		return plain
	case reflect.Bool, reflect.Int:
		kind, wanted := ast.BoolType, "true or false"
		if want.Kind() == reflect.Int {
			kind, wanted = ast.IntegerType, "a whole number"
		}
		if _, quoted := node.(*ast.StringNode); quoted && value == text {
			r.mistake(lineOf(node), "%s must be %s", path, wanted)
			return node
		}
		file, err := parser.ParseBytes([]byte(value), 0)
		if err != nil || len(file.Docs) != 1 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() != kind {
			r.mistake(lineOf(node), "%s must be %s", path, wanted)
			return node
		}
		return file.Docs[0].Body
	}
	return node
}

func (r *reader) duration(node ast.Node, path string) ast.Node {
	fitted := r.scalar(node, reflect.TypeOf(""), path)
	text, ok := fitted.(*ast.StringNode)
	if !ok {
		return node
	}
	if _, err := time.ParseDuration(text.Value); err != nil {
		r.mistake(lineOf(node), "%s must be a time with its unit, such as 120s or 2m", path)
		quiet := ast.String(node.GetToken())
		quiet.Value = "0s"
		return quiet
	}
	return text
}

// expand puts in the values of ${NAME}; $$ stands for one dollar sign, and a dollar sign before anything else is itself.
func (r *reader) expand(text, path string, line int) (string, bool) {
	if !strings.Contains(text, "$") {
		return text, true
	}
	var out strings.Builder
	ok := true
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "$$"):
			out.WriteByte('$')
			i++
		case strings.HasPrefix(text[i:], "${"):
			end := strings.IndexByte(text[i:], '}')
			if end < 0 || !isVariableName(text[i+2:i+end]) {
				r.mistake(line, "%s: ${ must be followed by the name of an environment variable and }; write $${ for the characters themselves", path)
				return "", false
			}
			name := text[i+2 : i+end]
			value, set := r.getenv(name)
			switch {
			case !set:
				r.mistake(line, "%s needs the environment variable %s, which is not set; set it: export %s=…", path, name, name)
				ok = false
			case value == "":
				r.mistake(line, "%s needs the environment variable %s, which is empty; set it: export %s=…", path, name, name)
				ok = false
			case userfile.Flaw(value) != "":
				r.mistake(line, "%s needs the environment variable %s, whose value %s", path, name, userfile.Flaw(value))
				ok = false
			}
			r.variables[path], r.written[path], r.values[name] = name, text, value
			out.WriteString(value)
			i += end
		default:
			out.WriteByte(text[i])
		}
	}
	return out.String(), ok
}

func isVariableName(name string) bool {
	for i, c := range name {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// fieldOf finds the field of a struct by its key in the file.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for _, field := range reflect.VisibleFields(t) {
		if tag := field.Tag.Get("yaml"); tag == key && keyOf(field) != "" {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

func keysOf(t reflect.Type) []string {
	var keys []string
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, field := range reflect.VisibleFields(t) {
		if key := keyOf(field); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func sampleKeys(t reflect.Type) string {
	keys := keysOf(t)
	if t == typeOf(Situations{}) {
		keys = SituationNames
	}
	if len(keys) == 0 {
		return "name: value"
	}
	return keys[0] + ": …"
}
