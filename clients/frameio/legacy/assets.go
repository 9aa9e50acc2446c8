package legacy

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

type user struct {
	ID    text `json:"id"`
	Name  text `json:"name"`
	Email text `json:"email"`
}

func (u user) domain() frameio.User {
	return frameio.User{ID: string(u.ID), Name: string(u.Name), Email: string(u.Email)}
}

// is reports whether u is anybody. An object with nothing but nulls is nobody.
func (u *user) is() bool { return u != nil && u.ID+u.Name+u.Email != "" }

type team struct {
	ID   string `json:"id"`
	Name text   `json:"name"`
}

type project struct {
	ID            string         `json:"id"`
	Name          text           `json:"name"`
	TeamID        text           `json:"team_id"`
	Team          tolerant[team] `json:"team"`
	RootAssetID   text           `json:"root_asset_id"`
	Root          tolerant[ref]  `json:"root_asset"`
	OwnerID       text           `json:"owner_id"`
	Private       *flag          `json:"private"` // not in captured responses of GET /projects/{id}, but in an asset's project
	ArchiveStatus text           `json:"archive_status"`
	InsertedAt    instant        `json:"inserted_at"`
	UpdatedAt     instant        `json:"updated_at"`
	DeletedAt     instant        `json:"deleted_at"`
	Description   text           `json:"description"`

	// What people have set for the project, as Frame.io sent it.
	Preferences any `json:"project_preferences"`
	Watermark   any `json:"watermark"`
	Shared      any `json:"shared"`
	ReadOnly    any `json:"read_only"`
}

// ref is an object of which only the ID matters.
type ref struct {
	ID text `json:"id"`
}

func (p project) rootID() string {
	if p.RootAssetID == "" && p.Root.value != nil {
		return string(p.Root.value.ID)
	}
	return string(p.RootAssetID)
}

func (p project) domain() frameio.Project {
	d := frameio.Project{ID: p.ID, Name: string(p.Name), RootID: p.rootID(), Team: frameio.Team{ID: string(p.TeamID)},
		Owner: frameio.User{ID: string(p.OwnerID)}, Restricted: p.Private != nil && bool(*p.Private), Archived: isAway(string(p.ArchiveStatus)), Description: string(p.Description),
		CreatedAt: p.InsertedAt.Time, UpdatedAt: p.UpdatedAt.Time, URL: "https://app.frame.io/projects/" + p.ID}
	for name, v := range map[string]any{"project_preferences": p.Preferences, "watermark": p.Watermark, "shared": p.Shared, "read_only": p.ReadOnly} {
		if v == nil {
			continue
		}
		if d.Settings == nil {
			d.Settings = map[string]any{}
		}
		d.Settings[name] = v
	}
	if t := p.Team.value; t != nil {
		d.Team.Name = string(t.Name)
		if t.ID != "" {
			d.Team.ID = t.ID
		}
	}
	return d
}

// isAway reports whether originals are in cold storage, or on their way there or back.
func isAway(archiveStatus string) bool {
	switch archiveStatus {
	case "archived", "archiving", "unarchiving":
		return true
	}
	return false
}

// asset is a file, folder or version stack. It omits members that no caller needs.
type asset struct {
	ID        string  `json:"id"`
	Type      text    `json:"type"`
	Kind      text    `json:"_type"`
	AssetType text    `json:"asset_type"`
	Name      text    `json:"name"`
	Desc      text    `json:"description"`
	Filetype  text    `json:"filetype"`
	Filesize  number  `json:"filesize"`
	Label     text    `json:"label"`
	Rating    number  `json:"rating"`
	ParentID  text    `json:"parent_id"`
	Parent    text    `json:"parent_asset_id"` // the name in the vendor's document
	ProjectID text    `json:"project_id"`
	CoverID   text    `json:"cover_asset_id"`
	Index     number  `json:"index"`
	FPS       number  `json:"fps"`
	Frames    number  `json:"frames"`
	Duration  number  `json:"duration"`
	Timecode  text    `json:"timecode"`
	Comments  number  `json:"comment_count"`
	Items     number  `json:"item_count"`
	Inserted  instant `json:"inserted_at"`
	Updated   instant `json:"updated_at"`
	Uploaded  instant `json:"upload_completed_at"`
	Failed    instant `json:"upload_failed_at"`

	Transcoded instant `json:"transcoded_at"`
	Deleted    instant `json:"deleted_at"`

	ArchiveStatus text `json:"archive_status"`
	Private       flag `json:"private"`
	Watermarked   flag `json:"is_session_watermarked"`
	Status        text `json:"status"`

	Original   text            `json:"original"`
	H2641080   text            `json:"h264_1080_best"`
	H264720    text            `json:"h264_720"`
	H264540    text            `json:"h264_540"`
	H264360    text            `json:"h264_360"`
	H2642160   text            `json:"h264_2160"`
	ImageFull  text            `json:"image_full"`
	ImageHigh  text            `json:"image_high"`
	Properties json.RawMessage `json:"properties"`

	Downloads tolerant[map[string]text] `json:"downloads"`

	Creator   tolerant[user]      `json:"creator"`
	Checksums tolerant[checksums] `json:"checksums"`
	Project   tolerant[project]   `json:"project"`
	Metadata  tolerant[metadata]  `json:"metadata"`
	Perms     tolerant[perms]     `json:"user_permissions"`
	Transcode tolerant[transcode] `json:"transcodes"`
	Cover     tolerant[ref]       `json:"cover_asset"`

	away bool // its project is natively archived, if the response itself does not say
}

type checksums struct {
	XXHash text `json:"xx_hash"`
}

type metadata struct {
	Blob tolerant[blob] `json:"blob"`
}

type blob struct {
	Width  number `json:"width"`
	Height number `json:"height"`
	FPS    number `json:"fps"`
	Frames number `json:"frames"`
}

type transcode struct {
	Width  number `json:"original_width"`
	Height number `json:"original_height"`
}

type perms struct {
	CanDownload *flag `json:"can_download"`
}

func (a asset) kind() frameio.AssetKind {
	t := string(a.Type)
	if t == "" {
		t = string(a.Kind)
	}
	switch k := frameio.AssetKind(t); {
	case k == frameio.KindFile, k == frameio.KindFolder, k == frameio.KindStack:
		return k
	case t == "":
		return ""
	case t == "bundle", a.Items.value > 0: // in old projects, or of an undocumented kind: it holds files, like a folder
		return frameio.KindFolder
	}
	return frameio.KindFile
}

// listed gives a folder's row without a kind one: an archive accounts for it, whatever it is.
func (a *asset) listed() {
	switch {
	case a.kind() != "":
	case a.coverID() != "":
		a.Type = text(frameio.KindStack)
	case a.Items.value > 0:
		a.Type = text(frameio.KindFolder)
	default:
		a.Type = text(frameio.KindFile)
	}
}

func (a asset) parentID() string { return cmp.Or(string(a.ParentID), string(a.Parent)) }

// coverID returns the ID of a stack's current version.
func (a asset) coverID() string {
	if a.CoverID == "" && a.Cover.value != nil {
		return string(a.Cover.value.ID)
	}
	return string(a.CoverID)
}

// uploaded reports whether Frame.io has all bytes. If the response has no upload time, the status says so.
func (a asset) uploaded() bool {
	return a.Uploaded.said || !a.Uploaded.given && (a.Status == "uploaded" || a.Status == "transcoded")
}

func (a asset) class() frameio.MediaClass {
	switch c := frameio.MediaClass(a.AssetType); c {
	case frameio.ClassStream, frameio.ClassImage, frameio.ClassDocument:
		return c
	}
	switch {
	case strings.HasPrefix(string(a.Filetype), "video/"), strings.HasPrefix(string(a.Filetype), "audio/"):
		return frameio.ClassStream
	case strings.HasPrefix(string(a.Filetype), "image/"):
		return frameio.ClassImage
	case strings.HasPrefix(string(a.Filetype), "application/pdf"):
		return frameio.ClassDocument
	}
	return frameio.ClassOther
}

// proxies returns the proxies' URLs, the best first.
func (a asset) proxies() []string {
	var urls []string
	for _, u := range []text{a.H2642160, a.H2641080, a.H264720, a.H264540, a.H264360, a.ImageFull, a.ImageHigh} {
		if u != "" {
			urls = append(urls, string(u))
		}
	}
	for _, k := range []string{"h264_2160", "h264_1080_best", "h264_720", "h264_540", "h264_360", "image_full", "image_high", "image_small"} {
		if d := a.Downloads.value; d != nil && (*d)[k] != "" {
			urls = append(urls, string((*d)[k]))
		}
	}
	return urls
}

// original says whether the original's bytes are available. In a natively archived project, video and audio exist only as
// proxies, whatever URL is served as the original; other kinds of files keep theirs.
func (a asset) original() frameio.Original {
	away := a.away || isAway(string(a.ArchiveStatus))
	if p := a.Project.value; p != nil && isAway(string(p.ArchiveStatus)) {
		away = true
	}
	switch {
	case !a.uploaded():
		return frameio.OriginalNeverUploaded
	case bool(a.Watermarked) && (a.Original == "" || a.xxHash() == ""):
		// What is served as the original may be watermarked on the way: only the checksum can tell.
		return frameio.OriginalWatermarked
	case away && (a.class() == frameio.ClassStream || a.Original == ""):
		return frameio.OriginalArchived
	case a.Original == "" && a.Perms.value != nil && isNo(a.Perms.value.CanDownload):
		return frameio.OriginalForbidden
	case a.Original == "":
		return frameio.OriginalMissing
	}
	return frameio.OriginalAvailable
}

// xxHash returns the original's hash in lower-case hex, or "" if Frame.io has none.
func (a asset) xxHash() string {
	if a.Checksums.value == nil {
		return ""
	}
	return strings.ToLower(string(a.Checksums.value.XXHash))
}

// comments returns the number of comments, or -1 if the response does not say.
func (a asset) comments() int {
	if !a.Comments.set {
		return -1
	}
	return int(a.Comments.whole())
}

func (a asset) domain() frameio.Asset {
	d := frameio.Asset{
		ID: a.ID, ParentID: a.parentID(), ProjectID: string(a.ProjectID), Kind: a.kind(), Name: string(a.Name),
		URL:  "https://app.frame.io/player/" + a.ID,
		Size: a.Filesize.whole(), MediaType: string(a.Filetype), Label: orNone(string(a.Label)), Description: string(a.Desc),
		Duration: a.Duration.value, Frames: a.Frames.whole(), StartTimecode: string(a.Timecode),
		CreatedAt: a.Inserted.Time, UploadedAt: a.Uploaded.Time, UpdatedAt: a.Updated.Time,
		TeamOnly: bool(a.Private), CommentCount: a.comments(), ItemCount: int(a.Items.whole()), CoverID: a.coverID(),
	}
	if a.Rating.set {
		d.Rating = &a.Rating.value
	}
	if u := a.Creator.value; u != nil {
		d.Uploader = u.domain()
	}
	_ = json.Unmarshal(a.Properties, &d.Properties) // free form: anything but an object is left out
	if a.kind() != frameio.KindFile {
		return d
	}
	d.Class, d.Original, d.HasProxy = a.class(), a.original(), len(a.proxies()) > 0
	d.Ready, d.UploadFailed = a.ready(), a.Failed.said && !a.uploaded()
	d.Watermark = frameio.WatermarkOff
	if a.Watermarked {
		d.Watermark = frameio.WatermarkOn
	}
	d.Checksum = a.xxHash()
	fps := a.FPS.value
	if m := a.Metadata.value; m != nil && m.Blob.value != nil {
		b := m.Blob.value
		d.Width, d.Height = int(b.Width.whole()), int(b.Height.whole())
		if fps == 0 {
			fps = b.FPS.value
		}
		if d.Frames == 0 {
			d.Frames = b.Frames.whole()
		}
	}
	if t := a.Transcode.value; t != nil && d.Width == 0 {
		d.Width, d.Height = int(t.Width.whole()), int(t.Height.whole())
	}
	d.FrameRate = frameio.ParseRate(fps)
	return d
}

// ready reports whether reviewers can see the file. Kinds for which Frame.io creates no player files stay at "uploaded".
func (a asset) ready() bool {
	if !a.uploaded() {
		return false
	}
	return a.Status == "transcoded" || a.Transcoded.said || a.Status != "created" && a.class() != frameio.ClassStream && a.class() != frameio.ClassImage
}

func orNone(label string) string {
	if label == "" {
		return "none"
	}
	return label
}

// Children wraps GET /assets/{id}/children. One call a page. It caches the signed URLs it sees for Media.
func (c *Client) Children(ctx context.Context, folderID, cursor string) (frameio.Page[frameio.Asset], error) {
	rows, next, err := c.children(ctx, folderID, cursor)
	out := frameio.Page[frameio.Asset]{Next: next}
	for _, a := range rows {
		out.Items = append(out.Items, a.domain())
	}
	return out, err
}

func (c *Client) children(ctx context.Context, id, cursor string) ([]asset, string, error) {
	rows, next, err := listPage[asset](ctx, c, opChildren, "assets/"+url.PathEscape(id)+"/children", url.Values{"include": {"cover_asset"}}, cursor)
	if err != nil {
		return nil, "", err
	}
	rows = slices.DeleteFunc(rows, func(a asset) bool { return a.Deleted.said || a.ID == "" })
	for i := range rows {
		rows[i].listed()
		if err := c.see(ctx, &rows[i]); err != nil {
			return nil, "", err
		}
	}
	return rows, next, nil
}

const projectFreshFor = time.Minute // how long a project's archive status is cached

type projectState struct {
	archived bool
	at       time.Time
}

// see caches a file's URL. It first asks for the file's project if only that tells whether the URL is the original's, or why there is none.
func (c *Client) see(ctx context.Context, a *asset) error {
	o := a.original()
	open := a.kind() == frameio.KindFile && (o == frameio.OriginalAvailable && a.class() == frameio.ClassStream || o == frameio.OriginalMissing)
	if id := string(a.ProjectID); open && id != "" && a.Project.value == nil {
		known, ok := c.away.Load(id)
		if !ok || c.now().Sub(known.(projectState).at) > projectFreshFor {
			var p project
			if _, err := c.get(ctx, opProject, "projects/"+url.PathEscape(id), nil, &p); err != nil && rest.ClassOf(err) != rest.NotFound && rest.ClassOf(err) != rest.Forbidden {
				return err // except those two: a user who sees a file need not see its project
			}
			known = projectState{isAway(string(p.ArchiveStatus)), c.now()}
			c.away.Store(id, known)
		}
		a.away = known.(projectState).archived
	}
	c.remember(*a)
	return nil
}

// Versions wraps GET /assets/{stack}/children, which lists the newest first. One call for up to 500 versions.
func (c *Client) Versions(ctx context.Context, stack frameio.Asset) ([]frameio.Asset, error) {
	all, err := rest.Collect(rest.Pages(ctx, vendor, opChildren, func(a asset) string { return a.ID }, func(ctx context.Context, cursor string) ([]asset, string, error) {
		return c.children(ctx, stack.ID, cursor)
	}))
	if err != nil {
		return nil, err
	}
	all = frameio.Unique(all, func(a asset) string { return a.ID })
	all = slices.DeleteFunc(all, func(a asset) bool { return a.kind() != frameio.KindFile })
	oldestFirst(all, stack.CoverID)
	out := make([]frameio.Asset, len(all))
	for i, a := range all {
		out[i] = a.domain()
	}
	return out, nil
}

// oldestFirst sorts versions. Newest first is what clients have seen, not what is documented. The cover is the newest version.
// If it is neither first nor last, the listing has another order: then their places within the stack count if the cover is at
// an end, and otherwise their creation times.
func oldestFirst(all []asset, cover string) {
	n := len(all)
	at := slices.IndexFunc(all, func(a asset) bool { return a.ID == cover })
	switch {
	case n < 2 || at == n-1:
		return
	case at <= 0: // or there is no cover
		slices.Reverse(all)
		return
	}
	slices.SortStableFunc(all, func(x, y asset) int { return x.Inserted.Compare(y.Inserted.Time) })
	places := slices.Clone(all)
	slices.SortStableFunc(places, func(x, y asset) int { return cmp.Compare(x.Index.value, y.Index.value) })
	if places[0].ID == cover {
		slices.Reverse(places)
	}
	if places[n-1].ID == cover && places[0].Index.value != places[n-1].Index.value {
		copy(all, places)
		return
	}
	at = slices.IndexFunc(all, func(a asset) bool { return a.ID == cover })
	newest := all[at]
	copy(all[at:], all[at+1:])
	all[n-1] = newest
}

// Asset wraps GET /assets/{id}. One call.
func (c *Client) Asset(ctx context.Context, id string) (frameio.Asset, error) {
	a, err := c.asset(ctx, id)
	return a.domain(), err
}

func (c *Client) asset(ctx context.Context, id string) (asset, error) {
	var a asset
	_, err := c.get(ctx, opAsset, "assets/"+url.PathEscape(id), nil, &a)
	if err = shown(a.ID, opAsset, err); err == nil {
		err = c.see(ctx, &a)
	}
	return a, err
}
