//go:build kubernetes

package kubernetes

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"agstest/internal/failure"
	"agstest/load/shards"
)

// Folders of a shard.
const (
	planFolder    = "/run/agstest/plan"    // Work.Files
	secretsFolder = "/run/agstest/secrets" // Work.Secrets
	outFolder     = "/run/agstest/out"     // what it writes
)

// nobody is the user and group of the image: one without rights on the node.
const nobody = 65532

// grace is how long an evicted shard has to hand over its result.
const grace = 30 * time.Second

// awayFor is how long a pod stays bound to a node that does not answer. The usual five minutes are longer than most
// runs.
const awayFor = 15 * time.Second

// objects are the objects of a run. The Job comes first: the others belong to it.
type objects struct {
	job    *batchv1.Job
	plan   *corev1.ConfigMap
	secret *corev1.Secret // nil where an existing one is used
}

// describe makes the objects of a run, without anything of a cluster. The Job is suspended.
func describe(o Options, namespace string, work shards.Work) (*objects, error) {
	p, err := o.check()
	if err != nil {
		return nil, err
	}
	if err := checkRun(work.Run); err != nil {
		return nil, err
	}
	if work.Shards < 1 || work.Shards > maxShards {
		return nil, failure.Usagef("a run has 1 to %d shards, not %d", maxShards, work.Shards)
	}
	if work.Within <= 0 {
		return nil, fmt.Errorf("a run of %s has no time to end in", work.Within)
	}
	if err := checkFiles("plan", "a ConfigMap", work.Files); err != nil {
		return nil, err
	}
	if err := checkFiles("secrets", "a Secret", work.Secrets); err != nil {
		return nil, err
	}
	meta := metav1.ObjectMeta{Name: name(work.Run), Namespace: namespace, Labels: labels(work.Run)}
	all := &objects{plan: &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: *meta.DeepCopy(),
		Immutable:  new(true),
		Data:       map[string]string{},
		BinaryData: map[string][]byte{},
	}}
	for file, content := range work.Files {
		if utf8.Valid(content) {
			all.plan.Data[file] = string(content)
		} else {
			all.plan.BinaryData[file] = content
		}
	}
	if o.SecretRef == "" {
		all.secret = &corev1.Secret{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: *meta.DeepCopy(),
			Immutable:  new(true),
			Type:       corev1.SecretTypeOpaque,
			Data:       maps.Clone(work.Secrets),
		}
	} else if token, ok := work.Secrets[shards.TokenFile]; ok {
		// Without the right to make a Secret the token of the run can only be here. It opens a port that only users who
		// may forward ports of the namespace's pods can reach.
		if _, taken := work.Files[shards.TokenFile]; taken {
			return nil, fmt.Errorf("the plan has a file of its own named %s", shards.TokenFile)
		}
		all.plan.Data[shards.TokenFile] = string(token)
	}
	all.job = &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: meta,
		Spec: batchv1.JobSpec{
			Suspend:        new(true),
			CompletionMode: new(batchv1.IndexedCompletion),
			Completions:    new(int32(work.Shards)),
			Parallelism:    new(int32(work.Shards)),
			// A lost part of a schedule cannot be sent at another time: no shard is started again, and none is replaced
			// while it dies.
			BackoffLimitPerIndex:    new(int32(0)),
			MaxFailedIndexes:        new(int32(work.Shards)),
			PodReplacementPolicy:    new(batchv1.Failed),
			ActiveDeadlineSeconds:   new(int64(math.Ceil(work.Within.Seconds()))),
			TTLSecondsAfterFinished: o.ttl(),
			Template:                template(o, p, work),
		},
	}
	return all, nil
}

// checkFiles refuses files that a ConfigMap or Secret cannot hold.
func checkFiles(what, kind string, files map[string][]byte) error {
	total := 0
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if len(validation.IsConfigMapKey(file)) > 0 {
			return failure.Usagef("the file %q of the %s cannot stand in %s: its name may have letters, digits, dots, dashes "+
				"and underscores", file, what, kind)
		}
		total += len(file) + len(files[file])
	}
	if total > maxFiles {
		return failure.Usagef("the %s of the run takes %d KiB and %s holds %d: use a smaller client or user file", what,
			(total+1023)>>10, kind, maxFiles>>10)
	}
	return nil
}

// template is a shard's pod. It keeps to the profile "restricted" of the Pod Security Standards.
func template(o Options, p *pod, work shards.Work) corev1.PodTemplateSpec {
	result := corev1.Volume{Name: "out", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
	resultMount := corev1.VolumeMount{Name: "out", MountPath: outFolder}
	if o.ResultsVolume != "" {
		result.VolumeSource = corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: o.ResultsVolume}}
		// the variable is set by the Job controller
		resultMount.SubPathExpr = name(work.Run) + "/$(JOB_COMPLETION_INDEX)"
	}
	spec := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		ServiceAccountName:            o.ServiceAccount,
		PriorityClassName:             o.PriorityClass,
		NodeSelector:                  o.NodeSelector,
		TerminationGracePeriodSeconds: new(int64(grace / time.Second)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   new(true),
			RunAsUser:      new(int64(nobody)),
			RunAsGroup:     new(int64(nobody)),
			FSGroup:        new(int64(nobody)),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Tolerations: append([]corev1.Toleration{
			{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(awayFor / time.Second))},
			{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(awayFor / time.Second))},
		}, p.tolerations...),
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
			MaxSkew:           1,
			TopologyKey:       corev1.LabelHostname,
			WhenUnsatisfiable: p.spread,
			LabelSelector:     &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/instance": work.Run}},
		}},
		Volumes: []corev1.Volume{
			{Name: "plan", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: name(work.Run)}, DefaultMode: new(int32(0o444)),
			}}},
			{Name: "secrets", VolumeSource: secrets(o, work)},
			result,
			{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
		Containers: []corev1.Container{{
			Name:            container,
			Image:           o.Image,
			ImagePullPolicy: p.pull,
			Args: []string{"shard", "--plan", planFolder, "--secrets", secretsFolder, "--out", outFolder,
				"--termination", corev1.TerminationMessagePathDefault},
			// The collector of the runtime keeps below the limit instead of being killed at it.
			Env: []corev1.EnvVar{{Name: "GOMEMLIMIT",
				Value: strconv.FormatInt(p.memory.Value()/10*9, 10)}},
			TerminationMessagePath:   corev1.TerminationMessagePathDefault,
			TerminationMessagePolicy: corev1.TerminationMessageReadFile,
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: p.cpu, corev1.ResourceMemory: p.memory},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: p.memory},
			},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false),
				ReadOnlyRootFilesystem:   new(true),
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
			VolumeMounts: []corev1.VolumeMount{
				{Name: "plan", MountPath: planFolder, ReadOnly: true},
				{Name: "secrets", MountPath: secretsFolder, ReadOnly: true},
				resultMount,
				{Name: "tmp", MountPath: "/tmp"},
			},
		}},
	}
	if !shards.Alone(work.Files[shards.PlanFile]) {
		args := &spec.Containers[0].Args
		*args = append(*args, "--listen", "127.0.0.1:"+strconv.Itoa(shards.ControlPort))
	}
	if p.cpuLimit.Sign() > 0 {
		spec.Containers[0].Resources.Limits[corev1.ResourceCPU] = p.cpuLimit
	}
	if o.PullSecret != "" {
		spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: o.PullSecret}}
	}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels: labels(work.Run),
			// Neither autoscaler may move a shard to save a node.
			Annotations: map[string]string{
				"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
				"karpenter.sh/do-not-disrupt":                    "true",
			},
		},
		Spec: spec,
	}
}

// secrets is the folder of Work.Secrets: the run's own Secret, or an existing one and the token of the run.
func secrets(o Options, work shards.Work) corev1.VolumeSource {
	mode := new(int32(0o440)) // of nobody's group
	if o.SecretRef == "" {
		return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name(work.Run), DefaultMode: mode}}
	}
	sources := []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: o.SecretRef}}}}
	if _, ok := work.Secrets[shards.TokenFile]; ok {
		sources = append(sources, corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: name(work.Run)},
			Items:                []corev1.KeyToPath{{Key: shards.TokenFile, Path: shards.TokenFile}},
		}})
	}
	return corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{DefaultMode: mode, Sources: sources}}
}
