package environment

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"agstest/internal/userfile"
)

var durationType = reflect.TypeFor[time.Duration]()

// fit walks a YAML tree beside the Go type it is meant for: it refuses keys that the type does not have, refuses values
// of another kind, puts in the values of ${NAME}, and keeps the line of everything. It gives back the tree to decode.
// The decoder alone would stop at the first mistake, quote lines that may hold secrets, and read an unquoted 0012 as
// the number 10.
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
		if len(path) == 2 && path[0] == "situations" || !within(want) {
			r.warnEmpty(dotted, line)
		}
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

// within tells whether the values of a type are written below their key, so that a key without any is usual while a
// file is written.
func within(want reflect.Type) bool {
	return want == jsonType || want.Kind() == reflect.Struct || want.Kind() == reflect.Map ||
		want.Kind() == reflect.Slice
}

// warnEmpty says that a key says nothing, as where a value was forgotten.
func (r *reader) warnEmpty(path string, line int) {
	r.warnings = append(r.warnings,
		fmt.Sprintf("%s:%d: %s is empty, which is as if it were not there; give it a value, or take it out", r.name,
			line, path))
}

// The tags of a value: it is a secret though it is written in the file, or it is none though it came from ${NAME}.
const (
	tagSecret = "!secret"
	tagPublic = "!public"
)

// tagged notes the tag of a single value.
func (r *reader) tagged(node *ast.TagNode, want reflect.Type, path []string) ast.Node {
	tag, dotted := node.Start.Value, strings.Join(path, ".")
	switch {
	case tag != tagSecret && tag != tagPublic:
		r.mistake(lineOf(node), "the tags of environment files are %s and %s; leave any other out", tagSecret,
			tagPublic)
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
		n.Values = r.apart(n.Values, want)
		entries = n.Values
	case *ast.MappingValueNode:
		entries = r.apart([]*ast.MappingValueNode{n}, want)
		node = ast.Mapping(n.GetToken(), false, entries...)
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
		key, ok := r.key(entry, want.Kind() == reflect.Map)
		if !ok {
			continue
		}
		line := lineOf(entry.Key)
		if seen[key] {
			r.mistake(line, "%s is given twice", cmp.Or(strings.TrimSpace(userfile.QuotedKey(key)), "a key"))
			continue
		}
		seen[key] = true
		var wanted reflect.Type
		if want.Kind() == reflect.Map {
			if want == reflect.TypeFor[Situations]() && !known(key, SituationNames) {
				r.mistake(line, "unknown situation%s%s", userfile.QuotedKey(key), didYouMean(key, SituationNames))
				continue
			}
			wanted = want.Elem()
		} else {
			field, ok := r.field(entry, key, want, path)
			if !ok {
				continue
			}
			wanted = field.Type
			if apart(field) {
				key = strings.TrimSuffix(key, insteadOf)
			}
		}
		below := append(append([]string(nil), path...), key)
		entry.Value = r.fit(entry.Value, wanted, below)
		r.lines[strings.Join(below, ".")] = line
	}
	return node
}

// key returns the key of an entry, a plain word; a key of a map may be written as a number.
func (r *reader) key(entry *ast.MappingValueNode, ofMap bool) (key string, ok bool) {
	text, plain := entry.Key.(*ast.StringNode)
	switch {
	case plain:
		key = text.Value
	case entry.Key.Type() == ast.IntegerType && ofMap:
		key = entry.Key.GetToken().Value
	default:
		r.mistake(lineOf(entry.Key), "a key must be a plain word")
		return "", false
	}
	if flaw := userfile.Flaw(key); flaw != "" {
		r.mistake(lineOf(entry.Key), "the key %q %s", key, flaw)
		return "", false
	}
	return key, true
}

// field returns the field of a struct for an entry. If a source takes the place of a value, that is the field of
// sources, and the entry gets its name.
func (r *reader) field(entry *ast.MappingValueNode, key string, want reflect.Type,
	path []string) (reflect.StructField, bool) {
	field, ok := fieldOf(want, key)
	if !ok || strings.HasSuffix(key, insteadOf) && !apart(field) {
		where := ""
		if len(path) > 0 {
			where = " in " + strings.Join(path, ".")
		}
		r.mistake(lineOf(entry.Key), "unknown key%s%s%s", userfile.QuotedKey(key), where, didYouMean(key, keysOf(want)))
		return field, false
	}
	if from, also := fieldOf(want, key+insteadOf); also && !apart(from) && isMapping(entry.Value) {
		field, entry.Key.(*ast.StringNode).Value = from, key+insteadOf
	}
	return field, true
}

// insteadOf ends the tag of a field that holds what stands in a file in the place of a single value. The file knows it
// by the name of the value.
const insteadOf = ".from"

// apart tells whether a field holds those entries of a map that have a source instead of a value.
func apart(field reflect.StructField) bool {
	return strings.HasSuffix(field.Tag.Get("yaml"), insteadOf) && field.Type.Kind() == reflect.Map
}

// apart takes such entries out of the map that they stand in, into one that the decoder puts into a field of its own.
func (r *reader) apart(entries []*ast.MappingValueNode, want reflect.Type) []*ast.MappingValueNode {
	if want.Kind() != reflect.Struct {
		return entries
	}
	out := make([]*ast.MappingValueNode, 0, len(entries)+1)
	for _, entry := range entries {
		key, text := entry.Key.(*ast.StringNode)
		if field, found := fieldOf(want, entryKey(entry)); found && apart(field) {
			r.mistake(lineOf(key), "unknown key%s; did you mean %s?", userfile.QuotedKey(key.Value), keyOf(field))
			continue
		}
		out = append(out, entry)
		field, found := reflect.StructField{}, false
		if text {
			field, found = fieldOf(want, key.Value+insteadOf)
		}
		if !found || !apart(field) {
			continue
		}
		within, ok := entry.Value.(*ast.MappingNode)
		if one, single := entry.Value.(*ast.MappingValueNode); single {
			within, ok = ast.Mapping(one.GetToken(), false, one), true
		}
		if !ok {
			continue
		}
		var values, sources []*ast.MappingValueNode
		for _, one := range within.Values {
			if isMapping(one.Value) {
				sources = append(sources, one)
			} else {
				values = append(values, one)
			}
		}
		if len(sources) == 0 {
			continue
		}
		below := ast.String(key.GetToken())
		below.Value = key.Value + insteadOf
		out = append(out, ast.MappingValue(entry.Start, below, ast.Mapping(within.GetToken(), false, sources...)))
		if entry.Value = ast.Mapping(within.GetToken(), false, values...); len(values) == 0 {
			out = slices.Delete(out, len(out)-2, len(out)-1)
		}
	}
	return out
}

func entryKey(entry *ast.MappingValueNode) string {
	if text, ok := entry.Key.(*ast.StringNode); ok {
		return text.Value
	}
	return ""
}

func isMapping(node ast.Node) bool {
	return node != nil && (node.Type() == ast.MappingType || node.Type() == ast.MappingValueType)
}

// keyOf returns the key in the file of a field; empty if it has none.
func keyOf(field reflect.StructField) string {
	tag := field.Tag.Get("yaml")
	if tag == "-" || !field.IsExported() {
		return ""
	}
	return strings.TrimSuffix(tag, insteadOf)
}

// sampleList returns a sample of a list in YAML.
func sampleList(path []string) string {
	switch path[len(path)-1] {
	case "absent":
		return ", such as [" + partNames()[0] + "]; take the key out where nothing is absent"
	case "command":
		return `, such as [./mint.sh, "{accountId}"]`
	}
	return " of values, such as [one, two]"
}

// list fits a list of single values.
func (r *reader) list(node ast.Node, want reflect.Type, path []string) ast.Node {
	n, ok := node.(*ast.SequenceNode)
	if !ok || len(n.Values) == 0 {
		r.mistake(lineOf(node), "%s must be a list%s", strings.Join(path, "."), sampleList(path))
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
	if parts := strings.Split(path, "."); text == "" && (len(parts) == 1 || parts[0] == "situations" &&
		len(parts) == 3) {
		r.warnEmpty(path, lineOf(node))
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
		_, quoted := node.(*ast.StringNode)
		if read := literal(value, kind); read != nil && (!quoted || value != text) {
			return read
		}
		r.mistake(lineOf(node), "%s must be %s", path, wanted)
	}
	return node
}

// literal reads a value of a kind, such as true, false or a whole number; nil if it is of another kind.
func literal(value string, kind ast.NodeType) ast.Node {
	file, err := parser.ParseBytes([]byte(value), 0)
	if err != nil || len(file.Docs) != 1 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() != kind {
		return nil
	}
	return file.Docs[0].Body
}

func (r *reader) duration(node ast.Node, path string) ast.Node {
	fitted := r.scalar(node, reflect.TypeFor[string](), path)
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

// expand replaces ${NAME} by values; $$ stands for one dollar sign, and a dollar sign before anything else is itself.
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
				r.mistake(line,
					"%s: ${ must be followed by the name of an environment variable and }; write $${ for the characters themselves",
					path)
				return "", false
			}
			name := text[i+2 : i+end]
			value, set := r.getenv(name)
			if !set || value == "" || userfile.Flaw(value) != "" {
				ok = false
				r.valueless++
			}
			switch {
			case !set:
				r.mistake(line, "%s needs the environment variable %s, which is not set; set it: export %s=…", path,
					name, name)
			case value == "":
				r.mistake(line, "%s needs the environment variable %s, which is empty; set it: export %s=…", path, name,
					name)
			case userfile.Flaw(value) != "":
				r.mistake(line, "%s needs the environment variable %s, whose value %s", path, name,
					userfile.Flaw(value))
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

// knownFields are the fields of the types of this package, as far as they were looked at.
var knownFields sync.Map

// fieldsOf is reflect.VisibleFields, which takes long, once for each type.
func fieldsOf(t reflect.Type) []reflect.StructField {
	fields, known := knownFields.Load(t)
	if !known {
		fields, _ = knownFields.LoadOrStore(t, reflect.VisibleFields(t))
	}
	return fields.([]reflect.StructField)
}

// fieldOf finds the field of a struct by its key in the file.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for _, field := range fieldsOf(t) {
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
	for _, field := range fieldsOf(t) {
		if key := keyOf(field); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func sampleKeys(t reflect.Type) string {
	keys := keysOf(t)
	if t == reflect.TypeFor[Situations]() {
		keys = SituationNames
	}
	if len(keys) == 0 {
		return "name: value"
	}
	return keys[0] + ": …"
}
