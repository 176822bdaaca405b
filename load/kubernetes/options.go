//go:build kubernetes

package kubernetes

import (
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"agstest/internal/failure"
)

// Options choose the cluster and describe the pods of a run. The zero value is the cluster and the namespace that
// kubectl uses; only Image has no default.
type Options struct {
	Kubeconfig string // file; empty: as kubectl, $KUBECONFIG or ~/.kube/config, and inside a pod its service account
	Context    string // of the kubeconfig; empty: its current one
	Namespace  string // an existing one; empty: that of the context, else "default"

	Image      string // of agstest, in the version of the coordinator
	PullPolicy string // Always, IfNotPresent (also when empty), Never
	PullSecret string // name of an existing Secret for the image's registry
	// that the pods run under; empty: the namespace's default. They get no token of it.
	ServiceAccount string
	NodeSelector   map[string]string // labels of the nodes that may be used
	Tolerations    []string          // of tainted nodes: KEY, KEY=VALUE, KEY:EFFECT or KEY=VALUE:EFFECT
	PriorityClass  string            // name of an existing one
	CPU            string            // request of a shard, as "2" or "500m"; empty: "1"
	CPULimit       string            // empty: none, since a throttled generator measures itself
	Memory         string            // request and limit of a shard, as "1Gi"; empty: "512Mi"
	Spread         string            // over nodes: SpreadPreferred (also when empty) or SpreadRequired

	TTL  time.Duration // how long a Job that has ended stays there, in whole seconds; 0: an hour
	Keep bool          // it stays until somebody removes it; TTL does not count
	// name of an existing Secret that holds the files of Work.Secrets but the control token; none is created
	SecretRef      string
	WithoutForward bool // no port of a pod is forwarded, so that the right to do it is not needed
	// name of an existing PersistentVolumeClaim that keeps what shards write, each in RUN/INDEX
	ResultsVolume string

	// Notice, if given, gets a sentence about events that are no errors: that the API server is out of reach for a
	// while. It is called from several goroutines.
	Notice func(sentence string)
}

// How shards are spread over nodes: as even as there is room, or not more than one apart or not at all.
const (
	SpreadPreferred = "preferred"
	SpreadRequired  = "required"
)

const (
	container = "shard" // its name in the pod
	appName   = "agstest"
	component = "load-shard"
)

// maxShards and maxFiles are limits of a run: of the interface, and of a ConfigMap or Secret, which may hold 1 MiB with
// its metadata.
const (
	maxShards = 1000
	maxFiles  = 900 << 10 // bytes
)

// name of the Job, ConfigMap and Secret of a run.
func name(run string) string { return appName + "-" + run }

// labels stand on every object of a run.
func labels(run string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":       appName,
		"app.kubernetes.io/instance":   run,
		"app.kubernetes.io/component":  component,
		"app.kubernetes.io/managed-by": appName,
	}
}

// checkRun refuses an id that would not be the name of an object.
func checkRun(run string) error {
	// A pod's host name is <Job>-<index>, and a host name has at most 63 characters.
	if wrong := validation.IsDNS1123Label(name(run)); len(wrong) > 0 || len(name(run))+len("-999") > 63 {
		return failure.Usagef(
			"the id of a run on Kubernetes must be 1 to %d lower-case letters, digits or dashes, not %q",
			63-len("-999")-len(name("")), run)
	}
	return nil
}

// pod is the checked and parsed part of Options.
type pod struct {
	cpu, cpuLimit, memory resource.Quantity
	tolerations           []corev1.Toleration
	spread                corev1.UnsatisfiableConstraintAction
	pull                  corev1.PullPolicy
}

// check reads the options of the pods.
func (o Options) check() (*pod, error) {
	p := new(pod)
	if o.Image == "" {
		return nil, failure.Usagef(
			"there is no image for the shards: give --image; agstest image writes one for your registry")
	}
	if strings.ContainsAny(o.Image, " \t\r\n") {
		return nil, failure.Usagef("--image: %q is no name of an image", o.Image)
	}
	for _, quantity := range []struct {
		flag, text, otherwise string
		into                  *resource.Quantity
	}{{"--cpu", o.CPU, "1", &p.cpu}, {"--cpu-limit", o.CPULimit, "0", &p.cpuLimit}, {"--memory", o.Memory, "512Mi",
		&p.memory}} {
		text := quantity.text
		if text == "" {
			text = quantity.otherwise
		}
		q, err := resource.ParseQuantity(text)
		if err != nil || q.Sign() < 0 || q.Sign() == 0 && quantity.text != "" {
			return nil, failure.Usagef("%s: %q is no quantity of Kubernetes, such as 2, 500m or 1Gi", quantity.flag,
				quantity.text)
		}
		*quantity.into = q
	}
	if p.cpuLimit.Sign() > 0 && p.cpuLimit.Cmp(p.cpu) < 0 {
		return nil, failure.Usagef("--cpu-limit %s is below --cpu %s", p.cpuLimit.String(), p.cpu.String())
	}
	switch o.Spread {
	case "", SpreadPreferred:
		p.spread = corev1.ScheduleAnyway
	case SpreadRequired:
		p.spread = corev1.DoNotSchedule
	default:
		return nil, failure.Usagef("--spread must be %s or %s, not %q", SpreadPreferred, SpreadRequired, o.Spread)
	}
	switch o.PullPolicy {
	case "":
		p.pull = corev1.PullIfNotPresent
	case string(corev1.PullAlways), string(corev1.PullIfNotPresent), string(corev1.PullNever):
		p.pull = corev1.PullPolicy(o.PullPolicy)
	default:
		return nil, failure.Usagef("--pull-policy must be Always, IfNotPresent or Never, not %q", o.PullPolicy)
	}
	if err := o.place(p); err != nil {
		return nil, err
	}
	return p, nil
}

// place reads where pods may run and what they are given there.
func (o Options) place(p *pod) error {
	for label, value := range o.NodeSelector {
		if len(validation.IsQualifiedName(label)) > 0 || len(validation.IsValidLabelValue(value)) > 0 {
			return failure.Usagef("--node-selector: %q is no label of a node; write KEY=VALUE", label+"="+value)
		}
	}
	for _, text := range o.Tolerations {
		t, err := readToleration(text)
		if err != nil {
			return err
		}
		p.tolerations = append(p.tolerations, t)
	}
	for _, named := range [][2]string{{"--pull-secret", o.PullSecret}, {"--service-account", o.ServiceAccount},
		{"--priority-class", o.PriorityClass}, {"--secret-ref", o.SecretRef}, {"--results-volume", o.ResultsVolume}} {
		if named[1] != "" && len(validation.IsDNS1123Subdomain(named[1])) > 0 {
			return failure.Usagef("%s: %q is no name of an object of Kubernetes", named[0], named[1])
		}
	}
	if o.TTL < 0 || o.TTL%time.Second != 0 {
		return failure.Usagef("--ttl must be whole seconds, not %s", o.TTL)
	}
	return nil
}

var tolerationForm = regexp.MustCompile(`^([^=:\s]+)(=([^=:\s]*))?(:(NoSchedule|PreferNoSchedule|NoExecute))?$`)

// readToleration reads a toleration in the form in which kubectl taint writes taints.
func readToleration(text string) (corev1.Toleration, error) {
	parts := tolerationForm.FindStringSubmatch(text)
	if parts == nil || len(validation.IsQualifiedName(parts[1])) > 0 {
		return corev1.Toleration{}, failure.Usagef("--toleration: %q is none; write KEY, KEY=VALUE, KEY:EFFECT or "+
			"KEY=VALUE:EFFECT with an effect of NoSchedule, PreferNoSchedule or NoExecute", text)
	}
	t := corev1.Toleration{Key: parts[1], Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffect(parts[5])}
	if parts[2] != "" {
		t.Operator, t.Value = corev1.TolerationOpEqual, parts[3]
	}
	return t, nil
}

// ttl is nil where a Job stays.
func (o Options) ttl() *int32 {
	if o.Keep {
		return nil
	}
	seconds := int32(3600)
	if o.TTL > 0 {
		seconds = int32(min(o.TTL/time.Second, 1<<31-1))
	}
	return &seconds
}
