package main

import (
	"context"
	"time"

	"agstest/load/shards"
)

// kubernetesOptions has the same fields as load/kubernetes.Options and converts to it. The program can be built without
// that package.
type kubernetesOptions struct {
	Kubeconfig string
	Context    string
	Namespace  string

	Image          string
	PullPolicy     string
	PullSecret     string
	ServiceAccount string
	NodeSelector   map[string]string
	Tolerations    []string
	PriorityClass  string
	CPU            string
	CPULimit       string
	Memory         string
	Spread         string

	TTL            time.Duration
	Keep           bool
	SecretRef      string
	WithoutForward bool
	ResultsVolume  string

	Notice func(sentence string)
}

// cluster is a Kubernetes cluster, in one namespace.
type cluster interface {
	shards.Engine
	Namespace() string
	Runs(ctx context.Context) ([]clusterRun, error) // the youngest first
}

// clusterRun is a run that a namespace holds.
type clusterRun struct {
	Run       string    `json:"run"`
	Created   time.Time `json:"created"`
	Shards    int       `json:"shards"`
	Active    int       `json:"active"`
	Succeeded int       `json:"succeeded"`
	Failed    int       `json:"failed"`
	State     string    `json:"state"` // suspended, running, complete or failed
	Reason    string    `json:"reason,omitempty"`
}

// kubernetesEngine is the engine for Kubernetes, in the program that is built with it (build tag kubernetes).
type kubernetesEngine struct {
	open     func(kubernetesOptions) (cluster, error)
	manifest func(kubernetesOptions, shards.Work) ([]byte, error)
	rules    func(kubernetesOptions) ([]byte, error)
}

// onKubernetes is nil in the program without the engine: client-go would double its size and start time for everybody
// who never needs a cluster.
var onKubernetes *kubernetesEngine

// engines names the engines that this program holds.
func (p *program) engines() []string {
	if p.kubernetes == nil {
		return nil
	}
	return []string{"kubernetes"}
}
