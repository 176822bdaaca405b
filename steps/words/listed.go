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
		"Sends no token and no parameter, or made-up ones to register, to each path that discovery lists: none is answered as a path that does not exist. Paths with braces or a host are left out.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return pathsLead(ctx, w) }),
	then("every listed service is known",
		"Signs on with a made-up session token at each service that lists signOnWithSessionToken: none is answered as a service that does not exist.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return servicesAreKnown(ctx, w) }),
}

// mostListed bounds how many paths or services are tried.
const mostListed = 20

func pathsLead(ctx context.Context, w *scene.World) error {
	first := w.Service
	defer func() { w.Service = first }()
	nowhere := map[string]*talk.Exchange{}
	away := "/agstest" + w.Invented(10)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		x, err := w.AskPath(ctx, method, away)
		if err != nil {
			return err
		}
		nowhere[method] = x
	}
	call, err := w.AskPath(ctx, http.MethodPost, "/"+ags.SignOnWithSessionToken)
	if err != nil {
		return err
	}
	if scene.LikeNowhere(call, nowhere[http.MethodPost]) {
		return talk.Lacking("", "the service answers signOnWithSessionToken without parameters as it answers a path that does not exist (%s), so that a path that leads nowhere cannot be told", w.Describe(call))
	}
	var dead []string
	tried := map[string]bool{}
	for _, s := range w.Services {
		w.Service = s.Name
		for _, e := range s.Endpoints {
			below := "/" + strings.TrimPrefix(strings.TrimPrefix(e.Path, "/ags"), "/")
			if tried[below] || below == "/" || strings.ContainsAny(e.Path, "{}?#") || strings.Contains(e.Path, "://") || len(tried) == mostListed {
				continue
			}
			tried[below] = true
			leads, err := pathLeads(ctx, w, e.Parameters, below, nowhere)
			if err != nil {
				return err
			}
			if !leads {
				dead = append(dead, strconv.Quote(e.Path)+" of "+s.Name)
			}
		}
	}
	if len(dead) > 0 {
		return talk.SoftMissf("a call under every path that is listed", "%s answered as a path that does not exist, with %s", strings.Join(dead, ", "), w.Describe(nowhere[http.MethodPost]))
	}
	return nil
}

// pathLeads tells whether the answer of a path differs from that of one that does not exist. A call of the service's
// own may be POST or GET.
func pathLeads(ctx context.Context, w *scene.World, properties []talk.ParameterProperty, below string, nowhere map[string]*talk.Exchange) (bool, error) {
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
func typeIsOffered(ctx context.Context, w *scene.World, properties []talk.ParameterProperty, below string) (bool, error) {
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
		return talk.Lacking("", "the service answers a made-up session token of a service that does not exist as one of its own (%s), so that an unknown service cannot be told", w.Describe(ours))
	}
	var ghosts []string
	for i, s := range w.Services {
		_, offered := s.Endpoint("/" + ags.SignOnWithSessionToken)
		if !offered || s.Name == first || s.Name == "" || i == mostListed || slices.Contains(ghosts, s.Name) {
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
		return talk.SoftMissf("every listed service known to signOnWithSessionToken", "%s answered as a service that does not exist, with %s", strings.Join(ghosts, ", "), w.Describe(stranger))
	}
	return nil
}
