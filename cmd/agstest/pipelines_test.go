package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pipelines are the ready-made files below deploy/pipelines, and what says in each that reports are kept where the run
// fails; empty: it runs nothing that has any.
var pipelines = map[string]string{
	"github.yml": "if: always()", "setup-agstest/action.yml": "", "github-release.yml": "", "gitlab.yml": "", "gitlab-component/template.yml": "when: always",
	"azure.yml": "condition: always()", "azure-gate.yml": "condition: always()", "Jenkinsfile": "always {", "jenkins/vars/agstest.groovy": "",
}

func pipeline(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "pipelines", filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}

// TestPipelinesUseWhatExists parses the ready-made pipelines: every agstest command in them has only flags that the
// command knows, each kind of pipeline runs the gate, ab, prune and site, what is downloaded is checked, and every
// script is one that a shell can read.
func TestPipelinesUseWhatExists(t *testing.T) {
	t.Parallel()
	listed, err := filepath.Glob("../../deploy/pipelines/*")
	require.NoError(t, err)
	assert.Len(t, listed, 9, "each file and folder is one that this test knows: %v", listed)
	ran := map[string]map[string]bool{}
	for name, kept := range pipelines {
		text := pipeline(t, name)
		kind := regexp.MustCompile(`^(github|setup|gitlab|azure|[Jj]enkins)`).FindString(strings.ReplaceAll(name, "setup-agstest", "github"))
		kind = strings.ToLower(kind)
		if ran[kind] == nil {
			ran[kind] = map[string]bool{}
		}
		if strings.HasSuffix(name, ".yml") {
			for document := range strings.SplitSeq(text, "\n---\n") {
				var parsed any
				require.NoError(t, yaml.Unmarshal([]byte(document), &parsed), name)
				for _, script := range scripts(parsed) {
					if strings.Contains(name, "github") || strings.Contains(name, "setup-") {
						assert.NotContains(t, script, "${{", "%s: a value is handed on as a variable, never as a part of a script", name)
					}
					checkShell(t, name, script)
				}
			}
		} else {
			assert.Equal(t, strings.Count(text, "{"), strings.Count(text, "}"), "%s: braces", name)
			for _, script := range regexp.MustCompile(`(?s)sh '''(.*?)'''|sh '([^']*)'\n`).FindAllStringSubmatch(text, -1) {
				checkShell(t, name, script[1]+script[2])
			}
		}
		assert.Contains(t, text, kept, "%s: reports are kept on failure", name)
		assert.NotContains(t, text, "make build", "%s: a released binary is used", name)
		for _, found := range regexp.MustCompile(`bin/agstest ([a-z]+(?: prune)?)((?: [^\n]+)?)`).FindAllStringSubmatch(text, -1) {
			if !strings.Contains(found[0], " --") && found[1] != "version" {
				continue // words of a comment, or of what is downloaded
			}
			ran[kind][found[1]] = true
			command, _, err := tree(t)[0].Find(strings.Fields(found[1]))
			require.NoError(t, err)
			require.Equal(t, found[1], strings.TrimPrefix(command.CommandPath(), "agstest "), name)
			for _, flag := range regexp.MustCompile(` --([a-z-]+)`).FindAllStringSubmatch(found[2], -1) {
				known := command.Flags().Lookup(flag[1])
				if known == nil {
					known = command.InheritedFlags().Lookup(flag[1])
				}
				assert.NotNil(t, known, "%s: agstest %s has no flag --%s", name, found[1], flag[1])
			}
		}
		if at := strings.Count(text, "agstest-linux-amd64\""); at > 0 {
			assert.Equal(t, at, strings.Count(text, "| sha256sum "), "%s: what is downloaded is checked", name)
			assert.Equal(t, at, strings.Count(text, "--proto '=https'"), name)
		}
	}
	for _, kind := range []string{"github", "gitlab", "azure", "jenkins"} {
		for _, command := range []string{"gate", "ab", "history prune", "site"} {
			assert.True(t, ran[kind][command], "%s runs %v, and not %s", kind, ran[kind], command)
		}
	}
}

// TestGitLabGivesSecretsToTheJobThatNeedsThem: the jobs that call a service are of an environment, which secrets are
// scoped to; those that download, make the site and comment are of none.
func TestGitLabGivesSecretsToTheJobThatNeedsThem(t *testing.T) {
	t.Parallel()
	_, text, _ := strings.Cut(pipeline(t, "gitlab-component/template.yml"), "\n---\n")
	var jobs map[string]map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &jobs))
	calls := 0
	for name, job := range jobs {
		environment, _ := job["environment"].(map[string]any)
		if said := strings.Join(scripts(job), "\n"); strings.HasPrefix(said, "bin/agstest gate ") || strings.HasPrefix(said, "bin/agstest ab ") {
			calls++
			assert.Regexp(t, "^agstest/", environment["name"], name)
			continue
		}
		assert.Nil(t, environment, name)
	}
	assert.Equal(t, 2, calls)
	assert.Len(t, jobs, 5)
}

// scripts are all texts that a runner hands to a shell.
func scripts(v any) []string {
	var found []string
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && (key == "run" || key == "script") {
				found = append(found, text)
			} else if lines, ok := value.([]any); ok && (key == "script" || key == "before_script") {
				for _, line := range lines {
					found = append(found, fmt.Sprint(line))
				}
			} else {
				found = append(found, scripts(value)...)
			}
		}
	case []any:
		for _, value := range v {
			found = append(found, scripts(value)...)
		}
	}
	return found
}

func checkShell(t *testing.T, name, script string) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped: no bash on this machine")
	}
	out, err := exec.Command(bash, "-n", "-c", script).CombinedOutput()
	assert.NoError(t, err, "%s: %s\n%s", name, script, out)
}

// TestACommentIsUpdatedInPlace runs the scripts of the templates against a server that keeps comments as GitHub, GitLab
// and Azure do: the first run writes one, the second one changes it, that of somebody else stays, and the token is in
// no argument.
func TestACommentIsUpdatedInPlace(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("skipped: no %s on this machine", tool)
		}
	}
	const marker = "<!-- agstest -->"
	const jenkins = "jenkins/vars/agstest.groovy"
	byID := func(who string) func(id int, body string, ours bool) map[string]any {
		return func(id int, body string, ours bool) map[string]any {
			return map[string]any{"id": id, "body": body, who: map[string]any{"id": map[bool]int{true: 42, false: 1}[ours]}}
		}
	}
	bodyOf := func(sent map[string]any) string { return sent["body"].(string) }
	for _, host := range []struct {
		file, folder, token string
		variables           []string
		form                func(id int, body string, ours bool) map[string]any
		body                func(sent map[string]any) string
		wrap                bool
	}{
		{"github.yml", "found/agstest-dev/1-dev", "GITHUB_TOKEN", []string{"GITHUB_API_URL=URL", "GITHUB_REPOSITORY=o/r", "NUMBER=7"},
			func(id int, body string, ours bool) map[string]any {
				return map[string]any{"id": id, "body": body, "user": map[string]any{"login": map[bool]string{true: "github-actions[bot]", false: "mallory"}[ours]}}
			}, func(sent map[string]any) string { return sent["body"].(string) }, false},
		{"gitlab-component/template.yml", "out/1-dev", "AGSTEST_COMMENT_TOKEN", []string{"CI_API_V4_URL=URL", "CI_PROJECT_ID=3", "CI_MERGE_REQUEST_IID=7"},
			func(id int, body string, ours bool) map[string]any {
				return map[string]any{"id": id, "body": body, "author": map[string]any{"id": map[bool]int{true: 42, false: 1}[ours]}}
			}, func(sent map[string]any) string { return sent["body"].(string) }, false},
		{jenkins, "out/1-dev", "COMMENT_TOKEN", []string{"KIND=github", "API=URL", "PROJECT=o/r", "CHANGE_ID=7"}, byID("user"), bodyOf, false},
		{jenkins, "out/1-dev", "COMMENT_TOKEN", []string{"KIND=gitlab", "API=URL", "PROJECT=3", "CHANGE_ID=7"}, byID("author"), bodyOf, false},
		{"azure.yml", "agstest-dev/1-dev", "SYSTEM_ACCESSTOKEN", []string{"SYSTEM_COLLECTIONURI=URL/", "SYSTEM_TEAMPROJECTID=p", "BUILD_REPOSITORY_ID=r", "SYSTEM_PULLREQUEST_PULLREQUESTID=7"},
			func(id int, body string, ours bool) map[string]any {
				if !ours {
					body = "about " + body
				}
				return map[string]any{"id": id, "comments": []any{map[string]any{"id": 1, "content": body}}}
			}, func(sent map[string]any) string {
				if comments, ok := sent["comments"].([]any); ok {
					return comments[0].(map[string]any)["content"].(string)
				}
				return sent["content"].(string)
			}, true},
	} {
		t.Run(host.file+" "+host.variables[0], func(t *testing.T) {
			t.Parallel()
			comments := []map[string]any{host.form(1, marker+" of somebody else", false)}
			var methods []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Contains(t, r.Header.Get("Authorization")+r.Header.Get("PRIVATE-TOKEN"), "s3cret")
				if strings.HasSuffix(r.URL.Path, "/user") {
					fmt.Fprint(w, `{"id":42}`)
					return
				}
				if r.Method == http.MethodGet {
					var answer any = comments
					if host.wrap {
						answer = map[string]any{"value": comments}
					}
					assert.NoError(t, json.NewEncoder(w).Encode(answer))
					return
				}
				text, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				var sent map[string]any
				assert.NoError(t, json.Unmarshal(text, &sent))
				methods = append(methods, r.Method)
				if r.Method == http.MethodPost {
					comments = append(comments, host.form(len(comments)+1, host.body(sent), true))
				} else {
					assert.Regexp(t, `/2(/comments/1)?$`, r.URL.Path, "the one that was written before")
					comments[1] = host.form(2, host.body(sent), true)
				}
				fmt.Fprint(w, "{}")
			}))
			t.Cleanup(server.Close)
			script := ""
			if host.file == jenkins {
				_, text, _ := strings.Cut(pipeline(t, jenkins), "def comment(")
				_, text, _ = strings.Cut(text, "sh '''")
				script, _, _ = strings.Cut(text, "'''")
				assert.NotContains(t, script, `\`, "Groovy reads a backslash as the beginning of something else")
			}
			for document := range strings.SplitSeq(pipeline(t, host.file), "\n---\n") {
				if host.file == jenkins {
					break
				}
				var parsed any
				require.NoError(t, yaml.Unmarshal([]byte(document), &parsed))
				for _, one := range scripts(parsed) {
					if strings.Contains(one, marker) {
						script = strings.ReplaceAll(one, "$(Pipeline.Workspace)", ".")
					}
				}
			}
			require.NotEmpty(t, script)
			assert.NotRegexp(t, `curl [^\n]*\$`+host.token, script, "a token is no argument, which everybody on the machine could read")
			folder := t.TempDir()
			for _, summary := range []string{"## first \"run\"\n", "## second run\n\n<details><summary>much</summary>\n\n" + strings.Repeat("- more\n", 10_000) + "\n</details>\n\n## its load\n"} {
				at := filepath.Join(folder, filepath.FromSlash(host.folder))
				require.NoError(t, os.MkdirAll(at, 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(at, "summary.md"), []byte(summary), 0o600))
				command := exec.Command("bash", "-c", script)
				command.Dir = folder
				command.Env = append(os.Environ(), host.token+"=s3cret", "no_proxy=127.0.0.1")
				for _, variable := range host.variables {
					command.Env = append(command.Env, strings.Replace(variable, "URL", server.URL, 1))
				}
				if host.file == "github.yml" { // the name of the variable holds URL too
					command.Env = append(command.Env, "GITHUB_API_URL="+server.URL)
				}
				if strings.HasPrefix(host.file, "gitlab") {
					command.Env = append(command.Env, "CI_API_V4_URL="+server.URL)
				}
				out, err := command.CombinedOutput()
				require.NoError(t, err, string(out))
			}
			require.Len(t, comments, 2, "one comment of ours, beside that of somebody else")
			require.Len(t, methods, 2)
			assert.Equal(t, http.MethodPost, methods[0])
			assert.NotEqual(t, http.MethodPost, methods[1])
			text, err := json.Marshal(comments)
			require.NoError(t, err)
			assert.Contains(t, string(text), "second run")
			assert.Contains(t, string(text), "its load", "what is folded makes room")
			assert.NotContains(t, string(text), "- more")
			assert.NotContains(t, string(text), "first")
		})
	}
}
