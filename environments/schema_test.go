package environments_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/environments"
	"agstest/internal/environment"
)

func compiled(t *testing.T) *jsonschema.Schema { return compile(t, environments.Schema) }

func compile(t *testing.T, text []byte) *jsonschema.Schema {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("environment.schema.json", document))
	schema, err := compiler.Compile("environment.schema.json")
	require.NoError(t, err)
	assert.Equal(t, 7, schema.DraftVersion, "editors read draft-07 and below")
	return schema
}

func asJSON(t *testing.T, text []byte) any {
	converted, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(converted))
	require.NoError(t, err)
	return value
}

func anyVariable(name string) (string, bool) {
	return "value-of-" + name, !strings.HasSuffix(strings.ToUpper(name), "_PROXY")
}

// uncommented turns the lines of the example that are commented out into real ones.
func uncommented(text []byte) []byte {
	return regexp.MustCompile(`(?m)^(  )# ([a-z-]+: \{)`).ReplaceAll(text, []byte("$1$2"))
}

func TestExampleFitsSchemaAndReader(t *testing.T) {
	mock, err := os.ReadFile("mock.yaml")
	require.NoError(t, err)
	for name, text := range map[string][]byte{"as written": environments.Live, "mock": mock, "with every situation": uncommented(environments.Live)} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, compiled(t).Validate(asJSON(t, text)))
			e, err := environment.Parse(text, "live.yaml", ".", anyVariable)
			require.NoError(t, err)
			assert.Empty(t, e.Warnings(), "an example keeps secrets out of the file")
			if name == "with every situation" {
				assert.Len(t, e.Situations, len(environment.SituationNames))
				for _, ability := range e.Abilities() {
					if strings.HasPrefix(ability.Name, "allow.") {
						continue
					}
					assert.True(t, ability.Offered, "%s: %s", ability.Name, ability.Missing)
				}
			}
		})
	}
}

func TestExamplesOfAbilitiesFit(t *testing.T) {
	e, err := environment.Parse([]byte("url: http://127.0.0.1\n"), "x.yaml", ".", anyVariable)
	require.NoError(t, err)
	for _, ability := range e.Abilities() {
		text := "url: http://127.0.0.1\n" + ability.Example + "\n"
		if slices.Contains(environment.SituationNames, ability.Name) {
			text = "url: http://127.0.0.1\noperator: {secret: \"${S}\", account: \"1\"}\nsituations:\n  " + ability.Example + "\n"
		}
		parsed, err := environment.Parse([]byte(text), "x.yaml", ".", anyVariable)
		require.NoError(t, err, ability.Name)
		require.NoError(t, compiled(t).Validate(asJSON(t, []byte(text))), ability.Name)
		for _, again := range parsed.Abilities() {
			if again.Name == ability.Name {
				assert.True(t, again.Offered, "%s: %s", again.Name, again.Missing)
			}
		}
	}
}

func TestSchemaRefusesWhatTheReaderRefuses(t *testing.T) {
	for _, text := range []string{
		"name: x\n", "url: ags.example\n", "url: https://a.example\ntennant: x\n", "url: https://a.example\nsituations: {suspended: {}}\n",
		"url: https://a.example\nauthorization: basic\n", "url: https://a.example\nclockSkew: 120\n", "url: https://a.example\noperator: {kid: a}\n",
		"url: https://a.example\ntls: {cert: a}\n", "url: https://a.example\nload: {clients: {count: 0, clientId: a}}\n",
	} {
		_, err := environment.Parse([]byte(text), "x.yaml", ".", anyVariable)
		assert.Error(t, err, text)
		assert.Error(t, compiled(t).Validate(asJSON(t, []byte(text))), text)
	}
}

// TestSchemaHasTheKeysOfTheStructs keeps the schema and the reader from drifting apart.
func TestSchemaHasTheKeysOfTheStructs(t *testing.T) {
	var schema map[string]any
	require.NoError(t, json.Unmarshal(environments.Schema, &schema))
	var compare func(at string, node map[string]any, typ reflect.Type)
	resolve := func(node map[string]any) map[string]any {
		if ref, ok := node["$ref"].(string); ok {
			return schema["definitions"].(map[string]any)[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		}
		if all, ok := node["allOf"].([]any); ok {
			ref, _ := all[0].(map[string]any)["$ref"].(string)
			return schema["definitions"].(map[string]any)[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		}
		return node
	}
	compare = func(at string, node map[string]any, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		properties, _ := resolve(node)["properties"].(map[string]any)
		switch {
		case typ == reflect.TypeFor[environment.Situations]():
			var names []string
			for name, below := range properties {
				names = append(names, name)
				compare(at+"."+name, below.(map[string]any), typ.Elem())
			}
			assert.ElementsMatch(t, environment.SituationNames, names, at)
		case typ.Kind() == reflect.Map && typ.Elem().Kind() == reflect.Pointer:
			compare(at+".*", resolve(node)["additionalProperties"].(map[string]any), typ.Elem())
		case typ.Kind() == reflect.Struct:
			assert.Equal(t, false, resolve(node)["additionalProperties"], at)
			var inStruct, inSchema []string
			for key := range properties {
				inSchema = append(inSchema, key)
			}
			for _, field := range reflect.VisibleFields(typ) {
				key, instead := strings.CutSuffix(field.Tag.Get("yaml"), ".from") // what may stand in the place of a single value
				if !field.IsExported() || key == "" || key == "-" {
					continue
				}
				below, ok := properties[key].(map[string]any)
				switch {
				case instead && field.Type.Kind() == reflect.Map:
					other := below["additionalProperties"].(map[string]any)["anyOf"].([]any)[1].(map[string]any)
					compare(at+"."+key+".*", map[string]any{"allOf": []any{other}}, field.Type.Elem())
					continue
				case instead:
					other := below["anyOf"].([]any)[1].(map[string]any)
					compare(at+"."+key, map[string]any{"allOf": []any{other}}, field.Type)
					continue
				case ok:
					compare(at+"."+key, below, field.Type)
				}
				inStruct = append(inStruct, key)
			}
			assert.ElementsMatch(t, inStruct, inSchema, at)
		}
	}
	compare("", schema, reflect.TypeFor[environment.Environment]())
}
