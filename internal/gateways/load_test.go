//go:build linux

package gateways_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/gateways"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
)

// service is the mock without its control interface: all that a gateway stands in front of.
type service struct {
	*mock.Server
	address string
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{Server: mock.New(mock.Config{})}
	server := httptest.NewServer(s.Server)
	t.Cleanup(server.Close)
	s.address = strings.TrimPrefix(server.URL, "http://")
	return s
}

// environment is the file of the service behind an address of a gateway.
func (s *service) environment(t testing.TB, g *gateways.Gateway, address string) *environment.Environment {
	t.Helper()
	ca := ""
	if strings.HasPrefix(address, "https:") {
		ca = g.Authority.File
	}
	e, err := environment.Parse(s.Environment(address, "", ca), "gateway.yaml", t.TempDir(), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	return e
}

// beside is the results of a load and of Vegeta, through a gateway at the same time.
type beside struct {
	ours     *reports.Load
	get, set int // Vegeta's hits without an answer, or with one of the gateway's own: of GET and of POST
	hits     int
	why      map[string]int
	more     []int // how many more of load's than of Vegeta's were wrong: between each two reloads, or in each second
}

// load sends both at a rate, with reloads of the gateway in between.
func (s *service) load(t testing.TB, g *gateways.Gateway, address string, c trial) *beside {
	t.Helper()
	b := &beside{why: map[string]int{}}
	var all sync.WaitGroup
	var raw bytes.Buffer
	e := s.environment(t, g, address)
	o := load.Options{
		Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadMixed, Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 8, hit.OpDiscover: 1}, ReuseSessions: true, Clients: 50}, Rate: c.rate, Duration: c.length, MaxLag: time.Minute, Timeout: time.Minute,
		Raw: &raw,
	}
	start := make(chan struct{})
	o.Barrier = func(context.Context, engine.Ready) (time.Time, error) {
		close(start)
		return time.Now(), nil
	}
	all.Go(func() {
		report, err := load.Run(t.Context(), o)
		if assert.NoError(t, err, g.Output()) {
			b.ours = report
		}
	})
	select {
	case <-start:
	case <-time.After(time.Minute):
		all.Wait()
		return b
	}
	begin := time.Now()
	var theirs []vegeta.Result
	all.Go(func() { theirs = attack(t, g, address, e.Tenant, c) })
	var borders []time.Time
	for i := range c.reloads {
		time.Sleep(c.length / time.Duration(c.reloads+1))
		if i > 0 {
			borders = append(borders, time.Now())
		}
		g.Reload()
	}
	all.Wait()
	if c.reloads == 0 {
		for border := begin.Add(time.Second); border.Before(begin.Add(c.length)); border = border.Add(time.Second) {
			borders = append(borders, border)
		}
	}
	b.more = make([]int, len(borders)+1)
	part := func(r *vegeta.Result) int {
		end := r.Timestamp.Add(r.Latency)
		return sort.Search(len(borders), func(i int) bool { return borders[i].After(end) })
	}
	for decoder := vegeta.NewDecoder(&raw); ; {
		var r vegeta.Result
		if err := decoder.Decode(&r); err != nil {
			assert.ErrorIs(t, err, io.EOF)
			break
		}
		if r.Error != "" {
			b.more[part(&r)]++
		}
	}
	for _, r := range theirs {
		b.hits++
		if r.Code != 0 && r.Code < 500 {
			continue
		}
		b.why[fmt.Sprint(r.Method, " ", r.Code, " ", r.Error)]++
		if r.Method == http.MethodGet {
			b.get++
		} else {
			b.set++
		}
		b.more[part(&r)]--
	}
	return b
}

func pathOf(name string) string {
	for _, operation := range ags.Operations {
		if operation.Name == name {
			return operation.Path
		}
	}
	panic(name)
}

// wide makes the bench whole: higher rates, the files of operators, longer runs.
var wide = os.Getenv("AGSTEST_GATEWAYS_WIDE") != ""

// trial is one way to go through a gateway.
type trial struct {
	rate    schedule.Rate
	length  time.Duration
	reloads int
	config  gateways.Config
	name    string
	wide    bool // only then
}

var trials = []trial{
	{name: "30/m, kept for 1 s", rate: schedule.Rate{Hits: 30, Per: time.Minute}, length: 11 * time.Second, config: gateways.Config{Idle: time.Second}},
	{name: "10/m", rate: schedule.Rate{Hits: 10, Per: time.Minute}, length: 25 * time.Second, wide: true},
	{name: "10/m, production", rate: schedule.Rate{Hits: 10, Per: time.Minute}, length: 70 * time.Second, config: gateways.Config{Production: true}, wide: true},
	{name: "10/m, 5 reloads", rate: schedule.Rate{Hits: 10, Per: time.Minute}, length: time.Minute, reloads: 5, wide: true},
	{name: "30/m, 5 reloads", rate: schedule.Rate{Hits: 30, Per: time.Minute}, length: 40 * time.Second, reloads: 5, wide: true},
	{name: "200/s, 5 reloads", rate: schedule.Rate{Hits: 200, Per: time.Second}, length: 3 * time.Second, reloads: 5},
	{name: "200/s, 5 reloads, production", rate: schedule.Rate{Hits: 200, Per: time.Second}, length: 10 * time.Second, reloads: 5, config: gateways.Config{Production: true}, wide: true},
	{name: "1,000/s", rate: schedule.Rate{Hits: 1000, Per: time.Second}, length: 10 * time.Second, wide: true},
	{name: "1,000/s, 5 reloads", rate: schedule.Rate{Hits: 1000, Per: time.Second}, length: 10 * time.Second, reloads: 5, wide: true},
}

// TestLoadIsNotWorseThanVegeta: through each gateway, over http and https, no more answers are wrong than of Vegeta's,
// which sends as many POST requests at the same time, and none where the gateway is left alone. net/http sends the GETs
// of Vegeta again in silence.
func TestLoadIsNotWorseThanVegeta(t *testing.T) {
	if wide {
		vegetaCommand = filepath.Join(t.TempDir(), "vegeta")
		out, err := exec.Command("go", "build", "-o", vegetaCommand, "github.com/tsenart/vegeta/v12").CombinedOutput()
		require.NoError(t, err, "%s", out)
	} else {
		t.Parallel()
	}
	s := newService(t)
	for _, program := range slices.Concat(gateways.Programs, gateways.Others) {
		for _, secure := range []bool{false, true} {
			for _, c := range trials {
				scheme := map[bool]string{false: "http", true: "https"}[secure]
				t.Run(fmt.Sprintf("%s, %s, %s", program, scheme, c.name), func(t *testing.T) {
					chance := c.reloads > 0 && c.rate.Per == time.Second && program != gateways.Nginx && program != gateways.HAProxy // how many they lose is
					if (c.wide || chance) && !wide {
						t.Skip("make gateways")
					}
					if c.wide && slices.Contains(gateways.Others, program) {
						t.Skip("tried with the programs that most use")
					}
					if !wide || c.rate.Per == time.Minute {
						t.Parallel() // what is sent once in a while waits most of the time, and the others are compared roughly
					}
					c.config.Upstream = s.address
					g := gateways.Start(t, program, c.config)
					address := g.URL
					if !secure && address == "" {
						t.Skipf("%s takes TLS alone", program)
					}
					if secure {
						if address = g.SecureURL; address == "" {
							t.Skipf("%s, as Debian builds it, does not end TLS", program)
						}
					}
					s.compare(t, g, address, c)
				})
			}
		}
	}
}

// maxRuns bounds how often a trial in which chance takes part is run.
const maxRuns = 6

// compare runs a trial. One in which chance takes part is run again where load has more wrong answers than that of
// single requests explains, and all its runs count together: a loss of load's own grows with each.
func (s *service) compare(t *testing.T, g *gateways.Gateway, address string, c trial) {
	t.Helper()
	var ours, theirs, sent, hits int64
	var more []int
	for run := 1; ; run++ {
		b := s.load(t, g, address, c)
		require.NotNil(t, b.ours)
		total := b.ours.Total
		t.Logf("run %d: %d sent, %d wrong %v, %d resent; Vegeta: %d sent, wrong %d of GET, %d of POST; more of load %v", run, total.Sent, total.Wrong, total.Outcomes, total.Resent, b.hits, b.get, b.set, b.more)
		ours, theirs, sent, hits, more = ours+total.Wrong, theirs+int64(b.set), sent+total.Sent, hits+int64(b.hits), append(more, b.more...)
		chance := c.chance(g.Program)
		if chance {
			theirs += int64(b.get)
		}
		asked := float64(run) * float64(c.rate.Hits) * c.length.Seconds() / c.rate.Per.Seconds()
		most := mostWrong(g.Program, c, theirs, sent)
		switch {
		case ours <= most:
			return
		case float64(sent) < 0.98*asked, float64(hits) < 0.98*asked:
			t.Skipf("could not be told: this machine did not carry the rate, of %.0f hits load sent %d and Vegeta %d, and what waited in it timed out", asked, sent, hits)
		case chance && run < maxRuns:
			t.Logf("%d wrong, and at most %d were to be expected beside Vegeta's %d: it is run again, and the runs count together", ours, most, theirs)
		case chance:
			assert.False(t, beyondChance(more), "in %d runs %d wrong, Vegeta %d; between two reloads more of load's: %v; last %v, Vegeta %v", run, ours, theirs, more, b.ours.Wrong, b.why)
			return
		default:
			assert.LessOrEqual(t, ours, most, "Vegeta %d; %v, Vegeta %v", theirs, b.ours.Wrong, b.why)
			return
		}
	}
}
