//go:build kubernetes

package kubernetes

import (
	"io"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	batchv1 "k8s.io/client-go/kubernetes/typed/batch/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"agstest/internal/failure"
	"agstest/load/shards"
)

// Engine runs shards on one cluster, in one namespace. It is safe for concurrent use.
type Engine struct {
	options   Options
	namespace string
	config    *rest.Config
	jobs      batchv1.JobInterface
	core      corev1.CoreV1Interface
	rights    authorizationv1.SelfSubjectAccessReviewInterface
	clock     clock
	pods      sync.Map // the names of those whose log was read, by shardOf
}

var _ shards.Engine = (*Engine)(nil)

// clock is time from outside.
type clock struct {
	now   func() time.Time
	after func(time.Duration) <-chan time.Time
}

// Open reads the kubeconfig and prepares the engine; it does not talk to the cluster.
func Open(o Options) (*Engine, error) {
	quiet()
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.Context}
	overrides.Context.Namespace = o.Namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, failure.Usagef(
			"reading the kubeconfig: %w; give --kubeconfig FILE and --context NAME, or set KUBECONFIG", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, failure.Usagef("reading the kubeconfig: %w; give --namespace NAME", err)
	}
	return open(o, namespace, config)
}

func open(o Options, namespace string, config *rest.Config) (*Engine, error) {
	if config.Insecure {
		return nil, failure.Usagef("the kubeconfig says insecure-skip-tls-verify, so anybody could be the cluster and " +
			"would get the secrets of the run; give it certificate-authority or certificate-authority-data")
	}
	config = rest.CopyConfig(config)
	config.UserAgent = appName
	// what every proxy and log understands
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	// a run makes a few calls a shard; waiting for our own limiter would only widen the clock bounds
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, failure.Usagef("reading the kubeconfig: %w", err)
	}
	jobs, err := batchv1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, failure.Usagef("reading the kubeconfig: %w", err)
	}
	core, err := corev1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, failure.Usagef("reading the kubeconfig: %w", err)
	}
	rights, err := authorizationv1.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, failure.Usagef("reading the kubeconfig: %w", err)
	}
	return &Engine{
		options: o, namespace: namespace, config: config,
		jobs: jobs.Jobs(namespace), core: core, rights: rights.SelfSubjectAccessReviews(),
		clock: clock{now: time.Now, after: time.After},
	}, nil
}

// Namespace returns the namespace of the engine, as Options or the kubeconfig name it.
func (e *Engine) Namespace() string { return e.namespace }

// quiet silences the log of the library, which would write into the middle of our output: errors come back as values.
var quiet = sync.OnceFunc(func() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
})

// notice tells a sentence to whom it may concern.
func (e *Engine) notice(sentence string) {
	if e.options.Notice != nil {
		e.options.Notice(sentence)
	}
}
