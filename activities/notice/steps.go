package notice

import (
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

// JobSteps are the steps that people see in iconik, in order.
var JobSteps = []struct{ Phase, Label string }{
	{"plan", "Plan: read the project's folders"},
	{workflows.PhaseCopy, "Copy: folders, files and versions"},
	{workflows.PhaseComments, "Comments: comments, replies, drawings and shares"},
	{workflows.PhaseVerify, "Verify: compare Frame.io and iconik"},
	{"report", "Report: write the archive report"},
}

// Steps returns the job's steps when one has the given status. Those before it are done.
func Steps(phase, status, message string) []iconik.Step {
	steps := make([]iconik.Step, len(JobSteps))
	before := "DONE"
	for i, s := range JobSteps {
		steps[i] = iconik.Step{Label: s.Label, Status: before}
		if s.Phase == phase {
			steps[i].Status, before = status, "WAITING"
			if status == "FAILED" {
				steps[i].ErrorMessage = message
			} else {
				steps[i].Message = message
			}
		}
	}
	return steps
}

// waits describes what is waiting, and for what.
func waits(row ledger.Archive, c workflows.Counts) string {
	verb := "wait"
	if c.Waiting == 1 {
		verb = "waits"
	}
	return strings.TrimSpace(fmt.Sprintf("%s (%s) %s. %s", english.Count(c.Waiting, "file"), report.Size(max(c.Bytes-c.BytesDone, 0)), verb, row.Reason))
}

// Progress says how far an archive is.
func Progress(c workflows.Counts) string {
	skipped := ""
	if c.BytesSkipped > 0 {
		skipped = " (" + report.Size(c.BytesSkipped) + ")"
	}
	return fmt.Sprintf("%d of %d files (%s of %s), %d of %d comments, %d skipped%s, %d failed",
		c.Copied, c.Items, report.Size(c.BytesDone), report.Size(c.Bytes), c.CommentsDone, c.Comments, c.Skipped, skipped, c.Failed)
}
