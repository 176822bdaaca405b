package wire

import (
	"net"
	"net/http/httptrace"
	"testing"

	"github.com/stretchr/testify/assert"
)

// to is a connection to an address.
type to struct {
	net.Conn
	ip string
}

func (c to) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(c.ip), Port: 443} }

func TestAddressesThatWereNotAskedAreKnown(t *testing.T) {
	one, two := []string{"192.0.2.1"}, []string{"192.0.2.1", "192.0.2.2"}
	for name, c := range map[string]struct {
		known, used   []string
		asked, others []string
	}{
		"one":             {one, one, one, nil},
		"two, one asked":  {two, []string{"192.0.2.2", "192.0.2.2"}, []string{"192.0.2.2"}, []string{"192.0.2.1"}},
		"two, both asked": {two, []string{"192.0.2.2", "192.0.2.1"}, two, nil},
		"both families":   {append([]string{"2001:db8::1"}, one...), one, one, nil},
		"two of each":     {append([]string{"2001:db8::1", "2001:db8::2"}, two...), one, one, []string{"192.0.2.2"}},
		"no name":         {nil, []string{"192.0.2.1"}, nil, nil},
	} {
		var client Client
		trace := httptrace.ContextClientTrace(client.addresses.trace(t.Context()))
		var info httptrace.DNSDoneInfo
		for _, ip := range c.known {
			info.Addrs = append(info.Addrs, net.IPAddr{IP: net.ParseIP(ip)})
		}
		trace.DNSDone(info)
		for _, ip := range c.used {
			trace.GotConn(httptrace.GotConnInfo{Conn: to{ip: ip}})
		}
		asked, others := client.addresses.list()
		assert.Equal(t, c.asked, asked, name)
		assert.Equal(t, c.others, others, name)
		assert.Equal(t, c.others != nil, client.AddressNote() != "", name)
	}
}
