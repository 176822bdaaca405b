//go:build kubernetes

package kubernetes

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"agstest/load/shards"
)

// shardPod is the pod of a shard of the run a1b2.
func shardPod(index int, phase corev1.PodPhase, changes ...func(*corev1.Pod)) *corev1.Pod {
	digit := string(rune('0' + index))
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:        "agstest-a1b2-" + digit + "-x",
			Labels:      map[string]string{jobNameLabel: "agstest-a1b2", indexLabel: digit},
			Annotations: map[string]string{indexLabel: digit},
		},
		Spec:   corev1.PodSpec{NodeName: "n1"},
		Status: corev1.PodStatus{Phase: phase},
	}
	if phase == corev1.PodRunning {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "shard", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func terminated(code int32, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "shard", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}}}}
	}
}

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: status, Reason: reason, Message: message})
	}
}

func deleted(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }

func (c *cluster) startJob(change ...func(*batchv1.Job)) {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "agstest-a1b2"}, Spec: batchv1.JobSpec{Completions: new(int32(3))}}
	for _, f := range change {
		f(job)
	}
	c.put("jobs", "agstest-a1b2", job)
}

// next waits for what is told of a shard, until it is what is wanted.
func next(t *testing.T, told <-chan []shards.Sight, wanted func(shards.Sight) bool) shards.Sight {
	t.Helper()
	for {
		select {
		case sights, open := <-told:
			require.True(t, open, "the watch ended")
			for _, s := range sights {
				if wanted(s) {
					return s
				}
			}
		case <-t.Context().Done():
			require.Fail(t, "nothing more is told")
		case <-time.After(20 * time.Second):
			require.Fail(t, "nothing more is told")
		}
	}
}

func is(index int, state shards.State) func(shards.Sight) bool {
	return func(s shards.Sight) bool { return s.Index == index && s.State == state }
}

func TestWatchTellsEveryShardAtOnceAndThenEachChange(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.startJob()
	c.tell("ADDED", shardPod(1, corev1.PodRunning))
	e, _ := c.engine(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	told := e.Watch(ctx, "a1b2")
	assert.Equal(t, []shards.Sight{
		{Index: 0, State: shards.Pending},
		{Index: 1, Name: "agstest-a1b2-1-x", Node: "n1", State: shards.Running},
		{Index: 2, State: shards.Pending},
	}, <-told)
	c.tell("ADDED", shardPod(0, corev1.PodRunning))
	assert.Equal(t, []shards.Sight{{Index: 0, Name: "agstest-a1b2-0-x", Node: "n1", State: shards.Running}}, <-told)
	c.tell("MODIFIED", shardPod(0, corev1.PodSucceeded, terminated(0, "Completed", `{"phase":"done"}`)))
	assert.Equal(t, []shards.Sight{{Index: 0, Name: "agstest-a1b2-0-x", Node: "n1", State: shards.Succeeded, Message: []byte(`{"phase":"done"}`)}}, <-told)
	// An evicted pod is first marked, then deleted, then fails, then is gone; its last words stay known.
	evicted := condition(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", "Eviction API: evicting")
	c.tell("MODIFIED", shardPod(1, corev1.PodRunning, evicted, deleted))
	assert.Equal(t, []shards.Sight{{Index: 1, Name: "agstest-a1b2-1-x", Node: "n1", State: shards.Leaving,
		Reason: "it was evicted, as by a drain of its node (EvictionByEvictionAPI): Eviction API: evicting"}}, <-told)
	gone := shardPod(1, corev1.PodFailed, evicted, deleted, terminated(130, "Error", `{"phase":"failed"}`))
	c.tell("MODIFIED", gone)
	want := []shards.Sight{{Index: 1, Name: "agstest-a1b2-1-x", Node: "n1", State: shards.Failed, Message: []byte(`{"phase":"failed"}`),
		Reason: "it was evicted, as by a drain of its node (EvictionByEvictionAPI): Eviction API: evicting; its process ended with exit code 130"}}
	assert.Equal(t, want, <-told)
	c.tell("DELETED", gone) // nothing new
	c.tell("DELETED", shardPod(0, corev1.PodRunning))
	assert.Equal(t, []shards.Sight{{Index: 0, Name: "agstest-a1b2-0-x", Node: "n1", State: shards.Gone, Reason: "its pod was deleted"}}, <-told)
	cancel()
	for range told {
	}
}

// A watch that is cut goes on where it was: what happened meanwhile is told too, and nothing is listed again.
func TestWatchIsResumedWhereItBroke(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.startJob()
	c.tell("ADDED", shardPod(0, corev1.PodRunning))
	var mu sync.Mutex
	var notices []string // guarded by mu
	e, _ := c.engine(t, Options{Notice: func(sentence string) {
		mu.Lock()
		defer mu.Unlock()
		notices = append(notices, sentence)
	}})
	told := e.Watch(t.Context(), "a1b2")
	next(t, told, is(0, shards.Running))
	c.tell("MODIFIED", shardPod(0, corev1.PodRunning, deleted))
	next(t, told, is(0, shards.Leaving))
	c.fail("WATCH pods", 503, 500, 429) // the API server is started anew
	c.breakWatches()
	gone := shardPod(0, corev1.PodFailed, deleted, terminated(7, "Error", "last words"))
	c.tell("MODIFIED", gone)
	c.tell("DELETED", gone)
	s := next(t, told, is(0, shards.Failed))
	assert.Equal(t, "last words", string(s.Message))
	assert.Equal(t, 1, c.called("GET pods"), "lists")
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, notices, 2)
	assert.Equal(t, "watching the pods of the run a1b2: the API server says: too many requests; what runs goes on, and it is asked again", notices[0])
	assert.Equal(t, "watching the pods of the run a1b2: the API server answers again", notices[1])
}

// Where the API server no longer knows the place, everything is listed again: a pod that is missing there is gone.
func TestWatchListsAgainWhenItsPlaceIsForgotten(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"an error in the stream", "an answer of 410"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.startJob()
			c.tell("ADDED", shardPod(0, corev1.PodRunning))
			c.tell("ADDED", shardPod(1, corev1.PodRunning))
			e, _ := c.engine(t, Options{})
			told := e.Watch(t.Context(), "a1b2")
			next(t, told, is(1, shards.Running))
			c.mu.Lock()
			delete(c.objects, "pods/agstest-a1b2-1-x")
			c.version = 500
			if how == "an error in the stream" {
				c.compacted = 400
			} else {
				c.script["WATCH pods"] = []int{410}
			}
			c.mu.Unlock()
			c.breakWatches()
			s := next(t, told, is(1, shards.Gone))
			assert.Equal(t, shards.Sight{Index: 1, Name: "agstest-a1b2-1-x", Node: "n1", State: shards.Gone, Reason: "its pod was deleted"}, s)
			c.tell("MODIFIED", shardPod(0, corev1.PodSucceeded))
			next(t, told, is(0, shards.Succeeded))
			assert.Equal(t, 2, c.called("GET pods"), "lists")
		})
	}
}

// A coordinator that collects a run later sees what became of shards whose pods are gone.
func TestWatchOfARunThatIsOver(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		job    func(*batchv1.Job)
		reason string
	}{
		{"failed index", func(j *batchv1.Job) { j.Status.FailedIndexes = new("0,2-3") }, "it failed and its pod was deleted"},
		{"completed index", func(j *batchv1.Job) { j.Status.CompletedIndexes = "1-2" }, "it ended and its pod was deleted"},
		{"deadline", func(j *batchv1.Job) {
			j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Message: "Job was active longer than specified deadline"}}
		}, "its Job was ended: Job was active longer than specified deadline"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.startJob(test.job)
			e, _ := c.engine(t, Options{})
			assert.Equal(t, test.reason, next(t, e.Watch(t.Context(), "a1b2"), is(2, shards.Gone)).Reason)
		})
	}
	c := newCluster(t)
	c.startJob(func(j *batchv1.Job) { j.Spec.Suspend = new(true) })
	e, _ := c.engine(t, Options{})
	assert.Equal(t, "its Job is suspended", next(t, e.Watch(t.Context(), "a1b2"), is(2, shards.Pending)).Reason)
}

// The events of the namespace tell what pods do not know: a quota that leaves no room, a policy, a volume that is not
// there.
func TestWatchAsksEventsWhyNothingHappens(t *testing.T) {
	t.Parallel()
	event := func(kind, object, reason, message string) corev1.Event {
		return corev1.Event{InvolvedObject: corev1.ObjectReference{Kind: kind, Name: object}, Reason: reason, Message: message}
	}
	const quota = `pods "agstest-a1b2-0-abcde" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9, limited: pods=9`
	const policy = `pods "agstest-a1b2-0-abcde" is forbidden: violates PodSecurity "restricted:latest": x`
	const mount = `MountVolume.SetUp failed for volume "secrets" : secret "ags" not found`
	for _, test := range []struct {
		name     string
		events   []corev1.Event
		status   int
		pods     []*corev1.Pod
		index    int
		want     string
		hopeless bool
	}{
		{"quota", []corev1.Event{event("Job", "agstest-a1b2", "SuccessfulCreate", "no"), event("Job", "agstest-a1b2", "FailedCreate", quota)}, 0, nil, 2, "its pod cannot be created: " + quota, false},
		{"policy", []corev1.Event{event("Job", "agstest-a1b2", "FailedCreate", policy)}, 0, nil, 2, "its pod cannot be created: " + policy, true},
		{"volume", []corev1.Event{event("Pod", "agstest-a1b2-0-x", "FailedMount", mount)}, 0, []*corev1.Pod{shardPod(0, corev1.PodPending)}, 0, "its container is not made: " + mount, false},
		{"no right", nil, 403, nil, 2, "its pod cannot be created for a reason that may not be read here: kubectl describe -n load job agstest-a1b2", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.startJob()
			c.events = test.events
			for _, p := range test.pods {
				c.tell("ADDED", p)
			}
			if test.status != 0 {
				c.fail("GET events", test.status)
			}
			e, k := c.engine(t, Options{})
			told := e.Watch(t.Context(), "a1b2")
			first := next(t, told, is(test.index, shards.Pending))
			assert.Empty(t, first.Reason, "a moment is no reason")
			k.pass(6 * time.Second)
			k.impatient <- time.Time{}
			s := next(t, told, is(test.index, shards.Pending))
			assert.Equal(t, test.want, s.Reason)
			assert.Equal(t, test.hopeless, s.Hopeless)
			assert.Equal(t, 6*time.Second, s.Since)
			c.tell("MODIFIED", shardPod(test.index, corev1.PodRunning))
			assert.Empty(t, next(t, told, is(test.index, shards.Running)).Reason)
		})
	}
}

// The time that a shard has been held up counts from its cause, whose words may change.
func TestSinceCountsFromTheCause(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.startJob()
	e, k := c.engine(t, Options{})
	none := func(message string) *corev1.Pod {
		return shardPod(0, corev1.PodPending, condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", message))
	}
	told := e.Watch(t.Context(), "a1b2")
	next(t, told, is(2, shards.Pending))
	k.pass(time.Minute)
	c.tell("ADDED", none("0/2 nodes are available: 2 Insufficient cpu."))
	s := next(t, told, is(0, shards.Pending))
	assert.Equal(t, "no node has room for it: 0/2 nodes are available: 2 Insufficient cpu", s.Reason)
	assert.Zero(t, s.Since)
	k.pass(70 * time.Second)
	c.tell("MODIFIED", none("0/3 nodes are available: 3 Insufficient cpu."))
	s = next(t, told, is(0, shards.Pending))
	assert.Equal(t, 70*time.Second, s.Since)
}
