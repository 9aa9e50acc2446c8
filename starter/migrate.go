package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/plan/schedule"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/starter/api"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/workflows"
)

// migrationCommands returns the commands that start, show and control a migration.
func migrationCommands(o *options) []*cobra.Command {
	return []*cobra.Command{
		migrateStartCommand(o), migrateStatusCommand(o), migrateAddCommand(o), migrateOrderCommand(o),
		migrateControlCommand(o, workflows.UpdatePause, "Start no more projects, and pause the archives that are running"),
		migrateControlCommand(o, workflows.UpdateResume, "Continue after a pause, or after the first projects (--canary)"),
		migrateControlCommand(o, workflows.UpdateCancel, "Cancel the migration and the archives it started; keep what is already in iconik"),
	}
}

// windowFlag parses "mon-fri 20:00-06:00 Europe/Berlin 100MiB". Days, zone and bandwidth are optional.
type windowFlag struct{ windows *[]schedule.Window }

func (f windowFlag) Type() string   { return "window" }
func (f windowFlag) String() string { return "" }

func (f windowFlag) Set(text string) error {
	var w schedule.Window
	twice := false
	set := func(into *string, part string) { twice, *into = twice || *into != "", part }
	for _, part := range strings.Fields(text) {
		from, to, isRange := strings.Cut(part, "-")
		switch {
		case isRange && strings.Contains(from, ":"):
			set(&w.From, from)
			w.To = to
		case part[0] >= '0' && part[0] <= '9':
			set(&w.Bandwidth, part)
		case strings.Contains(part, "/") || part == "UTC":
			set(&w.Zone, part)
		default:
			w.Days = strings.Trim(w.Days+","+part, ",")
		}
	}
	if w.From == "" || twice {
		return errors.New(`write "mon-fri 20:00-06:00 Europe/Berlin 100MiB"; days, zone and bandwidth may be left out, and each further window has a --window of its own`)
	}
	*f.windows = append(*f.windows, w)
	return nil
}

func migrateStartCommand(o *options) *cobra.Command {
	var asked account.Request
	var requestedBy string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Archive the selected projects, several at a time, as one job",
		Long: `start freezes the list of the selected projects and archives them in order, several at a time. Without flags, it takes every project
that the sign-in has access to. A tenant has one migration at a time; "starter migrate status" shows it.`,
		Example: "  starter migrate start --status inactive --parallel 4 --canary 2\n  starter migrate start --window \"mon-fri 20:00-06:00 Europe/Berlin 100MiB\" --window \"sat,sun 00:00-24:00 Europe/Berlin\"",
		Args:    cobra.NoArgs,
	}
	f := cmd.Flags()
	selectionFlags(f, &asked.Selection)
	f.IntVar(&asked.Canary, "canary", 0, "archive this many projects first; the others wait for \"migrate resume\"")
	f.IntVar(&asked.ProjectsInParallel, "parallel", 0, "projects at once (default archive.projects_in_parallel)")
	f.Var(windowFlag{&asked.Windows}, "window", "work only in this window; can be repeated: \"[DAYS] FROM-TO [ZONE] [BANDWIDTH]\"")
	f.StringVar(&requestedBy, "requested-by", "", "e-mail address to notify of the result")
	f.BoolVar(&asJSON, "json", false, "print what was accepted as JSON, as the API does")
	cmd.RunE = withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
		if requestedBy != "" && !api.IsAddress(requestedBy) {
			return usage(errors.New("--requested-by is not an e-mail address"))
		}
		s.sayWithoutWorker(ctx)
		a, err := s.StartMigration(ctx, t, asked, requestedBy)
		if err != nil {
			return badField(err)
		}
		if asJSON {
			return printJSON(out, a)
		}
		_, err = fmt.Fprintf(out, "%s: migration %s\n%s\n", a.Status, a.ID, a.URL)
		return err
	})
	return cmd
}

// findMigration returns the migration that a command names, or the newest.
func (s *service) findMigration(ctx context.Context, t *config.Tenant, args []string) (ledger.Migration, error) {
	if len(args) > 0 {
		row, known, err := s.Ledger.Tenant(t.ID).Migration(args[0]).Get(ctx)
		if err == nil && !known {
			err = &noSuchName{"migration", args[0], nil}
		}
		return row, err
	}
	row, known, err := s.Ledger.Tenant(t.ID).NewestMigration(ctx)
	if err == nil && !known {
		err = &exitError{exitFailed, "this tenant has no migration yet: start one with \"starter migrate start\""}
	}
	return row, err
}

func migrateStatusCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [MIGRATION]",
		Short: "Show the status of a migration, by default the newest one",
		Long: `status shows a migration's status and its projects in their order.

Exit code: 0 running or done, 3 done, but not every project is verified without exceptions, 1 failed or canceled.`,
		Args: cobra.MaximumNArgs(1),
		RunE: withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			row, err := s.findMigration(ctx, t, args)
			if err != nil {
				return err
			}
			if !row.Status.Ended() && s.HearsTemporal(ctx) {
				row = s.MigrationAsItStands(ctx, row)
			}
			v, err := s.MigrationView(ctx, row)
			if err != nil {
				return err
			}
			var projects []control.MigrationProjectView
			for cursor, more := "", true; more; more = cursor != "" {
				var page []control.MigrationProjectView
				if page, cursor, err = s.MigrationProjects(ctx, t, row.ID, cursor, 1000); err != nil {
					return err
				}
				projects = append(projects, page...)
			}
			if asJSON {
				err = printJSON(out, map[string]any{"migration": v, "projects": projects})
			} else {
				err = printMigration(out, v, projects)
			}
			if err != nil {
				return err
			}
			return migrationExit(v)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the migration and its projects as JSON, as the API does")
	return cmd
}

func migrationExit(v control.MigrationView) error {
	switch {
	case v.Status == string(ledger.MigrationFailed), v.Status == string(ledger.MigrationCancelled):
		return &exitError{exitFailed, ""}
	case v.Status == string(ledger.MigrationDone) && v.Projects.Verified != v.Projects.Total:
		return &exitError{exitExceptions, ""}
	}
	return nil
}

func printMigration(out io.Writer, v control.MigrationView, projects []control.MigrationProjectView) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	p := v.Projects
	line("Migration", v.ID)
	line("Status", v.Status)
	line("Why", v.Reason)
	line("Projects", fmt.Sprintf("%d: %d queued, %d running, %d verified, %d with exceptions, %d incomplete, %d failed, %d canceled", p.Total, p.Queued, p.Running, p.Verified, p.VerifiedWithExceptions, p.Incomplete, p.Failed, p.Cancelled))
	line("Files", fmt.Sprintf("%d of %d copied, %d verified, %d skipped, %d failed", v.Items.Copied, v.Items.Total, v.Items.Verified, v.Items.Skipped, v.Items.Failed))
	line("Size", fmt.Sprintf("%s of %s", report.Size(v.Bytes.Done), report.Size(v.Bytes.Total)))
	if v.Bandwidth > 0 {
		line("Bandwidth", report.Size(v.Bandwidth)+"/s")
	}
	line("Expected end", shown(v.ETA))
	line("Started", shown(v.StartedAt))
	line("Ended", shown(v.FinishedAt))
	line("Workflow", v.TemporalURL)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	return table(out, "no projects are listed yet", "PLACE\tPROJECT\tTEAM\tSTATE\tFILES\tSIZE\tWHY", func(row func(...any)) {
		for _, p := range projects {
			place := ""
			if p.Position > 0 {
				place = strconv.FormatInt(p.Position, 10)
			}
			row(place, p.Project.Name, p.Project.Team, p.State, fmt.Sprintf("%d/%d", p.Items.Copied, p.Items.Total), report.Size(p.Bytes.Total), firstLine(p.Reason))
		}
	})
}

func migrateControlCommand(o *options, verb, short string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " [MIGRATION]", Short: short, Args: cobra.MaximumNArgs(1),
		RunE: withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			row, err := s.findMigration(ctx, t, args)
			if err != nil {
				return err
			}
			if _, err := s.ControlMigration(ctx, t, row.ID, verb); err != nil {
				return err
			}
			said := map[string]string{workflows.UpdatePause: "is paused: its archives pause within seconds", workflows.UpdateResume: "continues", workflows.UpdateCancel: "is being canceled"}
			_, err = fmt.Fprintf(out, "migration %s %s\n", row.ID, said[verb])
			return err
		}),
	}
}

// otherSelection returns the selection that the flags specify, or nil if they specify none. An empty --name, as in --name "$NAME"
// with an unset variable, does not select every project. --name "*" and --status any do.
func otherSelection(take account.Selection) *account.Selection {
	if take.Everything() && take.Name == "" && take.Status == "" {
		return nil
	}
	return &take
}

func migrateAddCommand(o *options) *cobra.Command {
	var take account.Selection
	cmd := &cobra.Command{
		Use:   "add [MIGRATION]",
		Short: "Add projects to a running migration",
		Long: `add reads Frame.io again and puts projects that are not in the list yet at its end. Without flags, these are the projects that now
match the migration's own selection, such as new projects in Frame.io; with flags, the projects that the flags select. Projects
that are already in the list keep their place, and a project that failed is not started again: retry its archive.`,
		Example: "  starter migrate add\n  starter migrate add --workspace \"Harbour Films\"\n  starter migrate add --name \"*\"  # the whole account",
		Args:    cobra.MaximumNArgs(1),
	}
	selectionFlags(cmd.Flags(), &take)
	cmd.RunE = withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
		row, err := s.findMigration(ctx, t, args)
		if err != nil {
			return err
		}
		added, err := s.AddToMigration(ctx, t, row.ID, otherSelection(take))
		switch {
		case err != nil:
			return badField(err)
		case added.Projects == nil:
			_, err = fmt.Fprintln(out, "Frame.io is still being read: \"starter migrate status\" shows the projects as they are added")
		case *added.Projects == 0:
			_, err = fmt.Fprintln(out, "no projects were added: all that match are already in the list")
		default:
			_, err = fmt.Fprintf(out, "%s added at the end of the list; \"starter migrate order\" moves one to another place\n", english.Count(*added.Projects, "project"))
		}
		return err
	})
	return cmd
}

func migrateOrderCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "order PROJECT PLACE",
		Short:   "Move a waiting project to another place in the migration; 1 is next",
		Example: "  starter migrate order \"Summer Campaign\" 1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("migrate order takes a project, by its ID or its name in quotes, and a place, 1 or higher")
			}
			if n, err := strconv.Atoi(args[1]); err != nil || n < 1 {
				return errors.New("the place must be a number, 1 or higher")
			}
			return nil
		},
		RunE: withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			row, err := s.findMigration(ctx, t, nil)
			if err != nil {
				return err
			}
			var all []candidate
			for p, err := range s.Ledger.Tenant(t.ID).Migration(row.ID).AllProjects(ctx) {
				if err != nil {
					return err
				}
				all = append(all, candidate{p.ID, p.Name})
			}
			found, err := pick("project", all, args[0], t.Archive.TriggerSuffix)
			if err != nil {
				return err
			}
			place, _ := strconv.Atoi(args[1]) // validated by Args
			if _, err := s.OrderMigration(ctx, t, row.ID, found.id, place); err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "%s is now number %d\n", found.name, place)
			return err
		}),
	}
}
