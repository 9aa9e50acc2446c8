package export

import (
	"io"

	"github.com/framebridge/framebridge/mapping"
)

// The OpenTimelineIO schemas in use. Each object names its own.
type (
	otioTime struct {
		Schema string  `json:"OTIO_SCHEMA"`
		Rate   float64 `json:"rate"`
		Value  float64 `json:"value"`
	}
	otioRange struct {
		Schema   string   `json:"OTIO_SCHEMA"`
		Start    otioTime `json:"start_time"`
		Duration otioTime `json:"duration"`
	}
	otioMarker struct {
		Schema   string         `json:"OTIO_SCHEMA"`
		Name     string         `json:"name"`
		Color    string         `json:"color"`
		Comment  string         `json:"comment"`
		Range    otioRange      `json:"marked_range"`
		Metadata map[string]any `json:"metadata"`
	}
	otioMedia struct {
		Schema    string         `json:"OTIO_SCHEMA"`
		Name      string         `json:"name"`
		Available otioRange      `json:"available_range"`
		Metadata  map[string]any `json:"metadata"`
	}
	otioClip struct {
		Schema   string               `json:"OTIO_SCHEMA"`
		Name     string               `json:"name"`
		Enabled  bool                 `json:"enabled"`
		Source   otioRange            `json:"source_range"`
		Media    map[string]otioMedia `json:"media_references"`
		Active   string               `json:"active_media_reference_key"`
		Effects  []any                `json:"effects"`
		Markers  []otioMarker         `json:"markers"`
		Metadata map[string]any       `json:"metadata"`
	}
	otioTrack struct {
		Schema   string         `json:"OTIO_SCHEMA"`
		Name     string         `json:"name"`
		Kind     string         `json:"kind"`
		Enabled  bool           `json:"enabled"`
		Source   *otioRange     `json:"source_range"`
		Effects  []any          `json:"effects"`
		Markers  []any          `json:"markers"`
		Children []otioClip     `json:"children"`
		Metadata map[string]any `json:"metadata"`
	}
	otioStack struct {
		Schema   string         `json:"OTIO_SCHEMA"`
		Name     string         `json:"name"`
		Enabled  bool           `json:"enabled"`
		Source   *otioRange     `json:"source_range"`
		Effects  []any          `json:"effects"`
		Markers  []any          `json:"markers"`
		Children []otioTrack    `json:"children"`
		Metadata map[string]any `json:"metadata"`
	}
	otioTimeline struct {
		Schema   string         `json:"OTIO_SCHEMA"`
		Name     string         `json:"name"`
		Start    *otioTime      `json:"global_start_time"`
		Tracks   otioStack      `json:"tracks"`
		Metadata map[string]any `json:"metadata"`
	}
)

const otioMediaKey = "DEFAULT_MEDIA"

func otioAt(frame int64, r mapping.Rate) otioTime {
	return otioTime{"RationalTime.1", float64(r.Num) / float64(r.Den), float64(frame)}
}

func otioSpan(from, frames int64, r mapping.Rate) otioRange {
	return otioRange{"TimeRange.1", otioAt(from, r), otioAt(frames, r)}
}

// OTIO writes an OpenTimelineIO timeline: the clips one after the other, each with its comments as markers in the clip's own time.
// A marker's metadata has every comment in the form of the JSON export.
func OTIO(w io.Writer, title string, clips []Clip) error {
	kind := "Audio"
	children := []otioClip{}
	for _, c := range clips {
		if !c.Audio {
			kind = "Video"
		}
		children = append(children, c.otio())
	}
	track := otioTrack{Schema: "Track.1", Name: "Comments", Kind: kind, Enabled: true, Effects: []any{}, Markers: []any{}, Children: children, Metadata: map[string]any{}}
	out := otioTimeline{Schema: "Timeline.1", Name: Line(title), Metadata: map[string]any{},
		Tracks: otioStack{Schema: "Stack.1", Name: "tracks", Enabled: true, Effects: []any{}, Markers: []any{}, Children: []otioTrack{track}, Metadata: map[string]any{}}}
	if len(clips) > 0 {
		first, _ := clips[0].start()
		r, _ := clips[0].Rate.OrDefault()
		at := otioAt(first, r)
		out.Start = &at
	}
	return writeJSON(w, out)
}

func (c Clip) otio() otioClip {
	r, _ := c.Rate.OrDefault()
	first, _ := c.start()
	whole := otioSpan(first, c.length(), r)
	out := otioClip{Schema: "Clip.2", Name: Line(c.Name), Enabled: true, Source: whole, Active: otioMediaKey, Effects: []any{}, Markers: []otioMarker{},
		Media:    map[string]otioMedia{otioMediaKey: {"MissingReference.1", Line(c.Name), whole, map[string]any{}}},
		Metadata: map[string]any{"framebridge": map[string]any{"iconik_asset_id": c.AssetID}}}
	for _, m := range c.markers() {
		color := "RED"
		if m.done {
			color = "GREEN"
		}
		said := []jsonComment{}
		for _, p := range m.said {
			said = append(said, c.jsonComment(p))
		}
		out.Markers = append(out.Markers, otioMarker{"Marker.2", m.line(), color, m.thread(), otioSpan(first+m.at, m.length, r), map[string]any{"framebridge": map[string]any{"comments": said}}})
	}
	return out
}
