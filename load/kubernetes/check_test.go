//go:build kubernetes

package kubernetes

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

// stopping calls stop in the middle of a call and then leaves it without an answer.
type stopping struct {
	*cluster
	call string
	stop func()
}

func (s stopping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method+" "+filepath.Base(r.URL.Path) == s.call {
		_, _ = io.ReadAll(r.Body) // else the server does not see that the caller has gone
		s.stop()
		<-r.Context().Done()
		return
	}
	s.cluster.ServeHTTP(w, r)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		prepare func(*cluster)
		want    string // URL stands for the address of the API server
	}{
		{"all is well", func(c *cluster) {}, ""},
		{"the oldest version", func(c *cluster) { c.minor = "29+" }, ""},
		{"an old version", func(c *cluster) { c.minor = "28" }, "runs Kubernetes v1.28.2; shards need 1.29 or later, whose Jobs do not start a failed index again"},
		{"no credentials", func(c *cluster) { c.fail("GET version", 401) }, "does not accept the credentials of the kubeconfig; sign in again or give another --context"},
		{"no namespace", func(c *cluster) { c.fail("GET namespaces", 404) }, "there is no namespace load on "},
		{"a namespace that may not be looked at", func(c *cluster) { c.fail("GET namespaces", 403) }, ""},
		{"rights may not be asked for", func(c *cluster) { c.fail("POST rights", 403) }, ""},
		{"an API server that breaks down", func(c *cluster) { c.fail("POST rights", 500) }, "asking for the rights in the namespace load: the API server says: etcdserver: leader changed"},
		{"rights are missing", func(c *cluster) {
			c.denied["create pods/portforward"], c.denied["get pods/portforward"], c.denied["create secrets"], c.denied["patch jobs"] = true, true, true, true
		}, `rights are missing in the namespace load; ask for a Role with these, or for all that agstest kubernetes rbac prints; a load that has --without-forward needs no pods/portforward:
rules:
- apiGroups:
  - batch
  resources:
  - jobs
  verbs:
  - patch
- apiGroups:
  - ""
  resources:
  - secrets
  verbs:
  - create
- apiGroups:
  - ""
  resources:
  - pods/portforward
  verbs:
  - create
  - get
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			test.prepare(c)
			e, _ := c.engine(t, Options{})
			err := e.Check(t.Context())
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
		})
	}
}

// With a Secret of one's own nobody needs the right to make one, and without a forward none to forward ports.
func TestCheckAsksForNoMoreThanIsNeeded(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.denied["create secrets"] = true
	c.denied["create pods/portforward"], c.denied["get pods/portforward"] = true, true
	e, _ := c.engine(t, Options{SecretRef: "mine", WithoutForward: true})
	require.NoError(t, e.Check(t.Context()))
	assert.Equal(t, 9, c.called("POST rights"))
	e, _ = c.engine(t, Options{})
	require.ErrorContains(t, e.Check(t.Context()), "- secrets\n")
}

func TestCheckFindsNoCluster(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e, _ := c.engine(t, Options{})
	c.Close()
	err := e.Check(t.Context())
	require.ErrorContains(t, err, "asking for the version of Kubernetes: the API server "+c.URL+" cannot be reached: ")
	assert.ErrorContains(t, err, "connection refused")
	assert.Equal(t, failure.Setup, failure.KindOf(err))
}

func TestOpenReadsTheKubeconfig(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(`apiVersion: v1
kind: Config
clusters:
- {name: near, cluster: {server: "https://127.0.0.1:1"}}
- {name: far, cluster: {server: "https://127.0.0.1:2"}}
users:
- {name: qa, user: {token: s3cret-token}}
contexts:
- {name: a, context: {cluster: near, user: qa, namespace: team-a}}
- {name: b, context: {cluster: far, user: qa}}
current-context: a
`), 0o600))
	for _, test := range []struct {
		name            string
		options         Options
		host, namespace string
	}{
		{"the current context", Options{Kubeconfig: file}, "https://127.0.0.1:1", "team-a"},
		{"another namespace", Options{Kubeconfig: file, Namespace: "load"}, "https://127.0.0.1:1", "load"},
		{"another context", Options{Kubeconfig: file, Context: "b"}, "https://127.0.0.1:2", "default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e, err := Open(test.options)
			require.NoError(t, err)
			assert.Equal(t, test.namespace, e.Namespace())
			assert.Equal(t, test.host, e.config.Host)
		})
	}
	// One that believes anybody is refused: a run hands its secrets to the cluster.
	trusting := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(trusting, []byte(`apiVersion: v1
kind: Config
clusters: [{name: near, cluster: {server: "https://127.0.0.1:1", insecure-skip-tls-verify: true}}]
users: [{name: qa, user: {token: s3cret-token}}]
contexts: [{name: a, context: {cluster: near, user: qa}}]
current-context: a
`), 0o600))
	_, err := Open(Options{Kubeconfig: trusting})
	require.ErrorContains(t, err, "the kubeconfig says insecure-skip-tls-verify, so anybody could be the cluster")
	assert.Equal(t, failure.Usage, failure.KindOf(err))
	for _, options := range []Options{{Kubeconfig: file + "-not-there"}, {Kubeconfig: file, Context: "c"}} {
		_, err := Open(options)
		require.ErrorContains(t, err, "reading the kubeconfig: ")
		assert.Equal(t, failure.Usage, failure.KindOf(err))
		assert.NotContains(t, err.Error(), "s3cret")
	}
}
