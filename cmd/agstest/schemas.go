package main

import (
	"agstest/environments"
	"agstest/reports"
)

// schemaKinds are the kinds of files that have a JSON Schema: what people write first, then what runs write.
var schemaKinds = []string{"environment", "conformance", "load", "gate", "comparison"}

func schemaOf(kind string) ([]byte, error) {
	if kind == "environment" {
		return environments.Schema, nil
	}
	return reports.Schema(kind)
}
