package custody

import (
	"crypto/ed25519"
	"html/template"
	"io"
	"iter"
	"time"

	"github.com/framebridge/framebridge/english"
)

// CertificateKind is the kind that a deletion certificate states.
const CertificateKind = "framebridge deletion certificate"

// Names of a certificate's files, as they are stored and downloaded.
const (
	CertificatePage = "deletion-certificate.html"
	CertificateData = "deletion-certificate.json"
)

// CertificateFiles lists all of a certificate's files.
var CertificateFiles = []string{CertificatePage, CertificateData}

// Certificate states what was deleted in Frame.io, who approved it, and how each file was first proven to be in iconik.
type Certificate struct {
	Kind            string            `json:"kind"`
	Tenant          string            `json:"tenant"`
	Project         string            `json:"project"` // its ID in Frame.io
	Name            string            `json:"name"`
	Workspace       string            `json:"workspace"`
	Run             int               `json:"run"`
	Status          string            `json:"status"`
	Reason          string            `json:"reason"`
	RequestedBy     string            `json:"requested_by"`
	RequestedAt     time.Time         `json:"requested_at"`
	ApprovedBy      string            `json:"approved_by"`
	ApprovedAt      time.Time         `json:"approved_at"`
	ApprovedHow     string            `json:"approved_how"`
	Accepted        []string          `json:"accepted"`         // kinds of things that only Frame.io had and whose loss was accepted
	ComparedAt      time.Time         `json:"compared_at"`      // when the archive's own comparison ended
	FinishedAt      time.Time         `json:"finished_at"`      // of the deletion
	RestorableUntil time.Time         `json:"restorable_until"` // in Frame.io; until then all files are restorable
	Collection      string            `json:"collection"`       // in iconik
	Totals          CertificateTotals `json:"totals"`
}

// CertificateTotals are sums over the files of a certificate.
type CertificateTotals struct {
	Deleted      int64 `json:"deleted"`
	DeletedBytes int64 `json:"deleted_bytes"`
	Left         int64 `json:"left"`
	LeftBytes    int64 `json:"left_bytes"`
}

// CertificateFile is one file of a certificate. State is deleted or left.
type CertificateFile struct {
	State     string     `json:"state"`
	Reason    string     `json:"reason,omitempty"`
	Path      string     `json:"path"`
	Version   int        `json:"version"`
	Versions  int        `json:"versions"`
	SourceID  string     `json:"source_id"`
	Size      int64      `json:"size"`
	Checksum  string     `json:"checksum"` // xxh64:…
	AssetID   string     `json:"iconik_asset"`
	FileID    string     `json:"iconik_file"`
	Comments  int        `json:"comments"`
	Proof     string     `json:"proof,omitempty"`
	ProvenAt  *time.Time `json:"proven_at,omitempty"`
	DeletedAt *time.Time `json:"deleted_at,omitempty"`
}

// JSON writes the certificate as signed JSON, file by file.
func (c Certificate) JSON(w io.Writer, key ed25519.PrivateKey, files iter.Seq2[CertificateFile, error]) error {
	c.Kind = CertificateKind
	return WriteJSON(w, key, c, "files", files, func(f CertificateFile) any { return f })
}

// HTML writes the certificate as a signed page.
func (c Certificate) HTML(w io.Writer, key ed25519.PrivateKey, files iter.Seq2[CertificateFile, error]) error {
	out := NewWriter(w, key)
	if err := certificatePage.ExecuteTemplate(out, "head", c); err != nil {
		return err
	}
	for f, err := range files {
		if err != nil {
			return err
		}
		if err := certificatePage.ExecuteTemplate(out, "file", f); err != nil {
			return err
		}
	}
	if err := certificatePage.ExecuteTemplate(out, "foot", c); err != nil {
		return err
	}
	return out.EndMarkup()
}

var certificatePage = template.Must(template.New("").Funcs(template.FuncMap{
	"count": english.Count[int64],
	"when": func(t any) string {
		at, ok := t.(time.Time)
		if p, pointer := t.(*time.Time); pointer && p != nil {
			at, ok = *p, true
		}
		if !ok || at.IsZero() {
			return "never"
		}
		return english.Time(at.UTC())
	},
}).Parse(`{{define "head"}}<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Deletion certificate — {{.Name}}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#1d2330;background:#fff}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3em .8em .3em 0;border-bottom:1px solid #d9dde5;vertical-align:top}
.n{text-align:right}code{font-size:.85em;overflow-wrap:anywhere}dt{font-weight:600}dd{margin:0 0 .6em}</style>
<h1>Deletion certificate — {{.Name}}</h1>
<p>Framebridge deleted {{count .Totals.Deleted "file"}} ({{.Totals.DeletedBytes}} bytes) of this project in Frame.io after comparing each of them in full with what iconik
stores. {{count .Totals.Left "file"}} ({{.Totals.LeftBytes}} bytes) stayed in Frame.io, as did the folders, the shares and the project itself.</p>
<dl><dt>Project</dt><dd>{{.Name}} ({{.Workspace}}), <code>{{.Project}}</code></dd>
<dt>Result</dt><dd>{{.Status}}: {{.Reason}}</dd>
<dt>Requested by</dt><dd>{{.RequestedBy}}, {{when .RequestedAt}}</dd>
<dt>Approved by</dt><dd>{{.ApprovedBy}}, {{when .ApprovedAt}}: {{.ApprovedHow}}</dd>
{{range .Accepted}}<dt>Accepted loss</dt><dd>{{.}}</dd>{{end}}
<dt>Archive last compared</dt><dd>{{when .ComparedAt}}</dd>
<dt>Restorable in Frame.io until</dt><dd>{{when .RestorableUntil}}, from the project’s Recently Deleted; each file for 30 days after its deletion</dd></dl>
<table><thead><tr><th>File<th>State<th class="n">Bytes<th>Checksum<th>Proof<th>Frame.io file, iconik asset</thead><tbody>
{{end}}{{define "file"}}<tr><td>{{.Path}}{{if gt .Versions 1}} (version {{.Version}} of {{.Versions}}){{end}}<td>{{.State}}{{with .DeletedAt}} {{when .}}{{end}}{{with .Reason}}: {{.}}{{end}}<td class="n">{{.Size}}<td><code>{{.Checksum}}</code><td>{{.Proof}}{{with .ProvenAt}}, {{when .}}{{end}}<td><code>{{.SourceID}} {{.AssetID}}</code>
{{end}}{{define "foot"}}</tbody></table></html>
{{end}}`))
