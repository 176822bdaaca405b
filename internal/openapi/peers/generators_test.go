package peers_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/openapi"
)

// wide skips what takes longer than a test may, unless "make peers" runs it.
func wide(t *testing.T) {
	t.Helper()
	if os.Getenv("AGSTEST_PEERS_WIDE") != "1" {
		t.Skip("skipped: make peers runs it")
	}
}

// TestSpectralHasNothingToSay: Stoplight's linter, with its rules for OpenAPI, finds no slip in the document, and finds
// one that is made.
func TestSpectralHasNothingToSay(t *testing.T) {
	t.Parallel()
	node := tool(t, "@stoplight/spectral-cli")
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "rules.yaml"), []byte("extends: spectral:oas\n"), 0o600))
	text, err := openapi.Document("1.0.0")
	require.NoError(t, err)
	spoilt := strings.Replace(string(text), `"operationId": "signOut"`, `"operationId": "signOn"`, 1)
	require.NotEqual(t, string(text), spoilt)
	good, bad := written(t, text), written(t, []byte(spoilt))
	command := exec.CommandContext(t.Context(), node, filepath.FromSlash("node_modules/@stoplight/spectral-cli/dist/index.js"), "lint",
		"--ruleset", filepath.Join(folder, "rules.yaml"), "--fail-severity", "hint", "--format", "text", good, bad)
	out, err := command.CombinedOutput()
	require.Error(t, err, "the spoilt one is found:\n%s", out)
	assert.NotContains(t, string(out), good)
	assert.Contains(t, string(out), "operation-operationId-unique")
}

// typed is a client as a person would write it with the types of the document, with one slip in the lines after "slip".
const typed = `import type { paths, components } from "./ags";
type SignOn = paths["/ags/signOn"]["post"];
export const body: SignOn["requestBody"]["content"]["application/json"] = { parameters: [{ name: "username", value: "u" }], deviceInformation: { device: { id: "1" } } };
export const again: components["schemas"]["SignOnRequest"] = { parameters: [], clientId: "PUB_1" };
export const expires = (tokens: SignOn["responses"][201]["content"]["application/json"]): number => tokens.expires_in;
// @ts-expect-error neither a device nor a clientId
export const neither: components["schemas"]["SignOnRequest"] = { parameters: [] };
// @ts-expect-error a lifetime is no text
export const text: string = (null as unknown as components["schemas"]["Tokens"]).expires_in;
`

// TestTypeScriptHasTypesOfTheDocument: openapi-typescript makes types that TypeScript's strictest settings take, by
// which good requests are told from bad ones.
func TestTypeScriptHasTypesOfTheDocument(t *testing.T) {
	wide(t)
	t.Parallel()
	node := tool(t, "openapi-typescript")
	folder := t.TempDir()
	out, err := exec.CommandContext(t.Context(), node, filepath.FromSlash("node_modules/openapi-typescript/bin/cli.js"), document(t), "-o", filepath.Join(folder, "ags.ts")).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "client.ts"), []byte(typed), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "tsconfig.json"), []byte(`{"files": ["client.ts"], "compilerOptions": {"noEmit": true, "strict": true, "noUncheckedIndexedAccess": true,
		"exactOptionalPropertyTypes": true, "target": "es2022", "module": "esnext", "moduleResolution": "bundler", "types": []}}`), 0o600))
	out, err = exec.CommandContext(t.Context(), node, filepath.FromSlash("node_modules/typescript/bin/tsc"), "--project", folder).CombinedOutput()
	require.NoError(t, err, string(out))
}
