//go:build kubernetes

package kubernetes

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"agstest/internal/failure"
	"agstest/load/shards"
)

// cleanupWithin is how long the objects of a run that could not begin are tried to be removed.
const cleanupWithin = 30 * time.Second

// Create makes the suspended Job, then the objects that belong to it, then lets the Job start, so that deleting the Job
// removes everything at any time. Before it returns an error it removes all it made.
func (e *Engine) Create(ctx context.Context, work shards.Work) error {
	all, err := describe(e.options, e.namespace, work)
	if err != nil {
		return err
	}
	if err := e.checkQuota(ctx, all); err != nil {
		return err
	}
	job, err := e.jobs.Create(ctx, all.job, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return failure.Setupf(
			"creating the run %s: a Job %s is in the namespace %s already; remove it with agstest kubernetes clean %s",
			work.Run, all.job.Name, e.namespace, work.Run)
	}
	made := err == nil
	if made {
		err = e.fill(ctx, job, all)
	} else {
		err = e.sentence("creating the Job "+all.job.Name, err)
	}
	if err == nil {
		return nil
	}
	var status apierrors.APIStatus
	if refused := errors.As(err, &status) && !passing(err); refused && !made {
		return err // nothing is there
	}
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupWithin)
	defer cancel()
	return errors.Join(err, e.Remove(cleanup, work.Run))
}

// fill makes what belongs to the Job and starts it.
func (e *Engine) fill(ctx context.Context, job *batchv1.Job, all *objects) error {
	owner := []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: job.Name, UID: job.UID,
		Controller: new(true)}}
	all.plan.OwnerReferences = owner
	if _, err := e.core.ConfigMaps(e.namespace).Create(ctx, all.plan, metav1.CreateOptions{}); err != nil {
		return e.sentence("creating the ConfigMap "+all.plan.Name, err)
	}
	if all.secret != nil {
		all.secret.OwnerReferences = owner
		if _, err := e.core.Secrets(e.namespace).Create(ctx, all.secret, metav1.CreateOptions{}); err != nil {
			return e.sentence("creating the Secret "+all.secret.Name, err)
		}
	}
	if _, err := e.jobs.Patch(ctx, job.Name, types.MergePatchType, []byte(`{"spec":{"suspend":false}}`),
		metav1.PatchOptions{}); err != nil {
		return e.sentence("starting the Job "+job.Name, err)
	}
	return nil
}

// Remove deletes the Job of a run, and with it all that belongs to it; the pods get their time to end. It tries until
// ctx ends, since a run that stays may go on sending. Nothing to delete is no error.
func (e *Engine) Remove(ctx context.Context, run string) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := e.jobs.Delete(ctx, name(run),
			metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
		if err == nil || apierrors.IsNotFound(err) {
			return nil
		}
		refused := e.sentence("removing the Job "+name(run), err)
		if ctx.Err() != nil || !passing(err) {
			return refused
		}
		select {
		case <-ctx.Done():
			return failure.Setupf("%w; it is still there: kubectl delete -n %s job %s", refused, e.namespace, name(run))
		case <-e.clock.after(wait):
		}
	}
}

// Find reads back the work of a run, without the secrets but the token.
func (e *Engine) Find(ctx context.Context, run string) (*shards.Work, error) {
	job, err := e.job(ctx, run)
	if err != nil {
		return nil, err
	}
	work := &shards.Work{Run: run, Shards: completions(job), Files: map[string][]byte{}, Secrets: map[string][]byte{}}
	if job.Spec.ActiveDeadlineSeconds != nil {
		work.Within = time.Duration(*job.Spec.ActiveDeadlineSeconds) * time.Second
	}
	plan, err := e.core.ConfigMaps(e.namespace).Get(ctx, name(run), metav1.GetOptions{})
	if err != nil {
		return nil, e.sentence("reading the plan of the run "+run, err)
	}
	for file, content := range plan.Data {
		work.Files[file] = []byte(content)
	}
	for file, content := range plan.BinaryData {
		work.Files[file] = content
	}
	if shards.Alone(work.Files[shards.PlanFile]) { // nobody connects to its shards, and there is no token
		return work, nil
	}
	if token, here := work.Files[shards.TokenFile]; here { // Options.SecretRef
		delete(work.Files, shards.TokenFile)
		work.Secrets[shards.TokenFile] = token
		return work, nil
	}
	secret, err := e.core.Secrets(e.namespace).Get(ctx, name(run), metav1.GetOptions{})
	if err != nil {
		return nil, e.sentence("reading the token of the run "+run, err)
	}
	if token, ok := secret.Data[shards.TokenFile]; ok {
		work.Secrets[shards.TokenFile] = token
	}
	return work, nil
}

// job reads the Job of a run; if there is none, the error is a sentence.
func (e *Engine) job(ctx context.Context, run string) (*batchv1.Job, error) {
	job, err := e.jobs.Get(ctx, name(run), metav1.GetOptions{})
	if apierrors.IsNotFound(err) && !namespaceMissing(err) {
		return nil, failure.Setupf("there is no run %s in the namespace %s; agstest kubernetes list shows what there is, "+
			"and an ended run is removed when its time is over", run, e.namespace)
	}
	return job, e.sentence("looking for the run "+run, err)
}

func completions(job *batchv1.Job) int {
	if job.Spec.Completions == nil {
		return 1
	}
	return int(*job.Spec.Completions)
}

// Listed is a run that the namespace holds.
type Listed struct {
	Run       string
	Created   time.Time // by the clock of the cluster
	Shards    int
	Active    int // pods that have not ended
	Succeeded int
	Failed    int
	State     string // suspended, running, complete or failed
	Reason    string // of failed
}

// Runs lists the runs of the namespace, the youngest first.
func (e *Engine) Runs(ctx context.Context) ([]Listed, error) {
	selector := metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: map[string]string{
		"app.kubernetes.io/managed-by": appName, "app.kubernetes.io/component": component,
	}})
	jobs, err := e.jobs.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, e.sentence("listing the runs of the namespace "+e.namespace, err)
	}
	runs := []Listed{}
	for _, job := range jobs.Items {
		l := Listed{
			Run: job.Labels["app.kubernetes.io/instance"], Created: job.CreationTimestamp.Time, Shards: completions(
				&job),
			Active: int(job.Status.Active), Succeeded: int(job.Status.Succeeded), Failed: int(
				job.Status.Failed), State: "running",
		}
		if job.Spec.Suspend != nil && *job.Spec.Suspend {
			l.State = "suspended"
		}
		for _, c := range job.Status.Conditions {
			if c.Status != corev1.ConditionTrue {
				continue
			}
			switch c.Type {
			case batchv1.JobComplete:
				l.State = "complete"
			case batchv1.JobFailed:
				l.State, l.Reason = "failed", c.Message
			}
		}
		runs = append(runs, l)
	}
	slices.SortFunc(runs,
		func(a, b Listed) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Run, b.Run)) })
	return runs, nil
}
