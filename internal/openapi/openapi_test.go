package openapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
)

// TestDocument checks that the document names every operation with its documented statuses and those that are
// tolerated, no other, and that its own examples hold against its own schemas (OpenAPI 3.1 schemas are JSON Schema
// 2020-12).
func TestDocument(t *testing.T) {
	document, err := Document("1")
	require.NoError(t, err)
	again, err := Document("1")
	require.NoError(t, err)
	require.Equal(t, string(document), string(again), "the document is the same every time")

	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, compiler.AddResource("ags.json", parsed))

	var read struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Responses   map[string]struct {
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					} `json:"schema"`
					Example json.RawMessage `json:"example"`
				} `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(document, &read))
	require.Len(t, read.Paths, 9)
	examples := 0
	for _, operation := range ags.Operations {
		for method, described := range read.Paths[operation.Path] {
			assert.Equal(t, operation.Name, described.OperationID)
			assert.Contains(t, "get post", method)
			for _, status := range operation.Statuses {
				assert.Contains(t, described.Responses, strconv.Itoa(status), operation.Name)
			}
			var beside []string
			for status := range described.Responses {
				if n, err := strconv.Atoi(status); assert.NoError(t, err) && !slices.Contains(operation.Statuses, n) {
					beside = append(beside, status)
				}
			}
			slices.Sort(beside)
			want, special := map[string]string{ags.ServiceDiscovery: "400 401 403 429 503", ags.SignOut: "401 415 429 503"}[operation.Name]
			if !special {
				want = "415 429 503"
			}
			assert.Equal(t, want, strings.Join(beside, " "), "tolerated answers of %s", operation.Name)
			for status, response := range described.Responses {
				for _, content := range response.Content {
					schema, err := compiler.Compile("ags.json" + content.Schema.Ref)
					require.NoError(t, err)
					example, err := jsonschema.UnmarshalJSON(bytes.NewReader(content.Example))
					require.NoError(t, err)
					assert.NoError(t, schema.Validate(example), "%s %s", operation.Name, status)
					examples++
				}
			}
		}
	}
	assert.Equal(t, 8, examples)

	schema, err := compiler.Compile("ags.json#/components/schemas/Tokens")
	require.NoError(t, err)
	broken := sampleTokens()
	broken["expires_in"] = "3600"
	assert.Error(t, schema.Validate(map[string]any(broken)), "a lifetime as text must not pass")
	delete(broken, "expires_in")
	assert.Error(t, schema.Validate(map[string]any(broken)), "a missing lifetime must not pass")

	schema, err = compiler.Compile("ags.json#/components/schemas/SignOnRequest")
	require.NoError(t, err)
	for body, good := range map[string]bool{
		`{"parameters":[],"clientId":"PUB_1"}`: true, `{"parameters":[],"deviceInformation":{"a":1}}`: true,
		`{"parameters":[]}`: false, `{"parameters":[],"clientId":"PUB_1","deviceInformation":{}}`: false, `{"clientId":"PUB_1"}`: false, `{"parameters":[],"deviceInformation":"phone"}`: false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		require.NoError(t, err)
		assert.Equal(t, good, schema.Validate(value) == nil, body)
	}
}
