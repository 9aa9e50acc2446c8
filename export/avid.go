package export

import (
	"fmt"
	"io"
	"strings"
)

// Avid writes markers in the form that Media Composer imports and exports (Markers window, Import Markers): one per line, with
// name, timecode, track, color, comment and length separated by tabs.
func Avid(w io.Writer, _ string, clips []Clip) error {
	t, err := lay(clips)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, s := range t.spans {
		track := "V1"
		if s.clip.Audio {
			track = "A1"
		}
		for _, m := range s.markers {
			text := m.line()
			if len(clips) > 1 {
				text = "[" + Line(s.clip.Name) + " " + s.clip.timecode(m.said[0].at) + "] " + text
			}
			color := "red"
			if m.done {
				color = "green"
			}
			fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%d\n", m.author, t.timecode(m.at), track, color, text, m.length)
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
}
