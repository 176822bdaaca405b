package ociimage

import (
	"regexp"
	"strings"

	"agstest/internal/failure"
)

// Name is the name of an image: https://github.com/distribution/reference
type Name struct {
	Repository string // such as agstest or registry.example.com/qa/agstest
	Tag        string
}

var (
	repositoryForm = regexp.MustCompile(
		`^([a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	tagForm   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	notInTags = regexp.MustCompile(`[^A-Za-z0-9._-]`)
)

// ReadName reads REPOSITORY or REPOSITORY:TAG; the tag that is left out is the version of the program.
func ReadName(text, version string) (Name, error) {
	n := Name{Repository: text, Tag: strings.TrimLeft(notInTags.ReplaceAllString(version, "-"), ".-")}
	if i := strings.LastIndex(text, ":"); i > strings.LastIndex(text, "/") {
		n.Repository, n.Tag = text[:i], text[i+1:]
	}
	if !repositoryForm.MatchString(n.Repository) || !tagForm.MatchString(n.Tag) {
		return Name{}, failure.Usagef("%q is no name of an image; write REPOSITORY:TAG in lower case, such as "+
			"registry.example.com/qa/agstest:1.0", text)
	}
	return n, nil
}

// String is the name as people write it.
func (n Name) String() string { return n.Repository + ":" + n.Tag }

// Full is the name with its registry, by which containerd and the kubelet look for it: a name without one means Docker
// Hub.
func (n Name) Full() string {
	registry, rest, hasRegistry := strings.Cut(n.Repository, "/")
	switch {
	case !hasRegistry:
		return "docker.io/library/" + n.String()
	case !strings.ContainsAny(registry, ".:") && registry != "localhost":
		return "docker.io/" + n.String()
	default:
		return registry + "/" + rest + ":" + n.Tag
	}
}
