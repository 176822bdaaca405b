#!/usr/bin/env bash
# k8s.io/client-go v0.37.2 (kubernetes/fake): it deletes what a precondition protects, creates on a dry run, lists what a field selector leaves out,
# and takes every update of a stale copy.
#
# Programs for clusters are tested with NewClientset, and a green test would be expected to say that the calls are right. The fake keeps objects in
# a map and reads of the options the label selector and little else, and says of none that it was passed over: no error, no word. A guard against
# a second run (preconditions of the UID), against lost updates (resourceVersion) or against doing too much (a field selector) is tested by nothing,
# and a program that has left it out passes too. Two objects with generateName get the same empty name, so that the second is there already.
# Seen: each as above; label selectors are kept to.
# Whoever needs one of them tests against a real API server, or a reactor that refuses what lacks it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
	k8s.io/client-go v0.37.2
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	pods := fake.NewClientset().CoreV1().Pods("test")
	for _, name := range []string{"one", "two"} {
		must(pods.Create(ctx, &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name, UID: "uid-1", Labels: map[string]string{"app": name}}}, meta.CreateOptions{}))
	}
	list := func(of meta.ListOptions) int { return len(must(pods.List(ctx, of)).Items) }
	fmt.Println("label selector:", list(meta.ListOptions{LabelSelector: "app=one"}), "of 1")
	fmt.Println("field selector:", list(meta.ListOptions{FieldSelector: "metadata.name=one"}), "of 1")

	stale := must(pods.Get(ctx, "one", meta.GetOptions{}))
	fresh := stale.DeepCopy()
	fresh.Annotations = map[string]string{"by": "another"}
	fresh.ResourceVersion = "2"
	must(pods.Update(ctx, fresh, meta.UpdateOptions{}))
	stale.ResourceVersion = "1"
	_, err := pods.Update(ctx, stale, meta.UpdateOptions{})
	fmt.Println("stale update is a conflict:", errors.IsConflict(err), "and was taken:", err == nil)

	must(pods.Create(ctx, &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "dry"}}, meta.CreateOptions{DryRun: []string{meta.DryRunAll}}))
	_, err = pods.Get(ctx, "dry", meta.GetOptions{})
	fmt.Println("dry run created:", err == nil)

	err = pods.Delete(ctx, "two", meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions("another")})
	_, gone := pods.Get(ctx, "two", meta.GetOptions{})
	fmt.Println("precondition refused:", err != nil, "and gone:", errors.IsNotFound(gone))

	first := must(pods.Create(ctx, &core.Pod{ObjectMeta: meta.ObjectMeta{GenerateName: "made-"}}, meta.CreateOptions{}))
	_, err = pods.Create(ctx, &core.Pod{ObjectMeta: meta.ObjectMeta{GenerateName: "made-"}}, meta.CreateOptions{})
	fmt.Printf("generated name %q, the second is there already: %t\n", first.Name, errors.IsAlreadyExists(err))
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'label selector: 1 of 1
field selector: 2 of 1
stale update is a conflict: false and was taken: true
dry run created: true
precondition refused: false and gone: true
generated name "", the second is there already: true' ] || { echo "changed"; exit 1; }
