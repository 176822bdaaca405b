// Package kubernetes runs shards as the pods of an Indexed Job on an existing cluster. It is the shards.Engine of
// "agstest load --on kubernetes".
//
// client-go would double the binary and its start time for everyone who never needs a cluster, so the whole package
// needs the build tag "kubernetes"; without the tag it is empty.
package kubernetes
