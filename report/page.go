package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

const pageRows = 2000

type row struct {
	Path, State, Comparison, Reason, Note, Size, Checksum, ChecksumOf, Rendition, Comments string
	Picture                                                                                string // its URL
	Version                                                                                int
	SourceID, AssetID, VersionID, FrameioURL, IconikURL                                    string
}

type page struct {
	*Report
	Verdict, Class, Bytes, Skipped, Duration string
	Begun, Ended, Written                    []string // in UTC, then in local time
	AskedBy                                  string
	Framebridge, FrameioAPI, IconikAPI       string
	Exceptions, Rows                         []row
	NotCarried                               []NotCarried
	Failures                                 []ledger.Failure
	Differences                              []ledger.Difference
	MoreExceptions, MoreRows, MoreNotCarried int
	MoreFailures, MoreDifferences            int
	Generation                               Generation
}

// HTML writes the page for people: the verdict, the exceptions with their reasons, the differences, what was not carried, who
// may read it, and then the items.
func HTML(w io.Writer, r *Report) error {
	p := page{Report: r, Bytes: Size(r.Totals.BytesDone) + " of " + Size(r.Totals.Bytes), Begun: r.times(r.Archive.StartedAt), Ended: r.times(r.Archive.FinishedAt), Written: r.times(r.GeneratedAt),
		AskedBy: r.Archive.TriggeredBy.For(r.Archive.Asked()...), Framebridge: Version(), FrameioAPI: frameioAPI(r.Archive.Generation), IconikAPI: iconikAPI}
	p.Verdict, p.Class = verdict(r.Archive.Status)
	if r.Totals.BytesSkipped > 0 {
		p.Skipped = Size(r.Totals.BytesSkipped)
	}
	if !r.Archive.StartedAt.IsZero() && r.Archive.FinishedAt.After(r.Archive.StartedAt) {
		p.Duration = english.Duration(r.Archive.FinishedAt.Sub(r.Archive.StartedAt))
	}
	if p.Generation, _ = r.generation(); r.mayStand() {
		p.Generation = r.Generations[len(r.Generations)-1]
	}
	p.NotCarried = r.NotCarried[:min(len(r.NotCarried), pageRows)]
	p.MoreNotCarried = len(r.NotCarried) - len(p.NotCarried)
	p.Failures = r.Failures[:min(len(r.Failures), pageRows)]
	p.MoreFailures = len(r.Failures) - len(p.Failures)
	p.Differences = r.Differences[:min(len(r.Differences), pageRows)]
	p.MoreDifferences = len(r.Differences) - len(p.Differences)
	for it, err := range r.Items {
		if err != nil {
			return err
		}
		line := r.row(it)
		if it.Rendition == "proxy" && line.Reason == "" {
			line.Reason = "Frame.io has no original: its proxy is stored as a proxy"
		}
		if it.State != ledger.ItemVerified || it.Rendition == "proxy" {
			if len(p.Exceptions) < pageRows {
				p.Exceptions = append(p.Exceptions, line)
			} else {
				p.MoreExceptions++
			}
		}
		if len(p.Rows) < pageRows {
			p.Rows = append(p.Rows, line)
		} else {
			p.MoreRows++
		}
	}
	signed := custody.NewWriter(w, r.SigningKey)
	if err := pageTemplate.Execute(signed, p); err != nil {
		return err
	}
	return signed.EndMarkup()
}

const shown = 300 // most characters of a value on the page

func short(value string) string {
	if r := []rune(value); len(r) > shown {
		return string(r[:shown]) + "…"
	}
	return value
}

func verdict(s ledger.ArchiveStatus) (words, class string) {
	switch s {
	case ledger.Verified:
		return "Archived and verified", "good"
	case ledger.VerifiedWithExceptions:
		return "Archived and verified, with exceptions", "fair"
	case ledger.Incomplete, ledger.Failed:
		return "Not complete", "bad"
	}
	return "Status: " + english.State(string(s)), "fair"
}

// times formats a time in UTC and, if it differs, in local time. It returns nil for the zero time.
func (r *Report) times(t time.Time) []string {
	if t.IsZero() {
		return nil
	}
	zone := r.Zone
	if zone == nil {
		zone = time.Local
	}
	out := []string{english.Time(t.UTC())}
	if local := english.Time(t.In(zone)); local != out[0] {
		out = append(out, local)
	}
	return out
}

func (r *Report) row(it ledger.Item) row {
	picture := ""
	if r.picture != nil {
		picture = r.picture(it)
	}
	return row{Picture: picture, Path: it.Path, Version: it.Version, State: string(it.State), Comparison: Comparison(it), Reason: it.Why(), Note: it.Note, Size: Size(it.Size),
		Checksum: checksum(it), ChecksumOf: ChecksumOf(it), Rendition: it.Rendition, Comments: fmt.Sprintf("%d / %d", it.CommentsDone, max(it.CommentCount, 0)),
		SourceID: it.SourceID, AssetID: it.AssetID, VersionID: it.VersionID, FrameioURL: FrameioURL(it), IconikURL: r.iconikURL(it)}
}

//go:embed page.html
var pageSource string

// styleSource is the style of both reports.
//
//go:embed style.html
var styleSource string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"count": english.Count[int64], "size": func(n *int64) string {
	if n == nil {
		return ""
	}
	return Size(*n)
}, "short": short, "join": func(list []string) string { return strings.Join(list, ", ") }}).Parse(styleSource + pageSource))
