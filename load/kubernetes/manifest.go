//go:build kubernetes

package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"agstest/load/shards"
)

// Manifest returns the objects that Create would make of the work, as YAML: the ConfigMap and the Job, in this order,
// in which they can be applied. Of the Secret it gives only the name and the names of its files. It has the namespace
// only if Options name one.
func Manifest(o Options, work shards.Work) ([]byte, error) {
	all, err := describe(o, o.Namespace, work)
	if err != nil {
		return nil, err
	}
	if o.SecretRef != "" {
		delete(all.plan.Data, shards.TokenFile) // it stands for a secret here
	}
	var b bytes.Buffer
	fmt.Fprintf(&b,
		"# What agstest creates for the run %s. The Job is suspended until all is there: spec.suspend is set to false last.\n", work.Run)
	names := slices.Sorted(maps.Keys(work.Secrets))
	files := strings.Join(names, ", ")
	if o.SecretRef == "" {
		fmt.Fprintf(&b,
			"# Not shown: the Secret %s, immutable, owned by the Job as the ConfigMap is, with the files %s.\n",
			name(work.Run), files)
	} else {
		files = strings.Join(slices.DeleteFunc(names, func(file string) bool { return file == shards.TokenFile }), ", ")
		fmt.Fprintf(&b, "# The Secret %s must exist, with the files %s; %s is put into the ConfigMap and not shown.\n",
			o.SecretRef, files, shards.TokenFile)
	}
	for _, object := range []any{all.plan, all.job} {
		text, err := toYAML(object)
		if err != nil {
			return nil, err
		}
		b.WriteString("---\n")
		b.Write(text)
	}
	return b.Bytes(), nil
}

// toYAML writes an object as people write it: without what only a cluster fills in.
func toYAML(object any) ([]byte, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("writing an object of Kubernetes: %w", err)
	}
	var tree map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("writing an object of Kubernetes: %w", err)
	}
	delete(tree, "status")
	forget(tree)
	return yaml.Marshal(tree)
}

// forget takes out the null values of a tree.
func forget(tree map[string]any) {
	for key, value := range tree {
		switch v := value.(type) {
		case nil:
			delete(tree, key)
		case map[string]any:
			forget(v)
		}
	}
}
