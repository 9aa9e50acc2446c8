package report

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"slices"
	"time"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/mapping"
)

// AccountMHL writes an ASC MHL v2.0 hash list that refers to the newest hash list of each project by its C4 ID. In the
// specification's terms, it is the parent of their histories. Its signature thus also covers those lists. Its paths begin below
// "Frame.io", where the storage has the archives' folders.
func AccountMHL(w io.Writer, r *Account) error {
	at := r.Migration.FinishedAt
	if at.IsZero() {
		at = r.GeneratedAt
	}
	type reference struct{ project, dir, list, c4 string }
	var references []reference
	for p, err := range r.withHashLists() {
		if err != nil {
			return err
		}
		if p.HashList == nil {
			continue
		}
		// Archives continue after their migration. The list must not be older than the lists that it names.
		if written, ok := p.HashList.written(); ok && written.After(at) {
			at = written
		}
		references = append(references, reference{p.ID, path.Join(mapping.SafeFileName(p.Archive.TeamName), mapping.SafeFileName(p.Archive.Name)), p.HashList.File, p.HashList.C4})
	}
	ids := make([]int, len(references)) // the migration's order can change, but which of two projects with the same name is marked must not
	for i := range ids {
		ids[i] = i
	}
	slices.SortFunc(ids, func(a, b int) int { return cmp.Compare(references[a].project, references[b].project) })
	taken := map[uint64]bool{}
	for _, i := range ids {
		references[i].dir = freeDir(references[i].dir, mapping.SafeFileName(references[i].project), taken)
	}
	var b bytes.Buffer
	writeMHLHead(&b, at)
	if len(references) > 0 {
		b.WriteString("  <references>\n")
		for _, f := range references {
			b.WriteString("    <hashlistreference>\n      <path>")
			_ = xml.EscapeText(&b, []byte(path.Join(f.dir, "ascmhl", f.list)))
			fmt.Fprintf(&b, "</path>\n      <c4>%s</c4>\n    </hashlistreference>\n", f.c4)
		}
		b.WriteString("  </references>\n")
	}
	b.WriteString("</hashlist>\n")
	signed := custody.NewWriter(w, r.SigningKey)
	if _, err := b.WriteTo(signed); err != nil {
		return err
	}
	return signed.EndMarkup()
}

// freeDir returns a directory that is not taken. It adds a mark if another project has the same name, or one that equals a marked name.
func freeDir(plain, mark string, taken map[uint64]bool) string {
	dir := plain
	for try := 1; taken[foldedPath(dir)]; try++ {
		dir = plain + " (" + mark + ")"
		if try > 1 {
			dir = fmt.Sprintf("%s (%s %d)", plain, mark, try)
		}
	}
	taken[foldedPath(dir)] = true
	return dir
}

// writeMHLHead writes the beginning of a hash list with this creation time.
func writeMHLHead(w io.Writer, at time.Time) {
	fmt.Fprintf(w, "%s<hashlist version=\"2.0\" xmlns=\"urn:ASC:MHL:v2.0\">\n  <creatorinfo>\n    <creationdate>%s</creationdate>\n    <hostname>framebridge</hostname>\n    <tool version=\"", xml.Header, at.UTC().Format(time.RFC3339))
	_ = xml.EscapeText(w, []byte(Version()))
	_, _ = io.WriteString(w, "\">Framebridge</tool>\n  </creatorinfo>\n  <processinfo>\n    <process>transfer</process>\n  </processinfo>\n")
}
