//go:build kubernetes

package main

import (
	"context"

	"agstest/load/kubernetes"
	"agstest/load/shards"
)

func init() {
	onKubernetes = &kubernetesEngine{
		open: func(o kubernetesOptions) (cluster, error) {
			engine, err := kubernetes.Open(kubernetes.Options(o))
			if err != nil {
				return nil, err
			}
			return realCluster{engine}, nil
		},
		manifest: func(o kubernetesOptions, work shards.Work) ([]byte, error) {
			return kubernetes.Manifest(kubernetes.Options(o), work)
		},
		rules: func(o kubernetesOptions) ([]byte, error) { return kubernetes.Rules(kubernetes.Options(o)) },
	}
}

type realCluster struct{ *kubernetes.Engine }

func (c realCluster) Runs(ctx context.Context) ([]clusterRun, error) {
	listed, err := c.Engine.Runs(ctx)
	runs := make([]clusterRun, len(listed))
	for i, l := range listed {
		runs[i] = clusterRun(l)
	}
	return runs, err
}
