//go:build linux

package gateways

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestEachProgramStandsInFrontOfAService: what the bench stands on. Each passes requests on, with both files, over http
// and https, and goes on after a reload and a restart.
func TestEachProgramStandsInFrontOfAService(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.RequestURI(), body)
	}))
	t.Cleanup(service.Close)
	for _, program := range slices.Concat(Programs, Others) {
		for _, production := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, production %t", program, production), func(t *testing.T) {
				t.Parallel()
				g := Start(t, program, Config{Upstream: strings.TrimPrefix(service.URL, "http://"), Production: production})
				t.Log(g.Version())
				for _, then := range []func(){func() {}, g.Reload, g.Restart} {
					then()
					for _, address := range []string{g.URL, g.SecureURL} {
						if address == "" {
							continue
						}
						client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: g.Authority.Pool}}}
						got := ""
						// Squid opens its port again when it reloads, HAProxy resets what waits for its old worker.
						for began := time.Now(); got != `POST /a?b=c {"hello": 1}` && time.Since(began) < longestStart; time.Sleep(5 * time.Millisecond) {
							got = post(client, address+"/a?b=c", `{"hello": 1}`)
						}
						assert.Equal(t, `POST /a?b=c {"hello": 1}`, got, g.Output())
						client.CloseIdleConnections()
					}
				}
			})
		}
	}
}

func post(client *http.Client, address, text string) string {
	answer, err := client.Post(address, "application/json", strings.NewReader(text))
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}
