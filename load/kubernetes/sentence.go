//go:build kubernetes

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"agstest/internal/failure"
)

// sentence turns an error of the library into one for people, of the kind Setup. It begins with the attempt.
func (e *Engine) sentence(attempt string, err error) error {
	if err == nil {
		return nil
	}
	say := func(format string, args ...any) error {
		return failure.Setupf("%w", &told{attempt + ": " + fmt.Sprintf(format, args...), err})
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return say("%v", err)
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		cause := err
		var request *url.Error
		if errors.As(err, &request) {
			cause = request.Err // without the address of the whole request
		}
		return say("the API server %s cannot be reached: %v", e.config.Host, cause)
	}
	message := status.Status().Message
	switch {
	case isQuota(err):
		return say("a quota of the namespace %s does not allow it: %s", e.namespace,
			afterLast(message, "exceeded quota: "))
	case apierrors.IsForbidden(err):
		return say("the cluster forbids it: %s; agstest kubernetes rbac prints the rights that are needed", message)
	case apierrors.IsUnauthorized(err):
		return say("the API server %s does not accept the credentials of the kubeconfig; sign in again or give another "+
			"--context", e.config.Host)
	case namespaceMissing(err):
		return say("there is no namespace %s; create it or give another --namespace", e.namespace)
	}
	return say("the API server says: %s", message)
}

// told is an error of the library in our words.
type told struct {
	sentence string
	err      error
}

func (t *told) Error() string { return t.sentence }
func (t *told) Unwrap() error { return t.err }

// isQuota tells a ResourceQuota from missing rights: both are Forbidden.
func isQuota(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota: ")
}

// namespaceMissing tells whether the error is about a namespace that does not exist.
func namespaceMissing(err error) bool {
	var status apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &status) && status.Status().Details != nil &&
		status.Status().Details.Kind == "namespaces"
}

// passing tells whether the next try may succeed: no connection, an API server that starts or is busy.
func passing(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	code := status.Status().Code
	return code == 429 || code >= 500 || status.Status().Reason == metav1.StatusReasonTimeout
}

func afterLast(text, mark string) string {
	if i := strings.LastIndex(text, mark); i >= 0 {
		return text[i+len(mark):]
	}
	return text
}
