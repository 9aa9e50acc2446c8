package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
)

const minutesShown = "2006-01-02 15:04"

func projectsCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "projects",
		Short: "List Frame.io's projects and the status of their archives",
		Args:  cobra.NoArgs,
		RunE: withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
			list, err := s.Projects(ctx, t)
			if err != nil {
				return reach(err)
			}
			if asJSON {
				return printJSON(out, map[string]any{"projects": list})
			}
			return table(out, "the token has no access to any project", "ID\tPROJECT\tTEAM\tIN FRAME.IO\tARCHIVE", func(row func(...any)) {
				for _, p := range list {
					row(p.ID, p.Name, p.Team, p.State(), p.Archive)
				}
			})
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func archivesCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "archives",
		Short: "List the archives, newest first",
		Args:  cobra.NoArgs,
		RunE: withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
			rows, err := s.everyArchive(ctx, t)
			if err != nil {
				return err
			}
			running := func(row ledger.Archive) bool { return !row.Status.Ended() && row.Status != ledger.Queued }
			views, err := viewsNow(ctx, s, rows, running, s.AsItStands, s.ArchiveView)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(out, map[string]any{"archives": views, "next": nil})
			}
			return table(out, "nothing has been archived yet", "ID\tPROJECT\tSTATUS\tFILES\tSIZE\tSINCE\tWHY", func(row func(...any)) {
				for _, v := range views {
					row(v.ID, v.Project.Name, v.Status, fmt.Sprintf("%d/%d", v.Items.Copied, v.Items.Total), report.Size(v.Bytes.Total), shown(v.QueuedAt), firstLine(v.Reason))
				}
			})
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the archives as JSON, as the API does")
	return cmd
}

func reviewsCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "reviews",
		Short: "List the reviews, newest first",
		Args:  cobra.NoArgs,
		RunE: withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
			rows, err := s.everyReview(ctx, t)
			if err != nil {
				return err
			}
			running := func(row ledger.Review) bool { return row.Status.Running() }
			views, err := viewsNow(ctx, s, rows, running, s.ReviewAsItStands, s.ReviewView)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(out, map[string]any{"reviews": views, "next": nil})
			}
			return table(out, "nothing has been sent to review yet", "ID\tTITLE\tSTATUS\tEXPIRES\tOPEN COMMENTS\tWHY", func(row func(...any)) {
				for _, v := range views {
					row(v.ID, v.Title, v.Status, shown(v.ExpiresAt), v.Comments.Open, firstLine(v.Reason))
				}
			})
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the reviews as JSON, as the API does")
	return cmd
}

// viewsNow returns the rows as the API shows them. It checks running ones against Temporal, if Temporal responds.
func viewsNow[Row, View any](ctx context.Context, s *service, rows []Row, running func(Row) bool, now func(context.Context, Row) Row, view func(context.Context, Row) (View, error)) ([]View, error) {
	hears := sync.OnceValue(func() bool { return s.HearsTemporal(ctx) })
	views := make([]View, len(rows))
	for i, row := range rows {
		if running(row) && hears() {
			row = now(ctx, row)
		}
		var err error
		if views[i], err = view(ctx, row); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// table prints rows below their headings, or the text none if there are no rows.
func table(out io.Writer, none, heads string, fill func(row func(...any))) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	rows := 0
	fill(func(cells ...any) {
		if rows++; rows == 1 {
			fmt.Fprintln(w, heads)
		}
		text := make([]string, len(cells))
		for i, c := range cells {
			text[i] = strings.NewReplacer("\t", " ", "\n", " ").Replace(fmt.Sprint(c))
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(text, "\t"), "\t"))
	})
	if rows == 0 {
		fmt.Fprintln(w, none)
	}
	return w.Flush()
}

func shown(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format(minutesShown) //nolint:gosmopolitan // a person reads it on their own machine
}

// firstLine returns as much of a reason as fits in a table.
func firstLine(text string) string {
	const room = 60
	line, _, _ := strings.Cut(text, "\n")
	if r := []rune(line); len(r) > room {
		return strings.TrimSpace(string(r[:room-1])) + "…"
	}
	return line
}
