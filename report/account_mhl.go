package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/mapping"
)

// AccountMHL writes an ASC MHL v2.0 hash list that refers to the newest hash list of each project, with its C4: by the
// specification the parent of their histories. It is signed, and so are with it the lists that it names. Its paths begin where the
// archives' folders of the storage do, below "Frame.io".
func AccountMHL(w io.Writer, r *Account) error {
	at := r.Migration.FinishedAt
	if at.IsZero() {
		at = r.GeneratedAt
	}
	var lists, b bytes.Buffer
	taken := map[uint64]bool{}
	for p, err := range r.Projects {
		if err != nil {
			return err
		}
		if p.HashList == nil {
			continue
		}
		// Archives go on after their migration: the list is not older than what it names.
		if written, ok := p.HashList.written(); ok && written.After(at) {
			at = written
		}
		plain := path.Join(mapping.SafeFileName(p.Archive.TeamName), mapping.SafeFileName(p.Archive.Name))
		dir, mark := plain, mapping.SafeFileName(p.ID)
		for try := 1; taken[foldedPath(dir)]; try++ { // by another project of that name, or one that is called like this one with its mark
			dir = plain + " (" + mark + ")"
			mark = fmt.Sprintf("%s %d", mapping.SafeFileName(p.ID), try+1)
		}
		taken[foldedPath(dir)] = true
		lists.WriteString("    <hashlistreference>\n      <path>")
		_ = xml.EscapeText(&lists, []byte(path.Join(dir, "ascmhl", p.HashList.File)))
		fmt.Fprintf(&lists, "</path>\n      <c4>%s</c4>\n    </hashlistreference>\n", p.HashList.C4)
	}
	writeMHLHead(&b, at)
	if len(taken) > 0 {
		fmt.Fprintf(&b, "  <references>\n%s  </references>\n", lists.Bytes())
	}
	b.WriteString("</hashlist>\n")
	signed := custody.NewWriter(w, r.SigningKey)
	if _, err := b.WriteTo(signed); err != nil {
		return err
	}
	return signed.EndMarkup()
}

// writeMHLHead begins a hash list of this time.
func writeMHLHead(w io.Writer, at time.Time) {
	fmt.Fprintf(w, "%s<hashlist version=\"2.0\" xmlns=\"urn:ASC:MHL:v2.0\">\n  <creatorinfo>\n    <creationdate>%s</creationdate>\n    <hostname>framebridge</hostname>\n    <tool version=\"", xml.Header, at.UTC().Format(time.RFC3339))
	_ = xml.EscapeText(w, []byte(Version()))
	_, _ = io.WriteString(w, "\">Framebridge</tool>\n  </creatorinfo>\n  <processinfo>\n    <process>transfer</process>\n  </processinfo>\n")
}
