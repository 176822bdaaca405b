//go:build kubernetes

package kubernetes

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// cluster is an API server of the few calls that the engine makes, in the namespace "load". Failures are scripted by
// call.
type cluster struct {
	*httptest.Server
	forward http.HandlerFunc // of pods/portforward

	mu        sync.Mutex // guards what follows
	minor     string
	script    map[string][]int // by call, as "POST jobs": the statuses of the next answers; 0 answers as usual
	calls     []string
	bodies    map[string]string // the last body of a call
	queries   map[string]string // the last query of a call
	objects   map[string]any    // by "kind/name"
	denied    map[string]bool   // by "verb kind"
	quotas    []corev1.ResourceQuota
	events    []corev1.Event
	version   int
	compacted int // events up to this version are forgotten
	history   []change
	news      chan struct{} // closed at the next change
	cut       chan struct{} // closed to break all watches
}

type change struct {
	version int
	kind    string
	pod     corev1.Pod
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{
		minor: "37", script: map[string][]int{}, bodies: map[string]string{}, queries: map[string]string{}, objects: map[string]any{},
		denied: map[string]bool{}, version: 100, news: make(chan struct{}), cut: make(chan struct{}),
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// engine opens an engine on the cluster, with a clock that the test moves.
func (c *cluster) engine(t *testing.T, o Options) (*Engine, *testClock) {
	t.Helper()
	quiet()
	if o.Image == "" {
		o.Image = "registry.test/agstest:1"
	}
	e, err := open(o, "load", &rest.Config{Host: c.URL})
	require.NoError(t, err)
	k := &testClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), impatient: make(chan time.Time)}
	e.clock = clock{now: k.read, after: k.after}
	return e, k
}

// testClock lets waits between attempts pass at once, and the wait for events when the test says so.
type testClock struct {
	mu        sync.Mutex
	now       time.Time // guarded by mu
	impatient chan time.Time
}

func (k *testClock) read() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *testClock) after(d time.Duration) <-chan time.Time {
	if d == patience {
		return k.impatient
	}
	passed := make(chan time.Time, 1)
	passed <- k.read()
	return passed
}

func (k *testClock) pass(d time.Duration) {
	k.mu.Lock()
	k.now = k.now.Add(d)
	k.mu.Unlock()
}

// fail scripts the next answers of a call.
func (c *cluster) fail(call string, statuses ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.script[call] = append(c.script[call], statuses...)
}

func (c *cluster) called(call string) (times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, made := range c.calls {
		if made == call {
			times++
		}
	}
	return times
}

func (c *cluster) body(call string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bodies[call]
}

func (c *cluster) query(call string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queries[call]
}

func (c *cluster) put(kind, name string, object any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects[kind+"/"+name] = object
}

func (c *cluster) has(kind, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.objects[kind+"/"+name] != nil
}

// tell makes a pod, changes or deletes it.
func (c *cluster) tell(kind string, p *corev1.Pod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	p = p.DeepCopy()
	p.ResourceVersion = strconv.Itoa(c.version)
	c.objects["pods/"+p.Name] = p
	if kind == "DELETED" {
		delete(c.objects, "pods/"+p.Name)
	}
	c.history = append(c.history, change{c.version, kind, *p})
	close(c.news)
	c.news = make(chan struct{})
}

// breakWatches cuts every watch that is open.
func (c *cluster) breakWatches() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.cut)
	c.cut = make(chan struct{})
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/apis/batch/v1"), "/api/v1")
	parts := strings.Split(strings.Trim(strings.TrimPrefix(path, "/namespaces/load/"), "/"), "/")
	kind, object, part := parts[0], "", ""
	if len(parts) > 1 {
		object = parts[1]
	}
	call := r.Method + " " + kind
	if len(parts) > 2 {
		part = parts[2]
		call += "/" + part
	}
	if strings.HasPrefix(r.URL.Path, "/apis/authorization.k8s.io/") {
		kind, call = "rights", "POST rights"
	}
	if r.URL.Query().Get("watch") != "" {
		call = "WATCH " + kind
	}
	read, _ := io.ReadAll(r.Body)
	body := string(read)
	c.mu.Lock()
	c.calls = append(c.calls, call)
	c.bodies[call], c.queries[call] = body, r.URL.Query().Encode()
	status := 0
	if next := c.script[call]; len(next) > 0 {
		status, c.script[call] = next[0], next[1:]
	}
	c.mu.Unlock()
	switch {
	case status == -1: // the connection breaks
		panic(http.ErrAbortHandler)
	case status != 0:
		refuse(w, status, kind, object)
	case kind == "rights":
		c.review(w, body)
	case kind == "version":
		answer(w, map[string]string{"major": "1", "minor": c.minor, "gitVersion": "v1." + c.minor + ".2"})
	case kind == "pods" && part == "portforward":
		c.forward(w, r)
	case kind == "pods" && part == "log":
		_, _ = w.Write([]byte("a line of " + object + "\n"))
	case call == "WATCH pods":
		c.watch(w, r)
	case r.Method == http.MethodGet && object == "":
		c.list(w, r, kind)
	default:
		c.one(w, r.Method, kind, object, body)
	}
}

func (c *cluster) review(w http.ResponseWriter, body string) {
	var review authorizationv1.SelfSubjectAccessReview
	_ = json.Unmarshal([]byte(body), &review)
	a := review.Spec.ResourceAttributes
	kind := a.Resource
	if a.Subresource != "" {
		kind += "/" + a.Subresource
	}
	c.mu.Lock()
	review.Status.Allowed = !c.denied[a.Verb+" "+kind] && a.Namespace == "load"
	c.mu.Unlock()
	answer(w, review)
}

func (c *cluster) list(w http.ResponseWriter, r *http.Request, kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	meta := metav1.ListMeta{ResourceVersion: strconv.Itoa(c.version)}
	switch kind {
	case "pods":
		list := corev1.PodList{ListMeta: meta}
		for _, object := range c.objects {
			if p, ok := object.(*corev1.Pod); ok && matches(r, p.Labels) {
				list.Items = append(list.Items, *p)
			}
		}
		answer(w, list)
	case "jobs":
		list := batchv1.JobList{ListMeta: meta}
		for _, object := range c.objects {
			if j, ok := object.(*batchv1.Job); ok && matches(r, j.Labels) {
				list.Items = append(list.Items, *j)
			}
		}
		answer(w, list)
	case "events":
		list := corev1.EventList{ListMeta: meta}
		for _, e := range c.events {
			if r.URL.Query().Get("fieldSelector") == "involvedObject.kind="+e.InvolvedObject.Kind+",involvedObject.name="+e.InvolvedObject.Name {
				list.Items = append(list.Items, e)
			}
		}
		answer(w, list)
	case "resourcequotas":
		answer(w, corev1.ResourceQuotaList{ListMeta: meta, Items: c.quotas})
	default:
		refuse(w, 404, kind, "")
	}
}

// matches reads selectors of the form a=b,c=d.
func matches(r *http.Request, labels map[string]string) bool {
	for part := range strings.SplitSeq(r.URL.Query().Get("labelSelector"), ",") {
		if key, value, ok := strings.Cut(part, "="); ok && labels[key] != value {
			return false
		}
	}
	return true
}

func (c *cluster) one(w http.ResponseWriter, method, kind, object, body string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch method {
	case http.MethodPost:
		var made any
		switch kind {
		case "jobs":
			made = new(batchv1.Job)
		case "configmaps":
			made = new(corev1.ConfigMap)
		case "secrets":
			made = new(corev1.Secret)
		}
		_ = json.Unmarshal([]byte(body), made)
		meta := made.(metav1.Object)
		if c.objects[kind+"/"+meta.GetName()] != nil {
			refuse(w, 409, kind, meta.GetName())
			return
		}
		meta.SetUID("uid-1")
		c.objects[kind+"/"+meta.GetName()] = made
		answer(w, made)
	case http.MethodPatch:
		job := c.objects[kind+"/"+object].(*batchv1.Job)
		_ = json.Unmarshal([]byte(body), job)
		answer(w, job)
	case http.MethodDelete:
		if c.objects[kind+"/"+object] == nil {
			refuse(w, 404, kind, object)
			return
		}
		delete(c.objects, kind+"/"+object)
		for other, owned := range c.objects { // as the garbage collector does
			if owners := owned.(metav1.Object).GetOwnerReferences(); len(owners) > 0 && owners[0].Name == object {
				delete(c.objects, other)
			}
		}
		answer(w, metav1.Status{Status: "Success"})
	default:
		found := c.objects[kind+"/"+object]
		if kind == "namespaces" && object == "load" {
			found = &corev1.Namespace{}
		}
		if found == nil {
			refuse(w, 404, kind, object)
			return
		}
		answer(w, found)
	}
}

func (c *cluster) watch(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(200)
	c.mu.Lock()
	cut := c.cut
	c.mu.Unlock()
	for {
		c.mu.Lock()
		news, history, compacted := c.news, c.history, c.compacted
		c.mu.Unlock()
		if from < compacted {
			_ = json.NewEncoder(w).Encode(map[string]any{"type": "ERROR", "object": metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: metav1.StatusReasonExpired, Code: 410, Message: "too old resource version",
			}})
			return
		}
		for _, h := range history {
			if h.version > from {
				h.pod.TypeMeta = metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}
				_ = json.NewEncoder(w).Encode(map[string]any{"type": h.kind, "object": h.pod})
				from = h.version
			}
		}
		w.(http.Flusher).Flush()
		select {
		case <-news:
		case <-cut:
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
			return
		}
	}
}

func answer(w http.ResponseWriter, object any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object)
}

// refuse answers as an API server does.
func refuse(w http.ResponseWriter, status int, kind, object string) {
	reason := map[int]metav1.StatusReason{401: metav1.StatusReasonUnauthorized, 403: metav1.StatusReasonForbidden, 404: metav1.StatusReasonNotFound,
		409: metav1.StatusReasonAlreadyExists, 410: metav1.StatusReasonExpired, 429: metav1.StatusReasonTooManyRequests, 500: metav1.StatusReasonInternalError, 503: metav1.StatusReasonServiceUnavailable}[status]
	message := map[int]string{401: "Unauthorized", 403: fmt.Sprintf("%s %q is forbidden: User \"qa\" cannot do this in the namespace \"load\"", kind, object),
		404: fmt.Sprintf("%s %q not found", kind, object), 409: fmt.Sprintf("%s %q already exists", kind, object), 410: "too old resource version",
		429: "too many requests", 500: "etcdserver: leader changed", 503: "the server is currently unable to handle the request"}[status]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: reason, Code: int32(status), Message: message,
		Details: &metav1.StatusDetails{Name: object, Kind: kind},
	})
}
