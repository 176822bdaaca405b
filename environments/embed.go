// Package environments holds commented examples of environment files, and the JSON Schemas of the files that people
// write, which give completion in editors.
//
// Live and Plan are the examples that agstest init writes, Schema and ProfileSchema what agstest schema prints. Nobody
// may change their bytes. The files are read by internal/environment, internal/plan and load/schedule; tests here keep
// examples, schemas and readers from drifting apart, key by key. mock.yaml is an example of a mock whose secret stays
// the same from start to start.
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
