//go:build kubernetes

package kubernetes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"agstest/load/shards"
)

func waiting(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{
			{Name: "istio-proxy", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
			{Name: "shard", Image: "registry.test/agstest:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}},
		}
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	nodeGone := func(p *corev1.Pod) {
		condition(corev1.PodReady, corev1.ConditionFalse, "", "")(p)
		condition(corev1.ContainersReady, corev1.ConditionTrue, "", "")(p)
	}
	for _, test := range []struct {
		name     string
		pod      *corev1.Pod
		state    shards.State
		reason   string
		hopeless bool
		message  string
	}{
		{"made", shardPod(0, corev1.PodPending), shards.Pending, "", false, ""},
		{"container is being made", shardPod(0, corev1.PodPending, waiting("ContainerCreating", "")), shards.Pending, "", false, ""},
		{"no room", shardPod(0, corev1.PodPending, condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.")),
			shards.Pending, "no node has room for it: 0/1 nodes are available: 1 Insufficient cpu", false, ""},
		{"gated", shardPod(0, corev1.PodPending, condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulingGated", "waits for a gate")),
			shards.Pending, "it is held back from the scheduler: waits for a gate", false, ""},
		{"image not there", shardPod(0, corev1.PodPending, waiting("ErrImagePull", "manifest unknown")),
			shards.Pending, "its image registry.test/agstest:1 cannot be pulled (ErrImagePull): manifest unknown", true, ""},
		{"image still not there", shardPod(0, corev1.PodPending, waiting("ImagePullBackOff", `Back-off pulling image "registry.test/agstest:1"`)),
			shards.Pending, `its image registry.test/agstest:1 cannot be pulled (ImagePullBackOff): Back-off pulling image "registry.test/agstest:1"`, true, ""},
		{"configuration refused", shardPod(0, corev1.PodPending, waiting("CreateContainerConfigError", `secret "x" not found`)),
			shards.Pending, `its container cannot be started (CreateContainerConfigError): secret "x" not found`, true, ""},
		{"running", shardPod(0, corev1.PodRunning), shards.Running, "", false, ""},
		{"running and ready", shardPod(0, corev1.PodRunning, condition(corev1.PodReady, corev1.ConditionTrue, "", ""), condition(corev1.ContainersReady, corev1.ConditionTrue, "", "")), shards.Running, "", false, ""},
		{"node silent", shardPod(0, corev1.PodRunning, nodeGone), shards.Unsure, "its node n1 does not answer", false, ""},
		{"node silent and given up", shardPod(0, corev1.PodRunning, nodeGone, deleted, condition(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByTaintManager", "")), shards.Unsure, "its node n1 does not answer", false, ""},
		{"deleted", shardPod(0, corev1.PodRunning, deleted), shards.Leaving, "its pod is being deleted", false, ""},
		{"preempted", shardPod(0, corev1.PodRunning, condition(corev1.DisruptionTarget, corev1.ConditionTrue, "PreemptionByScheduler", "for pod x")), shards.Leaving, "it makes room for a pod of higher priority (PreemptionByScheduler): for pod x", false, ""},
		{"node shuts down", shardPod(0, corev1.PodRunning, condition(corev1.DisruptionTarget, corev1.ConditionTrue, "TerminationByKubelet", "")), shards.Leaving, "its node ended it, for lack of room or at its shutdown (TerminationByKubelet)", false, ""},
		{"no disruption after all", shardPod(0, corev1.PodRunning, condition(corev1.DisruptionTarget, corev1.ConditionFalse, "PreemptionByScheduler", "")), shards.Running, "", false, ""},
		{"done", shardPod(0, corev1.PodSucceeded, terminated(0, "Completed", "{}")), shards.Succeeded, "", false, "{}"},
		{"failed", shardPod(0, corev1.PodFailed, terminated(7, "Error", "{}")), shards.Failed, "its process ended with exit code 7", false, "{}"},
		{"ended while the phase lags", shardPod(0, corev1.PodRunning, terminated(3, "Error", "{}")), shards.Failed, "its process ended with exit code 3", false, "{}"},
		{"out of memory", shardPod(0, corev1.PodFailed, terminated(137, "OOMKilled", ""), func(p *corev1.Pod) {
			p.Spec.Containers = []corev1.Container{{Name: "shard", Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"memory": resource.MustParse("512Mi")}}}}
		}), shards.Failed, "it was killed for lack of memory (OOMKilled, exit code 137, limit 512Mi); give more with --memory", false, ""},
		{"wrong platform", shardPod(0, corev1.PodFailed, terminated(128, "StartError", "exec format error")), shards.Failed, "its process could not be started: exec format error", false, ""},
		{"evicted by the node", shardPod(0, corev1.PodFailed, func(p *corev1.Pod) {
			p.Status.Reason, p.Status.Message = "Evicted", "The node was low on resource: memory."
		}), shards.Failed, "it failed: Evicted: The node was low on resource: memory", false, ""},
		{"past the deadline", shardPod(0, corev1.PodFailed, func(p *corev1.Pod) { p.Status.Reason = "DeadlineExceeded" }, terminated(143, "Error", "{}")),
			shards.Failed, "DeadlineExceeded; its process ended with exit code 143", false, "{}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _ := look(test.pod)
			want := shards.Sight{Index: 0, Name: "agstest-a1b2-0-x", Node: "n1", State: test.state, Reason: test.reason, Hopeless: test.hopeless}
			if test.message != "" {
				want.Message = []byte(test.message)
			}
			assert.Equal(t, want, s)
		})
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for list, indexes := range map[string][]int{"": nil, "3": {3}, "0,2-4": {0, 2, 3, 4}, "x-2,1": {1}} {
		var in []int
		for i := range 6 {
			if within(list, i) {
				in = append(in, i)
			}
		}
		assert.Equal(t, indexes, in, list)
	}
}
