package export

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/url"

	"github.com/framebridge/framebridge/mapping"
)

type (
	xmeml struct {
		XMLName xml.Name     `xml:"xmeml"`
		Version string       `xml:"version,attr"`
		Project xmemlProject `xml:"project"`
	}
	xmemlProject struct {
		Name      string          `xml:"name"`
		Sequences []xmemlSequence `xml:"children>sequence"`
	}
	xmemlSequence struct {
		ID       string        `xml:"id,attr"`
		Name     string        `xml:"name"`
		Duration int64         `xml:"duration"`
		Rate     xmemlRate     `xml:"rate"`
		Timecode xmemlTimecode `xml:"timecode"`
		Media    xmemlMedia    `xml:"media"`
		Markers  []xmemlMarker `xml:"marker"`
	}
	xmemlRate struct {
		Timebase int64  `xml:"timebase"`
		NTSC     string `xml:"ntsc"`
	}
	xmemlTimecode struct {
		Rate    xmemlRate `xml:"rate"`
		String  string    `xml:"string"`
		Frame   int64     `xml:"frame"`
		Display string    `xml:"displayformat"`
	}
	xmemlMedia struct {
		Video *xmemlTracks `xml:"video"`
		Audio *xmemlTracks `xml:"audio"`
	}
	xmemlTracks struct {
		Clip xmemlClip `xml:"track>clipitem"`
	}
	xmemlClip struct {
		ID       string    `xml:"id,attr"`
		Name     string    `xml:"name"`
		Enabled  string    `xml:"enabled"`
		Duration int64     `xml:"duration"`
		Rate     xmemlRate `xml:"rate"`
		Start    int64     `xml:"start"`
		End      int64     `xml:"end"`
		In       int64     `xml:"in"`
		Out      int64     `xml:"out"`
		File     xmemlFile `xml:"file"`
	}
	xmemlFile struct {
		ID       string        `xml:"id,attr"`
		Name     string        `xml:"name"`
		PathURL  string        `xml:"pathurl"`
		Rate     xmemlRate     `xml:"rate"`
		Duration int64         `xml:"duration"`
		Timecode xmemlTimecode `xml:"timecode"`
		Video    *struct{}     `xml:"media>video"`
		Audio    *struct{}     `xml:"media>audio"`
	}
	xmemlMarker struct {
		Name    string `xml:"name"`
		Comment string `xml:"comment"`
		In      int64  `xml:"in"`
		Out     int64  `xml:"out"` // -1 for a single frame
	}
)

// Premiere writes one sequence per clip, with its comments as sequence markers, in the XML of Final Cut Pro 7 (xmeml
// 5), which Premiere Pro imports.
func Premiere(w io.Writer, title string, clips []Clip) error {
	doc := xmeml{Version: "5", Project: xmemlProject{Name: Line(title)}}
	for i, c := range clips {
		doc.Project.Sequences = append(doc.Project.Sequences, c.sequence(i+1))
	}
	return writeXML(w, "xmeml", doc)
}

func (c Clip) sequence(n int) xmemlSequence {
	name := Line(c.Name)
	length := c.length()
	first, drop := c.start()
	rate := xmemlRate{c.Rate.Timebase(), "FALSE"}
	if r, _ := c.Rate.OrDefault(); r.Den == 1001 {
		rate.NTSC = "TRUE"
	}
	tc := xmemlTimecode{rate, mapping.Timecode(first, c.Rate, drop), first, "NDF"}
	if drop {
		tc.Display = "DF"
	}
	clip := xmemlClip{ID: fmt.Sprintf("clipitem-%d", n), Name: name, Enabled: "TRUE", Duration: length, Rate: rate, End: length, Out: length,
		File: xmemlFile{ID: fmt.Sprintf("file-%d", n), Name: name, PathURL: "file://localhost/" + url.PathEscape(name), Rate: rate, Duration: length, Timecode: tc}}
	s := xmemlSequence{ID: fmt.Sprintf("sequence-%d", n), Name: name, Duration: length, Rate: rate, Timecode: tc}
	if c.Audio {
		clip.File.Audio, s.Media.Audio = &struct{}{}, &xmemlTracks{clip}
	} else {
		clip.File.Video, s.Media.Video = &struct{}{}, &xmemlTracks{clip}
	}
	for _, m := range c.markers() {
		marker := xmemlMarker{Name: m.author, Comment: m.line(), In: m.at, Out: -1}
		if m.length > 1 {
			marker.Out = m.at + m.length
		}
		s.Markers = append(s.Markers, marker)
	}
	return s
}
