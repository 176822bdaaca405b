// Package environments holds commented examples of environment files, and the JSON Schemas of the files that people
// write, which give completion in editors.
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

// ProfileSchema is the JSON Schema (draft-07) of a load profile.
//
//go:embed profile.schema.json
var ProfileSchema []byte

// Plan is a commented example of a plan over several environments; agstest init --plan writes it.
//
//go:embed plan.yaml
var Plan []byte
