package main

import (
	"agstest/environments"
	"agstest/reports"
)

// schemaKinds are the kinds of files that have a JSON Schema: what people write first, then what runs write.
var schemaKinds = []string{"environment", "profile", "conformance", "load", "gate", "comparison"}

func schemaOf(kind string) ([]byte, error) {
	switch kind {
	case "environment":
		return environments.Schema, nil
	case "profile":
		return environments.ProfileSchema, nil
	}
	return reports.Schema(kind)
}
