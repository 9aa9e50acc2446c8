package export

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/framebridge/framebridge/mapping"
)

type (
	jsonComment struct {
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
	jsonClip struct {
		Name          string        `json:"name"`
		AssetID       string        `json:"iconik_asset_id"`
		FrameRate     string        `json:"frame_rate"`
		StartTimecode string        `json:"start_timecode"`
		Comments      []jsonComment `json:"comments"`
	}
)

// JSON writes {"clips":[{…,"comments":[…]}]}, with timecodes in addition to frames.
func JSON(w io.Writer, clips []Clip) error {
	out := struct {
		Clips []jsonClip `json:"clips"`
	}{Clips: []jsonClip{}}
	for _, c := range clips {
		r, _ := c.Rate.OrDefault()
		v := jsonClip{Name: c.Name, AssetID: c.AssetID, FrameRate: fmt.Sprintf("%d/%d", r.Num, r.Den), StartTimecode: c.timecode(0), Comments: []jsonComment{}}
		for _, p := range c.placed() {
			v.Comments = append(v.Comments, c.jsonComment(p))
		}
		out.Clips = append(out.Clips, v)
	}
	return writeJSON(w, out)
}

func (c Clip) jsonComment(p placedComment) jsonComment {
	m := jsonComment{ID: p.ID, Author: p.Author, Email: p.Email, Text: p.Text, Page: p.Page, Completed: p.Completed, Drawing: p.Drawn}
	if p.Parent != "" {
		m.ReplyTo = &p.Parent
	}
	if !p.CreatedAt.IsZero() {
		at := p.CreatedAt.UTC()
		m.CreatedAt = &at
	}
	if !p.general {
		in, last, ms := c.timecode(p.at), c.timecode(p.at+p.length-1), mapping.FrameToMS(p.at, c.Rate)
		m.Frame, m.Frames, m.TimecodeIn, m.TimecodeOut, m.Milliseconds = &p.at, p.length, &in, &last, &ms
	}
	return m
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
