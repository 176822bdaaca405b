package reports_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/matrix"
)

var update = flag.Bool("update", false, "write the golden files and the schemas anew")

// storedForms are the documents that have a schema.
var storedForms = map[string]struct {
	document any
	title    string
}{
	"conformance": {reports.Conformance{}, "What a conformance run found"},
	"load":        {reports.Load{}, "What a load run measured; all times are nanoseconds"},
	"gate":        {reports.Gate{}, "A conformance run and a load run with one verdict"},
	"comparison":  {compare.Comparison{}, "What tells two services, two builds or two times apart"},
	"matrix":      {matrix.Matrix{}, "What several environments answered to the same questions, side by side; all times are nanoseconds"},
}

// schemaMaker makes a schema of Go types, with their comments as descriptions.
type schemaMaker struct {
	comments map[string]string // "Type" or "Type.Field"
	defs     map[string]any
}

func newSchemaMaker(t *testing.T, folders ...string) *schemaMaker {
	t.Helper()
	m := &schemaMaker{comments: map[string]string{}, defs: map[string]any{}}
	var files []string
	for _, folder := range folders { // the types of a later one hide those of the same name
		found, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		files = append(files, found...)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			declaration, ok := node.(*ast.GenDecl)
			if !ok {
				return true
			}
			for _, spec := range declaration.Specs {
				kind, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				m.comments[kind.Name.Name] = flat(declaration.Doc.Text())
				fields, ok := kind.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, field := range fields.Fields.List {
					for _, name := range field.Names {
						m.comments[kind.Name.Name+"."+name.Name] = flat(field.Doc.Text() + " " + field.Comment.Text())
					}
				}
			}
			return true
		})
	}
	return m
}

func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

func (m *schemaMaker) of(kind reflect.Type) map[string]any {
	switch {
	case kind == reflect.TypeFor[reports.Verdict]():
		m.defs["Verdict"] = map[string]any{"type": "string", "description": m.comments["Verdict"], "examples": reports.Verdicts}
		return map[string]any{"$ref": "#/$defs/Verdict"}
	case kind == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	}
	switch kind.Kind() {
	case reflect.Pointer:
		return m.of(kind.Elem())
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Int32:
		return map[string]any{"type": "integer"}
	case reflect.Uint64, reflect.Uint, reflect.Uint32:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": m.of(kind.Elem())}
	case reflect.Array:
		return map[string]any{"type": "array", "items": m.of(kind.Elem()), "minItems": kind.Len(), "maxItems": kind.Len()}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": m.of(kind.Elem())}
	case reflect.Struct:
		if _, seen := m.defs[kind.Name()]; !seen {
			m.defs[kind.Name()] = nil // known, while its members are made
			m.defs[kind.Name()] = m.object(kind)
		}
		return map[string]any{"$ref": "#/$defs/" + kind.Name()}
	}
	panic("no schema for " + kind.String())
}

func (m *schemaMaker) object(kind reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for field := range kind.Fields() {
		field := field
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || !field.IsExported() {
			continue
		}
		if name == "" {
			name = field.Name
		}
		property := m.of(field.Type)
		if field.Type.Kind() == reflect.Pointer && !strings.Contains(options, "omitempty") {
			property = map[string]any{"anyOf": []any{property, map[string]any{"type": "null"}}}
		}
		if words := m.comments[kind.Name()+"."+field.Name]; words != "" {
			property["description"] = words
		}
		properties[name] = property
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, name)
		}
	}
	made := map[string]any{"type": "object", "properties": properties, "required": required}
	if words := m.comments[kind.Name()]; words != "" {
		made["description"] = words
	}
	return made
}

func TestSchemasFollowFromTheTypes(t *testing.T) {
	for name, form := range storedForms {
		t.Run(name, func(t *testing.T) {
			maker := newSchemaMaker(t, append([]string{"."}, map[string][]string{"matrix": {"matrix"}, "comparison": {"compare"}}[name]...)...)
			kind := reflect.TypeOf(form.document)
			schema := maker.object(kind)
			version := schemaOf(t, name)
			major := strings.ReplaceAll(version[:strings.LastIndexByte(version, '.')], ".", `\.`)
			schema["properties"].(map[string]any)["schema"] = map[string]any{"type": "string", "pattern": "^" + major + `\.[0-9]+$`, "description": "Kind and version of this document. Members may be added within a major version; passing over unknown ones is right."}
			schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
			schema["title"] = form.title
			schema["$defs"] = maker.defs
			var made bytes.Buffer
			require.NoError(t, reports.WriteJSON(&made, schema))
			path := filepath.Join("schema", name+".json")
			if *update {
				require.NoError(t, os.WriteFile(path, made.Bytes(), 0o644))
			}
			stored, err := os.ReadFile(path)
			require.NoError(t, err, "go test ./reports -run Schemas -update writes it")
			require.Empty(t, cmp.Diff(string(stored), made.String()), "go test ./reports -run Schemas -update writes it anew")
			if !*update { // the embedded one is of the last build
				embedded, err := reports.Schema(name)
				require.NoError(t, err)
				require.Equal(t, string(stored), string(embedded))
			}
		})
	}
	_, err := reports.Schema("confromance")
	require.EqualError(t, err, `there is no schema "confromance": known are comparison, conformance, gate, load, matrix`)
}

func schemaOf(t *testing.T, name string) string {
	t.Helper()
	return map[string]string{"conformance": reports.ConformanceSchema, "load": reports.LoadSchema, "gate": reports.GateSchema, "comparison": compare.ComparisonSchema, "matrix": matrix.Schema}[name]
}

func compiledSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	data, err := reports.Schema(name)
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource(name+".json", document))
	schema, err := compiler.Compile(name + ".json")
	require.NoError(t, err)
	return schema
}

func TestWhatIsStoredIsOfItsSchema(t *testing.T) {
	for name, document := range map[string]any{"conformance": sampleConformance(), "load": sampleLoad(3, 20), "gate": sampleGate()} {
		t.Run(name, func(t *testing.T) {
			schema := compiledSchema(t, name)
			var b bytes.Buffer
			require.NoError(t, reports.WriteJSON(&b, document))
			value, err := jsonschema.UnmarshalJSON(&b)
			require.NoError(t, err)
			require.NoError(t, schema.Validate(value))

			members := value.(map[string]any)
			delete(members, "verdict")
			require.Error(t, schema.Validate(value), "a run without a verdict")
			members["verdict"], members["schema"] = "pass", "agstest."+name+"/2.0"
			require.Error(t, schema.Validate(value), "another major version")
		})
	}
	t.Run("empty runs", func(t *testing.T) {
		for name, document := range map[string]any{"conformance": &reports.Conformance{Schema: reports.ConformanceSchema}, "load": &reports.Load{Schema: reports.LoadSchema, Total: &reports.Operation{}}} {
			var b bytes.Buffer
			require.NoError(t, reports.WriteJSON(&b, document))
			require.NotContains(t, b.String(), "null", "a list that is empty is an empty list")
			value, err := jsonschema.UnmarshalJSON(&b)
			require.NoError(t, err)
			require.NoError(t, compiledSchema(t, name).Validate(value))
		}
	})
}

func TestSchemaFilesAreTidy(t *testing.T) {
	for name := range storedForms {
		data, err := reports.Schema(name)
		require.NoError(t, err)
		require.True(t, json.Valid(data))
	}
}
