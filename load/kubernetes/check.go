//go:build kubernetes

package kubernetes

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"

	"agstest/internal/failure"
)

// oldest minor version of Kubernetes 1 that ends an index for good when its pod fails (backoffLimitPerIndex) and does
// not replace a pod that is still dying (podReplacementPolicy) without a feature gate:
// https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index
const oldest = 29

// Check returns what is missing before anything is made: the options, the API server, its version, the namespace,
// rights. Create, which knows the size of the run, compares it with quotas.
func (e *Engine) Check(ctx context.Context) error {
	if _, err := e.options.check(); err != nil {
		return err
	}
	if err := e.checkVersion(ctx); err != nil {
		return err
	}
	// A user with a role only in a namespace often may not look at the namespace itself, and need not.
	_, err := e.core.Namespaces().Get(ctx, e.namespace, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return failure.Setupf("there is no namespace %s on %s; create it or give another --namespace", e.namespace,
			e.config.Host)
	case err != nil && !apierrors.IsForbidden(err):
		return e.sentence("looking at the namespace "+e.namespace, err)
	}
	return e.checkRights(ctx)
}

func (e *Engine) checkVersion(ctx context.Context) error {
	text, err := e.core.RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return e.sentence("asking for the version of Kubernetes", err)
	}
	var v version.Info
	if err := json.Unmarshal(text, &v); err != nil || v.GitVersion == "" {
		return failure.Setupf(
			"%s does not answer as an API server of Kubernetes does; see whether --context is the right one",
			e.config.Host)
	}
	minor, err := strconv.Atoi(strings.TrimRight(v.Minor, "+")) // some providers write 29+
	if v.Major != "1" || err == nil && minor >= oldest {
		return nil
	}
	return failure.Setupf(
		"the cluster %s runs Kubernetes %s; shards need 1.%d or later, whose Jobs do not start a failed index again",
		e.config.Host, v.GitVersion, oldest)
}

// checkRights asks for every right by itself: a list of all rules may leave out those that a webhook grants.
func (e *Engine) checkRights(ctx context.Context) error {
	var missing []rbacv1.PolicyRule
	for _, rule := range needed(e.options) {
		lacks := rbacv1.PolicyRule{APIGroups: rule.APIGroups}
		for _, kind := range rule.Resources {
			verbs, err := e.denied(ctx, rule.APIGroups[0], kind, rule.Verbs)
			if err != nil {
				return err
			}
			if len(verbs) > 0 {
				lacks.Resources = append(lacks.Resources, kind)
				lacks.Verbs = verbs
			}
		}
		if len(lacks.Resources) > 0 {
			missing = append(missing, lacks)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	text, err := yaml.Marshal(map[string]any{"rules": missing})
	if err != nil {
		return err
	}
	without := ""
	for _, rule := range missing {
		if slices.Contains(rule.Resources, "pods/portforward") {
			without = "; a load that has --without-forward needs no pods/portforward"
		}
	}
	return failure.Setupf("rights are missing in the namespace %s; ask for a Role with these, or for all that agstest "+
		"kubernetes rbac prints%s:\n%s", e.namespace, without, text)
}

// denied returns the verbs that are not allowed.
func (e *Engine) denied(ctx context.Context, group, kind string, verbs []string) ([]string, error) {
	var denied []string
	what, part, _ := strings.Cut(kind, "/")
	for _, verb := range verbs {
		review, err := e.rights.Create(ctx,
			&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: e.namespace, Verb: verb, Group: group,
					Resource: what, Subresource: part},
			}}, metav1.CreateOptions{})
		if apierrors.IsForbidden(err) {
			return nil, nil // a user who may not ask will see
		}
		if err != nil {
			return nil, e.sentence("asking for the rights in the namespace "+e.namespace, err)
		}
		if !review.Status.Allowed {
			denied = append(denied, verb)
		}
	}
	return denied, nil
}

// checkQuota holds the quotas of the namespace, where they may be read, against a run.
func (e *Engine) checkQuota(ctx context.Context, o *objects) error {
	quotas, err := e.core.ResourceQuotas(e.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil // most roles may not; the Job controller will say, see events.go
	}
	n := int64(*o.job.Spec.Completions)
	resources := o.job.Spec.Template.Spec.Containers[0].Resources
	wanted := corev1.ResourceList{
		corev1.ResourcePods:       *resource.NewQuantity(n, resource.DecimalSI),
		"count/pods":              *resource.NewQuantity(n, resource.DecimalSI),
		"count/jobs.batch":        *resource.NewQuantity(1, resource.DecimalSI),
		corev1.ResourceConfigMaps: *resource.NewQuantity(1, resource.DecimalSI),
		"count/configmaps":        *resource.NewQuantity(1, resource.DecimalSI),
	}
	if o.secret != nil {
		wanted[corev1.ResourceSecrets] = *resource.NewQuantity(1, resource.DecimalSI)
		wanted["count/secrets"] = *resource.NewQuantity(1, resource.DecimalSI)
	}
	for kind, each := range resources.Requests {
		each.Mul(n)
		wanted[kind], wanted["requests."+kind] = each, each
	}
	for kind, each := range resources.Limits {
		each.Mul(n)
		wanted["limits."+kind] = each
	}
	for _, quota := range quotas.Items {
		if len(quota.Spec.Scopes) > 0 || quota.Spec.ScopeSelector != nil {
			continue // whether it is ours depends on more than we should guess
		}
		for kind, hard := range quota.Status.Hard {
			want, ok := wanted[kind]
			if !ok {
				continue
			}
			used := quota.Status.Used[kind]
			left := hard.DeepCopy()
			left.Sub(used)
			if want.Cmp(left) > 0 {
				return failure.Setupf("the quota %s of the namespace %s is too small for %d shards: they need %s of %s, and %s "+
					"of %s is left; ask for more, or use fewer shards or a smaller --cpu or --memory",
					quota.Name, e.namespace, n, want.String(), kind, left.String(), hard.String())
			}
		}
	}
	return nil
}
