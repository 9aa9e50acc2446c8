package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/starter/api"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/workflows"
)

// oneProject checks the arguments of commands on one project.
func oneProject(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || strings.TrimSpace(args[0]) == "" {
		return fmt.Errorf("%s takes one project, by its ID or its name in quotes", cmd.Name())
	}
	return nil
}

// opening opens the service for a command.
type opening func(context.Context, *options) (*service, func(), error)

// withTenant opens the service and finds the tenant that a command is for.
func withTenant(o *options, opened opening, run func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		s, done, err := opened(cmd.Context(), o)
		if err != nil {
			return err
		}
		defer done()
		t, err := pickTenant(s.Config(), o.tenant)
		if err != nil {
			return usage(err)
		}
		return run(cmd.Context(), cmd.OutOrStdout(), s, t, args)
	}
}

// withProject also finds the project that the command names.
func withProject(o *options, opened opening, run func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, project string) error) func(*cobra.Command, []string) error {
	return withTenant(o, opened, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
		project, err := s.findProject(ctx, t, args[0])
		if err != nil {
			return err
		}
		return run(ctx, out, s, t, project)
	})
}

// withArchive also finds the archive that the command names.
func withArchive(o *options, opened opening, run func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, row ledger.Archive) error) func(*cobra.Command, []string) error {
	return withTenant(o, opened, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
		row, err := s.findArchive(ctx, t, args[0])
		if err != nil {
			return err
		}
		return run(ctx, out, s, t, row)
	})
}

func printJSON(out io.Writer, what any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(what)
}

func archiveCommand(o *options) *cobra.Command {
	var detach bool
	var requestedBy string
	cmd := &cobra.Command{
		Use:   "archive PROJECT",
		Short: "Archive a Frame.io project into iconik and follow it",
		Long: `archive starts the archive of a Frame.io project, named by its ID or its name, or joins the one that is running,
and prints its progress until it ends. Interrupting the command does not interrupt the archive.

Exit code: 0 verified, 3 ended with exceptions or incomplete, 1 failed or canceled, or no longer followed, 4 Temporal, Frame.io or the
ledger cannot be reached.`,
		Example: "  starter archive \"Summer Campaign - Archived\"\n  starter archive 4bd2e2ac-…  --detach",
		Args:    oneProject,
	}
	cmd.Flags().BoolVar(&detach, "detach", false, "start the archive and return immediately")
	cmd.Flags().StringVar(&requestedBy, "requested-by", "", "e-mail address to notify of the result")
	cmd.RunE = withProject(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, project string) error {
		if requestedBy != "" && !api.IsAddress(requestedBy) {
			return usage(errors.New("--requested-by is not an e-mail address"))
		}
		s.sayWithoutWorker(ctx)
		started, err := s.StartArchive(ctx, t, frameio.Project{ID: project}, requestedBy)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s\n%s\n", started.Status, started.WorkflowID, started.URL)
		if detach {
			return nil
		}
		return s.follow(ctx, out, t, project)
	})
	return cmd
}

// sayWithoutWorker warns a person who waits if no worker is running.
func (s *service) sayWithoutWorker(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, control.StartTimeout)
	defer cancel()
	q, err := s.Temporal.DescribeTaskQueue(ctx, s.Config().Temporal.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err == nil && len(q.GetPollers()) == 0 {
		s.Log.Warn("no worker is running for this task queue: start one to continue", "task_queue", s.Config().Temporal.TaskQueue)
	}
}

const stoppedEvery = 5 // ledger reads between two checks in Temporal that the workflow is still running

// follow prints an archive's progress whenever it changes, until it ends.
func (s *service) follow(ctx context.Context, out io.Writer, t *config.Tenant, project string) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := ""
	for looks := 0; ; looks++ {
		row, ok, err := s.Ledger.Tenant(t.ID).Archive(project).Get(ctx)
		if err != nil {
			return err
		}
		if ok && looks%stoppedEvery == stoppedEvery-1 {
			row = s.AsItStands(ctx, row)
		}
		totals, err := s.Ledger.Tenant(t.ID).Archive(project).Progress(ctx)
		if err != nil {
			return err
		}
		if line := progressLine(row, totals); ok && line != last {
			fmt.Fprintln(out, line)
			last = line
		}
		if row.Status.Ended() {
			fmt.Fprintln(out, row.Reason)
			ended := "the archive has ended: " + english.State(string(row.Status))
			switch row.Status {
			case ledger.Verified:
				return nil
			case ledger.VerifiedWithExceptions, ledger.Incomplete:
				return &exitError{exitExceptions, ended}
			}
			return &exitError{exitFailed, ended}
		}
		select {
		case <-ctx.Done():
			return &exitError{exitFailed, "no longer following; the archive continues"}
		case <-tick.C:
		}
	}
}

func progressLine(row ledger.Archive, t ledger.Totals) string {
	if row.Status == ledger.Queued {
		if row.QueuePosition == 0 { // it is starting
			return "queued"
		}
		return fmt.Sprintf("queued, position %d", row.QueuePosition)
	}
	line := fmt.Sprintf("%-24s %d/%d files  %s of %s  %d/%d comments  %d verified  %d skipped  %d failed",
		english.State(string(row.Status)), t.Copied+t.Verified, t.Items, report.Size(t.BytesDone), report.Size(t.Bytes), t.CommentsDone, t.Comments, t.Verified, t.Skipped, t.Failed)
	if t.FailedOthers > 0 {
		line += fmt.Sprintf("  %s failed", english.Count(t.FailedOthers, "other object"))
	}
	for _, s := range row.Stuck {
		line += fmt.Sprintf("  stuck since %s while %s: %s", s.Since.Local().Format("Jan 2 15:04"), s.What, s.Reason)
	}
	if t.BytesSkipped > 0 {
		line += fmt.Sprintf("  %s skipped", report.Size(t.BytesSkipped))
	}
	if rate, left := row.Pace(t, time.Now()); rate > 0 {
		line += fmt.Sprintf("  %s/s  %s left", report.Size(rate), english.Duration(left))
	}
	return line
}

func planCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "plan PROJECT",
		Short:   "Show what an archive would do; change nothing",
		Long:    "plan reads a Frame.io project and reports what an archive would copy, what would block it, and the minimum time that the\nvendors' rate limits allow. It writes nothing on either side.",
		Example: "  starter plan \"Summer Campaign - Archived\"\n  starter plan 4bd2e2ac-… --json",
		Args:    oneProject,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		defer sayEvery(cmd.Context(), planSilence, cmd.ErrOrStderr(), "still reading Frame.io")()
		return withProject(o, fromLedger, printedPlan(asJSON))(cmd, args)
	}
	return cmd
}

// printedPlan returns a command that makes a plan in this process and prints it.
func printedPlan(asJSON bool) func(context.Context, io.Writer, *service, *config.Tenant, string) error {
	return func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, project string) error {
		made, err := s.Plan(ctx, t, project)
		if err != nil {
			return reach(err)
		}
		if asJSON {
			return printJSON(out, made)
		}
		return printPlan(out, made)
	}
}

const planSilence = 5 * time.Second // longest time that a person sees no output

// sayEvery prints text and the time elapsed at every interval, until the returned function is called.
func sayEvery(ctx context.Context, every time.Duration, out io.Writer, text string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done, began := make(chan struct{}), time.Now()
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				fmt.Fprintf(out, "%s: %s so far\n", text, english.Duration(time.Since(began)))
			}
		}
	}()
	return func() { cancel(); <-done }
}

func printPlan(out io.Writer, p workflows.Plan) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "Project\t%s\nWorkspace\t%s\n", p.Project, p.Team)
	fmt.Fprintf(w, "Files\t%d in %s, %d of them in version stacks\n", p.Items, english.Count(p.Assets, "asset"), p.Versions)
	fmt.Fprintf(w, "Folders\t%d\nSize\t%s\nComments\t%s\nShares\t%d\n", p.Folders, report.Size(p.Bytes), p.CommentsText(), p.Shares)
	fmt.Fprintf(w, "API calls\tabout %d, at least %s under the vendors' limits\n", p.APICalls, english.Duration(seconds(p.APISeconds)))
	fmt.Fprintf(w, "Transfer\tabout %s at 100 MB/s\n", english.Duration(seconds(p.TransferSeconds)))
	for _, t := range p.ByType {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", t.MediaType, english.Count(t.Count, "file"), report.Size(t.Bytes))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printReaders(out, p.Access)
	if len(p.Blockers) == 0 {
		_, err := fmt.Fprintln(out, "Nothing blocks this archive.")
		return err
	}
	fmt.Fprintln(out, "\nProblems:")
	for _, b := range p.Blockers {
		fmt.Fprintf(out, "  %s: %s → %s\n", b.Path, b.Why, b.Outcome)
	}
	if p.BlockersMore > 0 {
		fmt.Fprintf(out, "  … and %d more\n", p.BlockersMore)
	}
	return nil
}

// printReaders prints who will see what.
func printReaders(out io.Writer, a *workflows.PlanAccess) {
	if a == nil {
		return
	}
	fmt.Fprintf(out, "\nWho will see it in iconik, besides administrators (archive.access: %s):\n", a.Mode)
	for _, p := range a.Places {
		who := strings.Join(p.Readers, ", ")
		switch {
		case p.Open:
			who = "iconik's default access"
		case who == "":
			who = "nobody"
		}
		fmt.Fprintf(out, "  %s %s: %s", p.Kind, p.Place, who)
		if p.Why != "" {
			fmt.Fprintf(out, " (%s)", p.Why)
		}
		fmt.Fprintln(out)
	}
	if a.PlacesMore > 0 {
		fmt.Fprintf(out, "  … and %d more\n", a.PlacesMore)
	}
	if len(a.Unmapped) > 0 {
		fmt.Fprintf(out, "  Without access in iconik: %s\n", strings.Join(a.Unmapped, ", "))
	}
	fmt.Fprintln(out)
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Second)
}

// fromLedger opens the service for commands that do not need Temporal.
func fromLedger(ctx context.Context, o *options) (*service, func(), error) {
	return prepare(ctx, o, lazily)
}

func statusCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status PROJECT",
		Short:   "Print the status of a project's archive",
		Example: "  starter status \"Summer Campaign\"\n  starter status 4bd2e2ac-… --json",
		Args:    oneProject,
		RunE: withArchive(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, row ledger.Archive) error {
			if !row.Status.Ended() && s.HearsTemporal(ctx) {
				row = s.AsItStands(ctx, row)
			}
			if asJSON {
				v, err := s.ArchiveView(ctx, row)
				if err != nil {
					return err
				}
				return printJSON(out, v)
			}
			totals, err := s.Ledger.Tenant(t.ID).Archive(row.ID).Progress(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintln(out, progressLine(row, totals))
			_, err = fmt.Fprintln(out, row.Reason)
			return err
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the archive as JSON, as the API does")
	return cmd
}

func retryCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "retry PROJECT",
		Short: "Continue an archive with whatever is missing",
		Args:  oneProject,
		RunE: withArchive(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, row ledger.Archive) error {
			a, err := s.RetryArchive(ctx, t, row.ID)
			if err == nil {
				_, err = fmt.Fprintf(out, "%s: %s\n", a.Status, a.WorkflowID)
			}
			return err
		}),
	}
}

func cancelCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel PROJECT",
		Short: "Stop an archive; keep what is already in iconik",
		Args:  oneProject,
		RunE: withArchive(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, row ledger.Archive) error {
			a, err := s.CancelArchive(ctx, t, row.ID)
			if err == nil {
				_, err = fmt.Fprintf(out, "canceling: %s\n", a.WorkflowID)
			}
			return err
		}),
	}
}
