//go:build kubernetes

package kubernetes

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"agstest/internal/failure"
	"agstest/load/shards"
)

var sampleWork = shards.Work{
	Run: "a1b2", Shards: 3, Within: 90 * time.Second,
	Files:   map[string][]byte{"plan.json": []byte(`{"run":"a1b2"}`), "clients.bin": {0xff, 0xfe}},
	Secrets: map[string][]byte{"control-token": []byte("token-of-the-run"), "AGS_OPERATOR_SECRET": []byte("hunter2-hunter2")},
}

func TestCreateMakesTheJobFirstAndStartsItLast(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e, _ := c.engine(t, Options{})
	require.NoError(t, e.Create(t.Context(), sampleWork))
	assert.Equal(t, []string{"GET resourcequotas", "POST jobs", "POST configmaps", "POST secrets", "PATCH jobs"}, c.calls)
	assert.Contains(t, c.body("POST jobs"), `"suspend":true`)
	assert.Equal(t, `{"spec":{"suspend":false}}`, c.body("PATCH jobs"))
	for _, call := range []string{"POST configmaps", "POST secrets"} {
		assert.Contains(t, c.body(call), `"ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"agstest-a1b2","uid":"uid-1","controller":true}]`)
		assert.Contains(t, c.body(call), `"immutable":true`)
	}
	assert.NotContains(t, c.body("POST jobs")+c.body("POST configmaps"), "hunter2", "a secret stands in the Secret alone")
	assert.NotContains(t, c.body("POST jobs")+c.body("POST configmaps"), "token-of-the-run")

	found, err := e.Find(t.Context(), "a1b2")
	require.NoError(t, err)
	assert.Equal(t, &shards.Work{
		Run: "a1b2", Shards: 3, Within: 90 * time.Second, Files: sampleWork.Files,
		Secrets: map[string][]byte{"control-token": []byte("token-of-the-run")},
	}, found, "of the secrets only the token comes back")

	require.NoError(t, e.Remove(t.Context(), "a1b2"))
	assert.False(t, c.has("jobs", "agstest-a1b2"))
	assert.False(t, c.has("secrets", "agstest-a1b2"))
	assert.Contains(t, c.body("DELETE jobs"), `"propagationPolicy":"Background"`)
	require.NoError(t, e.Remove(t.Context(), "a1b2"), "nothing to delete is no error")
	_, err = e.Find(t.Context(), "a1b2")
	assert.EqualError(t, err, "there is no run a1b2 in the namespace load; agstest kubernetes list shows what there is, and an ended run is removed when its time is over")
}

// Shards that nobody connects to listen to nothing, and their run is found again without reading a Secret.
func TestShardsThatNobodyConnectsTo(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{"with a Secret of the run": {WithoutForward: true}, "with one's own Secret": {WithoutForward: true, SecretRef: "ags-credentials"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			e, _ := c.engine(t, o)
			work := sampleWork
			work.Files = map[string][]byte{"plan.json": []byte(`{"run":"a1b2","startAt":1700000000000000000}`)}
			work.Secrets = map[string][]byte{"AGS_OPERATOR_SECRET": []byte("hunter2-hunter2")}
			require.NoError(t, e.Create(t.Context(), work))
			assert.NotContains(t, c.body("POST jobs"), "--listen")
			assert.NotContains(t, c.body("POST jobs")+c.body("POST configmaps"), "control-token")
			c.fail("GET secrets", 403)
			found, err := e.Find(t.Context(), "a1b2")
			require.NoError(t, err)
			assert.Equal(t, &shards.Work{Run: "a1b2", Shards: 3, Within: 90 * time.Second, Files: work.Files, Secrets: map[string][]byte{}}, found)
		})
	}
}

func TestASecretOfOnesOwnIsUsedAndNoneMade(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e, _ := c.engine(t, Options{SecretRef: "ags-credentials"})
	require.NoError(t, e.Create(t.Context(), sampleWork))
	assert.Zero(t, c.called("POST secrets"))
	assert.NotContains(t, c.body("POST jobs")+c.body("POST configmaps"), "hunter2")
	assert.Contains(t, c.body("POST jobs"), `"secret":{"name":"ags-credentials"}`)
	found, err := e.Find(t.Context(), "a1b2")
	require.NoError(t, err)
	assert.Equal(t, map[string][]byte{"control-token": []byte("token-of-the-run")}, found.Secrets)
	assert.Equal(t, sampleWork.Files, found.Files)
}

// Whatever step fails, nothing stays, and a run of another is not touched.
func TestCreateLeavesNothingBehindAnError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, call string
		status     int
		want       string
		removes    int
	}{
		{"no right to make a Job", "POST jobs", 403, `creating the Job agstest-a1b2: the cluster forbids it: jobs "" is forbidden: User "qa" cannot do this in the namespace "load"; agstest kubernetes rbac prints the rights that are needed`, 0},
		{"a Job of that name", "POST jobs", 409, "creating the run a1b2: a Job agstest-a1b2 is in the namespace load already; remove it with agstest kubernetes clean a1b2", 0},
		{"no answer to the Job, which may be there", "POST jobs", -1, "creating the Job agstest-a1b2: the API server ", 1},
		{"credentials that ended", "POST configmaps", 401, "creating the ConfigMap agstest-a1b2: the API server ", 1},
		{"no right to make a Secret", "POST secrets", 403, `creating the Secret agstest-a1b2: the cluster forbids it: `, 1},
		{"a start that fails", "PATCH jobs", 500, "starting the Job agstest-a1b2: the API server says: etcdserver: leader changed", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.fail(test.call, test.status)
			e, _ := c.engine(t, Options{})
			err := e.Create(t.Context(), sampleWork)
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Equal(t, test.removes, c.called("DELETE jobs"))
			for _, kind := range []string{"jobs", "configmaps", "secrets"} {
				assert.False(t, c.has(kind, "agstest-a1b2"), kind)
			}
		})
	}
}

// Ctrl-C in the middle of Create removes what is there, though its context has ended.
func TestCreateInterruptedCleansUp(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e, _ := c.engine(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	c.Config.Handler = stopping{c, "POST secrets", cancel}
	err := e.Create(ctx, sampleWork)
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, c.has("jobs", "agstest-a1b2"))
	assert.Equal(t, 1, c.called("DELETE jobs"))
}

func TestRemoveTriesThroughARestart(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e, _ := c.engine(t, Options{})
	require.NoError(t, e.Create(t.Context(), sampleWork))
	c.fail("DELETE jobs", -1, 503, 429, 500)
	require.NoError(t, e.Remove(t.Context(), "a1b2"))
	assert.False(t, c.has("jobs", "agstest-a1b2"))

	c.fail("DELETE jobs", 403)
	assert.ErrorContains(t, e.Remove(t.Context(), "a1b2"), "removing the Job agstest-a1b2: the cluster forbids it: ")
}

func TestCreateRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options Options
		change  func(*shards.Work)
		want    string
	}{
		{"a long id", Options{}, func(w *shards.Work) { w.Run = string(make([]byte, 60)) }, "the id of a run on Kubernetes must be 1 to 51 lower-case letters, digits or dashes, not "},
		{"capital letters", Options{}, func(w *shards.Work) { w.Run = "A1" }, `the id of a run on Kubernetes must be 1 to 51 lower-case letters, digits or dashes, not "A1"`},
		{"no shards", Options{}, func(w *shards.Work) { w.Shards = 0 }, "a run has 1 to 1000 shards, not 0"},
		{"too many", Options{}, func(w *shards.Work) { w.Shards = 1001 }, "a run has 1 to 1000 shards, not 1001"},
		{"a large plan", Options{}, func(w *shards.Work) { w.Files = map[string][]byte{"users.csv": make([]byte, 1000<<10)} }, "the plan of the run takes 1001 KiB and a ConfigMap holds 900: use a smaller client or user file"},
		{"large secrets", Options{}, func(w *shards.Work) { w.Secrets = map[string][]byte{"k": make([]byte, 901<<10)} }, "the secrets of the run takes 902 KiB and a Secret holds 900: use a smaller client or user file"},
		{"a path", Options{}, func(w *shards.Work) { w.Files = map[string][]byte{"a/b": nil} }, `the file "a/b" of the plan cannot stand in a ConfigMap: its name may have letters, digits, dots, dashes and underscores`},
		{"a quantity", Options{Memory: "much"}, nil, `--memory: "much" is no quantity of Kubernetes, such as 2, 500m or 1Gi`},
		{"no CPU", Options{CPU: "0"}, nil, `--cpu: "0" is no quantity of Kubernetes, such as 2, 500m or 1Gi`},
		{"a low limit", Options{CPU: "2", CPULimit: "500m"}, nil, "--cpu-limit 500m is below --cpu 2"},
		{"a toleration", Options{Tolerations: []string{"a=b:Sometimes"}}, nil, `--toleration: "a=b:Sometimes" is none; write KEY, KEY=VALUE, KEY:EFFECT or KEY=VALUE:EFFECT with an effect of NoSchedule, PreferNoSchedule or NoExecute`},
		{"a spread", Options{Spread: "wide"}, nil, `--spread must be preferred or required, not "wide"`},
		{"a pull policy", Options{PullPolicy: "Sometimes"}, nil, `--pull-policy must be Always, IfNotPresent or Never, not "Sometimes"`},
		{"a node selector", Options{NodeSelector: map[string]string{"a b": "c"}}, nil, `--node-selector: "a b=c" is no label of a node; write KEY=VALUE`},
		{"a name", Options{SecretRef: "No_Name"}, nil, `--secret-ref: "No_Name" is no name of an object of Kubernetes`},
		{"half seconds", Options{TTL: 1500 * time.Millisecond}, nil, "--ttl must be whole seconds, not 1.5s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			e, _ := c.engine(t, test.options)
			work := sampleWork
			if test.change != nil {
				test.change(&work)
			}
			err := e.Create(t.Context(), work)
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
			assert.Empty(t, c.calls, "nothing is asked of the cluster")
		})
	}
	_, err := Manifest(Options{}, sampleWork)
	assert.EqualError(t, err, "there is no image for the shards: give --image; agstest image writes one for your registry")
}

func TestAQuotaIsHeldAgainstTheRun(t *testing.T) {
	t.Parallel()
	quota := func(hard, used corev1.ResourceList) []corev1.ResourceQuota {
		return []corev1.ResourceQuota{{ObjectMeta: metav1.ObjectMeta{Name: "team"}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: used}}}
	}
	for _, test := range []struct {
		name   string
		quotas []corev1.ResourceQuota
		want   string
	}{
		{"enough", quota(corev1.ResourceList{"pods": resource.MustParse("4"), "requests.cpu": resource.MustParse("3")}, corev1.ResourceList{"pods": resource.MustParse("1")}), ""},
		{"pods", quota(corev1.ResourceList{"pods": resource.MustParse("4")}, corev1.ResourceList{"pods": resource.MustParse("2")}),
			"the quota team of the namespace load is too small for 3 shards: they need 3 of pods, and 2 of 4 is left; ask for more, or use fewer shards or a smaller --cpu or --memory"},
		{"CPU", quota(corev1.ResourceList{"requests.cpu": resource.MustParse("2500m")}, nil), "they need 3 of requests.cpu, and 2500m of 2500m is left"},
		{"memory", quota(corev1.ResourceList{"limits.memory": resource.MustParse("1Gi")}, nil), "they need 1536Mi of limits.memory, and 1Gi of 1Gi is left"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.quotas = test.quotas
			e, _ := c.engine(t, Options{})
			err := e.Create(t.Context(), sampleWork)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
			assert.Zero(t, c.called("POST jobs"))
		})
	}
	c := newCluster(t)
	c.fail("GET resourcequotas", 403)
	e, _ := c.engine(t, Options{})
	assert.NoError(t, e.Create(t.Context(), sampleWork), "whoever may not read quotas may still run")
}

func TestRunsAreListedYoungestFirst(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	job := func(run string, minute int, change func(*batchv1.Job)) {
		j := &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: name(run), Labels: labels(run), CreationTimestamp: metav1.NewTime(time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC))},
			Spec:       batchv1.JobSpec{Completions: new(int32(4)), Suspend: new(false)},
		}
		change(j)
		c.put("jobs", j.Name, j)
	}
	job("old", 1, func(j *batchv1.Job) {
		j.Status = batchv1.JobStatus{Succeeded: 3, Failed: 1, Conditions: []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Message: "Job has failed indexes"}}}
	})
	job("new", 3, func(j *batchv1.Job) { j.Status.Active = 4 })
	job("mid", 2, func(j *batchv1.Job) {
		j.Status = batchv1.JobStatus{Succeeded: 4, Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}
	})
	job("not-begun", 0, func(j *batchv1.Job) { j.Spec.Suspend = new(true) })
	c.put("jobs", "backup", &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "backup"}})
	e, _ := c.engine(t, Options{})
	runs, err := e.Runs(t.Context())
	require.NoError(t, err)
	for i := range runs {
		runs[i].Created = runs[i].Created.UTC()
	}
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC) }
	assert.Equal(t, []Listed{
		{Run: "new", Created: at(3), Shards: 4, Active: 4, State: "running"},
		{Run: "mid", Created: at(2), Shards: 4, Succeeded: 4, State: "complete"},
		{Run: "old", Created: at(1), Shards: 4, Succeeded: 3, Failed: 1, State: "failed", Reason: "Job has failed indexes"},
		{Run: "not-begun", Created: at(0), Shards: 4, State: "suspended"},
	}, runs)
}

func TestLog(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.tell("ADDED", shardPod(1, corev1.PodSucceeded))
	e, _ := c.engine(t, Options{})
	log, err := e.Log(t.Context(), "a1b2", 1, shards.LogOptions{})
	require.NoError(t, err)
	defer log.Close()
	text, err := io.ReadAll(log)
	require.NoError(t, err)
	assert.Equal(t, "a line of agstest-a1b2-1-x\n", string(text))
	assert.Equal(t, "container=shard", c.query("GET pods/log"))
	log, err = e.Log(t.Context(), "a1b2", 1, shards.LogOptions{Follow: true, Tail: 20})
	require.NoError(t, err)
	log.Close()
	assert.Equal(t, "container=shard&follow=true&tailLines=20", c.query("GET pods/log"))
	assert.Equal(t, 1, c.called("GET pods"), "a shard has one pod")
	_, err = e.Log(t.Context(), "a1b2", 2, shards.LogOptions{})
	assert.EqualError(t, err, "shard 2 of the run a1b2 has no pod in the namespace load")
}
