package wire

import (
	"context"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// addresses are those that names of services led to, and those of them that connections were made to. Many goroutines
// use it at once.
type addresses struct {
	mu           sync.Mutex // guards the rest
	known, asked map[netip.Addr]bool
}

func (a *addresses) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			for _, found := range info.Addrs {
				if ip, ok := netip.AddrFromSlice(found.IP); ok {
					a.note(&a.known, ip)
				}
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			if to, ok := info.Conn.RemoteAddr().(*net.TCPAddr); ok {
				a.note(&a.asked, to.AddrPort().Addr())
			}
		},
	})
}

func (a *addresses) note(in *map[netip.Addr]bool, ip netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if *in == nil {
		*in = map[netip.Addr]bool{}
	}
	(*in)[ip.Unmap().WithZone("")] = true
}

// AddressNote tells that the name of the service led to addresses that no connection was made to; empty: it did not. It
// counts families that were asked alone: an address of IPv4 and one of IPv6 are mostly of the same machine. Nothing is
// known where a proxy looks names up.
func (c *Client) AddressNote() string {
	asked, others := c.addresses.list()
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("the name in url has %d addresses, and no connection went to %s: whether what is there answers "+
		"alike is not known; an address in url, with the name as host and sni, asks it alone", len(asked)+len(others),
		firstOf(others))
}

func (a *addresses) list() (asked, others []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	families := map[bool]bool{}
	for ip := range a.asked {
		families[ip.Is4()] = true
	}
	for ip := range a.known {
		switch {
		case a.asked[ip]:
			asked = append(asked, ip.String())
		case families[ip.Is4()]:
			others = append(others, ip.String())
		}
	}
	slices.Sort(asked)
	slices.Sort(others)
	return asked, others
}

// firstOf lists some names, and how many more there are.
func firstOf(names []string) string {
	const most = 3
	if more := len(names) - most; more > 0 {
		names = append(names[:most:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
