package bench

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"agstest/internal/environment"
	"agstest/load/tally"
)

// rounds is how often each side runs where there are no blocks; figures are medians.
const rounds = 5

func median(values []float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	half := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[half-1] + sorted[half]) / 2
	}
	return sorted[half]
}

// BenchmarkBesideVegeta runs Vegeta's own command, built from the pinned module, and our generator in turns, as fast as
// 64 workers can on one core, against the same service on another: Vegeta's alone, and piped into its report. Vegeta
// sends one refresh again and again; ours chains the tokens of 256 clients, checks whose each answer is, and keeps its
// record.
//
// Turns are of 2 s, in blocks of Vegeta, Vegeta with its report, ours, and the same backwards: what makes the machine
// slower for a while, or bit by bit, meets both sides of a block. "times" is how often the CPU of a hit of ours goes
// into one of Vegeta's: of each block the ratio of the means, and of these the median. "of-medians" is the ratio of the
// medians of all turns, which was the figure before, with as much time but turns of 5 s: it moves with each long
// slow-down that happens to hit one side more often.
func BenchmarkBesideVegeta(b *testing.B) {
	vegeta := filepath.Join(b.TempDir(), "vegeta")
	if out, err := exec.Command("go", "build", "-o", vegeta, "github.com/tsenart/vegeta/v12").CombinedOutput(); err != nil {
		b.Fatalf("Vegeta's command could not be built: %v\n%s", err, out)
	}
	for _, way := range []string{plainHTTP, overTLS, overHTTP2} {
		b.Run(way, func(b *testing.B) {
			s := startService(b, "AGSTEST_BENCH_WAY="+way, "AGSTEST_BENCH_FOLDER="+b.TempDir())
			for range b.N {
				besideVegeta(b, vegeta, way, s)
			}
		})
	}
}

// blocks is how many blocks of turns a run beside Vegeta has.
const blocks = 6

func besideVegeta(b *testing.B, vegeta, way string, s *running) {
	const seconds = 2
	attack := []string{vegeta, "attack", "-format=json", "-targets=" + writeTargets(b, s), "-rate=0", "-max-workers=64", "-workers=64",
		fmt.Sprintf("-duration=%ds", seconds), fmt.Sprintf("-http2=%t", way == overHTTP2)}
	if s.Authority != "" {
		attack = append(attack, "-root-certs="+s.Authority)
	}
	figures := map[string][]float64{}
	note := func(name string, value float64) { figures[name] = append(figures[name], value) }
	// A turn gives the microseconds of CPU of a hit.
	theirs := func(name string, args ...string) float64 {
		s.get(b, "/count")
		command := pinned(1, args[0], args[1:]...)
		if err := command.Run(); err != nil {
			b.Fatal(err)
		}
		hits, err := strconv.ParseFloat(string(s.get(b, "/count")), 64)
		if err != nil {
			b.Fatal(err)
		}
		note(name+"-hits/s", hits/seconds)
		return costOf(command).cpu.Seconds() * 1e6 / hits
	}
	turns := []struct {
		name string
		run  func() float64
	}{
		{"vegeta", func() float64 { return theirs("vegeta", append(attack, "-output="+os.DevNull)...) }},
		// With percentiles, as ours has them.
		{"vegeta+report", func() float64 {
			return theirs("vegeta+report", "sh", "-c", strings.Join(attack, " ")+" | "+vegeta+" report -output="+os.DevNull)
		}},
		{"agstest", func() float64 {
			o, _ := generate(b, question{Environment: s.Environment, Rate: "max", Seconds: seconds, Workers: 64, Clients: 256, Record: b.TempDir()}, true)
			total := o.Report.Total
			if total.Wrong > 0 {
				b.Fatalf("%d answers were wrong: %v", total.Wrong, o.Report.Wrong)
			}
			note("agstest-hits/s", total.Rate)
			note("allocs/hit", o.Allocations)
			return o.Report.Generator.CPUSeconds * 1e6 / float64(total.Sent)
		}},
	}
	var times, withReport []float64
	for range blocks {
		sum := map[string]float64{}
		for _, i := range []int{0, 1, 2, 2, 1, 0} {
			cost := turns[i].run()
			note(turns[i].name+"-µs/hit", cost)
			sum[turns[i].name] += cost
		}
		times = append(times, sum["vegeta"]/sum["agstest"])
		withReport = append(withReport, sum["vegeta+report"]/sum["agstest"])
		b.Logf("a block: %.2f and %.2f times", sum["vegeta"]/sum["agstest"], sum["vegeta+report"]/sum["agstest"])
	}
	for name, values := range figures {
		b.ReportMetric(median(values), name)
	}
	b.ReportMetric(median(times), "times")
	b.ReportMetric(median(withReport), "times-with-report")
	b.ReportMetric(median(figures["vegeta-µs/hit"])/median(figures["agstest-µs/hit"]), "of-medians")
}

// writeTargets writes one refresh as Vegeta's command reads it, with the token of a sign-on.
func writeTargets(b *testing.B, s *running) string {
	b.Helper()
	e, err := environment.Parse([]byte(s.Environment), "bench.yaml", b.TempDir(), func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	c := e.Load.Clients
	name := func(pattern string) string { return strings.ReplaceAll(pattern, "{n}", "1") }
	body := fmt.Sprintf(`{"parameters":[{"name":"sessionToken","value":%q}],"clientId":%q}`, name(c.SessionToken), name(c.ClientID))
	request, err := http.NewRequest(http.MethodPost, s.URL+"/ags/signOnWithSessionToken", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "nv-tenant-id": {e.Tenant}, "x-auth-service-id": {e.Service}}
	response, err := s.client(b).Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	var pair struct {
		Refresh string `json:"refresh_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&pair); err != nil || pair.Refresh == "" {
		b.Fatalf("the sign-on was answered with status %d and no token", response.StatusCode)
	}
	text := fmt.Sprintf(`{"method":"POST","url":%q,"header":{"Authorization":["Bearer %s"],"Content-Type":["application/json"],"nv-tenant-id":[%q],"x-auth-service-id":[%q]},"body":%q}`+"\n",
		s.URL+"/ags/refresh", pair.Refresh, e.Tenant, e.Service, base64.StdEncoding.EncodeToString([]byte(`{"parameters":[]}`)))
	path := filepath.Join(b.TempDir(), "targets")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkStall is a service that stands still for 2 s of 10 s at 1,000 hits a second: 2,000 of 10,000 hits are due
// meanwhile, so that 1 % wait for 1.9 s and more, and 0.1 % for 1.99 s. With 64 workers the figures must be that, and
// with as many as it takes those that the service measured itself.
func BenchmarkStall(b *testing.B) {
	for name, workers := range map[string]int{"64 workers": 64, "any number of workers": 0} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				var p99, p999, truth99, truth999 []float64
				for range 3 {
					s := startService(b, "AGSTEST_BENCH_FROM=3s", "AGSTEST_BENCH_FROZEN=2s")
					o, _ := generate(b, question{Environment: s.Environment, Rate: "1000/s", Seconds: 10, Workers: workers, Clients: 4000}, true)
					total := o.Report.Total
					if total.Right != 10_000 {
						b.Fatalf("%d of 10000 answers were right: %v", total.Right, o.Report.Wrong)
					}
					var times []int64
					if err := json.Unmarshal(s.get(b, "/times"), &times); err != nil {
						b.Fatal(err)
					}
					slices.Sort(times)
					t99, t999 := int64(1900*time.Millisecond), int64(1990*time.Millisecond)
					if workers == 0 {
						t99, t999 = times[9899], times[9989]
					}
					p99, p999 = append(p99, float64(total.Response.P99)), append(p999, float64(total.Response.P999))
					truth99, truth999 = append(truth99, float64(t99)), append(truth999, float64(t999))
					b.Logf("p99 %s (true: %s), p99.9 %s (true: %s), max %s; from the sending p99 %s", milliseconds(total.Response.P99), milliseconds(t99),
						milliseconds(total.Response.P999), milliseconds(t999), milliseconds(total.Response.Max), milliseconds(total.Service.P99))
				}
				b.ReportMetric(median(p99)/1e6, "p99-ms")
				b.ReportMetric(100*(median(p99)/median(truth99)-1), "%error-p99")
				b.ReportMetric(100*(median(p999)/median(truth999)-1), "%error-p99.9")
				if math.Abs(median(p99)/median(truth99)-1) > 0.02 || math.Abs(median(p999)/median(truth999)-1) > 0.02 {
					b.Errorf("the figures are off by more than 2 %%")
				}
			}
		})
	}
}

// BenchmarkMemory is what the generator needs for a run with many hits, and how long a report of its record takes.
func BenchmarkMemory(b *testing.B) {
	s := startService(b)
	for _, seconds := range []float64{5, 30} {
		b.Run(fmt.Sprintf("%.0f s", seconds), func(b *testing.B) {
			for range b.N {
				folder := b.TempDir()
				o, c := generate(b, question{Environment: s.Environment, Rate: "max", Seconds: seconds, Workers: 64, Clients: 256, Record: folder}, true)
				began := time.Now()
				if _, err := tally.ReadRecord(folder); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(o.Report.Total.Sent), "hits")
				b.ReportMetric(float64(c.resident)/(1<<20), "MB")
				b.ReportMetric(float64(time.Since(began).Milliseconds()), "report-ms")
			}
		})
	}
}

// BenchmarkLag is how late hits leave at 2,000 a second.
func BenchmarkLag(b *testing.B) {
	s := startService(b)
	for range b.N {
		var p50, p99 []float64
		for range rounds {
			o, _ := generate(b, question{Environment: s.Environment, Rate: "2000/s", Seconds: 5, Clients: 256, Record: b.TempDir()}, true)
			p50, p99 = append(p50, float64(o.Report.Generator.Lag.P50)), append(p99, float64(o.Report.Generator.Lag.P99))
		}
		b.ReportMetric(median(p50)/1e3, "µs-p50")
		b.ReportMetric(median(p99)/1e3, "µs-p99")
	}
}
