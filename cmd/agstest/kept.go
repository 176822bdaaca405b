package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/kept"
	"agstest/steps"
)

func (p *program) keepCommand() *cobra.Command {
	var newKey bool
	c := &cobra.Command{
		Use:   "prepare ENV",
		Short: "Sign on and keep refresh tokens, for a later run to which they are of the past.",
		Long: `Signs the devices of situations.active and of the accounts that are suspended or cancelled one day on, and keeps their refresh tokens in
ENV.kept, which is encrypted with the key in ` + kept.Variable +
			` and readable for its owner alone. A later conform uses them: one that has expired by then is
expired-refresh, where the file gives none, and with --slow nothing is waited for; one of an account that was suspended since is the refreshToken
of suspended-account. Of each situation at most 4 are kept.`,
		Example: `  agstest prepare --new-key                            # a key for ` + kept.Variable +
			`; keep it where secrets are
  agstest prepare staging.yaml`,
		Args: wantArguments(0, 1, "one environment file"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case newKey && len(args) > 0:
				return failure.Usagef("--new-key prints a key and signs nobody on; leave %s out", args[0])
			case newKey:
				_, err := fmt.Fprintln(trusted(p.stdout), kept.NewKey())
				return err
			case len(args) == 0:
				return failure.Usagef("prepare needs an environment file, as in: agstest prepare staging.yaml")
			}
			e, err := p.readEnvironment(args[0])
			if err != nil {
				return err
			}
			return p.keepTokens(c, e, kept.Place(args[0]))
		},
	}
	c.Flags().BoolVar(&newKey, "new-key", false, "print a new key for "+kept.Variable+", and do nothing else")
	return c
}

// keepTokens signs on and keeps what comes of it.
func (p *program) keepTokens(c *cobra.Command, e *environment.Environment, path string) error {
	if e.File == "" {
		return failure.Usagef(
			"tokens are kept beside the environment file, and this one is read from stdin; give a file")
	}
	key, of := p.keptKey(), keptOf(e)
	before, err := kept.Read(path, key, of) // before anything is sent: a wrong key is told
	if err != nil {
		return err
	}
	for _, t := range before {
		p.secrets.Add(t.RefreshToken)
	}
	signed, err := steps.SignOnToKeep(c.Context(), steps.Options{Environment: e, Secrets: &p.secrets, Seed: p.seed(0),
		MaxRate: e.MaxRate()})
	if err != nil {
		return err
	}
	now := time.Now()
	var more []kept.Token
	for _, s := range signed {
		if s.Why != "" {
			p.warnf("nothing is kept of %s: %s", s.Situation, s.Why)
			continue
		}
		more = append(more, kept.Token{Situation: s.Situation, AccountID: s.AccountID, ClientID: s.ClientID,
			Tenant: s.Tenant, RefreshToken: s.RefreshToken, Kept: now.UTC().Truncate(time.Second),
			Expires: s.Expires.UTC()})
	}
	if len(more) == 0 {
		return failure.Setupf("nobody could be signed on, so nothing is kept")
	}
	count, err := kept.Add(path, key, of, more, now)
	if err != nil {
		return err
	}
	for _, t := range more {
		fmt.Fprintf(p.stdout, "kept: a refresh token of %s, which expires at %s\n", t.Situation,
			t.Expires.Local().Format("2006-01-02 15:04:05 MST"))
	}
	fmt.Fprintf(p.stdout, "%s in %s\n", figures.Plural(int64(count), "token"), path)
	return nil
}

func (p *program) keptKey() string {
	key, _ := p.getenv(kept.Variable)
	p.secrets.Add(key)
	return key
}

func keptOf(e *environment.Environment) kept.Of { return kept.Of{URL: e.URL, Tenant: e.Tenant} }

// useKept gives situations their kept refresh tokens, if the file gives them none.
func (p *program) useKept(e *environment.Environment) error {
	if e.File == "" || e.Mock != nil {
		return nil
	}
	path := kept.Place(e.File)
	if _, err := os.Lstat(path); err != nil {
		return nil //nolint:nilerr // nothing was kept
	}
	key := p.keptKey()
	if key == "" {
		p.warnf("%s is not used: the key in %s opens it, which is not set", path, kept.Variable)
		return nil
	}
	tokens, err := kept.Read(path, key, keptOf(e))
	if err != nil {
		return err
	}
	now := time.Now()
	for _, t := range tokens {
		p.secrets.Add(t.RefreshToken)
		name, s := t.Situation, e.Situations[t.Situation]
		switch {
		case s.ClientID != t.ClientID: // the file names another device by now
		case name == "active":
			given, has := e.Situations["expired-refresh"]
			if has && given.RefreshToken != "" || now.Before(t.Expires.Add(e.ClockSkew+time.Minute)) {
				continue
			}
			given.RefreshToken = t.RefreshToken
			if !has {
				given = s
				given.RefreshToken = t.RefreshToken
			}
			e.Situations["expired-refresh"] = given
			p.notef("expired-refresh: the token that was kept at %s and expired at %s", moment(t.Kept),
				moment(t.Expires))
		case s.RefreshToken == "" && now.Before(t.Expires.Add(-e.ClockSkew-time.Minute)):
			s.RefreshToken = t.RefreshToken
			e.Situations[name] = s
			p.notef("%s: the refresh token that was kept at %s", name, moment(t.Kept))
		}
	}
	return nil
}

func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
