package environment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

var jsonType = reflect.TypeFor[JSON]()

// object fits a value that is a JSON object of any members: keys and values in YAML, or the JSON text of an object. It
// becomes JSON text with its members in the order of the file. ${NAME} is not read in it.
func (r *reader) object(node ast.Node, path string) ast.Node {
	var text bytes.Buffer
	switch n := node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		before := len(r.mistakes)
		r.writeJSON(&text, node, path)
		if len(r.mistakes) > before {
			return node
		}
	case *ast.StringNode:
		value := n.Value
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(value), &members) != nil || members == nil {
			r.mistake(lineOf(node), "%s must be keys with values, or the JSON text of an object", path)
			return node
		}
		text.WriteString(value)
	default:
		r.mistake(lineOf(node), "%s must be keys with values", path)
		return node
	}
	written := ast.String(node.GetToken())
	written.Value = text.String()
	return written
}

// writeJSON writes a YAML value as JSON (RFC 8259). Figures stay as they are written.
func (r *reader) writeJSON(out *bytes.Buffer, node ast.Node, path string) {
	switch n := node.(type) {
	case *ast.MappingNode:
		r.writeMembers(out, n.Values, path)
	case *ast.MappingValueNode:
		r.writeMembers(out, []*ast.MappingValueNode{n}, path)
	case *ast.SequenceNode:
		out.WriteByte('[')
		for i, value := range n.Values {
			if i > 0 {
				out.WriteByte(',')
			}
			r.writeJSON(out, value, fmt.Sprintf("%s.%d", path, i))
		}
		out.WriteByte(']')
	case *ast.NullNode:
		out.WriteString("null")
	case *ast.BoolNode:
		fmt.Fprintf(out, "%v", n.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		figure := node.GetToken().Value
		if !json.Valid([]byte(figure)) {
			r.mistake(lineOf(node), "%s: %s is no figure of JSON; write it in quotes, or in plain digits", path, figure)
			return
		}
		out.WriteString(figure)
	case *ast.StringNode:
		if strings.Contains(n.Value, "${") {
			r.mistake(lineOf(node), "%s: ${NAME} is not read here; write the value out", path)
			return
		}
		quoted, _ := json.Marshal(n.Value)
		out.Write(quoted)
	default:
		r.mistake(lineOf(node), "%s: this is no value of JSON", path)
	}
}

func (r *reader) writeMembers(out *bytes.Buffer, entries []*ast.MappingValueNode, path string) {
	out.WriteByte('{')
	seen := map[string]bool{}
	for i, entry := range entries {
		if i > 0 {
			out.WriteByte(',')
		}
		name := strings.Trim(entry.Key.GetToken().Value, `"'`)
		if seen[name] {
			r.mistake(lineOf(entry.Key), "%s.%s is given twice", path, name)
		}
		seen[name] = true
		quoted, _ := json.Marshal(name)
		out.Write(quoted)
		out.WriteByte(':')
		r.writeJSON(out, entry.Value, path+"."+name)
	}
	out.WriteByte('}')
}
