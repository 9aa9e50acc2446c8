package v4

import (
	"context"
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

// proxy is the best rendition that there is.
func (a asset) proxy() string {
	for _, k := range []string{"high_quality", "efficient"} {
		if u := text(a.Links[k].Download); u != "" {
			return u
		}
	}
	return ""
}

// value finds what people say of an asset, by the names that Frame.io's fields go by.
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

// ofType finds a field by its name and its type, and one of another type only where there is none: an account may have a text of
// that name, too.
func (a asset) ofType(kind frameio.FieldType, name string) string {
	for _, f := range a.Metadata {
		if f.fieldType() == kind && strings.EqualFold(f.Name, name) {
			return f.text()
		}
	}
	return a.value(name)
}

// measured finds what Frame.io has found out about a file, by the names that its fields go by, the best first. An account may
// have fields of its own under such names, such as the FPS that a scene was shot with: what people fill in is no measurement,
// unless it goes by the first name and there is no other.
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

// sizeInBytes is a size. One that is odd costs no page of files: what is no size is 0.
type sizeInBytes int64

func (b *sizeInBytes) UnmarshalJSON(raw []byte) error {
	v, _ := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64) // null, and what is no number, are 0
	*b = sizeInBytes(untrusted.Whole("a file's size", v, mostBytes))
	return nil
}

const mostBytes = 1 << 50 // a petabyte

// number reads the figure at the beginning of a text such as "23.976 fps", also a fraction such as "24000/1001".
func number(s string) float64 {
	if over, under, ok := strings.Cut(s, "/"); ok {
		if n, d := figure(over), figure(under); d > 0 {
			return n / d
		}
	}
	return figure(s)
}

// figure reads the digits at the beginning of a text.
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

// seconds reads a duration: a number of seconds, or H:MM:SS with a fraction or frames.
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

// domain turns an answer into the port's words. asked says that a link to the original was asked for; who names the people
// in its fields.
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
	d.Size, d.MediaType, d.Class = int64(a.Size), text(a.MediaType), a.class()
	d.CommentCount = -1 // not counted by this API: its field is a hint
	d.HasProxy = a.proxy() != ""
	d.Ready = a.Status == "transcoded" || a.Status == "uploaded" && d.Class != frameio.ClassStream && d.Class != frameio.ClassImage
	d.Watermark = frameio.WatermarkUnknown // a matter of shares
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

// adobe are the ids of accounts on Adobe's storage.
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

// label gives the Status field's option the legacy word for it. An account's own options keep their names.
func label(status string) string {
	switch l := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(status)), " ", "_"); l {
	case "":
		return "none"
	case "none", "approved", "in_progress", "needs_review":
		return l
	}
	return strings.TrimSpace(status)
}

// read asks with a link to the original, and without where the user may not download: then the whole answer is refused.
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
		rows, next, err = list[asset](ctx, c, opChildren, q, assetPage, cursor, "folders", folderID, "children")
		return err
	})
	if err != nil {
		return frameio.Page[frameio.Asset]{}, err
	}
	items, err := c.listing(ctx, rows, asked)
	return frameio.Page[frameio.Asset]{Items: items, Next: next}, err
}

// listing turns a page into the port's words. One file that may not be downloaded has the whole page refused: where some
// of it may be, the files are asked for one by one.
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

// Versions wraps GET ~/version_stacks/{id}/children. Its order, which is not documented, is that of the versions, from
// whichever end the head stands at; where the head is in the middle, the time of making tells, the head last.
func (c *Client) Versions(ctx context.Context, stack frameio.Asset) ([]frameio.Asset, error) {
	out, err := rest.Collect(rest.Pages(ctx, vendorName, opStackChildren, frameio.Asset.Key, func(ctx context.Context, cursor string) ([]frameio.Asset, string, error) {
		var rows []asset
		var next string
		asked, err := c.read(ctx, func(q url.Values) (err error) {
			rows, next, err = list[asset](ctx, c, opStackChildren, q, pageSize, cursor, "version_stacks", stack.ID, "children")
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

// Asset wraps GET ~/files/{id}, ~/version_stacks/{id} or ~/folders/{id}: one call where the kind is known, up to three where not.
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
		// An id of another kind need not be answered with a 404: whether the object is there, its own kind says.
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
		a, err = one[asset](ctx, c, opFile, q, nil, "files", id)
		return err
	})
	a.Type = string(frameio.KindFile)
	var who *directory
	if err == nil {
		who, err = c.whoFor(ctx, []asset{a})
	}
	d := a.domain(asked, who)
	if err == nil && a.Status == "created" { // on its way, or failed: only this call tells
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

// media is where a file's original, or its proxy, can be read; false where there is none.
func (a asset) media(rendition frameio.Rendition) (frameio.Media, bool) {
	m := frameio.Media{Rendition: rendition, URL: a.proxy(), Size: -1, Ranges: true, Name: a.Name, MediaType: text(a.MediaType)}
	if rendition == frameio.RenditionOriginal {
		m.URL, m.Size = text(a.Links["original"].Download), int64(a.Size)
	}
	m.ExpiresAt = frameio.URLExpiry(m.URL)
	return m, m.URL != ""
}

// listed keeps what a listing showed of an asset beside its content.
func (c *Client) listed(a asset) {
	c.remember(a.ID, frameio.AssetKind(a.Type))
	if m, ok := a.media(frameio.RenditionOriginal); ok && a.Type == string(frameio.KindFile) && a.Status != "created" {
		c.urls.Put(a.ID, m, c.now())
	}
}

// Media uses a URL that a listing has just shown; otherwise it wraps GET ~/files/{id} with its links.
func (c *Client) Media(ctx context.Context, fileID string, rendition frameio.Rendition, fresh bool) (frameio.Media, error) {
	if !fresh && rendition == frameio.RenditionOriginal {
		if m, ok := c.urls.Get(fileID, c.now()); ok {
			return m, nil
		}
	}
	var a asset
	asked, err := c.read(ctx, func(q url.Values) (err error) {
		a, err = one[asset](ctx, c, opFile, q, nil, "files", fileID)
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
