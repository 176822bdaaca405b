package site

import (
	"os"
	"path"
)

// planFile marks the folder of a plan, whose runs lie in ENVIRONMENT/COMMAND.
const planFile = "plan.json"

// apart gives runs of a plan the plan's name for their environment, if their files call two services the same.
// Otherwise they would be one history, in which the run that passes hides the one that fails. Services that only moved
// between plans keep their name.
func apart(root *os.Root, runs []*digest) {
	type group struct{ plan, name string }
	services, members := map[group]map[string]bool{}, map[group][]*digest{}
	marked := map[string]bool{}
	for _, d := range runs {
		if d.Conformance == nil && d.Load == nil {
			continue // a comparison is of two services
		}
		folder := path.Dir(path.Dir(d.Folder))
		is, looked := marked[folder]
		if !looked {
			file, err := openPlain(root, path.Join(folder, planFile))
			if is = err == nil; is {
				file.Close()
			}
			marked[folder] = is
		}
		if !is {
			continue
		}
		g := group{folder, d.Environment}
		if services[g] == nil {
			services[g] = map[string]bool{}
		}
		services[g][d.URL] = true
		members[g] = append(members[g], d)
	}
	for g, urls := range services {
		if len(urls) < 2 {
			continue
		}
		for _, d := range members[g] {
			d.Environment = path.Base(path.Dir(d.Folder))
		}
	}
}
