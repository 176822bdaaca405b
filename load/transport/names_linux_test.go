package transport

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"agstest/load/hit"
)

// names is a server of names that gives one answer to every question.
type names struct {
	mu        sync.Mutex // guards what follows
	addresses []net.IP
	asked     int
}

func (n *names) are(addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addresses = nil
	for _, a := range addresses {
		n.addresses = append(n.addresses, net.ParseIP(a))
	}
}

// times is how often it was asked.
func (n *names) times() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

// resolver starts it, and returns who asks it.
func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	at, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		question := make([]byte, 1500)
		for {
			length, from, err := at.ReadFrom(question)
			if err != nil {
				return
			}
			var message dnsmessage.Message
			if message.Unpack(question[:length]) != nil || len(message.Questions) != 1 {
				continue
			}
			n.answer(&message)
			if packed, err := message.Pack(); err == nil {
				_, _ = at.WriteTo(packed, from)
			}
		}
	})
	t.Cleanup(func() { at.Close(); serving.Wait() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", at.LocalAddr().String())
	}}
}

func (n *names) answer(message *dnsmessage.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	message.Response, message.Additionals = true, nil
	head := dnsmessage.ResourceHeader{Name: message.Questions[0].Name, Class: dnsmessage.ClassINET}
	for _, address := range n.addresses {
		switch four := address.To4(); {
		case four != nil && message.Questions[0].Type == dnsmessage.TypeA:
			message.Answers = append(message.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: [4]byte(four)}})
		case four == nil && message.Questions[0].Type == dnsmessage.TypeAAAA:
			message.Answers = append(message.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: [16]byte(address)}})
		}
	}
}

// answersOn serves a text at an address of loopback.
func answersOn(t *testing.T, address, text string) *httptest.Server {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
	s.Listener.Close()
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// Of several addresses of a name the next is tried at once where one refuses, whatever their order and family; and
// where the name moves on, new connections go to the new address.
func TestANameOfSeveralAddresses(t *testing.T) {
	here := answersOn(t, "127.0.0.1:0", "here")
	base, err := url.Parse(here.URL)
	require.NoError(t, err)
	var known names
	base.Host = net.JoinHostPort("service.test.", base.Port())
	l := newLeanTransport(base, nil, Options{Timeout: longest})
	defer l.Close()
	l.dialer.Resolver = known.resolver(t)
	ask := func() *hit.Answer {
		answer := new(hit.Answer)
		l.Exchange(&hit.Request{Method: "GET", Path: "/"}, answer, time.Now().Add(longest), new(hit.Phases))()
		return answer
	}
	for name, addresses := range map[string][]string{
		"a dead one first":  {"127.0.0.2", "127.0.0.1"},
		"a dead one last":   {"127.0.0.1", "127.0.0.2"},
		"two dead ones":     {"127.0.0.3", "127.0.0.2", "127.0.0.1"},
		"IPv6, and dead":    {"::1", "127.0.0.1"},
		"both sorts, mixed": {"127.0.0.2", "::1", "127.0.0.1"},
	} {
		known.are(addresses...)
		began := time.Now()
		answer := ask()
		require.NoError(t, answer.Err, name)
		assert.Equal(t, 200, answer.Status, name)
		assert.Less(t, time.Since(began), longest/2, "%s: not half of the time that there is", name)
		here.CloseClientConnections()
	}

	require.NoError(t, ask().Err)
	asked := known.times()
	for range 5 {
		require.NoError(t, ask().Err)
	}
	assert.Equal(t, asked, known.times(), "a kept connection asks nobody for the name")

	answersOn(t, net.JoinHostPort("127.0.0.2", base.Port()), "there")
	known.are("127.0.0.2")
	here.Close()
	answer := new(hit.Answer)
	done := l.Exchange(&hit.Request{Method: "GET", Path: "/"}, answer, time.Now().Add(longest), new(hit.Phases))
	defer done()
	require.NoError(t, answer.Err, "the name moved on, and the old place is gone")
	assert.Equal(t, "there", string(answer.Body))
}
