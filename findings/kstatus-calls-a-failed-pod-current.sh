#!/usr/bin/env bash
# sigs.k8s.io/cli-utils v0.37.2 (kstatus): a Pod that has failed, and a Job that still runs, are Current, the status of what is as it should be.
#
# Tools that roll out to a cluster wait with kstatus until all that they applied is Current. For a Deployment that is when its pods are ready, and
# one would expect a Job to be Current when it is done, and a pod that ended badly to be Failed, which is one of the statuses. A Job is Current as soon as it
# began, also when three of its pods have failed and the fourth runs; and a pod of phase Failed is Current, "but not successfully". A step
# "apply the load test, wait, read its report" goes on at once, and finds no report or half of one, and a smoke test that failed is a rollout that succeeded.
# Seen: Job begun: Current; begun, 3 pods failed: Current; Complete: Current; Failed: Failed. Pod Failed: Current; Succeeded: Current;
# Pending: InProgress. Deployment with 1 of 3 ready: InProgress.
# Whoever waits for a Job with it looks at the conditions of the Job as well.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require sigs.k8s.io/cli-utils v0.37.2
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func show(name, version, kind string, spec, seen map[string]any) {
	result, err := status.Compute(&unstructured.Unstructured{Object: map[string]any{"apiVersion": version, "kind": kind,
		"metadata": map[string]any{"name": "load", "generation": int64(1)}, "spec": spec, "status": seen}})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %s: %s\n", kind, name, result.Status)
}

func main() {
	const begun = "2026-01-01T00:00:00Z"
	is := func(condition string) []any { return []any{map[string]any{"type": condition, "status": "True"}} }
	none := map[string]any{}
	show("begun", "batch/v1", "Job", none, map[string]any{"startTime": begun, "active": int64(1)})
	show("begun, 3 failed", "batch/v1", "Job", none, map[string]any{"startTime": begun, "active": int64(1), "failed": int64(3)})
	show("complete", "batch/v1", "Job", none, map[string]any{"startTime": begun, "succeeded": int64(1), "conditions": is("Complete")})
	show("failed", "batch/v1", "Job", none, map[string]any{"startTime": begun, "failed": int64(1), "conditions": is("Failed")})
	for _, phase := range []string{"Failed", "Succeeded", "Pending"} {
		show(phase, "v1", "Pod", none, map[string]any{"phase": phase})
	}
	show("1 of 3", "apps/v1", "Deployment", map[string]any{"replicas": int64(3)}, map[string]any{"observedGeneration": int64(1),
		"replicas": int64(3), "updatedReplicas": int64(3), "readyReplicas": int64(1), "availableReplicas": int64(1)})
}
GO
export GOFLAGS=-mod=mod
seen=$(go run .); echo "$seen"
[ "$seen" = 'Job begun: Current
Job begun, 3 failed: Current
Job complete: Current
Job failed: Failed
Pod Failed: Current
Pod Succeeded: Current
Pod Pending: InProgress
Deployment 1 of 3: InProgress' ] || { echo "changed"; exit 1; }
