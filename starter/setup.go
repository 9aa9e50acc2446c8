package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/setup"
)

type setupFlags struct {
	workspaces, groups       []string
	dryRun, remove, yes, raw bool
	redirect                 string
}

func setupCommand(o *options) *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Set up Frame.io and iconik for Framebridge",
		Long: `setup creates or repairs what a tenant needs on both sides: Frame.io's webhooks and the action "Archive to iconik" in each
chosen workspace, and iconik's fields, views, custom actions and webhook. It reads both sides, shows the changes and asks
before making them. A second run changes nothing. Frame.io shows webhook secrets only once, so setup stores them encrypted
in the ledger; it never prints them. --remove removes exactly what setup created.

Without --workspace, setup uses the workspaces of the last run; the first run asks, or uses all if it cannot ask.
Exit code: 0 done, 1 something was refused, 2 usage or configuration, 4 a vendor cannot be reached.`,
		Example: "  starter setup --dry-run\n  starter setup --workspace \"Harbour Films\" --group Editors --yes\n  starter setup --remove",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSetup(cmd.Context(), o, f, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.workspaces, "workspace", nil, "Frame.io `workspace` (legacy: team), by ID or name; can be repeated")
	flags.StringArrayVar(&f.groups, "group", nil, "iconik `group` that sees the actions, by ID or name; can be repeated")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show the changes without making them")
	flags.BoolVar(&f.remove, "remove", false, "remove what setup created; with --workspace, only in that Frame.io workspace")
	flags.BoolVar(&f.yes, "yes", false, "make the changes without asking")
	flags.BoolVar(&f.raw, "json", false, "print the changes as JSON")
	flags.StringVar(&f.redirect, "redirect", "http://localhost:8765/callback", "redirect URL of the credential, if a person must sign in first")
	return cmd
}

// runSetup plans the changes, shows them, asks for consent and applies them.
func runSetup(ctx context.Context, o *options, f setupFlags, in io.Reader, out io.Writer) error {
	s, done, err := prepare(ctx, o, lazily)
	if err != nil {
		return usage(err)
	}
	defer done()
	t, err := pickTenant(s.Config(), o.tenant)
	if err != nil {
		return usage(err)
	}
	if s.Config().HTTP.IsExample() && !f.dryRun && !f.remove { // the vendors' events must not be sent to somebody else's machine
		return &exitError{exitUsage, "http.public_url is still the example's (" + config.ExampleHost + "): set the address at which Frame.io and iconik reach the starter"}
	}
	talk := &talk{in: bufio.NewReader(in), out: out}
	if f.raw {
		talk.out = os.Stderr // keeps the output plain JSON
	}
	set, err := s.newSetup(ctx, t, f)
	if err != nil {
		return usage(err)
	}
	if !f.yes && !f.raw && !f.dryRun {
		set.Choose = talk.choose
	}
	if err := s.signInForSetup(ctx, o, t, f, talk); err != nil {
		return reach(err)
	}
	makePlan := set.Plan
	if f.remove {
		makePlan = set.PlanRemoval
	}
	plan, err := makePlan(ctx)
	if err != nil {
		return reach(err)
	}
	plan.DryRun = f.dryRun
	if !f.raw {
		if err := plan.Print(out); err != nil {
			return err
		}
	}
	if plan.Changed() > 0 && !f.dryRun && !f.yes {
		if !talk.agrees() {
			return &exitError{exitUsage, "nothing was changed: answer yes, or use --yes in a script"}
		}
	}
	if !f.dryRun {
		err = s.applySetup(ctx, t, plan, f, out)
	}
	if f.raw {
		err = errors.Join(printJSON(out, plan), err)
	}
	return reach(err)
}

// applySetup carries out the plan and records who did it.
func (s *service) applySetup(ctx context.Context, t *config.Tenant, plan *setup.Plan, f setupFlags, out io.Writer) error {
	changes := plan.Changed()
	err := plan.Apply(ctx, func(c setup.Change) {
		switch {
		case f.raw, c.Op == setup.Keep:
		case c.Error != "":
			fmt.Fprintf(out, "  failed   %s: %s\n", c.Title(), redact.Scrub(c.Error))
		default:
			fmt.Fprintf(out, "  done     %s\n", c.Title())
		}
	})
	if changes > 0 {
		what := "setup"
		if f.remove {
			what = "setup removed"
		}
		if aerr := s.Audit(ctx, t, ledger.AuditEntry{Action: what, ObjectKind: "tenant", ObjectID: t.ID, Detail: ledger.AuditText(english.Count(changes, "change"))}); aerr != nil {
			s.Log.WarnContext(ctx, "could not record the setup in the audit log", "error", aerr)
		}
	}
	if err == nil && !f.raw && changes > 0 {
		fmt.Fprintln(out, "\nDone. Run `starter doctor` to check the rest.")
	}
	return err
}

func (s *service) newSetup(ctx context.Context, t *config.Tenant, f setupFlags) (*setup.Setup, error) {
	p, err := s.Platform(t)
	if err != nil {
		return nil, err
	}
	installer, ok := p.(frameio.Installer)
	if !ok {
		return nil, fmt.Errorf("tenants.%s.frameio.generation: setup does not support %s", t.ID, t.Frameio.Generation)
	}
	ick, err := iconik.New(t.Iconik)
	if err != nil {
		return nil, err
	}
	return &setup.Setup{Tenant: t, Base: s.Config().HTTP.PublicURL + routes.Prefix, Frameio: installer, Iconik: ick, Ledger: s.Ledger.Tenant(t.ID), Workspaces: f.workspaces, Groups: f.groups,
		InUse: s.inUse(ctx, t)}, nil
}

// inUse reports whether archives or reviews have written to iconik. It returns true if that cannot be determined.
func (s *service) inUse(ctx context.Context, t *config.Tenant) bool {
	archives, _, err := s.Ledger.Tenant(t.ID).Archives(ctx, "", 1)
	if err != nil || len(archives) > 0 {
		return true
	}
	reviews, _, err := s.Ledger.Tenant(t.ID).Reviews(ctx, "", 1)
	return err != nil || len(reviews) > 0
}

// signInForSetup asks a person to sign in if Adobe accepts the credential but nobody has signed in yet.
func (s *service) signInForSetup(ctx context.Context, o *options, t *config.Tenant, f setupFlags, talk *talk) error {
	p, err := s.Platform(t)
	if err != nil {
		return err
	}
	_, err = p.Me(ctx)
	var e *rest.Error
	if !errors.As(err, &e) || e.Vendor != "Adobe" || e.Class != rest.Unauthorized || !open.SignsIn(t) {
		return err
	}
	if f.yes || f.raw || f.dryRun {
		return fmt.Errorf("%w; sign in with `starter login`", err)
	}
	fmt.Fprintf(talk.out, "With this credential, a person must sign in to Adobe: %s\n\n", redact.Scrub(e.Detail))
	one := *o
	one.tenant = t.ID
	if err := login(ctx, &one, f.redirect, talk.in, talk.out); err != nil {
		return err
	}
	s.Reopen(t)
	return nil
}

// talk asks the person at the terminal.
type talk struct {
	in  *bufio.Reader
	out io.Writer
}

func (t *talk) line(prompt string) string {
	fmt.Fprint(t.out, prompt)
	text, err := t.in.ReadString('\n')
	if err != nil {
		fmt.Fprintln(t.out)
	}
	return strings.TrimSpace(text)
}

func (t *talk) agrees() bool {
	answer := strings.ToLower(t.line("\nMake these changes? [y/N] "))
	return answer == "y" || answer == "yes"
}

// choose lets the person pick by number. An empty answer picks all workspaces, or no group.
func (t *talk) choose(what string, options []setup.Option) ([]setup.Option, error) {
	fmt.Fprintf(t.out, "There are several %s:\n", what)
	for i, o := range options {
		fmt.Fprintf(t.out, "  %d  %s (%s)\n", i+1, o.Name, o.ID)
	}
	none := strings.HasPrefix(what, "groups")
	hint := "all"
	if none {
		hint = "none (administrators only)"
	}
	var out []setup.Option
	answer := t.line(fmt.Sprintf("Which ones, by number? (separate with commas; default: %s) ", hint))
	switch {
	case answer == "" && none:
		return nil, nil
	case answer == "" || answer == "all":
		return options, nil
	}
	for _, part := range strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > len(options) {
			return nil, fmt.Errorf("%w: %q is not one of the numbers", setup.ErrChoice, part)
		}
		out = append(out, options[n-1])
	}
	return out, nil
}
