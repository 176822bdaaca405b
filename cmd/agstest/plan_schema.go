package main

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agstest/internal/plan"
)

// planSchema is the JSON Schema (draft-07, what editors read) of a plan. The keys of a job are the flags of its
// command, so that it is made from them.
func planSchema(root *cobra.Command) ([]byte, error) {
	type object = map[string]any
	// no list of types: Ajv is strict about those
	text := object{"anyOf": []any{object{"type": "string"}, object{"type": "number"}, object{"type": "boolean"}}}
	jobs := object{}
	for _, command := range plan.Commands {
		c, _, err := root.Find([]string{command})
		if err != nil {
			return nil, err
		}
		flags := object{}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden || slices.Contains(planOwns, f.Name) {
				return
			}
			value := maps.Clone(text)
			if _, list := f.Value.(pflag.SliceValue); list {
				value = object{"anyOf": []any{text, object{"type": "array", "items": text, "minItems": 1}}}
			}
			value["description"] = f.Usage
			flags[f.Name] = value
		})
		jobs[command] = object{
			"description": "Runs agstest " + command + "; each key is one of its flags. none: it is not run.",
			"oneOf": []any{object{"const": "none"},
				object{"type": "object", "additionalProperties": false, "properties": flags}},
		}
	}
	name := object{"type": "string", "pattern": `^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$`}
	count := object{"type": "integer", "minimum": 1, "maximum": 100}
	entry := object{
		"file": object{"type": "string", "description": "Environment file; {env} in it stands for each of names."},
		"names": object{"type": "array", "items": name, "minItems": 1,
			"description": "What {env} in file stands for, and the names of the environments."},
		"files": object{"type": "array", "items": object{"type": "string"}, "minItems": 2, "maxItems": 2,
			"description": "The two environment files of ab."},
		"name": name,
	}
	top := object{
		"name":    object{"type": "string", "description": "Name in the matrix; left out: the name of the file."},
		"release": object{"type": "string", "description": "The build under test, recorded in every run."},
		"parallel": object{"type": "integer", "minimum": 1, "maximum": 100, "default": 4,
			"description": "Environments at the same time."},
		"loadsAtOnce": count,
		"environments": object{"type": "array", "minItems": 1, "items": object{"oneOf": []any{
			object{"type": "string", "description": "An environment file."},
			object{"type": "object", "additionalProperties": false, "properties": entry},
		}}},
	}
	for command := range jobs {
		top[command] = object{"$ref": "#/definitions/" + command}
		entry[command] = object{"$ref": "#/definitions/" + command}
	}
	out, err := json.MarshalIndent(object{
		"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://agstest.example/plan.schema.json",
		"title":       "agstest plan",
		"description": "Several environments and what is done in each (agstest run PLAN).",
		"type":        "object", "additionalProperties": false, "required": []string{"environments"}, "properties": top,
		"definitions": jobs,
	}, "", "  ")
	return append(out, '\n'), err
}
