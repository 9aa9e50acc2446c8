package export

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/url"

	"github.com/framebridge/framebridge/mapping"
)

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
		ID            string `xml:"id,attr"`
		Name          string `xml:"name,attr"`
		Start         string `xml:"start,attr"`
		Duration      string `xml:"duration,attr"`
		HasVideo      string `xml:"hasVideo,attr,omitempty"`
		Format        string `xml:"format,attr,omitempty"`
		HasAudio      string `xml:"hasAudio,attr,omitempty"`
		AudioSources  string `xml:"audioSources,attr,omitempty"`
		AudioChannels string `xml:"audioChannels,attr,omitempty"`
		Rep           struct {
			Kind string `xml:"kind,attr"`
			Src  string `xml:"src,attr"`
		} `xml:"media-rep"`
	}
	fcpEvent struct {
		Name     string       `xml:"name,attr"`
		Projects []fcpProject `xml:"project"`
	}
	fcpProject struct {
		Name     string      `xml:"name,attr"`
		Sequence fcpSequence `xml:"sequence"`
	}
	fcpSequence struct {
		Format   string  `xml:"format,attr"`
		Duration string  `xml:"duration,attr"`
		TCStart  string  `xml:"tcStart,attr"`
		TCFormat string  `xml:"tcFormat,attr"`
		Clip     fcpClip `xml:"spine>asset-clip"`
	}
	fcpClip struct {
		Ref      string      `xml:"ref,attr"`
		Name     string      `xml:"name,attr"`
		Offset   string      `xml:"offset,attr"`
		Start    string      `xml:"start,attr"`
		Duration string      `xml:"duration,attr"`
		Format   string      `xml:"format,attr,omitempty"`
		TCFormat string      `xml:"tcFormat,attr"`
		Markers  []fcpMarker `xml:"marker"`
	}
	fcpMarker struct {
		Start     string `xml:"start,attr"`
		Duration  string `xml:"duration,attr"`
		Value     string `xml:"value,attr"`
		Completed int    `xml:"completed,attr"` // makes a marker a task
		Note      string `xml:"note,attr"`
	}
)

// seconds formats a number of frames as FCPXML's rational seconds.
func seconds(frames int64, r mapping.Rate) string {
	if frames == 0 {
		return "0s"
	}
	return fmt.Sprintf("%d/%ds", frames*r.Den, r.Num)
}

// FCPXML writes one project per clip, with its comments as to-do markers, for Final Cut Pro and other readers of FCPXML 1.10.
func FCPXML(w io.Writer, title string, clips []Clip) error {
	doc := fcpxml{Version: "1.10", Event: fcpEvent{Name: Line(title)}}
	formats := map[mapping.Rate]string{}
	for i, c := range clips {
		r, _ := c.Rate.OrDefault()
		format, ok := formats[r]
		if !ok {
			format = fmt.Sprintf("r%d", len(doc.Resources.Formats)+1)
			formats[r] = format
			doc.Resources.Formats = append(doc.Resources.Formats, fcpFormat{ID: format, FrameDuration: seconds(1, r)})
		}
		asset, project := c.fcpxml(fmt.Sprintf("a%d", i+1), format, r)
		doc.Resources.Assets = append(doc.Resources.Assets, asset)
		doc.Event.Projects = append(doc.Event.Projects, project)
	}
	return writeXML(w, "fcpxml", doc)
}

func (c Clip) fcpxml(id, format string, r mapping.Rate) (fcpAsset, fcpProject) {
	name := Line(c.Name)
	first, drop := c.start()
	begin, length, tc := seconds(first, r), seconds(c.length(), r), "NDF"
	if drop {
		tc = "DF"
	}
	asset := fcpAsset{ID: id, Name: name, Start: begin, Duration: length, HasVideo: "1", Format: format}
	clip := fcpClip{Ref: id, Name: name, Offset: begin, Start: begin, Duration: length, Format: format, TCFormat: tc}
	if c.Audio {
		asset.HasVideo, asset.Format, clip.Format = "", "", ""
		asset.HasAudio, asset.AudioSources, asset.AudioChannels = "1", "1", "2"
	}
	asset.Rep.Kind, asset.Rep.Src = "original-media", "file:///"+url.PathEscape(name)
	for _, m := range c.markers() {
		marker := fcpMarker{Start: seconds(first+m.at, r), Duration: seconds(m.length, r), Value: m.line(), Note: m.thread()}
		if m.done {
			marker.Completed = 1
		}
		clip.Markers = append(clip.Markers, marker)
	}
	return asset, fcpProject{name, fcpSequence{format, length, begin, tc, clip}}
}
