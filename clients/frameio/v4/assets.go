package v4

import (
	"context"
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/untrusted"
)

type link struct {
	Download *string `json:"download_url"`
}

// asset is a file, folder or version stack.
type asset struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Type      string          `json:"type"`
	ParentID  *string         `json:"parent_id"`
	ProjectID string          `json:"project_id"`
	ViewURL   string          `json:"view_url"`
	CreatedAt instant         `json:"created_at"`
	UpdatedAt instant         `json:"updated_at"`
	Size      sizeInBytes     `json:"file_size"`
	MediaType *string         `json:"media_type"`
	Status    string          `json:"status"`
	Links     map[string]link `json:"media_links"`
	Metadata  []field         `json:"metadata"`
	Creator   *user           `json:"creator"`
	Head      *asset          `json:"head_version"`
	CoverID   *string         `json:"cover_file_id"`

	AdobeID        *string `json:"adobe_id"`
	AdobeVersionID *string `json:"adobe_version_id"`

	odd string // the first member that could not be read
}

const (
	include         = "creator,metadata,media_links.original,media_links.high_quality,media_links.efficient"
	includeNoOrigin = "creator,metadata,media_links.high_quality,media_links.efficient"
)

func (a asset) class() frameio.MediaClass {
	switch t := text(a.MediaType); {
	case strings.HasPrefix(t, "video/"), strings.HasPrefix(t, "audio/"), t == "application/mxf":
		return frameio.ClassStream
	case strings.HasPrefix(t, "image/"):
		return frameio.ClassImage
	case t == "application/pdf":
		return frameio.ClassDocument
	}
	return frameio.ClassOther
}

// proxy returns the URL of the best rendition, or "" if there is none.
func (a asset) proxy() string {
	for _, k := range []string{"high_quality", "efficient"} {
		if u := text(a.Links[k].Download); u != "" {
			return u
		}
	}
	return ""
}

// value returns a field that people fill in, by the names that Frame.io's fields have.
func (a asset) value(names ...string) string {
	for _, f := range a.Metadata {
		for _, n := range names {
			if strings.EqualFold(f.Name, n) {
				return f.text()
			}
		}
	}
	return ""
}

// ofType returns a field by name and type, or a field of another type if there is none. An account may also have a text field
// with that name.
func (a asset) ofType(kind frameio.FieldType, name string) string {
	for _, f := range a.Metadata {
		if f.fieldType() == kind && strings.EqualFold(f.Name, name) {
			return f.text()
		}
	}
	return a.value(name)
}

// measured returns what Frame.io has measured about a file, by the names of its fields, the best first. An account may have
// fields of its own with such names, for example the FPS a scene was shot with. What people fill in is not a measurement,
// unless it has the first name and there is no other.
func (a asset) measured(names ...string) string {
	for _, n := range names {
		for _, f := range a.Metadata {
			if strings.EqualFold(f.Name, n) && (f.Mutable == nil || !*f.Mutable) && f.text() != "" {
				return f.text()
			}
		}
	}
	return a.value(names[0])
}

// sizeInBytes is a size. An invalid size becomes 0, so that it does not fail a whole page of files.
type sizeInBytes int64

func (b *sizeInBytes) UnmarshalJSON(raw []byte) error {
	v, _ := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64) // null and anything that is not a number are 0
	*b = sizeInBytes(untrusted.Whole("a file's size", v, mostBytes))
	return nil
}

const mostBytes = 1 << 50 // a petabyte

// number parses the number at the beginning of a text such as "23.976 fps", or a fraction such as "24000/1001".
func number(s string) float64 {
	if over, under, ok := strings.Cut(s, "/"); ok {
		if n, d := figure(over), figure(under); d > 0 {
			return n / d
		}
	}
	return figure(s)
}

// figure parses the digits at the beginning of a text.
func figure(s string) float64 {
	s = strings.TrimSpace(s)
	if strings.Count(s, ",") == 1 && !strings.Contains(s, ".") {
		s = strings.ReplaceAll(s, ",", ".")
	}
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(s)
	}
	v, _ := untrusted.Number("a media field", s[:end], 0, 1e12)
	return v
}

// seconds parses a duration: a number of seconds, or H:MM:SS with a fraction or frames.
func seconds(s string, fps float64) float64 {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == ';' })
	if len(parts) < 2 {
		if v := strings.ToLower(strings.TrimSpace(s)); strings.HasSuffix(v, "ms") || strings.HasSuffix(v, "milliseconds") {
			return number(s) / 1000
		}
		return number(s)
	}
	total := 0.0
	for i, p := range parts {
		v, ok := untrusted.Number("a duration", p, 0, 1e9)
		if !ok {
			return 0
		}
		if i == 3 {
			if fps > 0 {
				total += v / fps
			}
			break
		}
		total = total*60 + v
	}
	return total
}

// domain converts an asset to the port's type. asked means that a link to the original was requested. who names the people in its fields.
func (a asset) domain(asked bool, who *directory) frameio.Asset {
	d := frameio.Asset{ID: a.ID, ParentID: text(a.ParentID), ProjectID: a.ProjectID, Kind: frameio.AssetKind(a.Type), Name: a.Name, URL: a.ViewURL,
		CreatedAt: a.CreatedAt.Time, UpdatedAt: a.UpdatedAt.Time, Label: "none", CoverID: text(a.CoverID), Properties: a.adobe()}
	if a.Head != nil {
		d.CoverID = a.Head.ID
	}
	if a.Creator != nil {
		d.Uploader = a.Creator.domain()
	}
	for _, f := range a.Metadata {
		if f.countsComments() {
			d.CommentHint = f.commentCount()
			continue // the comments themselves are carried
		}
		d.Fields = append(d.Fields, f.domain(who))
	}
	if a.Type != "file" {
		return d
	}
	d.Unreadable = a.odd
	d.Size, d.MediaType, d.Class = int64(a.Size), text(a.MediaType), a.class()
	d.CommentCount = -1 // not counted by this API: its field is a hint
	d.HasProxy = a.proxy() != ""
	d.Ready = a.Status == "transcoded" || a.Status == "uploaded" && d.Class != frameio.ClassStream && d.Class != frameio.ClassImage
	d.Watermark = frameio.WatermarkUnknown // a property of shares
	if a.Status != "created" {
		d.UploadedAt = d.CreatedAt
	}
	switch {
	case a.Status == "created":
		d.Original = frameio.OriginalNeverUploaded
	case !asked:
		d.Original = frameio.OriginalForbidden
	case text(a.Links["original"].Download) == "":
		d.Original = frameio.OriginalMissing // its project may tell why
	default:
		d.Original = frameio.OriginalAvailable
	}
	fps := number(a.measured("Frame Rate", "Framerate", "FPS"))
	d.FrameRate = frameio.ParseRate(fps)
	d.Duration = seconds(a.measured("Duration"), fps)
	if d.Frames = int64(number(a.measured("Frames", "Frame Count", "Total Frames"))); d.FrameRate.Den > 0 {
		rate := float64(d.FrameRate.Num) / float64(d.FrameRate.Den)
		switch took := float64(d.Frames) / rate; {
		case d.Frames == 0:
			d.Frames = int64(math.Round(d.Duration * rate))
		case d.Duration > 100*took: // a duration in milliseconds
			d.Duration = took
		}
	}
	d.StartTimecode = a.measured("Start Timecode", "Start TC", "Timecode", "Source Timecode")
	if w, h, ok := strings.Cut(strings.ReplaceAll(a.measured("Resolution", "Dimensions"), "×", "x"), "x"); ok {
		d.Width, d.Height = int(number(strings.TrimSpace(w))), int(number(strings.TrimSpace(h)))
	} else {
		d.Width, d.Height = int(number(a.measured("Resolution - Width", "Width"))), int(number(a.measured("Resolution - Height", "Height")))
	}
	d.Label = label(a.ofType(frameio.FieldSelect, "Status"))
	d.Description = a.value("Notes", "Description")
	if r := a.ofType(frameio.FieldRating, "Rating"); r != "" {
		v := number(r)
		d.Rating = &v
	}
	return d
}

// adobe returns the IDs that assets have in accounts on Adobe's storage.
func (a asset) adobe() map[string]any {
	out := map[string]any{}
	for name, id := range map[string]*string{"adobe_id": a.AdobeID, "adobe_version_id": a.AdobeVersionID} {
		if id != nil {
			out[name] = *id
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// label returns the legacy name of a Status option. An account's own options keep their names.
func label(status string) string {
	switch l := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(status)), " ", "_"); l {
	case "":
		return "none"
	case "none", "approved", "in_progress", "needs_review":
		return l
	}
	return strings.TrimSpace(status)
}

// read asks with a link to the original, and again without it if the user may not download: Frame.io then refuses the whole request.
func (c *Client) read(ctx context.Context, ask func(q url.Values) error) (asked bool, err error) {
	err = ask(url.Values{"include": {include}})
	if err != nil && rest.ClassOf(err) == rest.Forbidden {
		return false, ask(url.Values{"include": {includeNoOrigin}})
	}
	return true, err
}

// Children wraps GET ~/folders/{id}/children. One call for up to 500.
func (c *Client) Children(ctx context.Context, folderID, cursor string) (frameio.Page[frameio.Asset], error) {
	var rows []asset
	var next string
	asked, err := c.read(ctx, func(q url.Values) (err error) {
		q.Set("type", "file,folder,version_stack")
		rows, next, err = listRows(ctx, c, opChildren, q, assetPage, cursor, "folders", folderID, "children")
		return err
	})
	if err != nil {
		return frameio.Page[frameio.Asset]{}, err
	}
	items, err := c.listing(ctx, rows, asked)
	return frameio.Page[frameio.Asset]{Items: items, Next: next}, err
}

// listing converts a page to the port's type. A single file that may not be downloaded makes Frame.io refuse the whole page. If
// some of the files may be downloaded, listing asks for them one by one.
func (c *Client) listing(ctx context.Context, rows []asset, asked bool) ([]frameio.Asset, error) {
	var files []string
	out := make([]frameio.Asset, len(rows))
	who, err := c.whoFor(ctx, rows)
	if err != nil {
		return nil, err
	}
	for i, a := range rows {
		c.listed(a)
		out[i] = a.domain(asked, who)
		if out[i].Unreadable != "" {
			if out[i], err = c.again(ctx, out[i]); err != nil {
				return nil, err
			}
			continue
		}
		if err := c.explain(ctx, &out[i]); err != nil {
			return nil, err
		}
		if out[i].Original == frameio.OriginalForbidden {
			files = append(files, a.ID)
		}
	}
	if len(files) == 0 {
		return out, nil
	}
	some := false
	for _, i := range []int{0, len(files) / 2, len(files) - 1} {
		d, err := c.asset(ctx, files[i], frameio.KindFile)
		if err != nil && !rest.IsNotFound(err) {
			return nil, err
		}
		some = some || d.Original != frameio.OriginalForbidden
	}
	for i := range out {
		if some && out[i].Original == frameio.OriginalForbidden {
			d, err := c.asset(ctx, out[i].ID, frameio.KindFile)
			if err != nil && !rest.IsNotFound(err) {
				return nil, err
			}
			if err == nil {
				out[i] = d
			}
		}
	}
	return out, nil
}

// Versions wraps GET ~/version_stacks/{id}/children. The order of that call is not documented: it is the order of the versions,
// starting or ending with the head. If the head is in the middle, Versions sorts by creation time and puts the head last.
func (c *Client) Versions(ctx context.Context, stack frameio.Asset) ([]frameio.Asset, error) {
	out, err := rest.Collect(rest.Pages(ctx, vendorName, opStackChildren, frameio.Asset.Key, func(ctx context.Context, cursor string) ([]frameio.Asset, string, error) {
		var rows []asset
		var next string
		asked, err := c.read(ctx, func(q url.Values) (err error) {
			rows, next, err = listRows(ctx, c, opStackChildren, q, pageSize, cursor, "version_stacks", stack.ID, "children")
			return err
		})
		if err != nil {
			return nil, "", err
		}
		rows = slices.DeleteFunc(rows, func(a asset) bool { return a.Type != string(frameio.KindFile) && a.Type != "" })
		for i := range rows {
			rows[i].Type = string(frameio.KindFile)
		}
		files, err := c.listing(ctx, rows, asked)
		for _, f := range files {
			err = errors.Join(err, frameio.Understood(f))
		}
		return files, next, err
	}))
	if err != nil {
		return nil, err
	}
	switch n := len(out); {
	case n > 0 && out[n-1].ID == stack.CoverID:
	case n > 0 && out[0].ID == stack.CoverID:
		slices.Reverse(out)
	default:
		slices.SortStableFunc(out, func(a, b frameio.Asset) int {
			if (a.ID == stack.CoverID) != (b.ID == stack.CoverID) {
				if a.ID == stack.CoverID {
					return 1
				}
				return -1
			}
			return a.CreatedAt.Compare(b.CreatedAt)
		})
	}
	return out, nil
}

// Asset wraps GET ~/files/{id}, ~/version_stacks/{id} or ~/folders/{id}. It makes one call if the kind is known, and up to three if not.
func (c *Client) Asset(ctx context.Context, id string) (frameio.Asset, error) {
	kinds := []frameio.AssetKind{frameio.KindFile, frameio.KindStack, frameio.KindFolder}
	if k := c.kindOf(id); k != "" {
		kinds = append([]frameio.AssetKind{k}, slices.DeleteFunc(kinds, func(x frameio.AssetKind) bool { return x == k })...)
	}
	var says error
	for _, k := range kinds {
		d, err := c.asset(ctx, id, k)
		if err == nil {
			c.remember(id, k)
			return d, nil
		}
		if !rest.IsRefused(err) || d.ID != "" || c.kindOf(id) == frameio.KindFile { // it was read, or is a file that is gone
			return frameio.Asset{}, err
		}
		// An ID of another kind need not be answered with a 404. The object's own kind tells whether it exists.
		if says == nil || rest.ClassOf(err) == rest.Forbidden || rest.IsNotFound(err) && rest.ClassOf(says) != rest.Forbidden {
			says = err
		}
	}
	return frameio.Asset{}, says
}

func (c *Client) asset(ctx context.Context, id string, kind frameio.AssetKind) (frameio.Asset, error) {
	var a asset
	switch kind {
	case frameio.KindStack, frameio.KindFolder:
		op, route := opFolder, "folders"
		if kind == frameio.KindStack {
			op, route = opStack, "version_stacks"
		}
		a, err := one[asset](ctx, c, op, url.Values{"include": {"creator,metadata"}}, nil, route, id)
		if err != nil {
			return frameio.Asset{}, err
		}
		a.Type = string(kind)
		who, err := c.whoFor(ctx, []asset{a})
		return a.domain(true, who), err
	}
	asked, err := c.read(ctx, func(q url.Values) (err error) {
		a, err = readFile(ctx, c, q, id)
		return err
	})
	a.Type = string(frameio.KindFile)
	var who *directory
	if err == nil {
		who, err = c.whoFor(ctx, []asset{a})
	}
	d := a.domain(asked, who)
	if err == nil && a.Status == "created" { // in progress or failed: only this call tells
		s, err := one[struct {
			Failed bool `json:"upload_failed"`
		}](ctx, c, opFileStatus, nil, nil, "files", id, "status")
		if err != nil && !rest.IsRefused(err) {
			return d, err
		}
		d.UploadFailed = s.Failed
	}
	if err == nil {
		err = c.explain(ctx, &d)
	}
	return d, err
}

// media returns where a file's original or proxy can be read, and false if there is none.
func (a asset) media(rendition frameio.Rendition) (frameio.Media, bool) {
	m := frameio.Media{Rendition: rendition, URL: a.proxy(), Size: -1, Ranges: true, Name: a.Name, MediaType: text(a.MediaType)}
	if rendition == frameio.RenditionOriginal {
		m.URL, m.Size = text(a.Links["original"].Download), int64(a.Size)
	}
	m.ExpiresAt = frameio.URLExpiry(m.URL)
	return m, m.URL != ""
}

// listed remembers an asset's kind and its original's URL from a listing.
func (c *Client) listed(a asset) {
	c.remember(a.ID, frameio.AssetKind(a.Type))
	if m, ok := a.media(frameio.RenditionOriginal); ok && a.Type == string(frameio.KindFile) && a.Status != "created" && a.odd == "" {
		c.urls.Put(a.ID, m, c.now())
	}
}

// Media returns a URL that a listing has just shown. Otherwise it wraps GET ~/files/{id} with its links.
func (c *Client) Media(ctx context.Context, fileID string, rendition frameio.Rendition, fresh bool) (frameio.Media, error) {
	if !fresh && rendition == frameio.RenditionOriginal {
		if m, ok := c.urls.Get(fileID, c.now()); ok {
			return m, nil
		}
	}
	var a asset
	asked, err := c.read(ctx, func(q url.Values) (err error) {
		a, err = readFile(ctx, c, q, fileID)
		return err
	})
	if err != nil {
		return frameio.Media{}, err
	}
	a.Type = string(frameio.KindFile)
	d := a.domain(asked, nil)
	m, ok := a.media(rendition)
	switch {
	case rendition == frameio.RenditionProxy && !ok:
		return frameio.Media{}, &frameio.OriginalUnavailable{FileID: fileID, Why: d.Original, NoProxy: true}
	case rendition == frameio.RenditionOriginal && d.Original != frameio.OriginalAvailable:
		return frameio.Media{}, &frameio.OriginalUnavailable{FileID: fileID, Why: d.Original}
	}
	return m, nil
}
