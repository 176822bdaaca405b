//go:build kubernetes

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"agstest/internal/failure"
	"agstest/load/shards"
)

const (
	jobNameLabel = "batch.kubernetes.io/job-name"
	// of pods since Kubernetes 1.28; an annotation of the same name is older
	indexLabel = "batch.kubernetes.io/job-completion-index"
)

// pod finds the pod of a shard; of several (there should be one) the youngest.
func (e *Engine) pod(ctx context.Context, run string, index int) (*corev1.Pod, error) {
	pods, err := e.core.Pods(e.namespace).List(ctx, metav1.ListOptions{
		LabelSelector: fmt.Sprintf("%s=%s,%s=%d", jobNameLabel, name(run), indexLabel, index),
	})
	if err != nil {
		return nil, e.sentence(fmt.Sprintf("looking for shard %d", index), err)
	}
	var found *corev1.Pod
	for i := range pods.Items {
		if p := &pods.Items[i]; found == nil || found.CreationTimestamp.Before(&p.CreationTimestamp) {
			found = p
		}
	}
	if found == nil {
		return nil, failure.Setupf("shard %d of the run %s has no pod in the namespace %s", index, run, e.namespace)
	}
	return found, nil
}

// Log gives the output of a shard. The node keeps the newest 10 MiB or so, and nothing once the pod is gone.
func (e *Engine) Log(ctx context.Context, run string, index int, o shards.LogOptions) (io.ReadCloser, error) {
	shard := shardOf{run, index}
	name, known := e.pods.Load(shard)
	if !known {
		pod, err := e.pod(ctx, run, index)
		if err != nil {
			return nil, err
		}
		name = pod.Name
		e.pods.Store(shard, name) // a shard has one pod in its life
	}
	options := &corev1.PodLogOptions{Container: container, Follow: o.Follow}
	if o.Tail > 0 {
		options.TailLines = new(int64(o.Tail))
	}
	log, err := e.core.Pods(e.namespace).GetLogs(name.(string), options).Stream(ctx)
	return log, e.sentence("reading the log of "+name.(string), err)
}

type shardOf struct {
	run   string
	index int
}

// Dial connects to the control port of a shard through the API server and the node's kubelet: over WebSocket, or over
// SPDY if the API server is too old or a proxy stands in the way. Nothing listens on this machine. Each connection is a
// forward of its own, so one that breaks takes no other with it.
func (e *Engine) Dial(ctx context.Context, run string, index int) (net.Conn, error) {
	pod, err := e.pod(ctx, run, index)
	if err != nil {
		return nil, err
	}
	attempt := "connecting to " + pod.Name
	if pod.Status.Phase != corev1.PodRunning {
		return nil, failure.Setupf("%s: it is not running (%s)", attempt, pod.Status.Phase)
	}
	dialer, err := e.dialer(pod.Name)
	if err != nil {
		return nil, e.sentence(attempt, err)
	}
	// The library's dialers know no context. A connection that comes when nobody waits for it any more is closed.
	type dialed struct {
		forward *forward
		err     error
	}
	result := make(chan dialed)
	go func() {
		defer failure.Guard()
		f, err := newForward(dialer, pod.Name)
		select {
		case result <- dialed{f, err}:
		case <-ctx.Done():
			if err == nil {
				f.end()
			}
		}
	}()
	select {
	case <-ctx.Done():
		return nil, e.sentence(attempt, context.Cause(ctx))
	case d := <-result:
		var network *net.OpError
		if d.err != nil && !errors.As(d.err, &network) {
			return nil, failure.Setupf("%s: the API server does not forward its port: %w; where that is forbidden, "+
				"--without-forward does without", attempt, d.err)
		}
		if d.err != nil {
			return nil, e.sentence(attempt, d.err)
		}
		return d.forward.open(), nil
	}
}

func (e *Engine) dialer(pod string) (httpstream.Dialer, error) {
	address := e.core.RESTClient().Post().Resource("pods").Namespace(e.namespace).Name(pod).SubResource(
		"portforward").URL()
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(address, e.config)
	if err != nil {
		return nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(e.config)
	if err != nil {
		return nil, err
	}
	direct := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, address)
	return portforward.NewFallbackDialerForStreaming(tunnel, direct, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// forward is one connection to a port of a pod: a stream of data and one for an error of the kubelet.
// The order of the streams and their headers are those of tools/portforward.
type forward struct {
	pod         string
	streams     httpstream.Connection
	data, fault httpstream.Stream
	near        net.Conn // the end that the kubelet's bytes go into
	ended       sync.Once
	working     sync.WaitGroup
	told        chan struct{} // closed when reason is known
	reason      error         // the kubelet's words; nil: none
}

func newForward(dialer httpstream.Dialer, pod string) (*forward, error) {
	streams, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, err
	}
	f := &forward{pod: pod, streams: streams, told: make(chan struct{})}
	if protocol != portforward.PortForwardProtocolV1Name {
		f.end()
		return nil, fmt.Errorf("the server speaks %q and not %q", protocol, portforward.PortForwardProtocolV1Name)
	}
	header := http.Header{}
	header.Set(corev1.StreamType, corev1.StreamTypeError)
	header.Set(corev1.PortHeader, strconv.Itoa(shards.ControlPort))
	header.Set(corev1.PortForwardRequestIDHeader, "0")
	if f.fault, err = streams.CreateStream(header); err != nil {
		f.end()
		return nil, err
	}
	_ = f.fault.Close() // nothing is written to it
	header.Set(corev1.StreamType, corev1.StreamTypeData)
	if f.data, err = streams.CreateStream(header); err != nil {
		f.end()
		return nil, err
	}
	return f, nil
}

// end closes everything once.
func (f *forward) end() {
	f.ended.Do(func() {
		if f.data != nil {
			_ = f.data.Reset() // throws away what was not sent, which would block the other stream
		}
		_ = f.streams.Close()
		if f.near != nil {
			_ = f.near.Close()
		}
	})
}

// open starts to copy. The far end is the connection that is handed out: a pipe, which has the deadlines that a stream
// lacks.
func (f *forward) open() net.Conn {
	near, far := net.Pipe()
	f.near = near
	f.working.Add(3)
	go func() {
		defer f.working.Done()
		defer failure.Guard()
		message, _ := io.ReadAll(io.LimitReader(f.fault, 4096))
		if len(message) > 0 {
			f.reason = failure.Setupf("the connection to %s broke: %s", f.pod, message)
		}
		close(f.told)
		if f.reason != nil {
			f.end()
		}
	}()
	go func() {
		defer f.working.Done()
		defer failure.Guard()
		_, _ = io.Copy(near, f.data)
		_ = f.data.Reset() // else what was not sent blocks the stream that says why
		<-f.told
		f.end()
	}()
	go func() {
		defer f.working.Done()
		defer failure.Guard()
		_, err := io.Copy(f.data, near)
		if err != nil {
			f.end()
			return
		}
		_ = f.data.Close() // half of it: an answer may still come
	}()
	return &forwarded{Conn: far, forward: f}
}

// forwarded is a connection to a shard.
type forwarded struct {
	net.Conn
	forward *forward
}

// Read returns the kubelet's words about a connection that broke, in place of a bare end.
func (c *forwarded) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		select {
		case <-c.forward.told:
			if c.forward.reason != nil {
				err = c.forward.reason
			}
		default:
		}
	}
	return n, err
}

// Close ends the forward and waits for its goroutines.
func (c *forwarded) Close() error {
	err := c.Conn.Close()
	c.forward.end()
	c.forward.working.Wait()
	return err
}

// LocalAddr and RemoteAddr are the names of the two ends, since there are no addresses.
func (c *forwarded) LocalAddr() net.Addr  { return podAddr("agstest") }
func (c *forwarded) RemoteAddr() net.Addr { return podAddr(c.forward.pod) }

type podAddr string

func (podAddr) Network() string  { return "port-forward" }
func (a podAddr) String() string { return string(a) + ":" + strconv.Itoa(shards.ControlPort) }

// How long is waited between attempts.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 5 * time.Second
)
