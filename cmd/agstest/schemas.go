package main

import (
	"fmt"

	"agstest/environments"
)

// schemaKinds are the kinds of files besides environments that have a JSON Schema.
func schemaKinds() []string { return nil }

func schemaOf(kind string) ([]byte, error) {
	if kind == "environment" {
		return environments.Schema, nil
	}
	return nil, fmt.Errorf("no schema %q", kind)
}
