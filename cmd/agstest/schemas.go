package main

import (
	"github.com/spf13/cobra"

	"agstest/environments"
	"agstest/reports"
)

// schemaKinds are the kinds of files that have a JSON Schema: what people write first, then what runs write.
var schemaKinds = []string{"environment", "profile", "plan", "conformance", "load", "gate", "comparison", "matrix"}

func schemaOf(kind string, root *cobra.Command) ([]byte, error) {
	switch kind {
	case "environment":
		return environments.Schema, nil
	case "profile":
		return environments.ProfileSchema, nil
	case "plan":
		return planSchema(root)
	}
	return reports.Schema(kind)
}
