package export

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"
)

// CSV writes one line per comment, below a header.
func CSV(w io.Writer, clips []Clip) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"Clip", "Timecode In", "Timecode Out", "Frame", "Frames", "Page", "Author", "E-mail", "Comment", "Reply To", "Completed", "Drawing", "Created At", "Comment ID"}); err != nil {
		return err
	}
	for _, c := range clips {
		for _, p := range c.placed() {
			row := []string{Cell(c.Name), "", "", "", "", "", Cell(p.Author), Cell(p.Email), Cell(p.Text), Cell(p.Parent), yesNo(p.Completed), yesNo(p.Drawn), "", Cell(p.ID)}
			if !p.general {
				row[1], row[2], row[3], row[4] = c.timecode(p.at), c.timecode(p.at+p.length-1), strconv.FormatInt(p.at, 10), strconv.FormatInt(p.length, 10)
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

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
