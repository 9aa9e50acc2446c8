package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

// printAccountPlan prints a plan for people. Use --json for all of it.
func printAccountPlan(out io.Writer, p workflows.AccountPlan) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "Projects\t%d\nFiles\t%d\nFolders\t%d\nSize\t%s\nComments\t%s\nShares\t%d\n", p.Projects, p.Files, p.Folders, report.Size(p.Bytes), p.CommentsText(), p.Shares)
	fmt.Fprintf(w, "API calls\tabout %d, at least %s under the vendors' limits\n", p.APICalls, english.Duration(seconds(p.Time.Limits)))
	fmt.Fprintf(w, "Transfer\tabout %s at %s/s\n", english.Duration(seconds(p.Time.Bytes)), report.Size(p.Time.BytesPerSecond))
	printCost(w, p.Cost)
	fmt.Fprintln(w, "\nBy type")
	for _, t := range p.ByType {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", cmp.Or(t.MediaType, "unknown"), english.Count(t.Count, "file"), report.Size(t.Bytes))
	}
	fmt.Fprintln(w, "By age")
	for _, a := range p.ByAge {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", a.Age, english.Count(a.Count, "file"), report.Size(a.Bytes))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printAccountReaders(out, p.Access)
	if len(p.NotCarried) > 0 {
		fmt.Fprintln(out, "\nNot carried:")
	}
	for _, n := range p.NotCarried {
		count := "any"
		if n.Count != nil {
			count = fmt.Sprint(*n.Count)
		}
		fmt.Fprintf(out, "  %s %s: %s\n", count, n.Kind, n.Reason)
	}
	if len(p.Blockers) == 0 {
		_, err := fmt.Fprintln(out, "\nNothing blocks this migration.")
		return err
	}
	fmt.Fprintln(out, "\nProblems:")
	for _, b := range p.Blockers {
		fmt.Fprintf(out, "  %s: %s → %s\n", blockedWhat(b), b.Why, b.Outcome)
	}
	if p.BlockersMore > 0 {
		fmt.Fprintf(out, "  … and %d more\n", p.BlockersMore)
	}
	return nil
}

// blockedWhat names a project and says how many of its files a problem affects.
func blockedWhat(b workflows.AccountBlocker) string {
	what := cmp.Or(b.Project, b.ProjectID, "The account")
	if b.Files > 0 {
		what += fmt.Sprintf(" (%s, %s)", english.Count(b.Files, "file"), report.Size(b.Bytes))
	}
	return what
}

func printCost(w io.Writer, c *workflows.PlanCost) {
	if c == nil {
		return
	}
	for _, s := range c.Storage {
		fmt.Fprintf(w, "Storage, %s\t%.2f %s a month for %.1f GiB\n", s.Class, s.PerMonth, c.Currency, c.GiB)
	}
	if c.Egress > 0 {
		fmt.Fprintf(w, "Egress\t%.2f %s once\n", c.Egress, c.Currency)
	}
	if c.Transcode > 0 {
		fmt.Fprintf(w, "Transcodes\t%.2f %s once, for %.0f minutes\n", c.Transcode, c.Currency, c.Minutes)
	}
}

func printAccountReaders(out io.Writer, a workflows.AccountAccess) {
	if a.Mode == "" {
		return
	}
	fmt.Fprintf(out, "\nWho will see it in iconik (archive.access: %s):\n  %s with iconik's default access, %d restricted; %s (folders, collections) with their own readers\n", a.Mode,
		english.Count(a.Open, "project"), a.Restricted, english.Count(a.Within, "place"))
	for _, p := range a.Places {
		who := cmp.Or(strings.Join(p.Readers, ", "), "administrators only")
		fmt.Fprintf(out, "  %s: %s\n", strings.TrimSuffix(p.Project+" / "+p.Place, " / "), who)
	}
	if a.PlacesMore > 0 {
		fmt.Fprintf(out, "  … and %d more\n", a.PlacesMore)
	}
	if len(a.Unmapped) > 0 {
		fmt.Fprintf(out, "  Without access in iconik: %s\n", strings.Join(a.Unmapped, ", "))
	}
}
