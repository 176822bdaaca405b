//go:build kubernetes

package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"agstest/internal/failure"
	"agstest/load/shards"
)

const (
	patience    = 5 * time.Second // how long a shard may be pending without a reason until its events are asked
	unansweredN = 3               // attempts that fail in a row before it is told
)

// Watch reports every shard at once and then each change. A watch that breaks is resumed where it ended, so that the
// last words of a pod are not missed; if the API server no longer knows that place, all pods are listed again.
func (e *Engine) Watch(ctx context.Context, run string) <-chan []shards.Sight {
	w := &watcher{engine: e, run: run, out: make(chan []shards.Sight), spots: map[int]*spot{}, changed: map[int]bool{}}
	go func() {
		defer close(w.out)
		defer failure.Guard()
		w.follow(ctx)
	}()
	return w.out
}

// watcher is one Watch; a single goroutine works on it.
type watcher struct {
	engine  *Engine
	run     string
	out     chan []shards.Sight
	spots   map[int]*spot
	changed map[int]bool // what has not been told yet
	version string       // of the newest thing seen
	failed  int          // attempts in a row without an answer
	mute    bool         // events may not be read
}

// spot is the watcher's knowledge of one shard.
type spot struct {
	sight shards.Sight
	cause string
	since time.Time // when cause began
}

func over(s shards.State) bool {
	return s == shards.Succeeded || s == shards.Failed || s == shards.Gone
}

// follow lists and watches until ctx ends.
func (w *watcher) follow(ctx context.Context) {
	wait := firstWait
	for ctx.Err() == nil {
		if w.version == "" {
			if err := w.list(ctx); err != nil {
				w.unanswered(err)
				w.pause(ctx, wait)
				wait = min(2*wait, longestWait)
				continue
			}
			w.answered()
		}
		stream, err := w.engine.core.Pods(w.engine.namespace).Watch(ctx, metav1.ListOptions{
			LabelSelector: jobNameLabel + "=" + name(w.run), ResourceVersion: w.version, AllowWatchBookmarks: true,
		})
		moved := false
		switch {
		case err == nil:
			w.answered()
			moved = w.consume(ctx, stream)
			stream.Stop()
		case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
			w.version = ""
		default:
			w.unanswered(err)
		}
		if moved {
			wait = firstWait
		}
		w.pause(ctx, wait)
		wait = min(2*wait, longestWait)
	}
}

// list looks at everything anew.
func (w *watcher) list(ctx context.Context) error {
	job, err := w.engine.jobs.Get(ctx, name(w.run), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if err != nil {
		job = nil
	}
	pods, err := w.engine.core.Pods(w.engine.namespace).List(ctx,
		metav1.ListOptions{LabelSelector: jobNameLabel + "=" + name(w.run)})
	if err != nil {
		return err
	}
	w.version = pods.ResourceVersion
	newest := map[int]*corev1.Pod{}
	for i := range pods.Items {
		p := &pods.Items[i]
		if index := indexOf(p); index >= 0 &&
			(newest[index] == nil || newest[index].CreationTimestamp.Before(&p.CreationTimestamp)) {
			newest[index] = p
		}
	}
	for _, p := range newest {
		w.see(p)
	}
	n := 0
	if job != nil {
		n = completions(job)
	}
	for index := range w.spots {
		n = max(n, index+1)
	}
	for index := range n {
		if newest[index] == nil {
			w.missing(index, job)
		}
	}
	return nil
}

// missing judges a shard that has no pod.
func (w *watcher) missing(index int, job *batchv1.Job) {
	last, known := w.spots[index]
	s, cause := shards.Sight{Index: index, State: shards.Pending}, ""
	if known {
		if over(last.sight.State) {
			return
		}
		s.Name, s.Node = last.sight.Name, last.sight.Node
	}
	why := endedIndex(job, index)
	switch {
	case why != "":
		s.State, s.Reason = shards.Gone, why
	case s.Name != "":
		s.State, s.Reason = shards.Gone, "its pod was deleted"
		if last.sight.State == shards.Leaving {
			s.Reason += "; " + last.sight.Reason
		}
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		s.Reason, cause = "its Job is suspended", "suspended"
	}
	w.put(s, cause)
}

// see takes in a pod.
func (w *watcher) see(p *corev1.Pod) {
	s, cause := look(p)
	if s.Index < 0 {
		return
	}
	if last, known := w.spots[s.Index]; known && cause == "" && s.State == shards.Pending &&
		last.sight.State == shards.Pending && last.sight.Name == s.Name && last.cause == "events" {
		s.Reason, cause = last.sight.Reason, last.cause // what only events tell stays true until the pod moves on
	}
	w.put(s, cause)
}

// lose takes in that a pod is gone, with its last state.
func (w *watcher) lose(p *corev1.Pod) {
	s, _ := look(p)
	if s.Index < 0 {
		return
	}
	if last, known := w.spots[s.Index]; known && last.sight.Name != s.Name {
		return // another pod has taken its place
	}
	if !over(s.State) {
		reason := "its pod was deleted"
		if s.Reason != "" && s.Reason != "its pod is being deleted" {
			reason += "; " + s.Reason
		}
		s.State, s.Reason = shards.Gone, reason
	}
	w.put(s, "")
}

// put keeps a sight and notes whether it is news.
func (w *watcher) put(s shards.Sight, cause string) {
	last, known := w.spots[s.Index]
	now := w.engine.clock.now()
	since := now
	if known && last.cause == cause && last.sight.State == s.State {
		since = last.since
	}
	if known && last.cause == cause && same(last.sight, s) {
		return
	}
	w.spots[s.Index] = &spot{sight: s, cause: cause, since: since}
	w.changed[s.Index] = true
}

func same(a, b shards.Sight) bool {
	return a.Name == b.Name && a.Node == b.Node && a.State == b.State && a.Reason == b.Reason &&
		a.Hopeless == b.Hopeless && string(a.Message) == string(b.Message)
}

// news returns the sights that were not told yet.
func (w *watcher) news() []shards.Sight {
	var all []shards.Sight
	for index := range w.spots {
		if w.changed[index] {
			s := w.spots[index]
			told := s.sight
			if told.State == shards.Pending && told.Reason != "" {
				told.Since = w.engine.clock.now().Sub(s.since)
			}
			all = append(all, told)
		}
	}
	slices.SortFunc(all, func(a, b shards.Sight) int { return cmp.Compare(a.Index, b.Index) })
	return all
}

// offer returns the changes and the channel that takes them; with nothing to tell the channel is nil, which a select
// passes over.
func (w *watcher) offer() (chan<- []shards.Sight, []shards.Sight) {
	news := w.news()
	if len(news) == 0 {
		return nil, nil
	}
	return w.out, news
}

// consume takes events until the stream ends. It tells whether there were any, so that a stream that always breaks at
// once is not asked for at once.
func (w *watcher) consume(ctx context.Context, stream watch.Interface) (moved bool) {
	impatient := w.engine.clock.after(patience)
	for {
		out, news := w.offer()
		select {
		case <-ctx.Done():
			return moved
		case out <- news:
			clear(w.changed)
		case <-impatient:
			w.explain(ctx)
			impatient = w.engine.clock.after(patience)
		case event, open := <-stream.ResultChan():
			if !open {
				return moved
			}
			if event.Type == watch.Error {
				w.version = "" // mostly 410 Gone: the place is too old
				return moved
			}
			p, ok := event.Object.(*corev1.Pod)
			if !ok {
				continue
			}
			moved = true
			w.version = p.ResourceVersion
			switch event.Type {
			case watch.Added, watch.Modified:
				w.see(p)
			case watch.Deleted:
				w.lose(p)
			}
		}
	}
}

// pause waits, and tells meanwhile.
func (w *watcher) pause(ctx context.Context, wait time.Duration) {
	passed := w.engine.clock.after(wait)
	for {
		out, news := w.offer()
		select {
		case <-ctx.Done():
			return
		case out <- news:
			clear(w.changed)
		case <-passed:
			return
		}
	}
}

// unanswered notes an attempt that failed, and tells it when it is no mere hiccup.
func (w *watcher) unanswered(err error) {
	w.failed++
	if w.failed == unansweredN {
		w.engine.notice(fmt.Sprintf("%v; what runs goes on, and it is asked again",
			w.engine.sentence("watching the pods of the run "+w.run, err)))
	}
}

func (w *watcher) answered() {
	if w.failed >= unansweredN {
		w.engine.notice("watching the pods of the run " + w.run + ": the API server answers again")
	}
	w.failed = 0
}
