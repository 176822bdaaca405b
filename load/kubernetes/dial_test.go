//go:build kubernetes

package kubernetes

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"agstest/internal/failure"
)

// kubelet forwards the streams of a pod to a server on this machine, as a kubelet does to the pod's loopback.
type kubelet struct {
	target string // host:port; empty: nobody listens in the pod
	ports  chan string
}

type stream interface {
	io.ReadWriteCloser
	Headers() http.Header
}

// serve joins the two streams of each connection.
func (k kubelet) serve(streams <-chan stream) {
	var fault stream
	for s := range streams {
		if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
			fault = s
			continue
		}
		k.ports <- s.Headers().Get(corev1.PortHeader)
		if k.target == "" {
			_, _ = fmt.Fprint(fault, "dial tcp4 127.0.0.1:6565: connect: connection refused")
			_ = fault.Close()
			_ = s.Close()
			continue
		}
		go k.join(s, fault)
	}
}

func (k kubelet) join(s, fault stream) {
	conn, err := net.Dial("tcp", k.target)
	if err != nil {
		panic(err)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(conn, s)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(s, conn)
	_ = s.Close()
	_ = fault.Close()
	<-sent
	_ = conn.Close()
}

// tunnel speaks SPDY inside a WebSocket, as API servers do since 1.31.
func (k kubelet) tunnel(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "only WebSocket", http.StatusBadRequest)
		return
	}
	upgrader := websocket.Upgrader{Subprotocols: []string{"SPDY/3.1+portforward.k8s.io"}}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	streams := make(chan stream, 2)
	conn, err := spdy.NewServerConnection(portforward.NewTunnelingConnection("server", ws), func(s httpstream.Stream, replied <-chan struct{}) error {
		streams <- s
		return nil
	})
	if err != nil {
		return
	}
	k.until(conn.CloseChan(), streams)
}

// direct speaks SPDY alone, as older API servers do.
func (k kubelet) direct(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "unable to upgrade: missing upgrade headers in request", http.StatusBadRequest)
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		return
	}
	streams := make(chan stream, 2)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, replied <-chan struct{}) error {
		streams <- s
		return nil
	})
	if conn == nil {
		return
	}
	k.until(conn.CloseChan(), streams)
	_ = conn.Close()
}

// until serves the streams of a connection until it is closed.
func (k kubelet) until(closed <-chan bool, streams chan stream) {
	taken := make(chan stream)
	served := make(chan struct{})
	go func() {
		defer close(served)
		k.serve(taken)
	}()
	defer func() { close(taken); <-served }()
	for {
		select {
		case s := <-streams:
			taken <- s
		case <-closed:
			return
		}
	}
}

func TestDialReachesTheShard(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	shard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/result" {
			_, _ = io.WriteString(w, big)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
	}))
	t.Cleanup(shard.Close)
	k := kubelet{shard.Listener.Addr().String(), make(chan string, 10)}
	for name, forward := range map[string]http.HandlerFunc{"over WebSocket": k.tunnel, "over SPDY, where WebSocket is refused": k.direct} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.forward = forward
			c.tell("ADDED", shardPod(1, corev1.PodRunning))
			e, _ := c.engine(t, Options{})
			client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return e.Dial(ctx, "a1b2", 1) }}}
			defer client.CloseIdleConnections()
			for range 3 { // on one connection
				response, err := client.Post("http://shard/start", "text/plain", strings.NewReader("now"))
				require.NoError(t, err)
				text, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				assert.Equal(t, "POST /start now", string(text))
			}
			response, err := client.Get("http://shard/result")
			require.NoError(t, err)
			text, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.True(t, big == string(text), "the whole result comes home")
			assert.Equal(t, "6565", <-k.ports)
			assert.Empty(t, k.ports, "one connection was enough")
		})
	}
}

func TestDialFailsInASentence(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		pod     *corev1.Pod
		forward http.HandlerFunc
		want    string
	}{
		{"no pod", shardPod(0, corev1.PodRunning), nil, "shard 1 of the run a1b2 has no pod in the namespace load"},
		{"ended", shardPod(1, corev1.PodFailed), nil, "connecting to agstest-a1b2-1-x: it is not running (Failed)"},
		{"no right", shardPod(1, corev1.PodRunning), func(w http.ResponseWriter, r *http.Request) { refuse(w, 403, "pods", "agstest-a1b2-1-x") },
			`connecting to agstest-a1b2-1-x: the API server does not forward its port: unable to upgrade connection: pods "agstest-a1b2-1-x" is forbidden: User "qa" cannot do this in the namespace "load"; where that is forbidden, --without-forward does without`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.forward = test.forward
			c.tell("ADDED", test.pod)
			e, _ := c.engine(t, Options{})
			_, err := e.Dial(t.Context(), "a1b2", 1)
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
		})
	}
}

// A dial ends with its context though the library's does not, and what comes of it later is closed.
func TestDialEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	k := kubelet{"", make(chan string, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	release, ended := make(chan struct{}), make(chan struct{})
	c.forward = func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-release
		k.tunnel(w, r)
		close(ended)
	}
	c.tell("ADDED", shardPod(1, corev1.PodRunning))
	e, _ := c.engine(t, Options{})
	_, err := e.Dial(ctx, "a1b2", 1)
	require.EqualError(t, err, "connecting to agstest-a1b2-1-x: context canceled")
	close(release)
	<-ended // the streams were closed from this side
}

// The kubelet says on a stream of its own why it cannot reach the port; the reader gets that instead of a bare end.
func TestDialTellsWhatTheKubeletSays(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	k := kubelet{"", make(chan string, 1)}
	c.forward = k.tunnel
	c.tell("ADDED", shardPod(1, corev1.PodRunning))
	e, _ := c.engine(t, Options{})
	conn, err := e.Dial(t.Context(), "a1b2", 1)
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1))
	require.EqualError(t, err, "the connection to agstest-a1b2-1-x broke: dial tcp4 127.0.0.1:6565: connect: connection refused")
	require.NoError(t, conn.Close())
}

// A connection has deadlines, ends a blocked reader when it is closed, and knows when the cluster breaks it.
func TestADialledConnectionBehavesAsOne(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted := make(chan net.Conn, 3)
	go func() {
		defer close(accepted)
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	t.Cleanup(func() {
		_ = silent.Close()
		for conn := range accepted {
			_ = conn.Close()
		}
	})
	c := newCluster(t)
	k := kubelet{silent.Addr().String(), make(chan string, 3)}
	c.forward = k.tunnel
	c.tell("ADDED", shardPod(1, corev1.PodRunning))
	e, _ := c.engine(t, Options{})

	conn, err := e.Dial(t.Context(), "a1b2", 1)
	require.NoError(t, err)
	assert.Equal(t, "agstest-a1b2-1-x:6565", conn.RemoteAddr().String())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err = conn.Read(make([]byte, 1))
	var late net.Error
	require.ErrorAs(t, err, &late)
	assert.True(t, late.Timeout())
	require.NoError(t, conn.SetReadDeadline(time.Time{}))
	read := make(chan error)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		read <- err
	}()
	require.NoError(t, conn.Close())
	require.Error(t, <-read)

	conn, err = e.Dial(t.Context(), "a1b2", 1)
	require.NoError(t, err)
	<-accepted
	_ = (<-accepted).Close() // the shard dies
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, conn.Close())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.Dial(ctx, "a1b2", 1)
	require.ErrorIs(t, err, context.Canceled)
}
