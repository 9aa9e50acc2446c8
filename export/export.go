// Package export writes a review's comments for the programs that editors work in. It is pure: no I/O of its own, no
// clock, no vendor.
package export

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/mapping"
)

// Clip is a reviewed file with its comments, for editors.
type Clip struct {
	Name          string
	AssetID       string
	Rate          mapping.Rate
	StartTimecode string // of the first frame; empty is 00:00:00:00
	Frames        int64
	Comments      []Comment
}

// Comment is a comment or, with Parent, a reply.
type Comment struct {
	ID, Parent string
	Author     string
	Email      string
	Text       string
	Frame      *int64 // from 0; nil for a comment on the whole clip
	Frames     int64  // more than 1 for a range
	Page       *int
	Completed  bool
	Drawn      bool
	CreatedAt  time.Time
}

// start is the number of the clip's first frame, and whether its timecode drops frames.
func (c Clip) start() (frame int64, drop bool) {
	frame, drop, err := mapping.ParseTimecode(c.StartTimecode, c.Rate)
	if err != nil {
		return 0, false
	}
	return frame, drop
}

func (c Clip) timecode(frame int64) string {
	first, drop := c.start()
	return mapping.Timecode(first+frame, c.Rate, drop)
}

// placed returns the comments in the order of the picture, each reply after its parent and, without a frame of its
// own, at its parent's. Comments on the whole clip stand at its first frame.
func (c Clip) placed() []placedComment {
	byID := map[string]Comment{}
	for _, m := range c.Comments {
		byID[m.ID] = m
	}
	var out []placedComment
	for _, m := range c.Comments {
		top, depth := m, 0
		for above, ok := byID[top.Parent]; ok && depth < len(c.Comments); above, ok = byID[top.Parent] {
			top, depth = above, depth+1
		}
		p := placedComment{Comment: m, top: top, at: m.Frame, length: max(m.Frames, 1)}
		if p.at == nil && depth > 0 {
			p.at, p.length = top.Frame, max(top.Frames, 1)
		}
		p.general = p.at == nil
		if p.general {
			p.at = new(int64)
		}
		out = append(out, p)
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i], out[j]
		fa, fb := frameOf(a.top), frameOf(b.top)
		switch {
		case fa != fb:
			return fa < fb
		case a.top.ID != b.top.ID:
			if !a.top.CreatedAt.Equal(b.top.CreatedAt) {
				return a.top.CreatedAt.Before(b.top.CreatedAt)
			}
			return a.top.ID < b.top.ID
		case (a.Parent == "") != (b.Parent == ""):
			return a.Parent == ""
		}
		return a.CreatedAt.Before(b.CreatedAt)
	})
	return out
}

func frameOf(m Comment) int64 {
	if m.Frame == nil {
		return -1
	}
	return *m.Frame
}

type placedComment struct {
	Comment
	top     Comment
	at      *int64
	length  int64
	general bool
}

// label is the comment in one line.
func (p placedComment) label() string {
	text := strings.Join(strings.Fields(p.Text), " ")
	if p.Parent != "" {
		text = "↳ " + text
	}
	if p.general {
		text = "[whole clip] " + text
	}
	if p.Page != nil {
		text = fmt.Sprintf("[page %d] %s", *p.Page, text)
	}
	return text
}

// CSV writes one line a comment, with a header.
func CSV(w io.Writer, clips []Clip) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"Clip", "Timecode In", "Timecode Out", "Frame", "Frames", "Page", "Author", "E-mail", "Comment", "Reply To", "Completed", "Drawing", "Created At", "Comment ID"}); err != nil {
		return err
	}
	for _, c := range clips {
		for _, p := range c.placed() {
			row := []string{c.Name, "", "", "", "", "", p.Author, p.Email, plain(p.Text), p.Parent, yesNo(p.Completed), yesNo(p.Drawn), "", p.ID}
			if !p.general {
				row[1], row[2], row[3], row[4] = c.timecode(*p.at), c.timecode(*p.at+p.length-1), strconv.FormatInt(*p.at, 10), strconv.FormatInt(p.length, 10)
			}
			if p.Page != nil {
				row[5] = strconv.Itoa(*p.Page)
			}
			if !p.CreatedAt.IsZero() {
				row[12] = p.CreatedAt.UTC().Format(time.RFC3339)
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// plain keeps a spreadsheet from taking a comment for a formula.
func plain(text string) string {
	if strings.IndexAny(text, "=+-@\t\r") == 0 {
		return "'" + text
	}
	return text
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// EDL writes a CMX3600 list whose events are markers as DaVinci Resolve reads and writes them (Timelines, Import,
// Timeline Markers from EDL).
func EDL(w io.Writer, title string, clips []Clip) error {
	var b strings.Builder
	fmt.Fprintf(&b, "TITLE: %s\n", strings.Join(strings.Fields(title), " "))
	n := 0
	dropSaid := ""
	for _, c := range clips {
		_, drop := c.start()
		fcm := "FCM: NON-DROP FRAME\n"
		if drop {
			fcm = "FCM: DROP FRAME\n"
		}
		if fcm != dropSaid {
			b.WriteString(fcm)
			dropSaid = fcm
		}
		b.WriteString("\n")
		for _, m := range c.markers() {
			n++
			in, out := c.timecode(m.at), c.timecode(m.at+m.length)
			fmt.Fprintf(&b, "%03d  001      V     C        %s %s %s %s\n", n, in, out, in, out)
			if len(clips) > 1 {
				fmt.Fprintf(&b, "* FROM CLIP NAME: %s\n", c.Name)
			}
			color := "ResolveColorBlue"
			if m.done {
				color = "ResolveColorGreen"
			}
			fmt.Fprintf(&b, "%s |C:%s |M:%s |D:%d\n\n", bar(m.text), color, bar(m.author), m.length)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// marker is what stands at one frame: Resolve keeps one marker there, so what else is said at it joins the first.
type marker struct {
	at, length   int64
	text, author string
	done         bool // whatever is said there is
}

func (c Clip) markers() []marker {
	var out []marker
	for _, p := range c.placed() {
		author := p.Author
		if author == "" {
			author = "Frame.io user"
		}
		text := p.label()
		if last := len(out) - 1; last >= 0 && out[last].at == *p.at {
			m := &out[last]
			if p.Parent != "" {
				text = "↳ " + author + ": " + strings.TrimPrefix(text, "↳ ")
			} else if author != m.author {
				text = author + ": " + text
			}
			m.text, m.length, m.done = m.text+" / "+text, max(m.length, p.length), m.done && (p.Parent != "" || p.Completed)
			continue
		}
		out = append(out, marker{at: *p.at, length: p.length, text: text, author: author, done: p.Completed})
	}
	return out
}

// bar keeps the separator of Resolve's marker lines out of a text.
func bar(text string) string { return strings.ReplaceAll(text, "|", "¦") }

type (
	fcpxml struct {
		XMLName   xml.Name     `xml:"fcpxml"`
		Version   string       `xml:"version,attr"`
		Resources fcpResources `xml:"resources"`
		Event     fcpEvent     `xml:"library>event"`
	}
	fcpResources struct {
		Formats []fcpFormat `xml:"format"`
		Assets  []fcpAsset  `xml:"asset"`
	}
	fcpFormat struct {
		ID            string `xml:"id,attr"`
		FrameDuration string `xml:"frameDuration,attr"`
	}
	fcpAsset struct {
		ID       string `xml:"id,attr"`
		Name     string `xml:"name,attr"`
		Start    string `xml:"start,attr"`
		Duration string `xml:"duration,attr"`
		HasVideo int    `xml:"hasVideo,attr"`
		Format   string `xml:"format,attr"`
		Rep      struct {
			Kind string `xml:"kind,attr"`
			Src  string `xml:"src,attr"`
		} `xml:"media-rep"`
	}
	fcpEvent struct {
		Name     string       `xml:"name,attr"`
		Projects []fcpProject `xml:"project"`
	}
	fcpProject struct {
		Name     string `xml:"name,attr"`
		Sequence struct {
			Format   string  `xml:"format,attr"`
			Duration string  `xml:"duration,attr"`
			TCStart  string  `xml:"tcStart,attr"`
			TCFormat string  `xml:"tcFormat,attr"`
			Clip     fcpClip `xml:"spine>asset-clip"`
		} `xml:"sequence"`
	}
	fcpClip struct {
		Ref      string      `xml:"ref,attr"`
		Name     string      `xml:"name,attr"`
		Offset   string      `xml:"offset,attr"`
		Start    string      `xml:"start,attr"`
		Duration string      `xml:"duration,attr"`
		Format   string      `xml:"format,attr"`
		TCFormat string      `xml:"tcFormat,attr"`
		Markers  []fcpMarker `xml:"marker"`
	}
	fcpMarker struct {
		Start     string `xml:"start,attr"`
		Duration  string `xml:"duration,attr"`
		Value     string `xml:"value,attr"`
		Completed *int   `xml:"completed,attr"` // with it, a marker is a task
		Note      string `xml:"note,attr"`
	}
)

// seconds writes a number of frames as FCPXML's rational seconds.
func seconds(frames int64, r mapping.Rate) string {
	if frames == 0 {
		return "0s"
	}
	return fmt.Sprintf("%d/%ds", frames*r.Den, r.Num)
}

// FCPXML writes one project a clip, with its comments as markers, for Final Cut Pro and what reads FCPXML 1.10.
func FCPXML(w io.Writer, title string, clips []Clip) error {
	doc := fcpxml{Version: "1.10", Event: fcpEvent{Name: title}}
	formats := map[mapping.Rate]string{}
	for i, c := range clips {
		r, _ := c.Rate.OrDefault()
		format, ok := formats[r]
		if !ok {
			format = fmt.Sprintf("r%d", len(doc.Resources.Formats)+1)
			formats[r] = format
			doc.Resources.Formats = append(doc.Resources.Formats, fcpFormat{ID: format, FrameDuration: seconds(1, r)})
		}
		first, drop := c.start()
		length := max(c.Frames, 1)
		tc := "NDF"
		if drop {
			tc = "DF"
		}
		asset := fcpAsset{ID: fmt.Sprintf("a%d", i+1), Name: c.Name, Start: seconds(first, r), Duration: seconds(length, r), HasVideo: 1, Format: format}
		asset.Rep.Kind, asset.Rep.Src = "original-media", "file:///"+url.PathEscape(c.Name)
		clip := fcpClip{Ref: asset.ID, Name: c.Name, Offset: seconds(first, r), Start: seconds(first, r), Duration: seconds(length, r), Format: format, TCFormat: tc}
		for _, p := range c.placed() {
			m := fcpMarker{Start: seconds(first+*p.at, r), Duration: seconds(p.length, r), Value: p.label(), Note: p.Author}
			if p.Parent == "" {
				done := 0
				if p.Completed {
					done = 1
				}
				m.Completed = &done
			}
			clip.Markers = append(clip.Markers, m)
		}
		project := fcpProject{Name: c.Name}
		project.Sequence.Format, project.Sequence.Duration, project.Sequence.TCStart, project.Sequence.TCFormat, project.Sequence.Clip = format, seconds(length, r), seconds(first, r), tc, clip
		doc.Resources.Assets = append(doc.Resources.Assets, asset)
		doc.Event.Projects = append(doc.Event.Projects, project)
	}
	if _, err := io.WriteString(w, xml.Header+"<!DOCTYPE fcpxml>\n"); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// JSON writes {"clips":[{…,"comments":[…]}]}, with timecodes beside frames.
func JSON(w io.Writer, clips []Clip) error {
	type comment struct {
		ID           string     `json:"id"`
		ReplyTo      *string    `json:"reply_to"`
		Author       string     `json:"author"`
		Email        string     `json:"email"`
		Text         string     `json:"text"`
		Frame        *int64     `json:"frame"`
		Frames       int64      `json:"frames"`
		TimecodeIn   *string    `json:"timecode_in"`
		TimecodeOut  *string    `json:"timecode_out"`
		Milliseconds *int64     `json:"milliseconds"`
		Page         *int       `json:"page"`
		Completed    bool       `json:"completed"`
		Drawing      bool       `json:"drawing"`
		CreatedAt    *time.Time `json:"created_at"`
	}
	type clip struct {
		Name          string    `json:"name"`
		AssetID       string    `json:"iconik_asset_id"`
		FrameRate     string    `json:"frame_rate"`
		StartTimecode string    `json:"start_timecode"`
		Comments      []comment `json:"comments"`
	}
	out := struct {
		Clips []clip `json:"clips"`
	}{Clips: []clip{}}
	for _, c := range clips {
		r, _ := c.Rate.OrDefault()
		v := clip{Name: c.Name, AssetID: c.AssetID, FrameRate: fmt.Sprintf("%d/%d", r.Num, r.Den), StartTimecode: c.timecode(0), Comments: []comment{}}
		for _, p := range c.placed() {
			m := comment{ID: p.ID, Author: p.Author, Email: p.Email, Text: p.Text, Page: p.Page, Completed: p.Completed, Drawing: p.Drawn}
			if p.Parent != "" {
				m.ReplyTo = &p.Parent
			}
			if !p.CreatedAt.IsZero() {
				at := p.CreatedAt.UTC()
				m.CreatedAt = &at
			}
			if !p.general {
				in, last, ms := c.timecode(*p.at), c.timecode(*p.at+p.length-1), mapping.FrameToMS(*p.at, r)
				m.Frame, m.Frames, m.TimecodeIn, m.TimecodeOut, m.Milliseconds = p.at, p.length, &in, &last, &ms
			}
			v.Comments = append(v.Comments, m)
		}
		out.Clips = append(out.Clips, v)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}
