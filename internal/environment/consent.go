package environment

import (
	"net/url"
	"strings"

	"agstest/internal/failure"
	"agstest/internal/wire"
)

// A file that does not say protected: counts as protected unless its service is on this machine. Consent is bound to
// the host of the service and not to the name of the environment, because a copied file keeps its name.

// ConsentHost returns the host of the service for consent: host, or host:port if the address has a port.
func (e *Environment) ConsentHost() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// onLoopback tells whether the address of a service is on this machine.
func onLoopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && wire.OnLoopback(u.Hostname())
}

// Local tells whether the service is on this machine.
func (e *Environment) Local() bool { return onLoopback(e.URL) }

// Agreed tells whether one of the hosts that the user said yes to is that of the service. A host without a port stands
// for every port.
func (e *Environment) Agreed(hosts []string) bool {
	host := e.ConsentHost()
	bare := host
	if u, err := url.Parse(e.URL); err == nil {
		bare = strings.ToLower(u.Hostname())
	}
	for _, yes := range hosts {
		yes = strings.ToLower(strings.TrimSpace(yes))
		if yes != "" && (yes == host || strings.Trim(yes, "[]") == bare) {
			return true
		}
	}
	return false
}

// whyProtected tells why a service counts as protected, for messages.
func (e *Environment) whyProtected() string {
	if e.assumed {
		return "is protected, because its file does not say otherwise (protected: false) and its service is not on " +
			"this machine"
	}
	return "is protected"
}

// Mistaken returns an error if the user said yes only to other hosts than that of the service, protected or not: the
// user meant another service. Without any yes it returns nil.
func (e *Environment) Mistaken(hosts []string) error {
	if len(hosts) == 0 || e.Agreed(hosts) {
		return nil
	}
	return failure.Usagef("--yes says %q and the service of the environment %s is at %q; nothing was sent",
		strings.Join(hosts, ","), e.Name, e.ConsentHost())
}

// Refusal returns nil if an act (such as "a load") is allowed on the service: it is not protected, or the user said yes
// to its host or, as before, gave back the name of the environment.
func (e *Environment) Refusal(what string, hosts []string, name string) error {
	if err := e.Mistaken(hosts); err != nil {
		return err
	}
	switch {
	case !e.Protected || len(hosts) > 0 || name != "" && name == e.Name:
		return nil
	case name != "":
		return failure.Usagef(
			"--yes-load says %q and the environment is %q; nothing was sent. Say --yes %s if you mean it", name, e.Name,
			e.ConsentHost())
	}
	return failure.Usagef("the environment %s %s: %s needs its host given back, --yes %s", e.Name, e.whyProtected(),
		what, e.ConsentHost())
}

// MayRegister tells whether devices may be activated: the file allows it, or the service is our own mock.
func (e *Environment) MayRegister() bool { return e.Allow.Register || e.Mock != nil }
