package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/starter/control"
)

func reviewCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "review", Short: "Show and control one review", Args: subcommand, RunE: showHelp}
	cmd.AddCommand(reviewShowCommand(o), reviewExtendCommand(o),
		reviewControlCommand(o, control.VerbStop, "Switch a review's link off now; its media is deleted after the retention period"),
		reviewControlCommand(o, control.VerbSync, "Sync a review's comments now"))
	return cmd
}

// oneReview checks the arguments of commands on one review.
func oneReview(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || strings.TrimSpace(args[0]) == "" {
		return fmt.Errorf("review %s takes one review, by its ID or its title in quotes", cmd.Name())
	}
	return nil
}

func reviewShowCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show REVIEW", Short: "Show a review: its link, files, comments and decisions", Args: oneReview,
		RunE: withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			row, err := s.findReview(ctx, t, args[0])
			if err != nil {
				return err
			}
			if row.Status.Running() && s.HearsTemporal(ctx) {
				row = s.ReviewAsItStands(ctx, row)
			}
			v, err := s.ReviewView(ctx, row)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(out, v)
			}
			return printReview(out, v)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the review as JSON, as the API does")
	return cmd
}

func printReview(out io.Writer, v control.ReviewView) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	line("Review", v.ID)
	line("Title", v.Title)
	line("Status", v.Status)
	line("Why", v.Reason)
	line("Link", v.ShareURL)
	line("Reviewers", strings.Join(v.Reviewers, ", "))
	line("Expires", shown(v.ExpiresAt))
	line("Media deleted", shown(v.DeleteAt))
	line("Comments", fmt.Sprintf("%d to iconik, %d to Frame.io, %d open", v.Comments.ToIconik, v.Comments.ToFrameio, v.Comments.Open))
	line("Last sync", shown(v.LastSyncAt))
	line("Next sync", shown(v.NextSyncAt))
	line("Workflow", v.TemporalURL)
	for _, note := range v.Notes {
		line("Note", note)
	}
	for _, a := range v.Assets {
		fmt.Fprintf(w, "File\t%s\t%s\t%s\t%s\t%s\n", a.Title, report.Size(a.Size), a.State, a.Decision, a.Reason)
	}
	return w.Flush()
}

func reviewExtendCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "extend REVIEW DATE",
		Short:   "Move a review's expiry",
		Long:    "extend moves a review's expiry to the end of a date (UTC), or to a date with a time.",
		Example: "  starter review extend \"Harbour Lights – Trailer.mov\" 2027-01-15\n  starter review extend 109af2c3-… 2027-01-15T18:00:00Z",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("review extend takes a review, by its ID or its title in quotes, and a date such as 2027-01-15")
			}
			return oneReview(cmd, args[:1])
		},
		RunE: withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			until, wrong := control.ParseExpiry(args[1], time.Now(), 0, t.Review.Longest)
			if wrong != nil {
				return usage(errors.New(wrong.Problem))
			}
			return s.controlFromCommand(ctx, out, t, args[0], control.VerbExtend, until)
		}),
	}
}

func reviewControlCommand(o *options, verb, short string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " REVIEW", Short: short, Args: oneReview,
		RunE: withTenant(o, connect, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			return s.controlFromCommand(ctx, out, t, args[0], verb, time.Time{})
		}),
	}
}

func (s *service) controlFromCommand(ctx context.Context, out io.Writer, t *config.Tenant, review, verb string, until time.Time) error {
	row, err := s.findReview(ctx, t, review)
	if err != nil {
		return err
	}
	if _, err := s.ControlReview(ctx, t, row.ID, verb, until); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, done(row, verb, until))
	return err
}

func done(row ledger.Review, verb string, until time.Time) string {
	switch verb {
	case control.VerbExtend:
		return fmt.Sprintf("%s is open until %s", row.Title, shown(&until))
	case control.VerbStop:
		return row.Title + " is being stopped: `starter review show " + row.ID + "` shows when its link is off"
	}
	return row.Title + " is being synced"
}
