// Package report renders what an archive proves: as JSON and CSV for programs, as a page for people, and as an ASC MHL
// for the film industry's tools. It streams over the items, whatever their number.
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

// Report is an archive with what it accounts for.
type Report struct {
	Hidden      Hidden // what this copy says nothing about
	Archive     ledger.Archive
	Totals      ledger.Totals
	Tenant      string
	GeneratedAt time.Time
	Zone        *time.Location // of the local times; nil is the machine's
	Links       Links
	Generations []Generation     // of the hash lists that are kept, oldest first
	stands      bool             // the newest of these says what there is now
	NotCarried  []NotCarried     // nil where nothing is known of it
	Failures    []ledger.Failure // objects that are no files
	Differences []ledger.Difference
	Access      *Access            // nil where nothing is known of it
	SigningKey  ed25519.PrivateKey // signs the JSON and the page; nil leaves them unsigned
	// Items yields every item, in the archive's order. It may be called several times.
	Items iter.Seq2[ledger.Item, error]

	picture func(ledger.Item) string // the address of an item's picture, "" for none; nil: the page has none
}

// NotCarried is something that an object has in Frame.io and not in iconik.
type NotCarried struct {
	Kind   string `json:"kind"` // attachment, field, markup, author, share setting …
	Name   string `json:"name"`
	Place  string `json:"place,omitempty"` // the path of the object that has it
	Size   *int64 `json:"size,omitempty"`  // bytes, where it is known
	Reason string `json:"reason"`
	URL    string `json:"url,omitempty"`
	Object string `json:"source_id,omitempty"` // the Frame.io id of the object
}

// Access is who may read what was brought over.
type Access struct {
	Mode     string       `json:"mode"` // source, closed or iconik_default
	Places   []AccessRule `json:"places"`
	Unmapped []string     `json:"unmapped"` // people and groups of Frame.io that iconik does not know
}

// AccessRule is a place with its readers: the project, a folder, a collection or a share, and all below it without a rule of its own.
type AccessRule struct {
	Kind     string     `json:"kind"` // project, folder, collection, share or report
	Place    string     `json:"place"`
	Open     bool       `json:"open"` // iconik's default access applies
	Why      string     `json:"why,omitempty"`
	Readers  []string   `json:"readers"` // besides administrators
	Unmapped []NoAccess `json:"unmapped"`
	Found    []Found    `json:"found"`
	Removed  []string   `json:"removed"` // who lost access in iconik

	Source    string `json:"source_id,omitempty"` // the place's id in Frame.io
	URL       string `json:"url,omitempty"`       // where a person opens it there
	IconikID  string `json:"iconik_id,omitempty"` // of its collection, or of the report's asset
	IconikURL string `json:"iconik_url,omitempty"`
}

// NoAccess is somebody of Frame.io, or a group, without access in iconik.
type NoAccess struct {
	Kind   string `json:"kind"` // person or group
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Found is what differs between who should read a place in iconik and who may.
type Found struct {
	What    string `json:"what"` // added, inherited, missing or refused
	Who     string `json:"who"`
	Objects int    `json:"objects"`
	Example string `json:"example"`
	Mended  bool   `json:"mended,omitempty"`
}

// Who is how the page names the readers.
func (a AccessRule) Who() string {
	switch {
	case a.Open:
		return "iconik's default access"
	case len(a.Readers) == 0:
		return "administrators only"
	}
	return strings.Join(a.Readers, ", ")
}

// Differences are what the page says besides.
func (a AccessRule) Differences() []string {
	var out []string
	words := map[string]string{"added": "added in iconik", "inherited": "let in by a collection above", "missing": "taken out in iconik", "refused": "iconik refused"}
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

// Links are where a person looks further.
type Links struct {
	Frameio, Iconik, Temporal string
	Console                   string // asks for a sign-in
	IconikAssets              string // an asset's page is this and its id; empty where it is not known
}

func (r *Report) iconikURL(it ledger.Item) string {
	if r.Links.IconikAssets == "" || it.AssetID == "" {
		return ""
	}
	return r.Links.IconikAssets + it.AssetID
}

// FrameioURL is the item's page in Frame.io, as its metadata names it.
func FrameioURL(it ledger.Item) string { return sourceURL(it.Fields) }

// folderURL is a folder's page in Frame.io, where it has said so.
func folderURL(f ledger.Folder) string {
	var details struct {
		Fields json.RawMessage `json:"fields"`
	}
	_ = json.Unmarshal([]byte(f.Details), &details) // without a link the row has its id
	return sourceURL(details.Fields)
}

func sourceURL(metadata json.RawMessage) string {
	var fields struct {
		URL string `json:"framebridge_source_url"`
	}
	_ = json.Unmarshal(metadata, &fields) // without a link the row has its id
	return fields.URL
}

// ChecksumOf says what an item's checksum was made of, and what it was compared with.
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
	ChecksumOf     string `json:"checksum_of,omitempty"`
	FrameioURL     string `json:"frameio_url,omitempty"`
	IconikURL      string `json:"iconik_url,omitempty"`
	StoredAs       string `json:"stored_as,omitempty"` // by the hash list, where that is not the path
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

// JSON writes the report as one JSON object in which "items" come last, and then the signature.
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

// CSV writes a line for each item, and then one for each other object that failed. Cells that a spreadsheet would take for a formula are quoted with an apostrophe.
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

// accessRow is who may read a place, among the rows of files: its state is "access".
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
