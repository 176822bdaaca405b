package environments_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/environments"
	"agstest/load/schedule"
)

func TestShippedProfilesFitTheirSchema(t *testing.T) {
	schema := compile(t, environments.ProfileSchema)
	require.NotEmpty(t, schedule.Profiles())
	for _, name := range schedule.Profiles() {
		text, found := schedule.ShippedProfile(name)
		require.True(t, found)
		assert.NoError(t, schema.Validate(asJSON(t, text)), name)
	}
	for _, text := range []string{
		"stages: []\n", "workload: refresh\n", "stages: [{constant: {rate: 10, for: 1s}}]\n", "stages: [{constant: {rate: 10/s}}]\n",
		"stages: [{constnt: {rate: 10/s, for: 1s}}]\n", "stages: [{constant: {rate: 10/s, for: 1s}, ramp: {from: 1/s, to: 2/s, for: 1s}}]\n",
		"stages: [{spike: {base: 1/s, peak: 2/s}}]\n", "workload: refesh\nstages: [{constant: {rate: 10/s, for: 1s}}]\n",
	} {
		assert.Error(t, schema.Validate(asJSON(t, []byte(text))), text)
	}
}

// TestProfileSchemaHasTheKeysOfTheReader asks the reader for its keys, by a key that it does not have.
func TestProfileSchemaHasTheKeysOfTheReader(t *testing.T) {
	var schema struct {
		Properties map[string]struct {
			Items struct {
				Properties map[string]struct {
					Properties map[string]any `json:"properties"`
				} `json:"properties"`
			} `json:"items"`
		} `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(environments.ProfileSchema, &schema))
	known := regexp.MustCompile(`its keys are (.*)$`)
	keysOf := func(text string) []string {
		_, err := schedule.ReadProfile([]byte(text), "x.yaml")
		require.Error(t, err)
		match := known.FindStringSubmatch(err.Error())
		require.NotNil(t, match, err.Error())
		return strings.Split(match[1], ", ")
	}
	assert.ElementsMatch(t, keysOf("QQQQQQQQ: 1\n"), keys(schema.Properties))
	stages := schema.Properties["stages"].Items.Properties
	assert.ElementsMatch(t, keysOf("stages: [{QQQQQQQQ: 1}]\n"), keys(stages))
	for kind, stage := range stages {
		assert.ElementsMatch(t, keysOf("stages: [{"+kind+": {QQQQQQQQ: 1}}]\n"), keys(stage.Properties), kind)
	}
}

func keys[V any](m map[string]V) []string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	return all
}
