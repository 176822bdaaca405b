//go:build kubernetes

package kubernetes

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"agstest/load/shards"
)

// explain asks the events of the namespace about shards that are pending for no reason that their pods know: the Job
// controller that may not create a pod (quota, Pod Security), a volume that cannot be mounted. Events may be read with
// a right that is useful and not needed; without it there is a hint where to look.
func (w *watcher) explain(ctx context.Context) {
	now := w.engine.clock.now()
	var without, waiting *spot
	for _, s := range w.spots {
		if s.sight.State != shards.Pending || s.cause != "" && s.cause != "events" || now.Sub(s.since) < patience {
			continue
		}
		if s.sight.Name == "" {
			without = s
		} else if waiting == nil || s.sight.Index < waiting.sight.Index {
			waiting = s // one is enough: the others wait for the same
		}
	}
	if without != nil {
		reason, hopeless := w.event(ctx, "Job", name(w.run), "its pod cannot be created", "FailedCreate")
		for _, s := range w.spots {
			if s.sight.State == shards.Pending && s.sight.Name == "" && (s.cause == "" || s.cause == "events") {
				w.reason(s, reason, hopeless)
			}
		}
	}
	if waiting != nil {
		reason, _ := w.event(ctx, "Pod", waiting.sight.Name, "its container is not made", "FailedMount",
			"FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady")
		w.reason(waiting, reason, false)
	}
}

// reason gives a pending shard the reason that events tell. The time it has waited stays counted from when it began to.
func (w *watcher) reason(s *spot, reason string, hopeless bool) {
	if reason == "" || s.sight.Reason == reason {
		return
	}
	s.cause, s.sight.Reason, s.sight.Hopeless = "events", reason, hopeless
	w.changed[s.sight.Index] = true
}

// event returns the newest event of an object with one of the reasons, as a sentence; empty if there is none.
func (w *watcher) event(ctx context.Context, kind, object, what string, reasons ...string) (sentence string,
	hopeless bool) {
	hint := fmt.Sprintf("%s for a reason that may not be read here: kubectl describe -n %s %s %s", what,
		w.engine.namespace, strings.ToLower(kind), object)
	if w.mute {
		return hint, false
	}
	events, err := w.engine.core.Events(w.engine.namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.kind": kind, "involvedObject.name": object}.String(),
	})
	if apierrors.IsForbidden(err) {
		w.mute = true
		return hint, false
	}
	if err != nil {
		return "", false
	}
	var newest *corev1.Event
	for i := range events.Items {
		e := &events.Items[i]
		for _, reason := range reasons {
			if e.Reason == reason && (newest == nil || newest.LastTimestamp.Before(&e.LastTimestamp)) {
				newest = e
			}
		}
	}
	if newest == nil {
		return "", false
	}
	return explained(what, newest.Message), refused(newest.Message)
}

// refused tells whether waiting cannot help: a policy of the namespace against the pod, a missing service account. A
// used-up quota (exceeded quota) may become free.
func refused(message string) bool {
	return strings.Contains(message, "violates PodSecurity") || strings.Contains(message, "failed quota: ") ||
		strings.Contains(message, "serviceaccount") && strings.Contains(message, "not found") ||
		strings.Contains(message, "no PriorityClass")
}
