// Package kubernetes runs shards as the pods of an Indexed Job on a cluster that is there already. It is the shards.Engine of
// "agstest load --on kubernetes".
//
// client-go would double the binary and its start time for everyone who never needs a cluster, so all of it stands behind the build tag
// "kubernetes"; without the tag the package is empty.
package kubernetes
