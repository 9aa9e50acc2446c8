// Package report renders what an archive proves: as JSON and CSV for programs, as a page for people, and as an ASC MHL
// for the film industry's tools. It streams over the items, whatever their number.
package report

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"iter"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/ledger"
)

// Report is an archive with what it accounts for.
type Report struct {
	Archive     ledger.Archive
	Totals      ledger.Totals
	Tenant      string
	GeneratedAt time.Time
	Links       Links
	// Items yields every item, in the archive's order. It may be called several times.
	Items iter.Seq2[ledger.Item, error]
}

// Links are where a person looks further.
type Links struct{ Frameio, Iconik, Temporal string }

// rclone's words for comparing two sides.
const (
	Match   = "match"
	Missing = "missing"
	Extra   = "extra"
	Differ  = "differ"
	Error   = "error"
)

// Comparison is an item's state in those words.
func Comparison(it ledger.Item) string {
	switch it.State {
	case ledger.ItemVerified:
		return Match
	case ledger.Skipped, ledger.Pending, ledger.Copying:
		return Missing
	case ledger.ItemFailed:
		for _, word := range []string{Missing, Extra, Differ} {
			if strings.HasPrefix(it.Reason, word+":") {
				return word
			}
		}
		return Error
	}
	return Differ // copied, and not yet compared
}

func checksum(it ledger.Item) string {
	if it.Checksum == "" {
		return ""
	}
	return "xxh64:" + it.Checksum
}

func sourceChecksum(it ledger.Item) string {
	if it.SourceChecksum == "" {
		return ""
	}
	return "xxh64:" + it.SourceChecksum
}

type jsonItem struct {
	SourceID       string `json:"source_id"`
	Path           string `json:"path"`
	Version        int    `json:"version"`
	Versions       int    `json:"versions"`
	State          string `json:"state"`
	Comparison     string `json:"comparison"`
	Reason         string `json:"reason,omitempty"`
	Fault          string `json:"fault,omitempty"`
	Size           int64  `json:"size"`
	StoredSize     int64  `json:"stored_size"`
	Checksum       string `json:"checksum,omitempty"`
	SourceChecksum string `json:"source_checksum,omitempty"`
	Rendition      string `json:"rendition,omitempty"`
	Comments       int    `json:"comments"`
	CommentsDone   int    `json:"comments_done"`
	AssetID        string `json:"iconik_asset_id,omitempty"`
	VersionID      string `json:"iconik_version_id,omitempty"`
	FileID         string `json:"iconik_file_id,omitempty"`
}

// JSON writes the report as one JSON object whose "items" come last.
func JSON(w io.Writer, r *Report) error {
	b := bufio.NewWriter(w)
	a, t := r.Archive, r.Totals
	head, err := json.MarshalIndent(map[string]any{
		"archive": a.ID, "tenant": map[string]string{"id": a.Tenant, "name": r.Tenant},
		"project": map[string]string{"id": a.ID, "name": a.Name, "team": a.TeamName},
		"status":  a.Status, "reason": a.Reason, "run": a.Run, "generated_at": r.GeneratedAt, "started_at": a.StartedAt, "finished_at": a.FinishedAt,
		"totals": map[string]int64{"items": t.Items, "assets": t.Assets, "verified": t.Verified, "skipped": t.Skipped, "failed": t.Failed,
			"bytes": t.Bytes, "bytes_done": t.BytesDone, "comments": t.Comments, "comments_done": t.CommentsDone, "presentations": int64(a.SharesDone)},
		"iconik": map[string]string{"collection_id": a.CollectionID, "url": r.Links.Iconik}, "frameio": map[string]string{"url": r.Links.Frameio},
	}, "", "  ")
	if err != nil {
		return err
	}
	b.Write(head[:len(head)-2]) // without the closing brace
	b.WriteString(",\n  \"items\": [")
	sep := "\n    "
	for it, err := range r.Items {
		if err != nil {
			return err
		}
		row, err := json.Marshal(jsonItem{it.SourceID, it.Path, it.Version, it.Versions, string(it.State), Comparison(it), it.Why(), it.Fault, it.Size, it.StoredSize,
			checksum(it), sourceChecksum(it), it.Rendition, max(it.CommentCount, 0), it.CommentsDone, it.AssetID, it.VersionID, it.FileID})
		if err != nil {
			return err
		}
		b.WriteString(sep)
		b.Write(row)
		sep = ",\n    "
	}
	b.WriteString("\n  ]\n}\n")
	return b.Flush()
}

// CSV writes a line for each item. Cells that a spreadsheet would take for a formula are quoted with an apostrophe.
func CSV(w io.Writer, r *Report) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"path", "version", "state", "comparison", "reason", "size", "stored_size", "checksum", "source_checksum", "rendition", "comments", "comments_done",
		"frameio_id", "iconik_asset_id", "iconik_version_id", "iconik_file_id"})
	for it, err := range r.Items {
		if err != nil {
			return err
		}
		_ = c.Write([]string{cell(it.Path), strconv.Itoa(it.Version), string(it.State), Comparison(it), cell(it.Why()), strconv.FormatInt(it.Size, 10),
			strconv.FormatInt(it.StoredSize, 10), checksum(it), sourceChecksum(it), it.Rendition, strconv.Itoa(max(it.CommentCount, 0)), strconv.Itoa(it.CommentsDone),
			it.SourceID, it.AssetID, it.VersionID, it.FileID})
	}
	c.Flush()
	return c.Error()
}

func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// MHL writes an ASC MHL v2.0 hash list of the files whose bytes are in iconik. Versions of one asset lie in folders.
func MHL(w io.Writer, r *Report) error {
	b := bufio.NewWriter(w)
	date := r.GeneratedAt.UTC().Format(time.RFC3339)
	fmt.Fprintf(b, "%s<hashlist version=\"2.0\" xmlns=\"urn:ASC:MHL:v2.0\">\n  <creatorinfo>\n    <creationdate>%s</creationdate>\n    <hostname>framebridge</hostname>\n    <tool version=\"1\">Framebridge</tool>\n  </creatorinfo>\n  <processinfo>\n    <process>transfer</process>\n  </processinfo>\n  <hashes>\n", xml.Header, date)
	for it, err := range r.Items {
		if err != nil {
			return err
		}
		if it.Checksum == "" || it.Rendition != "original" {
			continue
		}
		action := "original"
		switch {
		case it.State == ledger.ItemFailed:
			action = "failed"
		case it.SourceChecksum != "" && it.SourceChecksum == it.Checksum:
			action = "verified"
		}
		fmt.Fprintf(b, "    <hash>\n      <path size=\"%d\">", it.StoredSize)
		_ = xml.EscapeText(b, []byte(mhlPath(it)))
		fmt.Fprintf(b, "</path>\n      <xxh64 action=\"%s\" hashdate=\"%s\">%s</xxh64>\n    </hash>\n", action, date, it.Checksum)
	}
	b.WriteString("  </hashes>\n</hashlist>\n")
	return b.Flush()
}

// mhlPath gives every version a path of its own.
func mhlPath(it ledger.Item) string {
	if it.Versions <= 1 {
		return it.Path
	}
	return path.Join(path.Dir(it.Path), fmt.Sprintf("%s.v%d", strings.ReplaceAll(it.Title, "/", "∕"), it.Version), path.Base(it.Path))
}

const pageRows = 2000

type row struct {
	Path, State, Comparison, Reason, Note, Size, Checksum, Rendition, Comments string
	Version                                                                    int
}

type page struct {
	*Report
	Verdict, Class, Bytes, Duration string
	Exceptions, Rows                []row
	MoreExceptions, MoreRows        int
}

// HTML writes the page for people: the verdict, the exceptions with their reasons, then the items.
func HTML(w io.Writer, r *Report) error {
	p := page{Report: r, Bytes: Size(r.Totals.Bytes)}
	switch r.Archive.Status {
	case ledger.Verified:
		p.Verdict, p.Class = "Archived and verified", "good"
	case ledger.VerifiedWithExceptions:
		p.Verdict, p.Class = "Archived and verified, with exceptions", "fair"
	case ledger.Incomplete, ledger.Failed:
		p.Verdict, p.Class = "Not complete", "bad"
	default:
		p.Verdict, p.Class = "Status: "+string(r.Archive.Status), "fair"
	}
	if !r.Archive.StartedAt.IsZero() && r.Archive.FinishedAt.After(r.Archive.StartedAt) {
		p.Duration = r.Archive.FinishedAt.Sub(r.Archive.StartedAt).Round(time.Second).String()
	}
	for it, err := range r.Items {
		if err != nil {
			return err
		}
		line := row{Path: it.Path, Version: it.Version, State: string(it.State), Comparison: Comparison(it), Reason: it.Why(), Note: it.Note, Size: Size(it.Size),
			Checksum: checksum(it), Rendition: it.Rendition, Comments: fmt.Sprintf("%d / %d", it.CommentsDone, max(it.CommentCount, 0))}
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
	return pageTemplate.Execute(w, p)
}

// Size prints bytes for people, in binary units.
func Size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if f /= 1024; f < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

var pageTemplate = template.Must(template.New("report").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Archive report — {{.Archive.Name}}</title>
<style>
:root{color-scheme:light dark;--line:#8884;--good:#137333;--fair:#9a6700;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--good:#81c995;--fair:#fdd663;--bad:#f28b82}}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1.5rem 1rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.verdict{border-left:.4rem solid;padding:.4rem .8rem;margin:1rem 0;font-size:1.15rem}
.good{color:var(--good)}.fair{color:var(--fair)}.bad{color:var(--bad)}.verdict p{color:CanvasText;margin:.2rem 0;font-size:1rem}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.5rem;margin:1rem 0}
dl div{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .7rem}dt{font-size:.8rem;opacity:.75}dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}td.n{text-align:right;white-space:nowrap}
td.path{overflow-wrap:anywhere;min-width:12rem}code{font-size:.8rem}
@media(max-width:40rem){.rows thead{display:none}.rows tr{display:block;padding:.4rem 0;border-bottom:1px solid var(--line)}
.rows td{display:inline-block;border:0;padding:.1rem .6rem .1rem 0;text-align:left}.rows td.path,.rows td.why{display:block}}
@media print{.scroll{overflow:visible}a{color:inherit}}
</style></head><body>
<h1>{{.Archive.Name}}</h1><div>{{.Archive.TeamName}} · {{.Tenant}}</div>
<div class="verdict {{.Class}}"><strong>{{.Verdict}}</strong><p>{{.Archive.Reason}}</p></div>
<dl>
<div><dt>Files</dt><dd>{{.Totals.Items}}</dd></div><div><dt>Verified</dt><dd>{{.Totals.Verified}}</dd></div>
<div><dt>Skipped</dt><dd>{{.Totals.Skipped}}</dd></div><div><dt>Failed</dt><dd>{{.Totals.Failed}}</dd></div>
<div><dt>Bytes</dt><dd>{{.Bytes}}</dd></div><div><dt>Comments</dt><dd>{{.Totals.CommentsDone}} / {{.Totals.Comments}}</dd></div>
<div><dt>Presentations</dt><dd>{{.Archive.SharesDone}}</dd></div>{{if .Duration}}<div><dt>Duration</dt><dd>{{.Duration}}</dd></div>{{end}}
</dl>
<p>{{if .Links.Frameio}}<a href="{{.Links.Frameio}}">Project in Frame.io</a> · {{end}}{{if .Archive.CollectionID}}<a href="{{.Links.Iconik}}">Collection in iconik</a>{{end}}{{if .Links.Temporal}} · <a href="{{.Links.Temporal}}">Workflow</a>{{end}}</p>
{{if .Exceptions}}<h2>Exceptions</h2><div class="scroll"><table class="rows"><thead><tr><th>Path</th><th>Version</th><th>State</th><th>Why</th></tr></thead><tbody>
{{range .Exceptions}}<tr><td class="path">{{.Path}}</td><td class="n">{{.Version}}</td><td>{{.State}}{{if eq .Rendition "proxy"}} (proxy){{end}}</td><td class="why">{{.Reason}}</td></tr>
{{end}}</tbody></table></div>{{if .MoreExceptions}}<p>… and {{.MoreExceptions}} more: the CSV and the JSON have all.</p>{{end}}{{end}}
<h2>Files</h2><div class="scroll"><table class="rows"><thead><tr><th>Path</th><th>Version</th><th>Compared</th><th>Size</th><th>Checksum</th><th>Comments</th></tr></thead><tbody>
{{range .Rows}}<tr><td class="path">{{.Path}}</td><td class="n">{{.Version}}</td><td>{{.Comparison}}</td><td class="n">{{.Size}}</td><td><code>{{.Checksum}}</code></td><td class="n">{{.Comments}}</td></tr>
{{if .Note}}<tr><td colspan="6"><small>{{.Note}}</small></td></tr>
{{end}}{{end}}</tbody></table></div>{{if .MoreRows}}<p>… and {{.MoreRows}} more: the CSV and the JSON have all.</p>{{end}}
<p><small>Run {{.Archive.Run}} · written {{.GeneratedAt.Format "2006-01-02 15:04:05 MST"}} by Framebridge. “match” means: iconik has the file in the size and with the checksum that were copied, its storage holds that many bytes, and every comment was found.</small></p>
</body></html>
`))
