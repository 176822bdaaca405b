package main

import (
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/internal/wire"
	"agstest/load/shards"
)

const enginesFlag = "kubernetes"

// clusterFlags say which cluster and namespace are meant.
type clusterFlags struct {
	kubeconfig, context, namespace string
}

func (f *clusterFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.kubeconfig, "kubeconfig", "",
		"file that says how to reach the cluster; left out: as kubectl does")
	flags.StringVar(&f.context, "context", "", "context of the kubeconfig; left out: its current one")
	flags.StringVar(&f.namespace, "namespace", "", "namespace, which exists; left out: that of the context")
}

func (f *clusterFlags) options() kubernetesOptions {
	return kubernetesOptions{Kubeconfig: f.kubeconfig, Context: f.context, Namespace: f.namespace}
}

// podFlags describe the pods of the shards.
type podFlags struct {
	clusterFlags
	image, pullPolicy, pullSecret        string
	serviceAccount, priorityClass        string
	nodeSelector                         map[string]string
	tolerations                          []string
	cpu, cpuLimit, memory, spread        string
	ttl                                  time.Duration
	keep                                 bool
	secretRef, resultsURL, resultsVolume string
	withoutForward                       bool
}

func (f *podFlags) register(flags *pflag.FlagSet) {
	f.clusterFlags.register(flags)
	flags.StringVar(&f.image, "image", "", "image of agstest, of this version (agstest image writes one)")
	flags.StringVar(&f.pullPolicy, "pull-policy", "", "Always, IfNotPresent or Never; left out: IfNotPresent")
	flags.StringVar(&f.pullSecret, "pull-secret", "", "name of the Secret for the registry of the image")
	flags.StringVar(&f.serviceAccount, "service-account", "",
		"service account of the pods, which get no rights of it; left out: default")
	flags.StringToStringVar(&f.nodeSelector, "node-selector", nil,
		"labels of the nodes that may be used, such as pool=load")
	flags.StringSliceVar(&f.tolerations, "toleration", nil,
		"taint of nodes that may be used: KEY, KEY=VALUE, KEY:EFFECT or KEY=VALUE:EFFECT")
	flags.StringVar(&f.priorityClass, "priority-class", "", "name of a priority class for the pods")
	flags.StringVar(&f.cpu, "cpu", "", "processors that a shard asks for, such as 2 or 500m; left out: 1")
	flags.StringVar(&f.cpuLimit, "cpu-limit", "",
		"most that it may use; left out: no limit, since a generator that is held back measures itself")
	flags.StringVar(&f.memory, "memory", "", "memory that a shard asks for and may use, such as 1Gi; left out: 512Mi")
	flags.StringVar(&f.spread, "spread", "",
		"preferred: over nodes as evenly as there is room; required: no other way; left out: preferred")
	flags.DurationVar(&f.ttl, "ttl", 0,
		"how long a Job that has ended stays, where it is not removed at the end; 0: 1h")
	flags.BoolVar(&f.keep, "keep", false, "remove nothing at the end")
	flags.StringVar(&f.secretRef, "secret-ref", "",
		"name of a Secret that holds the secrets of the environment by their ${NAME}, in place of one that is created")
	flags.BoolVar(&f.withoutForward, "without-forward", false,
		"forward no port, where a cluster forbids it: shards start by their own clocks when --ready-within is over, and "+
			"what they record comes with their logs or from --results-url")
	flags.StringVar(&f.resultsURL, "results-url", "",
		"file with an address to which each shard puts its result too, such as a signed one of an object store; {index} in "+
			"it is the shard, from 0")
	flags.StringVar(&f.resultsVolume, "results-volume", "",
		"name of a PersistentVolumeClaim that keeps what the shards record")
}

func (f *podFlags) options() kubernetesOptions {
	o := f.clusterFlags.options()
	o.Image, o.PullPolicy, o.PullSecret, o.ServiceAccount, o.PriorityClass = f.image, f.pullPolicy, f.pullSecret,
		f.serviceAccount, f.priorityClass
	o.NodeSelector, o.Tolerations = f.nodeSelector, f.tolerations
	o.CPU, o.CPULimit, o.Memory, o.Spread, o.TTL, o.Keep = f.cpu, f.cpuLimit, f.memory, f.spread, f.ttl, f.keep
	o.SecretRef, o.ResultsVolume, o.WithoutForward = f.secretRef, f.resultsVolume, f.withoutForward
	return o
}

// kubernetesFlags are the flags of a load on a cluster.
type kubernetesFlags struct {
	podFlags
	startFlags
	on            string
	shards        int
	linger        time.Duration
	allowLoopback bool
	own           *pflag.FlagSet // all of these
}

// startFlags say how the shards are brought to one start.
type startFlags struct {
	lead, readyWithin, placedWithin, maxSkew time.Duration
	shardProgress                            bool
}

func (f *startFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&f.readyWithin, "ready-within", 0,
		"until when all shards must run and be set up; 0: 5m, and 2m with --without-forward")
	flags.DurationVar(&f.placedWithin, "placed-within", 0,
		"how long a shard may be held up before it runs, as while nodes are added; 0: 1m")
	flags.DurationVar(&f.lead, "lead", 0,
		"from the moment when all are ready to the first hit; 0: 5s, and 20ms more a shard")
	flags.DurationVar(&f.maxSkew, "max-clock-error", 0, "how exactly the clocks of shards must be known; 0: 50ms")
	flags.BoolVar(&f.shardProgress, "shard-progress", false, "tell how each shard stands too")
}

// coordinator is one as the flags say.
func (f *startFlags) coordinator(engine shards.Engine, folder string) *shards.Coordinator {
	return &shards.Coordinator{
		Engine: engine, Folder: folder, ReadyWithin: f.readyWithin, PlacedWithin: f.placedWithin, Lead: f.lead,
		MaxClockError: f.maxSkew,
	}
}

// register adds the flags to a load. On: whether there is --on, which all others need.
func (f *kubernetesFlags) register(c *cobra.Command, on bool) {
	f.own = pflag.NewFlagSet("kubernetes", pflag.ContinueOnError)
	flags := f.own
	if on {
		flags.StringVar(&f.on, "on", "",
			"where generators run: kubernetes, as the pods of a Job; left out: here (see agstest kubernetes --help)")
	}
	flags.IntVar(&f.shards, "shards", 0, "how many generators share the load, 1 to 1000")
	f.podFlags.register(flags)
	f.startFlags.register(flags)
	flags.DurationVar(&f.linger, "linger", 0,
		"how long a shard keeps its result for agstest kubernetes collect, where nobody fetches it; 0: 15m")
	flags.BoolVar(&f.allowLoopback, "allow-loopback", false,
		"load a service on a loopback address, which is that of each pod itself")
	if on {
		flags.VisitAll(func(flag *pflag.Flag) {
			if flag.Name != "on" {
				_ = flags.SetAnnotation(flag.Name, flagGroup, []string{enginesFlag})
			}
		})
	}
	c.Flags().AddFlagSet(flags)
	if on {
		_ = c.RegisterFlagCompletionFunc("on", cobra.FixedCompletions([]string{enginesFlag},
			cobra.ShellCompDirectiveNoFileComp))
	}
	_ = c.RegisterFlagCompletionFunc("spread", cobra.FixedCompletions([]string{"preferred", "required"},
		cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("pull-policy", cobra.FixedCompletions([]string{"Always", "IfNotPresent", "Never"},
		cobra.ShellCompDirectiveNoFileComp))
	_ = c.MarkFlagFilename("kubeconfig")
	_ = c.MarkFlagFilename("results-url")
}

// check says whether the load runs on a cluster; flags that would then have no meaning are refused, and so are those
// that need it.
func (f *kubernetesFlags) check() (bool, error) {
	if f.on != "" {
		return true, oneOf("--on", f.on, []string{enginesFlag})
	}
	var lonely string
	f.own.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed && lonely == "" {
			lonely = flag.Name
		}
	})
	if lonely != "" {
		return false, failure.Usagef("--%s is for a load on a cluster; add --on kubernetes, or leave --%s out", lonely,
			lonely)
	}
	return false, nil
}

// checkLoad refuses what cannot be together with a load on a cluster.
func (f *kubernetesFlags) checkLoad(l *loadFlags, s *serviceFlags) error {
	switch {
	case s.env == "" || len(s.faults)+len(s.choices) > 0:
		return failure.Usagef("the embedded mock is on this machine, where the shards of a cluster cannot reach it; name a " +
			"service with --env")
	case l.shard != "" || l.startAt != "":
		return failure.Usagef(
			"--shard and --start-at are for generators that are started by hand; with --on kubernetes leave them out")
	case f.shards == 0:
		return failure.Usagef("say with --shards how many generators share the load, such as --shards 4")
	case f.shards < 1 || f.shards > shards.MaxShards:
		return failure.Usagef("--shards must be 1 to %d, not %d", shards.MaxShards, f.shards)
	case f.withoutForward && f.linger != 0:
		return failure.Usagef("--linger is how long a shard waits for somebody who comes for its result, and with " +
			"--without-forward nobody can; leave it out")
	case f.image == "":
		return failure.Usagef("say with --image which image of agstest the shards are; agstest image writes one")
	}
	return nil
}

// checkAddress refuses a service that a pod would look for in itself.
func (f *kubernetesFlags) checkAddress(e *environment.Environment) error {
	u, err := url.Parse(e.URL)
	if err != nil || f.allowLoopback {
		return nil
	}
	if ip := net.ParseIP(u.Hostname()); wire.OnLoopback(u.Hostname()) || ip != nil && ip.IsUnspecified() {
		return failure.Usagef("the environment %s is at %s, which inside a pod is the pod itself; give an address that the "+
			"cluster reaches, or say --allow-loopback where the service is in each pod", e.Name, e.URL)
	}
	return nil
}

// coordinator is one as the flags say.
func (f *kubernetesFlags) coordinator(engine shards.Engine, folder string) *shards.Coordinator {
	c := f.startFlags.coordinator(engine, folder)
	c.Linger, c.Keep, c.WithoutDial = f.linger, f.keep, f.withoutForward
	return c
}

// resultsURLFile is the name of the results URL among the secrets of a run.
const resultsURLFile = "results-url"

// readResultsURL reads the file of --results-url.
func (f *podFlags) readResultsURL() ([]byte, error) {
	if f.resultsURL == "" {
		return nil, nil
	}
	if strings.Contains(f.resultsURL, "://") {
		return nil, failure.Usagef("--results-url wants a file that holds the address: a signed one is a secret, and what " +
			"stands on a command line is seen by others")
	}
	text, err := userfile.Read(f.resultsURL, maxSmallFile)
	if err != nil {
		return nil, failure.Usagef("--results-url: cannot read the file %s: %w", f.resultsURL, err)
	}
	address := strings.TrimSpace(string(text))
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, failure.Usagef("--results-url: %s holds no address that starts with https:// or http://",
			f.resultsURL)
	}
	return []byte(address), nil
}
