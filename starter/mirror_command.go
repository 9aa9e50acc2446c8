package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/starter/control"
)

// selectionFlags adds the flags of commands that work on selected projects.
func selectionFlags(f *pflag.FlagSet, s *account.Selection) {
	f.StringArrayVar(&s.Workspaces, "workspace", nil, "only projects of this Frame.io `workspace` (legacy: team), by ID or name; can be repeated")
	f.StringArrayVar(&s.ProjectIDs, "project", nil, "only this project, by its `ID`; can be repeated")
	f.StringVar(&s.Name, "name", "", "only projects whose name matches: * stands for any text, ? for one character")
	f.StringVar(&s.Status, "status", "", "only active or inactive projects (default any)")
	f.StringVar(&s.OlderThan, "older-than", "", "only projects last changed before this `date`")
	f.StringVar(&s.LargerThan, "larger-than", "", "only projects larger than this `size`, such as 10GiB")
	f.StringVar(&s.SmallerThan, "smaller-than", "", "only projects smaller than this `size`")
}

// badField turns an error about a field set by a flag into a usage error.
func badField(err error) error {
	var field *account.FieldError
	if errors.As(err, &field) {
		return usage(err)
	}
	return err
}

func mirrorCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mirror",
		Short: "Archive selected projects again every night",
		Long: `mirror keeps iconik up to date with Frame.io: at the times you choose, Framebridge archives the selected projects again. An
archive that finds nothing changed copies nothing and sends no e-mail. If a run has not ended when the next one is due, the
next one is skipped.`,
		Args: subcommand,
		RunE: showHelp,
	}
	var m control.Mirror
	start := &cobra.Command{
		Use:     "start",
		Short:   "Create a mirror, or change the one with that name",
		Example: "  starter mirror start --at 02:00 --zone Europe/Berlin\n  starter mirror start --name sports --workspace \"Harbour Sports\" --days mon-fri",
		Args:    cobra.NoArgs,
		RunE: withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
			v, err := s.StartMirror(ctx, t, m)
			if err != nil {
				return badField(err)
			}
			return printMirrors(out, []control.MirrorView{v})
		}),
	}
	flags := start.Flags()
	flags.StringVar(&m.At, "at", "02:00", "time of day")
	flags.StringVar(&m.Days, "days", "daily", "daily, mon-fri or sat,sun")
	flags.StringVar(&m.Zone, "zone", "UTC", "time zone, such as Europe/Berlin")
	flags.StringVar(&m.Name, "mirror", "nightly", "`name` of the mirror")
	selectionFlags(flags, &m.Selection)
	start.Example = strings.ReplaceAll(start.Example, "--name sports", "--mirror sports")
	cmd.AddCommand(start, mirrorListCommand(o))
	var note string
	for _, verb := range []struct {
		use, short, done string
		run              func(context.Context, *service, *config.Tenant, string) error
	}{
		{"stop", "Remove a mirror; archives that it started continue", "removed", func(ctx context.Context, s *service, t *config.Tenant, name string) error {
			return s.StopMirror(ctx, t, name)
		}},
		{"run", "Start a mirror's run now", "started", func(ctx context.Context, s *service, t *config.Tenant, name string) error {
			return s.RunMirror(ctx, t, name)
		}},
		{"pause", "Start no more runs until the mirror is resumed", "paused", func(ctx context.Context, s *service, t *config.Tenant, name string) error {
			return s.PauseMirror(ctx, t, name, note)
		}},
		{"resume", "Start runs again", "resumed", func(ctx context.Context, s *service, t *config.Tenant, name string) error {
			return s.ResumeMirror(ctx, t, name, note)
		}},
	} {
		sub := &cobra.Command{Use: verb.use + " [NAME]", Short: verb.short, Args: cobra.MaximumNArgs(1), RunE: withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			name := cmp.Or(strings.Join(args, ""), "nightly")
			if err := verb.run(ctx, s, t, name); err != nil {
				return err
			}
			_, err := fmt.Fprintf(out, "%s: %s\n", verb.done, name)
			return err
		})}
		if verb.use == "pause" || verb.use == "resume" {
			sub.Flags().StringVar(&note, "note", "", "reason, shown in the list")
		}
		cmd.AddCommand(sub)
	}
	return cmd
}

func mirrorListCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "list", Short: "Show the mirrors, their last result and their next run", Args: cobra.NoArgs,
		RunE: withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
			list, err := s.Mirrors(ctx, t)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(out, map[string]any{"mirrors": list})
			}
			return printMirrors(out, list)
		})}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the mirrors as JSON, as the API does")
	return cmd
}

func printMirrors(out io.Writer, list []control.MirrorView) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "There are no mirrors yet. Create one with `starter mirror start`.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "MIRROR\tWHEN\tSTATE\tLAST RUN\tNEXT RUN\tPROJECTS")
	for _, v := range list {
		fmt.Fprintf(w, "%s\t%s %s %s\t%s\t%s\t%s\t%s\n", v.Name, v.At, v.Days, v.Zone, mirrorState(v), mirrorLast(v), clock(v.NextAt), v.Selection)
	}
	return w.Flush()
}

func mirrorState(v control.MirrorView) string {
	state := "on"
	if v.Paused {
		state = "paused"
	}
	if v.Running {
		state += ", running"
	}
	if v.Paused && v.Note != "" {
		state += " (" + v.Note + ")"
	}
	return state
}

// mirrorLast says when the last run was and how it ended.
func mirrorLast(v control.MirrorView) string {
	text := clock(v.LastAt)
	switch r := v.Last; {
	case v.Failed != "":
		text += ": failed: " + v.Failed
	case r != nil:
		text += fmt.Sprintf(": %s, %d verified, %d with exceptions, %d waiting, %d failed", english.Count(r.Projects, "project"), r.Verified, r.Exceptions, r.Waiting, r.Failed)
	}
	return text
}

func clock(at *time.Time) string {
	if at == nil {
		return "–"
	}
	return at.Local().Format("Jan 2 15:04")
}
