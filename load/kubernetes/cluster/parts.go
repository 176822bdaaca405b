//go:build linux

package cluster

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
)

// Version is the Kubernetes that is run. 1.37 is the last that takes a containerd as old as 1.6 and control groups of
// version 1.
const Version = "v1.37.2"

// Parts are the programs a cluster is made of, as paths.
type Parts struct {
	Hyper       string   // Kubernetes and etcd in one
	Runtime     string   // folder of containerd, ctr and containerd-shim-runc-v2
	Runc        string   // the program
	Libraries   string   // folder of shared libraries that runc wants and the machine has not; mostly empty
	Plugins     string   // folder of the network plugins
	Agstest     string   // as shipped, for the pods
	Coordinator string   // built with the tag kubernetes
	Images      []string // archives for every node
}

//go:embed testdata/hyper/main.go
var hyperSource []byte

// gather builds, fetches or finds every part, in a folder of the user's cache where it stays.
func gather(ctx context.Context) (Parts, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return Parts{}, missing("the cluster is built from Go modules and there is no go command in PATH")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Parts{}, err
	}
	cache = filepath.Join(cache, "agstest", "kubernetes")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return Parts{}, err
	}
	// Two at once would link two at once, of 3.3 GB each.
	lock, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return Parts{}, err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return Parts{}, fmt.Errorf("waiting for another run that builds: %w", err)
	}
	var p Parts
	// The longest comes last, so that a missing part or one that does not compile is told at once.
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"containerd and runc", func() (err error) { p.Runtime, p.Runc, p.Libraries, err = findRuntime(ctx, cache); return }},
		{"the network plugins", func() (err error) { p.Plugins, err = buildPlugins(ctx, cache); return }},
		{"agstest", func() (err error) { return buildAgstest(ctx, cache, &p) }},
		{"Kubernetes " + Version, func() (err error) { p.Hyper, err = buildHyper(ctx, cache); return }},
	} {
		if err := step.do(); err != nil {
			return Parts{}, fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return p, nil
}

// kept returns the folder of the cache for content that follows from key alone, and has make fill it where it is not
// there yet. A folder is there whole or not at all.
func kept(cache, name string, key []string, make func(folder string) error) (string, error) {
	sum := sha256.Sum256([]byte(strings.Join(key, "\x00")))
	folder := filepath.Join(cache, name+"-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	begun, err := os.MkdirTemp(cache, ".begun-"+name+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(begun)
	if err := make(begun); err != nil {
		return "", err
	}
	if err := os.Chmod(begun, 0o755); err != nil {
		return "", err
	}
	return folder, os.Rename(begun, folder)
}

// run runs a command in a folder, with variables on top of the environment's, at low priority. An error has the end of
// its output.
func run(ctx context.Context, folder string, variables []string, command ...string) (string, error) {
	if nice, err := exec.LookPath("nice"); err == nil {
		command = append([]string{nice, "-n", "10"}, command...)
	}
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Dir = folder
	c.Env = append(os.Environ(), variables...)
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		said := strings.TrimSpace(out.String() + errs.String())
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, said[max(0, len(said)-3000):])
	}
	return out.String(), nil
}

// hyperFlags stamp the version in; without them everything calls itself v0.0.0-master.
func hyperFlags() string {
	part := strings.Split(strings.TrimPrefix(Version, "v"), ".")
	const stamp = " -X k8s.io/component-base/version."
	return "-s -w" + stamp + "gitVersion=" + Version + stamp + "gitMajor=" + part[0] + stamp + "gitMinor=" + part[1]
}

var (
	moduleLine  = regexp.MustCompile(`(?m)^module .*$`)
	stagingPath = regexp.MustCompile(`=> \./staging/src/(k8s\.io/[a-z0-9-]+)`)
)

// buildHyper builds Kubernetes from its published module. That module leaves its staging folder out and so cannot be
// built as it stands: a module of ours takes over its build list and replaces the staged modules by the published ones
// of the same version.
func buildHyper(ctx context.Context, cache string) (string, error) {
	goVersion, err := run(ctx, cache, nil, "go", "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	folder, err := kept(cache, "kubernetes",
		[]string{Version, goVersion, runtime.GOARCH, hyperFlags(), string(hyperSource)}, func(folder string) error {
			fmt.Fprintf(os.Stderr,
				"cluster: building Kubernetes %s once, for the cache in %s; on two cores that takes 15 to 30 minutes\n",
				Version, cache)
			source, err := os.MkdirTemp(cache, ".begun-source-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(source)
			told, err := run(ctx, source, nil, "go", "mod", "download", "-json", "k8s.io/kubernetes@"+Version)
			if err != nil {
				return err
			}
			var module struct{ Dir string }
			if err := json.Unmarshal([]byte(told), &module); err != nil {
				return err
			}
			theirs, err := os.ReadFile(filepath.Join(module.Dir, "go.mod"))
			if err != nil {
				return err
			}
			sums, err := os.ReadFile(filepath.Join(module.Dir, "go.sum"))
			if err != nil {
				return err
			}
			staged := "v0" + strings.TrimPrefix(Version, "v1")
			ours := moduleLine.ReplaceAllString(string(theirs), "module agstest.test/kubernetes")
			ours = stagingPath.ReplaceAllString(ours, "=> $1 "+staged) + "\nrequire k8s.io/kubernetes " + Version + "\n"
			for name, content := range map[string][]byte{"go.mod": []byte(ours), "go.sum": sums, "main.go": hyperSource} {
				if err := os.WriteFile(filepath.Join(source, name), content, 0o644); err != nil {
					return err
				}
			}
			_, err = run(ctx, source, []string{"GOFLAGS=-mod=mod -buildvcs=false", "CGO_ENABLED=0", "GOWORK=off"},
				"go", "build", "-trimpath", "-ldflags", hyperFlags(), "-o", filepath.Join(folder, "hyper"), ".")
			return err
		})
	return filepath.Join(folder, "hyper"), err
}

// findRuntime takes containerd and runc from PATH, or unpacks Debian's packages of them without installing anything.
func findRuntime(ctx context.Context, cache string) (folder, runc, libraries string, err error) {
	inPath := map[string]string{}
	for _, program := range []string{"containerd", "ctr", "containerd-shim-runc-v2", "runc"} {
		if path, err := exec.LookPath(program); err == nil {
			inPath[program] = path
		}
	}
	if len(inPath) == 4 && filepath.Dir(inPath["containerd"]) == filepath.Dir(inPath["containerd-shim-runc-v2"]) {
		return filepath.Dir(inPath["containerd"]), inPath["runc"], "", nil
	}
	for _, tool := range []string{"apt-get", "dpkg"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", "", "", missing("containerd, ctr, containerd-shim-runc-v2 and runc are not in PATH, and without %s "+
				"Debian's packages of them cannot be fetched", tool)
		}
	}
	packages := []string{"containerd", "runc", "libseccomp2"}
	told, err := run(ctx, cache, nil, append([]string{"apt-get", "download", "--print-uris"}, packages...)...)
	if err != nil {
		return "", "", "", missing("containerd and runc are not in PATH, and apt-get does not know Debian's packages of "+
			"them (apt-get update?): %s", err)
	}
	// A line is 'address' name size hash; the address may be any mirror's.
	key := packages
	for line := range strings.Lines(told) {
		if field := strings.Fields(line); len(field) == 4 {
			key = append(key, field[1:]...)
		}
	}
	folder, err = kept(cache, "containerd", key, func(folder string) error {
		archives, err := os.MkdirTemp(cache, ".begun-packages-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(archives)
		if err := os.Chmod(archives, 0o777); err != nil { // apt-get downloads as a user of its own
			return err
		}
		if _, err := run(ctx, archives, nil, append([]string{"apt-get", "download"}, packages...)...); err != nil {
			return err
		}
		found, _ := filepath.Glob(filepath.Join(archives, "*.deb"))
		for _, archive := range found {
			if _, err := run(ctx, archives, nil, "dpkg", "-x", archive, folder); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", "", "", err
	}
	runc = filepath.Join(folder, "usr/sbin/runc")
	if exec.CommandContext(ctx, runc, "--version").Run() != nil {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && filepath.Base(path) == "libseccomp.so.2" {
				libraries = filepath.Dir(path)
			}
			return err
		})
		if err != nil {
			return "", "", "", err
		}
	}
	return filepath.Join(folder, "usr/bin"), runc, libraries, nil
}

// plugins are the network plugins, each a tool of this module.
var plugins = []string{
	"github.com/containernetworking/plugins/plugins/main/bridge",
	"github.com/containernetworking/plugins/plugins/main/loopback",
	"github.com/containernetworking/plugins/plugins/ipam/host-local",
}

func buildPlugins(ctx context.Context, cache string) (string, error) {
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		return "", err
	}
	goVersion, err := run(ctx, cache, nil, "go", "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	return kept(cache, "plugins", append([]string{goVersion, runtime.GOARCH, string(sums)}, plugins...),
		func(folder string) error {
			_, err := run(ctx, "", []string{"CGO_ENABLED=0", "GOWORK=off"},
				append([]string{"go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", folder + "/"},
					plugins...)...)
			return err
		})
}
