// Package environments holds a commented example of an environment file and the JSON Schema of such files, which gives completion in
// editors.
package environments

import _ "embed"

// Live is a commented example for a live service; agstest init writes it.
//
//go:embed live.yaml
var Live []byte

// Schema is the JSON Schema (draft-07, what editors read) of an environment file.
//
//go:embed environment.schema.json
var Schema []byte
