//go:build linux

package gateways_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"agstest/ags"
	"agstest/internal/gateways"
)

// attack is Vegeta's load, as many POST requests of ten as of ours: of its command, or where it is to be quick of its
// library.
func attack(t testing.TB, g *gateways.Gateway, address, tenant string, c trial) (results []vegeta.Result) {
	header := http.Header{"nv-tenant-id": {tenant}}
	get := vegeta.Target{Method: http.MethodGet, URL: address + pathOf(ags.ServiceDiscovery), Header: header}
	set := vegeta.Target{Method: http.MethodPost, URL: address + pathOf(ags.Refresh), Header: header, Body: []byte(`{"parameters":[]}`)}
	targets := []vegeta.Target{get, set, set, set, set, set, set, set, set, set}
	if !wide {
		attacker := vegeta.NewAttacker(vegeta.TLSConfig(&tls.Config{RootCAs: g.Authority.Pool}), vegeta.HTTP2(false), vegeta.Timeout(10*time.Second))
		for r := range attacker.Attack(vegeta.NewStaticTargeter(targets...), vegeta.Rate{Freq: int(c.rate.Hits), Per: c.rate.Per}, c.length, "") {
			results = append(results, *r)
		}
		return results
	}
	file := filepath.Join(t.TempDir(), "targets.json")
	lines, err := os.Create(file)
	if !assert.NoError(t, err) {
		return nil
	}
	encode := vegeta.NewJSONTargetEncoder(lines)
	for _, target := range targets {
		assert.NoError(t, encode(&target))
	}
	assert.NoError(t, lines.Close())
	command := exec.CommandContext(t.Context(), vegetaCommand, "attack", "-format=json", "-targets="+file, fmt.Sprintf("-rate=%d/%s", c.rate.Hits, c.rate.Per),
		"-duration="+c.length.String(), "-http2=false", "-timeout=10s", "-root-certs="+g.Authority.File)
	out, err := command.Output()
	if !assert.NoError(t, err) {
		return nil
	}
	for decoder := vegeta.NewDecoder(bytes.NewReader(out)); ; {
		var r vegeta.Result
		if err := decoder.Decode(&r); err != nil {
			assert.ErrorIs(t, err, io.EOF)
			return results
		}
		results = append(results, r)
	}
}

// vegetaCommand is its program, which TestLoadIsNotWorseThanVegeta builds.
var vegetaCommand string
