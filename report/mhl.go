package report

import (
	"bufio"
	"bytes"
	"crypto/sha512"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// Generation is one hash list of the archive's ASC MHL history. Each run that changed something adds one.
type Generation struct {
	Number int
	Run    int // the archive's run
	File   string
	C4     string
}

const (
	generationTime = "2006-01-02_150405Z"
	c4Separator    = " "
)

// String returns the form in which the ledger stores a generation.
func (g Generation) String() string { return g.C4 + c4Separator + g.File }

// ParseGeneration parses a run's generation from the ledger. It returns false if the run's list was stored without its C4 ID.
func ParseGeneration(text string, run int) (Generation, bool) {
	c4, file, ok := strings.Cut(text, c4Separator)
	var number int
	if _, err := fmt.Sscanf(file, "%04d_", &number); !ok || err != nil || len(c4) != c4Length {
		return Generation{}, false
	}
	return Generation{number, run, file, c4}, true
}

// written returns when the generation was written, according to its file name.
func (g Generation) written() (time.Time, bool) {
	name := strings.TrimSuffix(g.File, ".mhl")
	if len(name) < len(generationTime) {
		return time.Time{}, false
	}
	at, err := time.Parse(generationTime, name[len(name)-len(generationTime):])
	return at, err == nil
}

// stand makes the newest kept list this report's own if the run left everything as that list describes it, as most of a mirror's
// nightly runs do. In that case the list, written again, has the same C4 ID.
func (r *Report) stand() error {
	if !r.mayStand() {
		return nil
	}
	r.stands = true
	list := sha512.New()
	err := MHL(list, r)
	r.stands = err == nil && c4Of(list.Sum(nil)) == r.Generations[len(r.Generations)-1].C4
	return err
}

// mayStand reports whether the run has changed nothing since the newest kept list, as far as that can be told without reading every file.
func (r *Report) mayStand() bool {
	n := len(r.Generations)
	return n > 0 && !r.Archive.Changed && r.Archive.Status.Ended() && r.Generations[n-1].Run != r.Archive.Run
}

// generation returns this report's generation, and the ones before it: the run's own if it is kept, the one
// that still stands, or the next.
func (r *Report) generation() (g Generation, before []Generation) {
	if n := len(r.Generations); r.stands {
		return r.Generations[n-1], r.Generations[:n-1]
	}
	next := 1
	for _, have := range r.Generations {
		if have.Run == r.Archive.Run {
			return have, before
		}
		before = append(before, have)
		next = max(next, have.Number+1)
	}
	name := mapping.SafeFileName(export.Line(r.Archive.Name))
	if len(name) > 100 {
		name = mapping.SafeFileName(r.Archive.ID)
	}
	return Generation{Number: next, Run: r.Archive.Run, File: fmt.Sprintf("%04d_%s_%s.mhl", next, name, r.GeneratedAt.UTC().Format(generationTime))}, before
}

// MHLFile returns the name of the report's hash list in the chain.
func (r *Report) MHLFile() string {
	g, _ := r.generation()
	return g.File
}

// Keep adds the report's own generation to its history, given its list as written.
func (r *Report) Keep(list []byte) Generation {
	g, before := r.generation()
	g.C4 = C4(list)
	r.Generations = append(before, g)
	return g
}

// MHL writes an ASC MHL v2.0 hash list of the files whose bytes are in iconik. Versions of one asset are in separate folders.
// Readers consider a hash known because of the action "original", which a file has in the first generation that contains it. Later
// generations say verified or failed.
func MHL(w io.Writer, r *Report) error {
	g, before := r.generation()
	at := r.GeneratedAt
	if written, ok := g.written(); ok {
		at = written
	}
	names, err := newMHLNames(r)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	writeMHLHead(b, at)
	date := at.UTC().Format(time.RFC3339)
	open := false
	for it, err := range r.Items {
		if err != nil {
			return err
		}
		action := mhlAction(it, before)
		if action == "" {
			continue
		}
		if !open {
			b.WriteString("  <hashes>\n")
			open = true
		}
		fmt.Fprintf(b, "    <hash>\n      <path size=\"%d\">", it.StoredSize)
		_ = xml.EscapeText(b, []byte(names.of(it)))
		fmt.Fprintf(b, "</path>\n      <xxh64 action=\"%s\" hashdate=\"%s\">%s</xxh64>\n    </hash>\n", action, date, it.Checksum)
	}
	if open { // omit the element without files: the schema requires at least one hash in it
		b.WriteString("  </hashes>\n")
	}
	b.WriteString("</hashlist>\n")
	return b.Flush()
}

// mhlAction returns the list's action for a file, or "" to leave it out.
func mhlAction(it ledger.Item, before []Generation) string {
	if it.Checksum == "" || it.Rendition != "original" {
		return ""
	}
	known := len(before) > 0 && it.FirstRun <= before[len(before)-1].Run
	switch {
	case it.State == ledger.ItemFailed && known:
		return "failed"
	case it.State == ledger.ItemFailed:
		return "" // its hash proves nothing; the report says why
	case known:
		return "verified"
	}
	return "original"
}

// ErrNoGeneration is returned if no run of the archive has kept its hash list.
var ErrNoGeneration = errors.New("no hash list is kept yet")

// Chain writes ascmhl_chain.xml: the history's lists with their C4 IDs, which reveal any change to a list. Its signature thus also
// covers the lists. It returns ErrNoGeneration if there are none.
func Chain(w io.Writer, r *Report) error {
	if len(r.Generations) == 0 {
		return ErrNoGeneration
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + "<ascmhldirectory xmlns=\"urn:ASC:MHL:DIRECTORY:v2.0\">\n")
	for _, g := range r.Generations {
		fmt.Fprintf(&b, "  <hashlist sequencenr=\"%d\">\n    <path>", g.Number)
		_ = xml.EscapeText(&b, []byte(g.File))
		fmt.Fprintf(&b, "</path>\n    <c4>%s</c4>\n  </hashlist>\n", g.C4)
	}
	b.WriteString("</ascmhldirectory>\n")
	signed := custody.NewWriter(w, r.SigningKey)
	if _, err := b.WriteTo(signed); err != nil {
		return err
	}
	return signed.EndMarkup()
}

// mhlNames gives every file a path of its own, even if case and Unicode form are ignored, as on macOS and Windows. If several files
// have the same path, the one that came first keeps it, so that paths stay the same from run to run.
type mhlNames struct {
	paths  []uint64 // hashes of all files' paths, sorted: eight bytes for each of a million
	dirs   map[uint64]bool
	keeper map[uint64]keeper // for paths that several files have
	used   map[uint64]bool   // of these paths, and of the names with a mark
}

type keeper struct {
	run int
	id  string
}

func newMHLNames(r *Report) (*mhlNames, error) {
	n := &mhlNames{dirs: map[uint64]bool{}, keeper: map[uint64]keeper{}, used: map[uint64]bool{}}
	for it, err := range r.Items {
		if err != nil {
			return nil, err
		}
		p := mhlPath(it)
		n.paths = append(n.paths, foldedPath(p))
		for dir := path.Dir(p); dir != "." && dir != "/"; dir = path.Dir(dir) {
			n.dirs[foldedPath(dir)] = true
		}
	}
	slices.Sort(n.paths)
	shared := map[uint64]bool{}
	for i := 1; i < len(n.paths); i++ {
		if n.paths[i] == n.paths[i-1] {
			shared[n.paths[i]] = true
		}
	}
	if len(shared) == 0 {
		return n, nil
	}
	for it, err := range r.Items {
		if err != nil {
			return nil, err
		}
		key := foldedPath(mhlPath(it))
		if !shared[key] {
			continue
		}
		have, taken := n.keeper[key]
		if me := (keeper{it.FirstRun, it.SourceID}); !taken || me.run < have.run || me.run == have.run && me.id < have.id {
			n.keeper[key] = me
		}
	}
	return n, nil
}

// of returns a file's path. Call it exactly once for each file.
func (n *mhlNames) of(it ledger.Item) string {
	p := mhlPath(it)
	key := foldedPath(p)
	if keeps, shared := n.keeper[key]; !n.dirs[key] && (!shared || keeps == (keeper{it.FirstRun, it.SourceID}) && !n.used[key]) {
		if shared {
			n.used[key] = true
		}
		return p
	}
	id := mapping.SafeFileName(it.SourceID)
	for try := 1; ; try++ {
		mark := id[:min(len(id), 8)]
		if try > 1 {
			mark = id
		}
		if try > 2 {
			mark = fmt.Sprintf("%s %d", id, try)
		}
		other := marked(p, mark)
		key := foldedPath(other)
		if _, taken := slices.BinarySearch(n.paths, key); !taken && !n.used[key] && !n.dirs[key] {
			n.used[key] = true
			return other
		}
	}
}

func marked(p, mark string) string {
	ext := path.Ext(p)
	return strings.TrimSuffix(p, ext) + " (" + mark + ")" + ext
}

// Beside returns the path, in the hash list, of a file whose own path another file has. The file's Frame.io ID is part of it.
func Beside(p, sourceID string) string {
	id := mapping.SafeFileName(sourceID)
	return marked(p, id[:min(len(id), 8)])
}

// foldedPath returns a hash that is the same for paths that a file system may consider equal.
func foldedPath(p string) uint64 {
	return xxhash.Sum64String(norm.NFC.String(cases.Fold().String(norm.NFC.String(p))))
}

// mhlPath returns a file's path, with each version of an asset in a folder of its own.
func mhlPath(it ledger.Item) string {
	p := it.Path
	if it.Versions > 1 {
		p = path.Join(path.Dir(it.Path), fmt.Sprintf("%s.v%d", mapping.PathName(it.Title), it.Version), path.Base(it.Path))
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, export.Text(p))
}
