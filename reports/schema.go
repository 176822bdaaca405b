package reports

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed schema/*.json
var schemaFiles embed.FS

// Schema gives the JSON Schema (draft 2020-12) of a stored form: conformance, load, gate, comparison or matrix. The
// schemas follow from the Go types and their comments; a test keeps them so.
func Schema(name string) ([]byte, error) {
	if data, err := schemaFiles.ReadFile("schema/" + name + ".json"); err == nil {
		return data, nil
	}
	var known []string
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, fmt.Errorf("listing the schemas: %w", err)
	}
	for _, entry := range entries {
		known = append(known, strings.TrimSuffix(entry.Name(), ".json"))
	}
	return nil, fmt.Errorf("there is no schema %q: known are %s", name, strings.Join(known, ", "))
}
