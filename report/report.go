// Package report renders what an archive proves: as JSON and CSV for programs, as a page for people, and as ASC MHL for the film
// industry's tools. It streams the items, no matter how many there are.
package report

import (
	"crypto/ed25519"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
)

// Report is an archive with everything that it accounts for.
type Report struct {
	Hidden      Hidden // what this copy leaves out
	Archive     ledger.Archive
	Totals      ledger.Totals
	Tenant      string
	GeneratedAt time.Time
	Zone        *time.Location // of the local times; nil: the machine's
	Links       Links
	Generations []Generation     // of the hash lists that are kept, oldest first
	stands      bool             // the newest of these describes the current files
	NotCarried  []NotCarried     // nil if nothing is known about it
	Failures    []ledger.Failure // objects that are not files
	Differences []ledger.Difference
	Access      *Access            // nil if nothing is known about it
	SigningKey  ed25519.PrivateKey // signs the JSON and the page; nil: they stay unsigned
	// Items yields every item in the archive's order. It can be called several times.
	Items iter.Seq2[ledger.Item, error]

	picture func(ledger.Item) string // returns the URL of an item's picture, or ""; nil: no pictures
}

// NotCarried is something that an object has in Frame.io but not in iconik.
type NotCarried struct {
	Kind   string `json:"kind"` // attachment, field, markup, author, share setting …
	Name   string `json:"name"`
	Place  string `json:"place,omitempty"` // path of the object that has it
	Size   *int64 `json:"size,omitempty"`  // bytes, if known
	Reason string `json:"reason"`
	URL    string `json:"url,omitempty"`
	Object string `json:"source_id,omitempty"` // the object's Frame.io ID
}

// Access is who may read what was archived.
type Access struct {
	Mode     string       `json:"mode"` // source, closed or iconik_default
	Places   []AccessRule `json:"places"`
	Unmapped []string     `json:"unmapped"` // people and groups of Frame.io without access in iconik
}

// AccessRule is a place with its readers: the project, a folder, a collection or a share, and everything below it without a rule of
// its own.
type AccessRule struct {
	Kind     string     `json:"kind"` // project, folder, collection, share or report
	Place    string     `json:"place"`
	Open     bool       `json:"open"` // iconik's default access applies
	Why      string     `json:"why,omitempty"`
	Readers  []string   `json:"readers"` // besides administrators
	Unmapped []NoAccess `json:"unmapped"`
	Found    []Found    `json:"found"`
	Removed  []string   `json:"removed"` // people who lost access in iconik

	Source    string `json:"source_id,omitempty"` // the place's Frame.io ID
	URL       string `json:"url,omitempty"`       // its page in Frame.io
	IconikID  string `json:"iconik_id,omitempty"` // ID of its collection, or of the report's asset
	IconikURL string `json:"iconik_url,omitempty"`
}

// NoAccess is a person or group of Frame.io without access in iconik.
type NoAccess struct {
	Kind   string `json:"kind"` // person or group
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Found is a difference between who should be able to read a place in iconik and who can.
type Found struct {
	What    string `json:"what"` // added, inherited, missing or refused
	Who     string `json:"who"`
	Objects int    `json:"objects"`
	Example string `json:"example"`
	Mended  bool   `json:"mended,omitempty"`
}

// Who returns the readers as the page names them.
func (a AccessRule) Who() string {
	switch {
	case a.Open:
		return "iconik's default access"
	case len(a.Readers) == 0:
		return "administrators only"
	}
	return strings.Join(a.Readers, ", ")
}

// Differences returns the differences that were found, and who lost access, as the page words them.
func (a AccessRule) Differences() []string {
	var out []string
	words := map[string]string{"added": "added in iconik", "inherited": "access through a parent collection", "missing": "removed in iconik", "refused": "refused by iconik"}
	for _, f := range a.Found {
		text := fmt.Sprintf("%s: %s (%s)", words[f.What], f.Who, f.Example)
		if f.Mended {
			text += ", fixed"
		}
		out = append(out, text)
	}
	if len(a.Removed) > 0 {
		out = append(out, "lost access: "+strings.Join(a.Removed, ", "))
	}
	return out
}

// Links are where a person finds more.
type Links struct {
	Frameio, Iconik, Temporal string
	Console                   string // requires signing in
	IconikAssets              string // prefix of an asset's page, followed by its ID; "" if unknown
}

func (r *Report) iconikURL(it ledger.Item) string {
	if r.Links.IconikAssets == "" || it.AssetID == "" {
		return ""
	}
	return r.Links.IconikAssets + it.AssetID
}

// FrameioURL returns the item's page in Frame.io, according to its metadata.
func FrameioURL(it ledger.Item) string { return sourceURL(it.Fields) }

// folderURL returns a folder's page in Frame.io, or "" if Frame.io has not provided it.
func folderURL(f ledger.Folder) string {
	var details struct {
		Fields json.RawMessage `json:"fields"`
	}
	_ = json.Unmarshal([]byte(f.Details), &details) // without a link, the row has the ID
	return sourceURL(details.Fields)
}

func sourceURL(metadata json.RawMessage) string {
	var fields struct {
		URL string `json:"framebridge_source_url"`
	}
	_ = json.Unmarshal(metadata, &fields) // without a link, the row has the ID
	return fields.URL
}

// ChecksumOf says what an item's checksum was computed from, and how it compares with Frame.io's.
func ChecksumOf(it ledger.Item) string {
	switch {
	case it.Checksum == "":
		return ""
	case it.SourceChecksum == "":
		return "source stream"
	case it.SourceChecksum == it.Checksum:
		return "source stream, same as Frame.io's"
	}
	return "source stream, differs from Frame.io's"
}

// rclone's words for comparing two sides.
const (
	Match   = "match"
	Missing = "missing"
	Extra   = "extra"
	Differ  = "differ"
	Error   = "error"
)

// Comparison returns an item's state in those words.
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
	return Differ // copied but not compared yet
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
	ChecksumOf     string `json:"checksum_of,omitempty"`
	FrameioURL     string `json:"frameio_url,omitempty"`
	IconikURL      string `json:"iconik_url,omitempty"`
	StoredAs       string `json:"stored_as,omitempty"` // path in the hash list, if different
}

type jsonFailure struct {
	Kind     string `json:"kind"`
	SourceID string `json:"source_id"`
	Place    string `json:"place"`
	Fault    string `json:"fault"`
	Reason   string `json:"reason"`
	URL      string `json:"url,omitempty"`
}

type jsonDifference struct {
	Place    string `json:"place"`
	SourceID string `json:"source_id"` // of the file, folder or share
	Kind     string `json:"kind"`
	Property string `json:"property"`
	Name     string `json:"name,omitempty"` // of the comment or field
	Frameio  string `json:"frameio"`
	Iconik   string `json:"iconik"`
	URL      string `json:"url,omitempty"`
}

// JSON writes the report as one JSON object in which "items" and the signature come last.
func JSON(w io.Writer, r *Report) error {
	a, t := r.Archive, r.Totals
	fields := map[string]any{
		"archive": a.ID, "tenant": map[string]string{"id": a.Tenant, "name": r.Tenant},
		"project": map[string]string{"id": a.ID, "name": a.Name, "team": a.TeamName},
		"status":  a.Status, "reason": a.Reason, "run": a.Run, "generated_at": r.GeneratedAt, "started_at": a.StartedAt, "finished_at": a.FinishedAt,
		"totals": map[string]int64{"items": t.Items, "assets": t.Assets, "verified": t.Verified, "skipped": t.Skipped, "failed": t.Failed, "failed_others": t.FailedOthers,
			"bytes": t.Bytes, "bytes_done": t.BytesDone, "bytes_skipped": t.BytesSkipped, "comments": t.Comments, "comments_done": t.CommentsDone, "presentations": int64(a.SharesDone)},
		"iconik": map[string]string{"collection_id": a.CollectionID, "url": r.Links.Iconik}, "frameio": map[string]string{"url": r.Links.Frameio},
		"requested_by": a.RequestedBy, "also_asked": a.AlsoAsked, "triggered_by": a.TriggeredBy,
		"versions": map[string]string{"framebridge": Version(), "frameio_api": frameioAPI(a.Generation), "iconik_api": iconikAPI},
	}
	if a.CommentsKept > 0 {
		fields["comments_not_read_again"] = a.CommentsKept
	}
	if a.CommentsTrusted > 0 {
		fields["comments_not_read"] = a.CommentsTrusted
	}
	if r.NotCarried != nil {
		fields["not_carried"] = r.NotCarried
	}
	if len(r.Failures) > 0 {
		failures := make([]jsonFailure, len(r.Failures))
		for i, f := range r.Failures {
			failures[i] = jsonFailure{string(f.Kind), f.SourceID, f.Place, f.Fault, f.Reason, f.URL}
		}
		fields["failures"] = failures
	}
	if len(r.Differences) > 0 {
		differences := make([]jsonDifference, len(r.Differences))
		for i, d := range r.Differences {
			differences[i] = jsonDifference{d.Place, d.Object, string(d.Kind), d.Property, d.Name, d.Frameio, d.Iconik, d.URL}
		}
		fields["differences"] = differences
	}
	if r.Access != nil {
		fields["access"] = r.Access
	}
	names, err := newMHLNames(r)
	if err != nil {
		return err
	}
	_, before := r.generation()
	return custody.WriteJSON(w, r.SigningKey, fields, "items", r.Items, func(it ledger.Item) any {
		storedAs := ""
		if mhlAction(it, before) != "" {
			if storedAs = names.of(it); storedAs == it.Path {
				storedAs = ""
			}
		}
		return jsonItem{it.SourceID, it.Path, it.Version, it.Versions, string(it.State), Comparison(it), it.Why(), it.Fault, it.Size, it.StoredSize,
			checksum(it), sourceChecksum(it), it.Rendition, max(it.CommentCount, 0), it.CommentsDone, it.AssetID, it.VersionID, it.FileID,
			ChecksumOf(it), FrameioURL(it), r.iconikURL(it), storedAs}
	})
}

// CSV writes one line per item, then one for each other object that failed and for each place's access. It adds an apostrophe to
// cells that a spreadsheet would take for a formula.
func CSV(w io.Writer, r *Report) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"path", "version", "state", "comparison", "reason", "size", "stored_size", "checksum", "source_checksum", "rendition", "comments", "comments_done",
		"frameio_id", "iconik_asset_id", "iconik_version_id", "iconik_file_id", "checksum_of", "frameio_url", "iconik_url"})
	for it, err := range r.Items {
		if err != nil {
			return err
		}
		_ = c.Write([]string{export.Cell(it.Path), strconv.Itoa(it.Version), string(it.State), Comparison(it), export.Cell(it.Why()), strconv.FormatInt(it.Size, 10),
			strconv.FormatInt(it.StoredSize, 10), checksum(it), sourceChecksum(it), it.Rendition, strconv.Itoa(max(it.CommentCount, 0)), strconv.Itoa(it.CommentsDone),
			export.Cell(it.SourceID), export.Cell(it.AssetID), export.Cell(it.VersionID), export.Cell(it.FileID), ChecksumOf(it), export.Cell(FrameioURL(it)), export.Cell(r.iconikURL(it))})
	}
	for _, f := range r.Failures {
		_ = c.Write([]string{export.Cell(f.Place), "", string(ledger.ItemFailed), Error, export.Cell(string(f.Kind) + ": " + f.Reason), "", "", "", "", "", "", "",
			export.Cell(f.SourceID), "", "", "", "", export.Cell(f.URL), ""})
	}
	if r.Access != nil {
		for _, p := range r.Access.Places {
			_ = c.Write(accessRow(p))
		}
	}
	c.Flush()
	return c.Error()
}

// accessRow returns who may read a place as a row among those of the files. Its state is "access".
func accessRow(p AccessRule) []string {
	why := p.Why
	for _, text := range append([]string{"readers: " + p.Who()}, p.Differences()...) {
		if why != "" {
			why += "; "
		}
		why += text
	}
	for _, u := range p.Unmapped {
		why += fmt.Sprintf("; no access: %s (%s)", u.Name, u.Reason)
	}
	row := make([]string, 19)
	row[0], row[2], row[4] = export.Cell(p.Place), "access", export.Cell(why)
	return row
}

// Size formats bytes for people, in binary units.
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
