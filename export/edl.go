package export

import (
	"fmt"
	"io"
	"strings"
)

// EDL writes a CMX 3600 list whose events are markers as DaVinci Resolve reads and writes them (Timelines, Import, Timeline Markers
// from EDL). Several clips follow one another, and each marker has its clip's name.
func EDL(w io.Writer, title string, clips []Clip) error {
	t, err := lay(clips)
	if err != nil {
		return err
	}
	var b strings.Builder
	fcm := "NON-DROP FRAME"
	if t.drop {
		fcm = "DROP FRAME"
	}
	fmt.Fprintf(&b, "TITLE: %s\nFCM: %s\n\n", edlName(title), fcm)
	n := 0
	for _, s := range t.spans {
		for _, m := range s.markers {
			n++
			in, out := t.timecode(m.at), t.timecode(m.at+m.length)
			text := m.line()
			if len(clips) > 1 {
				text = "[" + Line(s.clip.Name) + " " + s.clip.timecode(m.said[0].at) + "] " + text
			}
			color := "ResolveColorBlue"
			if m.done {
				color = "ResolveColorGreen"
			}
			fmt.Fprintf(&b, "%03d  001      V     C        %s %s %s %s\n%s |C:%s |M:%s |D:%d\n\n", n, in, out, in, out, edlNote(text), color, edlName(m.author), m.length)
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
}
