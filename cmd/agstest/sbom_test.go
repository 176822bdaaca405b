package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBillOfMaterialsListsWhatIsBuiltIn(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	code, stdout, stderr := call(t, nil, "version", "--sbom="+self)
	require.Equal(t, exitPass, code, stderr)
	var bill billOfMaterials
	require.NoError(t, json.Unmarshal([]byte(stdout), &bill))
	assert.Equal(t, "CycloneDX", bill.Format)
	assert.Regexp(t, `^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, bill.SerialNumber)
	names := map[string]string{}
	for _, part := range bill.Components {
		names[part.Name] = part.Version
		assert.Equal(t, "pkg:golang/"+part.Name+"@"+part.Version, part.PURL)
	}
	for _, wanted := range []string{"std", "github.com/tsenart/vegeta/v12", "github.com/goccy/go-yaml", "golang.org/x/net"} {
		assert.NotEmpty(t, names[wanted], wanted)
	}
	_, again, _ := call(t, nil, "version", "--sbom="+self)
	assert.Equal(t, stdout, again, "the same program gives the same bytes")

	code, _, stderr = call(t, nil, "version", "--sbom=version.go")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "version.go is no program that was built with Go")
}

// TestAReleaseWantsDigests: what templates use without a digest fails a release, and is told elsewhere.
func TestAReleaseWantsDigests(t *testing.T) {
	t.Parallel()
	makes, err := exec.LookPath("make")
	if err != nil {
		t.Skip("make is not here")
	}
	recipe, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	require.NoError(t, err)
	require.Contains(t, string(recipe), "\nrelease: pins ", "a release looks at them first")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Makefile"), recipe, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "deploy"), 0o700))
	known := "golang:1 sha256:" + strings.Repeat("0a", 32) + "\n"
	for _, test := range []struct {
		pins, release, says string
		fails               bool
	}{
		{known, "v1.0.0", "", false},
		{known + "actions/checkout@v4 unknown\n", "v1.0.0", "FAILED: no digest is known of actions/checkout@v4, and this is a release (v1.0.0)", true},
		{known + "actions/checkout@v4 unknown\n", "", "SKIPPED: no digest is known of actions/checkout@v4\n", false},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "deploy", "pins.txt"), []byte("# a comment about unknown ones\n"+test.pins), 0o600))
		command := exec.Command(makes, "--no-print-directory", "pins", "RELEASE="+test.release)
		command.Dir = dir
		said, err := command.CombinedOutput()
		assert.Equal(t, test.fails, err != nil, "%s", said)
		assert.Contains(t, string(said), test.says)
		if test.says == "" {
			assert.NotContains(t, string(said), "no digest is known")
		}
	}
}

// TestWhatTemplatesUseIsPinned: each image and action of the templates stands in deploy/pins.txt with its version, and
// where the digest is known there, the template uses it.
func TestWhatTemplatesUseIsPinned(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/pins.txt")
	require.NoError(t, err)
	pins := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Fields(line)
		require.Len(t, parts, 2, line)
		require.Regexp(t, `^(unknown|sha256:[0-9a-f]{64}|[0-9a-f]{40})$`, parts[1], line)
		pins[parts[0]] = parts[1]
	}
	used := regexp.MustCompile(`(?m)(?:^FROM |^\s*image: |^\s*- uses: )(\S+)`)
	seen := map[string]bool{}
	for _, name := range []string{"Dockerfile", "pipelines/github.yml", "pipelines/github-release.yml", "pipelines/setup-agstest/action.yml", "pipelines/gitlab.yml",
		"pipelines/gitlab-component/template.yml", "pipelines/azure.yml", "pipelines/azure-gate.yml", "pipelines/Jenkinsfile"} {
		text, err := os.ReadFile("../../deploy/" + name)
		require.NoError(t, err)
		for _, found := range used.FindAllStringSubmatch(string(text), -1) {
			what := strings.Trim(found[1], `"'`)
			if what == "scratch" {
				continue
			}
			for pin, digest := range pins {
				switch {
				case what == pin:
					assert.Equal(t, "unknown", digest, "%s: %s has a digest in pins.txt and is used without it", name, pin)
					seen[pin] = true
				case strings.Contains(pin, "@") && strings.HasPrefix(what, pin[:strings.Index(pin, "@")+1]) && what == pin[:strings.Index(pin, "@")+1]+digest,
					what == pin+"@"+digest:
					seen[pin] = true
				}
			}
		}
		for _, found := range used.FindAllStringSubmatch(string(text), -1) {
			what := found[1]
			known := what == "scratch" || strings.HasPrefix(what, "./") || strings.HasPrefix(what, "$[[") // of the same repository; an input
			for pin, digest := range pins {
				known = known || what == pin || digest != "unknown" && strings.HasSuffix(what, digest)
			}
			assert.True(t, known, "%s: %s is not in deploy/pins.txt", name, what)
		}
		if strings.Contains(string(text), "FROM golang:") {
			assert.Contains(t, string(text), "ENV GOTOOLCHAIN=auto\n", "%s: the image of Go must fetch the toolchain of go.mod", name)
		}
		for _, version := range regexp.MustCompile(`version: "(1\.[0-9.]+)"`).FindAllString(string(text), -1) {
			assert.Contains(t, version, goToolchain(t), "%s: the toolchain of go.mod", name)
		}
	}
	for pin := range pins {
		assert.True(t, seen[pin], "%s is in pins.txt and nowhere used", pin)
	}
}

// goToolchain is the version of the toolchain line of go.mod.
func goToolchain(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^toolchain go(\S+)$`).FindStringSubmatch(string(text))
	require.NotNil(t, found, "go.mod names a toolchain")
	return found[1]
}

// TestTemplatesKeepSecretsClose: the secret is in the environment of the step that needs it alone, rights are least,
// forks get nothing.
func TestTemplatesKeepSecretsClose(t *testing.T) {
	t.Parallel()
	github, err := os.ReadFile("../../deploy/pipelines/github.yml")
	require.NoError(t, err)
	text := string(github)
	assert.Contains(t, text, "permissions: {}")
	assert.Equal(t, strings.Count(text, "secrets.AGS_OPERATOR_SECRET"), strings.Count(text, "\n        env: { AGS_OPERATOR_SECRET: \"${{ secrets.AGS_OPERATOR_SECRET }}\""), "each in a step")
	assert.NotContains(t, text, "pull_request_target")
	assert.Contains(t, text, "persist-credentials: false")
	assert.Contains(t, text, "github.event.repository.fork")
	assert.Contains(t, text, "::stop-commands::")
	assert.Contains(t, text, "head.repo.full_name == github.repository", "pull requests of forks run nothing")
	gitlab, err := os.ReadFile("../../deploy/pipelines/gitlab-component/template.yml")
	require.NoError(t, err)
	assert.Contains(t, string(gitlab), "access: none")
	assert.Contains(t, string(gitlab), "CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID")
	assert.Contains(t, string(gitlab), "CI_COMMIT_REF_PROTECTED")
	jenkins, err := os.ReadFile("../../deploy/pipelines/Jenkinsfile")
	require.NoError(t, err)
	assert.NotContains(t, string(jenkins), "environment {", "credentials are bound around the step that needs them")
	assert.Contains(t, string(jenkins), "withCredentials")
	azure, err := os.ReadFile("../../deploy/pipelines/azure.yml")
	require.NoError(t, err)
	assert.Contains(t, string(azure), "pr: none")
}
