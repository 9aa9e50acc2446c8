package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/workflows"
)

func reclaimCommand(o *options) *cobra.Command {
	var name string
	var ask, asJSON, detach bool
	var accept []string
	cmd := &cobra.Command{
		Use:   "reclaim PROJECT",
		Short: "Free space in Frame.io: delete what is proven to be in iconik",
		Long: `reclaim deletes an archived project's files in Frame.io once every one of them is proven to be in iconik. On its own, it only
shows what could be freed, and deletes nothing.

To delete, type the project's name as it is in Frame.io after --project, or ask with --ask and have someone else run
"starter reclaim approve". Both sides are then compared in full: the files, versions, fields and comments, and the stored bytes, which are
read back. Anything that differs from what was archived stops the whole project. Each file is compared once more right before it is
deleted, and the run stops at the first surprise. A file's comments go with it; folders, shares and the project stay. Frame.io can restore
each file for ` + english.Duration(workflows.RestorableFor) + `.

Files stay if they have something that exists only in Frame.io, such as comments with attachments. With --accept, you knowingly accept
certain kinds of losses, for example the authors of replies, whom Frame.io's V4 API does not name.

Exit code: 0 done, 3 some files were left, 1 refused or stopped.`,
		Example: "  starter reclaim \"Summer Campaign\"\n  starter reclaim \"Summer Campaign\" --project \"Summer Campaign - Archived\"\n  starter reclaim \"Summer Campaign\" --ask --accept author",
		Args:    oneProject,
	}
	flags := cmd.Flags()
	flags.StringVar(&name, "project", "", "delete; type the project's name as it is in Frame.io")
	flags.BoolVar(&ask, "ask", false, "delete once someone else has approved")
	flags.StringSliceVar(&accept, "accept", nil, "kinds of losses to accept, such as author or like; see \"not carried\" in the archive's report")
	flags.BoolVar(&detach, "detach", false, "return immediately")
	flags.BoolVar(&asJSON, "json", false, "print the result as JSON")
	cmd.RunE = withArchive(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, row ledger.Archive) error {
		if ask && name != "" {
			return usage(errors.New("use either --ask or --project: either someone else approves, or you type the project's name"))
		}
		s.sayWithoutWorker(ctx)
		if _, err := s.StartReclaim(ctx, t, row, control.ReclaimRequest{DryRun: !ask && name == "", Name: name, Accepts: accept}); err != nil {
			return err
		}
		if detach {
			return nil
		}
		return s.followReclaim(ctx, out, t, row.ID, asJSON)
	})
	for verb, short := range map[string]string{control.VerbApprove: "Approve a deletion that someone else has asked for", control.VerbPause: "Pause after the current file",
		control.VerbResume: "Continue after a pause", control.VerbCancel: "Cancel a reclaim; deleted files can be restored in Frame.io for " + english.Duration(workflows.RestorableFor)} {
		cmd.AddCommand(reclaimControlCommand(o, verb, short))
	}
	cmd.AddCommand(reclaimStatusCommand(o))
	return cmd
}

func reclaimControlCommand(o *options, verb, short string) *cobra.Command {
	return &cobra.Command{Use: verb + " PROJECT", Short: short, Args: oneProject,
		RunE: withArchive(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, row ledger.Archive) error {
			done, err := s.ControlReclaim(ctx, t, row.ID, verb)
			if err == nil {
				_, err = fmt.Fprintf(out, "%s: %s\n", verb, done.WorkflowID)
			}
			return err
		})}
}

func reclaimStatusCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "status PROJECT", Short: "Show a project's last reclaim and why files were left", Args: oneProject,
		RunE: withArchive(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, row ledger.Archive) error {
			h := s.Ledger.Tenant(t.ID).Archive(row.ID)
			r, known, err := h.Reclaim(ctx)
			if err == nil && !known {
				err = fmt.Errorf("this project has had no reclaim yet: `starter reclaim %q` shows what could be freed", row.Name)
			}
			if err != nil {
				return err
			}
			return printReclaim(ctx, out, h, r, asJSON)
		})}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// followReclaim prints a reclaim's progress until it ends or waits for somebody.
func (s *service) followReclaim(ctx context.Context, out io.Writer, t *config.Tenant, archive string, asJSON bool) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	h, last := s.Ledger.Tenant(t.ID).Archive(archive), ""
	for {
		r, _, err := h.Reclaim(ctx)
		if err != nil {
			return err
		}
		sums, err := h.ReclaimSums(ctx, r.Run)
		if err != nil {
			return err
		}
		if line := reclaimLine(r, sums); line != last && !asJSON {
			fmt.Fprintln(out, line)
			last = line
		}
		switch {
		case r.Status == ledger.ReclaimWaiting:
			_, err := fmt.Fprintf(out, "Someone else has to approve: starter reclaim approve %q\n", r.Project)
			return err
		case !r.FinishedAt.IsZero():
			if err := printReclaim(ctx, out, h, r, asJSON); err != nil {
				return err
			}
			return reclaimEnd(r, sums)
		}
		select {
		case <-ctx.Done():
			return &exitError{exitFailed, "no longer following; the reclaim continues"}
		case <-tick.C:
		}
	}
}

func reclaimEnd(r ledger.Reclaim, sums map[ledger.ReclaimFileState]ledger.ReclaimSum) error {
	switch r.Status {
	case ledger.ReclaimDone, ledger.ReclaimExamined:
		if sums[ledger.ReclaimLeft].Files > 0 {
			return &exitError{exitExceptions, ""}
		}
		return nil
	}
	return &exitError{exitFailed, "the reclaim has ended: " + english.State(string(r.Status))}
}

func reclaimLine(r ledger.Reclaim, sums map[ledger.ReclaimFileState]ledger.ReclaimSum) string {
	of := func(state ledger.ReclaimFileState) string {
		return english.Count(sums[state].Files, "file") + ", " + report.Size(sums[state].Bytes)
	}
	status := english.State(string(r.Status))
	if r.Paused {
		status = "paused"
	}
	return fmt.Sprintf("%-10s  to prove: %s  proven: %s  deleted: %s  left: %s", status, of(ledger.ReclaimReady), of(ledger.ReclaimProven), of(ledger.ReclaimDeleted), of(ledger.ReclaimLeft))
}

const leftShown = 20 // most remaining files listed, with their reasons

func printReclaim(ctx context.Context, out io.Writer, h ledger.ArchiveLedger, r ledger.Reclaim, asJSON bool) error {
	sums, err := h.ReclaimSums(ctx, r.Run)
	if err != nil {
		return err
	}
	left, err := h.ReclaimFiles(ctx, r.Run, ledger.ReclaimLeft, 0, leftShown)
	if err != nil {
		return err
	}
	if asJSON {
		files := map[string]any{}
		for state, s := range sums {
			files[string(state)] = map[string]int64{"files": s.Files, "bytes": s.Bytes}
		}
		return printJSON(out, map[string]any{"reclaim": r, "files": files, "left": left})
	}
	fmt.Fprintln(out, reclaimLine(r, sums))
	if r.Reason != "" {
		fmt.Fprintln(out, r.Reason)
	}
	if len(left) > 0 {
		fmt.Fprintln(out, "\nThese stay in Frame.io:")
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		for _, f := range left {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", f.Path, report.Size(f.Size), f.Reason)
		}
		if more := sums[ledger.ReclaimLeft].Files - int64(len(left)); more > 0 {
			fmt.Fprintf(w, "  … and %d more\n", more)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if sums[ledger.ReclaimDeleted].Files > 0 && !r.FinishedAt.IsZero() {
		fmt.Fprintf(out, "Everything that was deleted can be restored in Frame.io until %s, and each file for %s.\n", r.Began().Add(workflows.RestorableFor).Local().Format("January 2, 2006"), english.Duration(workflows.RestorableFor))
	}
	return nil
}
