package words

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"agstest/ags"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// listedPhrases are sentences about what discovery lists: it must be there.
var listedPhrases = []Sentence{
	then("every listed path leads to a call",
		"Sends no token and no parameter, or made-up ones to register, to each path that discovery lists: none is answered "+
			"as a path that does not exist. Paths with braces or a host are left out.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return pathsLead(ctx, w) }),
	then("every listed service is known",
		"Signs on with a made-up session token at each service that lists signOnWithSessionToken: none is answered as a "+
			"service that does not exist.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return servicesAreKnown(ctx, w) }),
}

// maxListed bounds how many paths or services are tried.
const maxListed = 20

func pathsLead(ctx context.Context, w *scene.World) error {
	away := "/agstest" + w.Invented(10)
	asks := []struct{ method, below string }{{http.MethodPost, away}, {http.MethodGet, away},
		{http.MethodPost, "/" + ags.SignOnWithSessionToken}}
	answers := make([]*talk.Exchange, len(asks))
	if err := w.InLanes(ctx, len(asks), func(ctx context.Context, own *scene.World, i int) (err error) {
		answers[i], err = own.AskPath(ctx, asks[i].method, asks[i].below)
		return err
	}); err != nil {
		return err
	}
	nowhere := map[string]*talk.Exchange{http.MethodPost: answers[0], http.MethodGet: answers[1]}
	if call := answers[2]; scene.LikeNowhere(call, nowhere[http.MethodPost]) {
		return talk.Lacking("",
			"the service answers signOnWithSessionToken without parameters as it answers a path that does not exist (%s), so "+
				"that a path that leads nowhere cannot be told", w.Describe(call))
	}
	paths := listedPaths(w.Services)
	leads := make([]bool, len(paths))
	if err := w.InLanes(ctx, len(paths), func(ctx context.Context, own *scene.World, i int) (err error) {
		own.Service = paths[i].service
		leads[i], err = pathLeads(ctx, own, paths[i].parameters, paths[i].below(), nowhere)
		return err
	}); err != nil {
		return err
	}
	var dead []string
	for i, leads := range leads {
		if !leads {
			dead = append(dead, strconv.Quote(paths[i].path)+" of "+paths[i].service)
		}
	}
	if len(dead) > 0 {
		return talk.SoftMissf("a call under every path that is listed",
			"%s answered as a path that does not exist, with %s", strings.Join(dead, ", "),
			w.Describe(nowhere[http.MethodPost]))
	}
	return nil
}

// listedPath is a path that a service lists.
type listedPath struct {
	service, path string
	parameters    []talk.ParameterProperty
}

// below is the path without the prefix of all calls.
func (p listedPath) below() string {
	return "/" + strings.TrimPrefix(strings.TrimPrefix(p.path, "/ags"), "/")
}

// listedPaths are the paths to try, each once.
func listedPaths(services []talk.Service) []listedPath {
	var paths []listedPath
	for _, s := range services {
		for _, e := range s.Endpoints {
			one := listedPath{s.Name, e.Path, e.Parameters}
			again := slices.ContainsFunc(paths, func(p listedPath) bool { return p.below() == one.below() })
			if again || one.below() == "/" || strings.ContainsAny(e.Path, "{}?#") || strings.Contains(e.Path, "://") ||
				len(paths) == maxListed {
				continue
			}
			paths = append(paths, one)
		}
	}
	return paths
}

// pathLeads tells whether the answer of a path differs from that of one that does not exist. A call of the service's
// own may be POST or GET.
func pathLeads(ctx context.Context, w *scene.World, properties []talk.ParameterProperty, below string,
	nowhere map[string]*talk.Exchange) (bool, error) {
	if kind, is := strings.CutPrefix(below, "/register/"); is && kind != "" {
		if offered, err := typeIsOffered(ctx, w, properties, below); err != nil || !offered {
			return false, err
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		x, err := w.AskPath(ctx, method, below)
		if err != nil || !scene.LikeNowhere(x, nowhere[method]) {
			return true, err
		}
	}
	return false, nil
}

// typeIsOffered tells that a listed type of registration is not answered as a type that does not exist.
func typeIsOffered(ctx context.Context, w *scene.World, properties []talk.ParameterProperty,
	below string) (bool, error) {
	names := []string{"username", "password"}
	if len(properties) > 0 {
		names = talk.Names(properties, func(p talk.ParameterProperty) string { return p.Name })
	}
	madeUp, err := w.AskPath(ctx, http.MethodPost, "/register/agstest"+w.Invented(10), names...)
	if err != nil {
		return false, err
	}
	x, err := w.AskPath(ctx, http.MethodPost, below, names...)
	if err != nil {
		return false, err
	}
	return !scene.LikeNowhere(x, madeUp), nil
}

func servicesAreKnown(ctx context.Context, w *scene.World) error {
	first := w.Service
	defer func() { w.Service = first }()
	ask := func(service string) (*talk.Exchange, error) {
		w.Service = service
		r := w.Prepare(ags.SignOnWithSessionToken)
		r.Set("parameters", talk.JSON([]talk.Parameter{{Name: w.Stage.SessionParameter(first), Value: w.Invented(32)}}))
		r.Set("clientId", talk.JSON(w.UnknownClientID()))
		return w.Send(ctx, r, true)
	}
	ours, err := ask(first)
	if err != nil {
		return err
	}
	stranger, err := ask("agstest-" + w.Invented(10))
	if err != nil {
		return err
	}
	if scene.Likeness(ours, true) == scene.Likeness(stranger, true) || scene.EffectiveStatus(stranger)/100 != 4 {
		return talk.Lacking("",
			"the service answers a made-up session token of a service that does not exist as one of its own (%s), so that an "+
				"unknown service cannot be told", w.Describe(ours))
	}
	var ghosts []string
	for i, s := range w.Services {
		_, offered := s.Endpoint("/" + ags.SignOnWithSessionToken)
		if !offered || s.Name == first || s.Name == "" || i == maxListed || slices.Contains(ghosts, s.Name) {
			continue
		}
		x, err := ask(s.Name)
		if err != nil {
			return err
		}
		if scene.Likeness(x, true) == scene.Likeness(stranger, true) {
			ghosts = append(ghosts, s.Name)
		}
	}
	if len(ghosts) > 0 {
		return talk.SoftMissf("every listed service known to signOnWithSessionToken",
			"%s answered as a service that does not exist, with %s", strings.Join(ghosts, ", "), w.Describe(stranger))
	}
	return nil
}
