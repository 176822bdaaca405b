package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/internal/failure"
	"agstest/load/engine"
	"agstest/load/shards"
	"agstest/reports"
)

// fakeCluster stands for a cluster: its shards are agents in this process, which do what those in pods do, behind
// sockets of their own.
type fakeCluster struct {
	trouble string // what goes wrong; see Check, Create and live

	shown shards.Work // of the last manifest

	mutex   sync.Mutex // guards what follows
	runs    map[string]*fakeRun
	created []string // every run that ever was
	secrets []string // of all of them
}

type fakeRun struct {
	work    shards.Work
	options kubernetesOptions
	began   time.Time
	sights  []shards.Sight
	address []string
	logs    []*fakeLog
	stop    context.CancelFunc
	evict   []context.CancelFunc
	group   sync.WaitGroup
	folder  string
	changed chan struct{}
}

func newFakeCluster(trouble string) *fakeCluster {
	return &fakeCluster{trouble: trouble, runs: map[string]*fakeRun{}}
}

// call runs the program with this cluster in it.
func (f *fakeCluster) call(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	p := &program{getenv: func(string) (string, bool) { return "", false }, stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: time.Now, kubernetes: f.engine()}
	code = p.run(args)
	return code, out.String(), errs.String()
}

// engine is the cluster in the place of the engine for Kubernetes.
func (f *fakeCluster) engine() *kubernetesEngine {
	return &kubernetesEngine{
		open: func(o kubernetesOptions) (cluster, error) {
			if f.trouble == "no-kubeconfig" {
				return nil, failure.Usagef("reading the kubeconfig: there is none; give --kubeconfig FILE")
			}
			return &fakeNamespace{f, o}, nil
		},
		manifest: func(o kubernetesOptions, w shards.Work) ([]byte, error) {
			f.shown = w
			return fmt.Appendf(nil, "# run %s\nimage: %s\nfiles: %s\nsecrets: %s\nplan: %s\n", w.Run, o.Image,
				slices.Sorted(maps.Keys(w.Files)), slices.Sorted(maps.Keys(w.Secrets)), w.Files[shards.PlanFile]), nil
		},
		rules: func(o kubernetesOptions) ([]byte, error) {
			text := "kind: Role # for " + o.Namespace
			if o.WithoutForward {
				text += ", without forward"
			}
			return []byte(text + "\n"), nil
		},
	}
}

type fakeNamespace struct {
	*fakeCluster
	options kubernetesOptions
}

func (n *fakeNamespace) Namespace() string {
	if n.options.Namespace == "" {
		return "default"
	}
	return n.options.Namespace
}

func (n *fakeNamespace) Check(context.Context) error {
	if n.trouble == "no-rights" {
		return failure.Setupf("rights are missing in the namespace %s", n.Namespace())
	}
	return nil
}

func (n *fakeNamespace) Create(ctx context.Context, work shards.Work) error {
	if n.trouble == "quota" {
		return failure.Setupf("the quota of the namespace %s is too small for %d shards", n.Namespace(), work.Shards)
	}
	folder, err := os.MkdirTemp("", "fake-cluster-")
	if err != nil {
		return err
	}
	living, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &fakeRun{work: work, options: n.options, began: time.Now(), stop: stop, folder: folder, changed: make(chan struct{}), address: make([]string, work.Shards), evict: make([]context.CancelFunc, work.Shards)}
	for i := range work.Shards {
		r.logs = append(r.logs, &fakeLog{more: make(chan struct{})})
		r.sights = append(r.sights, shards.Sight{Index: i, Name: fmt.Sprintf("agstest-%s-%d", work.Run, i), State: shards.Pending})
	}
	n.mutex.Lock()
	n.runs[work.Run] = r
	n.created = append(n.created, work.Run)
	for _, secret := range work.Secrets {
		n.secrets = append(n.secrets, string(secret))
	}
	n.mutex.Unlock()
	for name, files := range map[string]map[string][]byte{"plan": work.Files, "secrets": work.Secrets} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
			return err
		}
		for file, content := range files {
			if err := os.WriteFile(filepath.Join(folder, name, file), content, 0o600); err != nil {
				return err
			}
		}
	}
	for i := range work.Shards {
		r.group.Go(func() {
			n.live(living, r, i)
		})
	}
	return nil
}

// see changes what is seen of a shard.
func (n *fakeNamespace) see(r *fakeRun, i int, change func(*shards.Sight)) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	change(&r.sights[i])
	close(r.changed)
	r.changed = make(chan struct{})
}

// live is the life of a pod.
func (n *fakeNamespace) live(ctx context.Context, r *fakeRun, i int) {
	if n.trouble == "image-missing" && i == 1 {
		n.see(r, i, func(s *shards.Sight) {
			s.Hopeless, s.Reason = true, "the image "+r.options.Image+" cannot be pulled: not found"
		})
		return
	}
	plan := new(shards.Plan)
	_ = json.Unmarshal(r.work.Files[shards.PlanFile], plan)
	ctx, evict := context.WithCancel(ctx)
	defer evict()
	real, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer real.Close()
	listener := real
	if plan.StartAt != 0 {
		listener = nil
	}
	folder := filepath.Join(r.folder, fmt.Sprint(i))
	_ = os.MkdirAll(folder, 0o700)
	p := &program{getenv: func(string) (string, bool) { return "", false }, stdout: io.Discard, stderr: io.Discard, now: time.Now}
	f := &shardFlags{plan: filepath.Join(r.folder, "plan"), secrets: filepath.Join(r.folder, "secrets"), index: i}
	var last shards.Ending
	agent := &shards.Agent{
		Index: i, Plan: r.work.Files[shards.PlanFile], Version: shardVersion(), Token: r.work.Secrets[shards.TokenFile], Folder: folder,
		Output: r.logs[i], LastWords: func(e shards.Ending) { last = e }, Grace: 50 * time.Millisecond, FailedLinger: 50 * time.Millisecond,
		Load: func(ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
			lost := func(at engine.Progress) {
				if n.trouble == "lost" && i == 1 && at.Elapsed >= time.Second { // the node goes, with all that is on it
					real.Close()
					r.logs[i].change(nil, true) // what the shard writes when it is ended comes to nobody
					n.see(r, i, func(s *shards.Sight) { s.State, s.Reason = shards.Gone, "the node n2 is gone" })
					evict()
				}
				progress(at)
			}
			return p.loadOfShard(ctx, f, plan, folder, barrier, lost)
		},
	}
	n.mutex.Lock()
	r.address[i], r.evict[i] = real.Addr().String(), evict
	n.mutex.Unlock()
	n.see(r, i, func(s *shards.Sight) { s.State, s.Node = shards.Running, fmt.Sprintf("n%d", i+1) })
	err = agent.Run(ctx, listener)
	r.logs[i].change(nil, true)
	message, _ := json.Marshal(last)
	n.see(r, i, func(s *shards.Sight) {
		switch {
		case s.State == shards.Gone:
		case err != nil:
			s.State, s.Message = shards.Failed, message
		default:
			s.State, s.Message = shards.Succeeded, message
		}
	})
}

func (n *fakeNamespace) run(id string) *fakeRun {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.runs[id]
}

func (n *fakeNamespace) Watch(ctx context.Context, run string) <-chan []shards.Sight {
	told := make(chan []shards.Sight)
	r := n.run(run)
	go func() {
		defer close(told)
		for {
			n.mutex.Lock()
			now, changed := slices.Clone(r.sights), r.changed
			n.mutex.Unlock()
			select {
			case told <- now:
			case <-ctx.Done():
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return told
}

func (n *fakeNamespace) Dial(ctx context.Context, run string, index int) (net.Conn, error) {
	r := n.run(run)
	if r == nil {
		return nil, errors.New("there is no such run")
	}
	n.mutex.Lock()
	if n.trouble == "no-forward" {
		n.mutex.Unlock()
		return nil, errors.New("the cluster forbids to forward ports")
	}
	address, gone := r.address[index], r.sights[index].State == shards.Gone
	n.mutex.Unlock()
	if gone {
		return nil, errors.New("the pod is gone")
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

func (n *fakeNamespace) Log(ctx context.Context, run string, index int, o shards.LogOptions) (io.ReadCloser, error) {
	r := n.run(run)
	if r == nil {
		return nil, errors.New("there is no log")
	}
	log := r.logs[index]
	if o.Follow {
		return &followedLog{ctx: ctx, log: log}, nil
	}
	text, _, _ := log.from(0)
	lines := strings.SplitAfter(text, "\n")
	if o.Tail > 0 {
		lines = lines[max(0, len(lines)-1-o.Tail):]
	}
	return io.NopCloser(strings.NewReader(strings.Join(lines, ""))), nil
}

// fakeLog is the output of a shard.
type fakeLog struct {
	mutex sync.Mutex // guards what follows
	text  []byte
	ended bool
	more  chan struct{} // closed at the next change
}

func (l *fakeLog) change(text []byte, ended bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.ended {
		return
	}
	l.text, l.ended = append(l.text, text...), ended
	close(l.more)
	l.more = make(chan struct{})
}

func (l *fakeLog) Write(p []byte) (int, error) {
	l.change(p, false)
	return len(p), nil
}

func (l *fakeLog) from(at int) (text string, ended bool, more <-chan struct{}) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return string(l.text[at:]), l.ended, l.more
}

// followedLog reads a log while it grows.
type followedLog struct {
	ctx context.Context
	log *fakeLog
	at  int
}

func (f *followedLog) Read(p []byte) (int, error) {
	for {
		text, ended, more := f.log.from(f.at)
		if n := copy(p, text); n > 0 {
			f.at += n
			return n, nil
		}
		if ended {
			return 0, io.EOF
		}
		select {
		case <-more:
		case <-f.ctx.Done():
			return 0, f.ctx.Err()
		}
	}
}

func (f *followedLog) Close() error { return nil }

func (n *fakeNamespace) Find(_ context.Context, run string) (*shards.Work, error) {
	r := n.run(run)
	if r == nil {
		return nil, failure.Setupf("there is no run %s in the namespace %s", run, n.Namespace())
	}
	w := r.work
	w.Secrets = map[string][]byte{shards.TokenFile: w.Secrets[shards.TokenFile]}
	return &w, nil
}

func (n *fakeNamespace) Remove(_ context.Context, run string) error {
	n.mutex.Lock()
	r := n.runs[run]
	delete(n.runs, run)
	n.mutex.Unlock()
	if r == nil {
		return nil
	}
	r.stop()
	r.group.Wait()
	return os.RemoveAll(r.folder)
}

func (n *fakeNamespace) Runs(context.Context) ([]clusterRun, error) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	var runs []clusterRun
	for id, r := range n.runs {
		l := clusterRun{Run: id, Created: r.began, Shards: r.work.Shards, State: "running"}
		for _, s := range r.sights {
			switch s.State {
			case shards.Succeeded:
				l.Succeeded++
			case shards.Failed, shards.Gone:
				l.Failed++
			default:
				l.Active++
			}
		}
		if l.Active == 0 {
			l.State = "complete"
		}
		runs = append(runs, l)
	}
	slices.SortFunc(runs, func(a, b clusterRun) int { return strings.Compare(a.Run, b.Run) })
	return runs, nil
}

// mainOnFakeCluster is the program with an engine in it, for scripts; FAKE_CLUSTER says what goes wrong.
func mainOnFakeCluster() {
	onKubernetes = newFakeCluster(os.Getenv("FAKE_CLUSTER")).engine()
	main()
}
