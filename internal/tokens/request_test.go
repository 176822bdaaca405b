package tokens

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokenOfARequest(t *testing.T) {
	var asked atomic.Value
	var count atomic.Int64
	mint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked.Store(strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("X-Api-Key"), r.Header.Get("Content-Type"), string(body)}, " | "))
		fmt.Fprintf(w, `{"data": [{"a/b": {"m~n": "st-%d"}}]}`, count.Add(1))
	}))
	defer mint.Close()
	names := Names{AccountID: `16"6 3&x`, ClientID: "PUB_1", Tenant: "nagra"}
	for source, want := range map[string]string{
		`{request: {url: "` + mint.URL + `/mint/{accountId}?c={accountId}"}, token: /data/0/a~1b/m~0n}`:                                        `GET | /mint/16%226%203&x?c=16%226+3%26x |  |  | `,
		`{request: {url: "` + mint.URL + `", headers: {X-Api-Key: k}, body: '{"account": "{accountId}", "n": {}}'}, token: /data/0/a~1b/m~0n}`: `POST | / | k | application/json | {"account": "16\"6 3\u0026x", "n": {}}`,
		`{request: {method: PUT, url: "` + mint.URL + `", body: 'account={accountId}&client={clientId}'}, token: /data/0/a~1b/m~0n}`:           `PUT | / |  | application/x-www-form-urlencoded | account=16%226+3%26x&client=PUB_1`,
		`{request: {url: "` + mint.URL + `", headers: {Content-Type: text/plain}, body: '{accountId}'}, token: /data/0/a~1b/m~0n}`:             `POST | / |  | text/plain | 16\"6 3\u0026x`,
	} {
		e := read(t, t.TempDir(), source)
		token, err := New(e).Take(context.Background(), e.Situations["active"].SessionTokens, names)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("st-%d", count.Load()), token)
		assert.Equal(t, want, asked.Load())
	}
}

func TestRequestThatGivesNone(t *testing.T) {
	answers := map[string]func(w http.ResponseWriter, r *http.Request){
		"refuses": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "secret-of-the-answer", http.StatusForbidden)
		},
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/else?code=secret-of-the-answer", http.StatusFound)
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret-of-the-answer") },
		"other name": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"token": "secret-of-the-answer", "life": 3}`)
		},
		"a figure": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"sessionToken": 12}`) },
		"empty":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"sessionToken": ""}`) },
		"a line":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"sessionToken": "a\nb"}`) },
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("x", 3<<20)), 3<<20))
		},
		"breaks off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	wants := map[string]string{
		"refuses": "was answered with status 403", "redirects": "status 302: redirects are not followed", "no JSON": "it is no JSON", "other name": "there is no /sessionToken; there is life, token",
		"a figure": "/sessionToken is no text", "empty": "/sessionToken is no text, or empty", "a line": "it holds a line break", "endless": "longer than 1 MiB", "breaks off": "got no answer",
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			mint := httptest.NewServer(http.HandlerFunc(answer))
			defer mint.Close()
			e := read(t, t.TempDir(), `{request: {url: "`+mint.URL+`/mint?key=secret-of-the-file"}, token: /sessionToken}`)
			_, err := New(e).Take(context.Background(), e.Situations["active"].SessionTokens, Names{})
			require.ErrorContains(t, err, wants[name])
			assert.NotContains(t, err.Error(), "secret-of")
			assert.Contains(t, err.Error(), mint.URL+"/mint")
		})
	}
}

func TestPointer(t *testing.T) {
	for pointer, want := range map[string]string{"/a/0": "x", "/a/1": "y", "/a/2": "", "/a/-": "", "/a/01": "", "/a/+1": "", "/": "empty name", "/m~0n": "t", "/~01": "z", "/b": ""} {
		got, err := pointed([]byte(`{"a": ["x", "y"], "": "empty name", "m~n": "t", "~1": "z", "b": null}`), pointer)
		assert.Equal(t, want, got, pointer)
		assert.Equal(t, want == "", err != nil, pointer)
	}
}
