//go:build kubernetes

package kubernetes

import (
	"bytes"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// needed are the rights that a run of these options cannot do without. Port forwarding asks for get over WebSocket
// before Kubernetes 1.35 and for create since then and over SPDY.
func needed(o Options) []rbacv1.PolicyRule {
	made := []string{"configmaps", "secrets"}
	if o.SecretRef != "" {
		made = made[:1]
	}
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: []string{"create", "get", "list", "patch", "delete"}},
		{APIGroups: []string{""}, Resources: made, Verbs: []string{"create"}},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list", "watch"}},
		{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"}},
	}
	if o.WithoutForward {
		return rules
	}
	return append(rules, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/portforward"},
		Verbs: []string{"create", "get"}})
}

// useful are rights that only let errors be told better: why a pod is not there, and that a quota is too small before a
// run.
var useful = []rbacv1.PolicyRule{
	{APIGroups: []string{""}, Resources: []string{"events", "resourcequotas"}, Verbs: []string{"list"}},
}

// collecting are the rights beyond the others to collect a run that another process began: its plan and its token are
// read back.
var collecting = []rbacv1.PolicyRule{
	{APIGroups: []string{""}, Resources: []string{"configmaps", "secrets"}, Verbs: []string{"get"}},
}

// Rules is the least that a person or a pipeline needs in the namespace, as YAML: a service account, its role, and a
// second role for collecting the runs of others, which is bound to nobody since it may read every Secret of the
// namespace. They are for the namespace of Options, "agstest" where it is empty, and leave out the Secrets of a run
// where Options name an existing one, and the forwarding of ports where Options do without.
func Rules(o Options) ([]byte, error) {
	if o.Namespace == "" {
		o.Namespace = appName
	}
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: o.Namespace,
			Labels: map[string]string{"app.kubernetes.io/name": appName}}
	}
	const collector = appName + "-collect"
	account := &corev1.ServiceAccount{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: meta(appName),
	}
	role := func(name string, rules []rbacv1.PolicyRule) *rbacv1.Role {
		return &rbacv1.Role{TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"},
			ObjectMeta: meta(name), Rules: rules}
	}
	binding := func(name string) *rbacv1.RoleBinding {
		return &rbacv1.RoleBinding{
			TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(),
				Kind: "RoleBinding"}, ObjectMeta: meta(name),
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: appName, Namespace: o.Namespace}},
		}
	}
	var b bytes.Buffer
	b.WriteString("# The least rights for agstest load --on kubernetes, in the namespace " + o.Namespace +
		", which must exist; put yours in its place.\n" +
		"# The pods of a run need none. Bind the roles to people as you like; the service account is for pipelines.\n")
	for _, part := range []struct {
		comment string
		object  any
	}{
		{"", account},
		{"# The last rule may be left out: it lets agstest say why a pod is not there, and that a quota is too small.\n", role(appName, append(needed(o), useful...))},
		{"", binding(appName)},
		{"# Only for collecting the runs of others (agstest kubernetes collect): it reads every Secret of the namespace. Nobody has it until it is\n" +
			"# bound: kubectl create rolebinding " + collector + " --role " + collector + " --user NAME --namespace " +
			o.Namespace + "\n", role(collector, collecting)},
	} {
		text, err := toYAML(part.object)
		if err != nil {
			return nil, err
		}
		b.WriteString("---\n" + part.comment)
		b.Write(text)
	}
	return b.Bytes(), nil
}
