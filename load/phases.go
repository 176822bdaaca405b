package load

import (
	"agstest/load/hit"
	"agstest/reports"
)

// phaseTally is how long the parts of exchanges took in one second.
type phaseTally struct {
	connections                   int64 // opened
	exchanges                     int64 // traced
	dns, connect, tls, wait, read distribution
}

func (p *phaseTally) add(t *hit.Phases) {
	p.exchanges++
	if t.NewConnection {
		p.connections++
		if t.DNS > 0 {
			p.dns.add(t.DNS)
		}
		p.connect.add(t.Connect)
		if t.TLS > 0 {
			p.tls.add(t.TLS)
		}
	}
	if t.Wait > 0 {
		p.wait.add(t.Wait)
		p.read.add(t.Read)
	}
}

func (p *phaseTally) reset() {
	for _, d := range p.all() {
		d.reset()
	}
	p.connections, p.exchanges = 0, 0
}

func (p *phaseTally) all() []*distribution {
	return []*distribution{&p.dns, &p.connect, &p.tls, &p.wait, &p.read}
}

// report gives the phases of a whole run; nil where nothing was traced.
func (p *phaseTally) report() *reports.Phases {
	if p.exchanges == 0 {
		return nil
	}
	return &reports.Phases{
		DNS: p.dns.percentiles(), Connect: p.connect.percentiles(), TLS: p.tls.percentiles(), Wait: p.wait.percentiles(), Read: p.read.percentiles(),
		NewConnections: p.connections, ReuseRatio: 1 - float64(min(p.connections, p.exchanges))/float64(p.exchanges),
	}
}
