package peers_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Generators of clients in Go, and the versions that were tried.
const (
	ogen        = "github.com/ogen-go/ogen/cmd/ogen@v1.25.0"
	ogenModules = "github.com/ogen-go/ogen@v1.25.0"
	oapi        = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"
	oapiModules = "github.com/oapi-codegen/runtime@v1.9.0"
)

// ogenClient signs a device on, refreshes, and is refused, by the client that ogen makes.
const ogenClient = `package main

import (
	"context"
	"fmt"
	"os"

	"client/ags"

	"github.com/go-faster/jx"
)

type tokens struct{ access string }

func (t *tokens) ClientToken(context.Context, ags.OperationName) (ags.ClientToken, error) {
	return ags.ClientToken{APIKey: "Bearer " + t.access}, nil
}

func main() {
	held := &tokens{}
	client, err := ags.NewClient(os.Args[1], held)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	session := []ags.Parameter{{Name: "sessionToken", Value: os.Args[2]}}
	first := ags.NewFirstSignOnSignOnRequest(ags.FirstSignOn{Parameters: session, DeviceInformation: ags.FirstSignOnDeviceInformation{"device": jx.Raw(` + "`" + `{"screen":{"height":1080}}` + "`" + `)}})
	answer, err := client.SignOnWithSessionToken(ctx, first, ags.SignOnWithSessionTokenParams{NvTenantID: ags.NewOptString("nagra"), XAuthServiceID: "Operator SSO"})
	if err != nil {
		panic(err)
	}
	got, ok := answer.(*ags.Tokens)
	if !ok {
		panic(fmt.Sprintf("%T %+v", answer, answer))
	}
	held.access = got.RefreshToken
	refreshed, err := client.Refresh(ctx, &ags.ParametersRequest{Parameters: []ags.Parameter{}}, ags.RefreshParams{NvTenantID: ags.NewOptString("nagra"), XAuthServiceID: "Operator SSO"})
	if err != nil {
		panic(err)
	}
	again, ok := refreshed.(*ags.RefreshedTokens)
	if !ok {
		panic(fmt.Sprintf("%T", refreshed))
	}
	held.access = "nonsense"
	refused, err := client.Refresh(ctx, &ags.ParametersRequest{Parameters: []ags.Parameter{}}, ags.RefreshParams{NvTenantID: ags.NewOptString("nagra"), XAuthServiceID: "Operator SSO"})
	fmt.Printf("%s lives %d s; refreshed: %v; with nonsense: %T %v\n", got.ClientID, got.ExpiresIn, again.AccessToken != got.AccessToken, refused, err)
}
`

// oapiClient does the same by the client that oapi-codegen makes.
const oapiClient = `package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"client/ags"
)

func main() {
	client, err := ags.NewClientWithResponses(os.Args[1])
	if err != nil {
		panic(err)
	}
	ctx, tenant := context.Background(), "nagra"
	var first ags.SignOnRequest
	if err := first.FromFirstSignOn(ags.FirstSignOn{Parameters: []ags.Parameter{{Name: "sessionToken", Value: os.Args[2]}}, DeviceInformation: map[string]any{"device": map[string]any{"screen": map[string]any{"height": 1080}}}}); err != nil {
		panic(err)
	}
	answer, err := client.SignOnWithSessionTokenWithResponse(ctx, &ags.SignOnWithSessionTokenParams{NvTenantId: &tenant, XAuthServiceId: "Operator SSO"}, first)
	if err != nil || answer.JSON201 == nil {
		panic(fmt.Sprint(err, answer.Status(), string(answer.Body)))
	}
	bearer := func(token string) ags.RequestEditorFn {
		return func(_ context.Context, r *http.Request) error { r.Header.Set("Authorization", "Bearer "+token); return nil }
	}
	refresh := func(token string) *ags.RefreshResponse {
		answer, err := client.RefreshWithResponse(ctx, &ags.RefreshParams{NvTenantId: &tenant, XAuthServiceId: "Operator SSO"}, ags.ParametersRequest{Parameters: []ags.Parameter{}}, bearer(token))
		if err != nil {
			panic(err)
		}
		return answer
	}
	got, again, refused := answer.JSON201, refresh(answer.JSON201.RefreshToken), refresh("nonsense")
	fmt.Printf("%s lives %d s; refreshed: %v; with nonsense: %d\n", got.ClientId, got.ExpiresIn, again.JSON200 != nil && again.JSON200.AccessToken != got.AccessToken, refused.StatusCode())
}
`

// TestClientsInGoCanBeMade: two generators make clients of the document, which compile, sign a device on at the mock,
// refresh its tokens and tell a refusal.
func TestClientsInGoCanBeMade(t *testing.T) {
	wide(t)
	server, api, _ := service(t)
	for name, c := range map[string]struct {
		generate         []string
		modules, program string
		answer           string
	}{
		"ogen":         {[]string{"run", ogen, "--package", "ags", "--target"}, ogenModules, ogenClient, `^\S+ lives 3600 s; refreshed: true; with nonsense: \*ags\.RefreshUnauthorized`},
		"oapi-codegen": {[]string{"run", oapi, "-generate", "types,client", "-package", "ags", "-o"}, oapiModules, oapiClient, `^\S+ lives 3600 s; refreshed: true; with nonsense: 401`},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			target := filepath.Join(folder, "ags")
			require.NoError(t, os.MkdirAll(target, 0o700))
			if name == "oapi-codegen" {
				target = filepath.Join(target, "ags.go")
			}
			goes := inModule(t, folder)
			goes(append(c.generate, target, document(t))...)
			require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(c.program), 0o600))
			goes("get", c.modules)
			goes("mod", "tidy")
			assert.Regexp(t, c.answer, goes("run", ".", api.URL, newSessionToken(t, server)))
		})
	}
}

// inModule makes a module of a folder, with these modules of others, and gives what runs the go command there.
func inModule(t *testing.T, folder string, modules ...string) func(arguments ...string) string {
	t.Helper()
	goes := func(arguments ...string) string {
		var said bytes.Buffer
		command := exec.CommandContext(t.Context(), "go", arguments...)
		command.Dir, command.Env, command.Stderr = folder, append(os.Environ(), "GOFLAGS=-trimpath -mod=mod", "GOWORK=off"), &said
		out, err := command.Output()
		require.NoError(t, err, "%s%s", out, said.String())
		return string(out)
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module client\n\ngo 1.26\n"), 0o600))
	if len(modules) > 0 {
		goes(append([]string{"get"}, modules...)...)
		goes("mod", "tidy")
	}
	return goes
}
