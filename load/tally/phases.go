package tally

import (
	"agstest/load/hit"
	"agstest/reports"
)

// phaseTally is how long the parts of exchanges took in one second.
type phaseTally struct {
	connections                   int64 // opened
	exchanges                     int64 // traced
	dns, connect, tls, wait, read Histogram
}

func (p *phaseTally) add(t *hit.Phases) {
	p.exchanges++
	if t.NewConnection {
		p.connections++
		if t.DNS > 0 {
			p.dns.Add(t.DNS)
		}
		p.connect.Add(t.Connect)
		if t.TLS > 0 {
			p.tls.Add(t.TLS)
		}
	}
	if t.Wait > 0 {
		p.wait.Add(t.Wait)
		p.read.Add(t.Read)
	}
}

func (p *phaseTally) reset() {
	for _, d := range p.all() {
		d.Reset()
	}
	p.connections, p.exchanges = 0, 0
}

func (p *phaseTally) all() []*Histogram {
	return []*Histogram{&p.dns, &p.connect, &p.tls, &p.wait, &p.read}
}

// report gives the phases of a whole run; nil where nothing was traced.
func (p *phaseTally) report() *reports.Phases {
	if p.exchanges == 0 {
		return nil
	}
	return &reports.Phases{
		DNS: p.dns.Percentiles(), Connect: p.connect.Percentiles(), TLS: p.tls.Percentiles(), Wait: p.wait.Percentiles(),
		Read:           p.read.Percentiles(),
		NewConnections: p.connections, ReuseRatio: 1 - float64(min(p.connections, p.exchanges))/float64(p.exchanges),
	}
}
