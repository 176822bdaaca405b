package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGitLabGivesSecretsToTheJobThatNeedsThem: the jobs that run agstest are of an environment, which secrets are scoped to; the one that
// builds, and runs what libraries bring, is of none.
func TestGitLabGivesSecretsToTheJobThatNeedsThem(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "pipelines", "gitlab.yml"))
	require.NoError(t, err)
	var jobs map[string]any
	require.NoError(t, yaml.Unmarshal(text, &jobs))
	builds, runs := 0, 0
	for name, value := range jobs {
		job, _ := value.(map[string]any)
		for _, line := range asList(job["script"]) {
			environment, _ := job["environment"].(map[string]any)
			switch line, _ := line.(string); {
			case strings.HasPrefix(line, "make "):
				builds++
				assert.Nil(t, job["environment"], name)
			case strings.HasPrefix(line, "bin/agstest "):
				runs++
				assert.Regexp(t, "^agstest/", environment["name"], name)
			}
		}
	}
	assert.Equal(t, []int{1, 2}, []int{builds, runs})
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// TestPipelinesUseWhatExists parses the ready-made pipelines and checks that every agstest command in them has only flags that the
// command knows, that each runs the gate and ab, and that each keeps its reports when the run fails.
func TestPipelinesUseWhatExists(t *testing.T) {
	keeps := map[string]string{"github.yml": "if: always()", "gitlab.yml": "when: always", "azure.yml": "condition: always()", "Jenkinsfile": "always {"}
	for name, kept := range keeps {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "pipelines", name))
			require.NoError(t, err)
			if strings.HasSuffix(name, ".yml") {
				var parsed map[string]any
				require.NoError(t, yaml.Unmarshal(text, &parsed))
				require.NotEmpty(t, parsed)
			} else {
				assert.Equal(t, strings.Count(string(text), "{"), strings.Count(string(text), "}"), "braces")
			}
			assert.Contains(t, string(text), kept, "reports are kept on failure")
			commands := regexp.MustCompile(`bin/agstest ([a-z]+)((?: [^\n"]+)?)`).FindAllStringSubmatch(string(text), -1)
			ran := map[string]bool{}
			for _, found := range commands {
				ran[found[1]] = true
				command, _, err := tree(t)[0].Find([]string{found[1]})
				require.NoError(t, err)
				require.Equal(t, found[1], command.Name())
				for _, flag := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(found[2], -1) {
					assert.NotNil(t, command.Flags().Lookup(flag[1]), "agstest %s has no flag --%s", found[1], flag[1])
				}
			}
			assert.True(t, ran["gate"] && ran["ab"], "a pipeline runs the gate and ab, this one runs %v", ran)
		})
	}
}
