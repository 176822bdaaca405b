//go:build kubernetes

package kubernetes

import (
	"fmt"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"agstest/load/shards"
)

// indexOf returns the shard of a pod; -1 for a pod that is no shard.
func indexOf(p *corev1.Pod) int {
	text, ok := p.Annotations[indexLabel]
	if !ok {
		text = p.Labels[indexLabel]
	}
	if i, err := strconv.Atoi(text); err == nil && i >= 0 {
		return i
	}
	return -1
}

// look reads the state of a shard from its pod. The cause is one word for the Reason, which stays the same while its
// sentence may change.
func look(p *corev1.Pod) (s shards.Sight, cause string) {
	s = shards.Sight{Index: indexOf(p), Name: p.Name, Node: p.Spec.NodeName}
	status := shardStatus(p)
	disruption := trueCondition(p, corev1.DisruptionTarget)
	switch {
	case status != nil && status.State.Terminated != nil:
		ended(&s, p, status.State.Terminated, disruption)
	case p.Status.Phase == corev1.PodSucceeded:
		s.State = shards.Succeeded
	case p.Status.Phase == corev1.PodFailed: // refused or evicted by its node, with no word of the container
		s.State, s.Reason = shards.Failed, "it failed"
		if disruption != nil {
			s.Reason = taken(disruption)
		}
		if why := explained(p.Status.Reason, p.Status.Message); why != "" {
			s.Reason += ": " + why
		}
	case nodeSilent(p):
		s.State, s.Reason = shards.Unsure, fmt.Sprintf("its node %s does not answer", p.Spec.NodeName)
	case p.DeletionTimestamp != nil || disruption != nil:
		s.State, s.Reason = shards.Leaving, "its pod is being deleted"
		if disruption != nil {
			s.Reason = taken(disruption)
		}
	case status != nil && status.State.Running != nil:
		s.State = shards.Running
	default:
		cause = pending(&s, p, status)
	}
	return s, cause
}

// shardStatus returns the status of our container; a mesh may have put others beside it.
func shardStatus(p *corev1.Pod) *corev1.ContainerStatus {
	for i := range p.Status.ContainerStatuses {
		if p.Status.ContainerStatuses[i].Name == container {
			return &p.Status.ContainerStatuses[i]
		}
	}
	return nil
}

func ended(s *shards.Sight, p *corev1.Pod, t *corev1.ContainerStateTerminated, disruption *corev1.PodCondition) {
	s.State = shards.Succeeded
	if t.Message != "" {
		s.Message = []byte(t.Message)
	}
	if t.ExitCode == 0 {
		return
	}
	s.State, s.Reason = shards.Failed, fmt.Sprintf("its process ended with exit code %d", t.ExitCode)
	switch t.Reason {
	case "OOMKilled":
		s.Reason = fmt.Sprintf("it was killed for lack of memory (OOMKilled, exit code %d%s); give more with --memory",
			t.ExitCode, memoryLimit(p))
	case "StartError", "ContainerCannotRun":
		s.Reason = "its process could not be started: " + t.Message
		s.Message = nil // the message is the node's
	case "Error", "":
	default:
		s.Reason += " (" + t.Reason + ")"
	}
	if disruption != nil {
		s.Reason = taken(disruption) + "; " + s.Reason
	} else if p.Status.Reason != "" {
		s.Reason = explained(p.Status.Reason, p.Status.Message) + "; " + s.Reason
	}
}

func memoryLimit(p *corev1.Pod) string {
	for _, c := range p.Spec.Containers {
		if c.Name == container {
			if limit, ok := c.Resources.Limits[corev1.ResourceMemory]; ok {
				return ", limit " + limit.String()
			}
		}
	}
	return ""
}

// taken says why a pod is taken away:
// https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
func taken(c *corev1.PodCondition) string {
	who := map[string]string{
		"PreemptionByScheduler":              "it makes room for a pod of higher priority",
		"DeletionByTaintManager":             "its node was tainted and it does not tolerate that",
		"EvictionByEvictionAPI":              "it was evicted, as by a drain of its node",
		"DeletionByPodGC":                    "its node is gone",
		corev1.PodReasonTerminationByKubelet: "its node ended it, for lack of room or at its shutdown",
	}[c.Reason]
	if who == "" {
		who = "it is taken away"
	}
	return explained(who+" ("+c.Reason+")", c.Message)
}

func explained(what, message string) string {
	message = strings.TrimRight(strings.TrimSpace(message), ".")
	if what == "" || message == "" {
		return what + message
	}
	return what + ": " + message
}

func trueCondition(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i, c := range p.Status.Conditions {
		if c.Type == kind && c.Status == corev1.ConditionTrue {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// nodeSilent holds when the control plane has taken back that a pod is ready, while its node last said that the
// container is: a shard has no readiness probe, so that the two are otherwise the same.
func nodeSilent(p *corev1.Pod) bool {
	ready, containers := corev1.ConditionUnknown, corev1.ConditionUnknown
	for _, c := range p.Status.Conditions {
		switch c.Type {
		case corev1.PodReady:
			ready = c.Status
		case corev1.ContainersReady:
			containers = c.Status
		}
	}
	return p.Status.Phase == corev1.PodRunning && ready == corev1.ConditionFalse && containers == corev1.ConditionTrue
}

// pending fills in a shard that does not run yet.
func pending(s *shards.Sight, p *corev1.Pod, status *corev1.ContainerStatus) (cause string) {
	s.State = shards.Pending
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			s.Reason = explained("no node has room for it", c.Message)
			if c.Reason == corev1.PodReasonSchedulingGated {
				s.Reason = explained("it is held back from the scheduler", c.Message)
			}
			return c.Reason
		}
	}
	if status == nil || status.State.Waiting == nil {
		return ""
	}
	waiting := status.State.Waiting
	switch waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
		"RegistryUnavailable", "SignatureValidationFailed":
		s.Reason = explained(fmt.Sprintf("its image %s cannot be pulled (%s)", status.Image, waiting.Reason),
			waiting.Message)
		s.Hopeless = true
		return "image"
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError",
		"PostStartHookError", "CrashLoopBackOff":
		s.Reason = explained(fmt.Sprintf("its container cannot be started (%s)", waiting.Reason), waiting.Message)
		s.Hopeless = true
		return "container"
	}
	return "" // ContainerCreating and PodInitializing are the usual way
}

// endedIndex says why no pod of an index will come any more; empty: one may.
func endedIndex(job *batchv1.Job, index int) string {
	if job == nil {
		return "its Job was removed"
	}
	for _, c := range job.Status.Conditions {
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobFailed || c.Type == batchv1.JobFailureTarget) {
			return explained("its Job was ended", c.Message)
		}
		if c.Status == corev1.ConditionTrue && c.Type == batchv1.JobComplete {
			return "its Job has ended and its pod was deleted"
		}
	}
	if job.Status.FailedIndexes != nil && within(*job.Status.FailedIndexes, index) {
		return "it failed and its pod was deleted"
	}
	if within(job.Status.CompletedIndexes, index) {
		return "it ended and its pod was deleted"
	}
	return ""
}

// within reads a list of indexes such as 1,3-5,7.
func within(list string, index int) bool {
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err == nil && err2 == nil && from <= index && index <= to {
			return true
		}
	}
	return false
}
