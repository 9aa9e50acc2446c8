package verify

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/report"
)

// store is a folder with files. Nothing outside it is read, whatever a list names.
type store struct {
	root         *os.Root
	files, bytes int64
}

func openStore(dir string) (*store, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder of the stored files: %w", err)
	}
	return &store{root: root}, nil
}

// compare reads a stored file and compares its size in bytes and its xxHash64. It returns what is wrong, or "".
func (s *store) compare(path string, size int64, checksum string) string {
	f, err := s.root.Open(filepath.FromSlash(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "missing: " + path
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %v", path, err)
	}
	defer f.Close()
	sum := xxhash.New()
	n, err := io.Copy(sum, f)
	got := fmt.Sprintf("%016x", sum.Sum64())
	switch {
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %v", path, err)
	case n != size:
		return fmt.Sprintf("differs: %s has %d bytes instead of %d", path, n, size)
	case got != checksum:
		return fmt.Sprintf("differs: %s has the xxHash64 %s instead of %s", path, got, checksum)
	}
	return ""
}

// file compares a stored file. If another file may have taken its path, sourceID is its Frame.io id, by which it may be stored beside it.
func (r *Result) file(s *store, path, sourceID string, size int64, checksum string) {
	wrong := s.compare(path, size, checksum)
	if wrong != "" && sourceID != "" && s.compare(report.Beside(path, sourceID), size, checksum) == "" {
		wrong = ""
	}
	if wrong != "" {
		r.wrong("%s", wrong)
		return
	}
	s.files++
	s.bytes += size
}

func (r *Result) read(s *store) {
	r.ok("read %s (%s): size and xxHash64 match", english.Count(s.files, "file"), report.Size(s.bytes))
}

type hashList struct {
	Hashes []struct {
		Path struct {
			Text string `xml:",chardata"`
			Size int64  `xml:"size,attr"`
		} `xml:"path"`
		XXH64 struct {
			Text   string `xml:",chardata"`
			Action string `xml:"action,attr"`
		} `xml:"xxh64"`
	} `xml:"hashes>hash"`
	References []reference `xml:"references>hashlistreference"`
}

// reference is how an account's hash list names a project's hash list.
type reference struct {
	Path string `xml:"path"`
	C4   string `xml:"c4"`
}

// hashList verifies the files of an ASC MHL, and the lists that it refers to. Without a store, it looks in the parent of the list's own
// folder if that is "ascmhl".
func (r *Result) hashList(body []byte, o Options) error {
	var list hashList
	if err := xml.Unmarshal(body, &list); err != nil {
		r.wrong("it cannot be read as an ASC MHL: %v", err)
		return nil
	}
	r.lists, r.c4 = list.References, report.C4(body)
	dir := o.Store
	if here, err := filepath.Abs(filepath.Dir(r.File)); err == nil && dir == "" && filepath.Base(here) == "ascmhl" {
		dir = filepath.Dir(here)
	}
	// An account's list is itself signed, even if no project has a list. A project's is signed by its chain.
	_, err := custody.Check(body, nil)
	signed := !errors.Is(err, custody.ErrUnsigned)
	ofAccount := len(list.Hashes) == 0 && (signed || len(r.lists) > 0)
	if signed || ofAccount {
		r.signature(body, o)
	}
	if ofAccount || len(r.lists) > 0 {
		if err := r.referred(cmp.Or(dir, filepath.Dir(r.File))); err != nil || ofAccount {
			return err
		}
	}
	if err := r.chained(body, o); err != nil {
		return err
	}
	r.ok("it lists %s", english.Count(len(list.Hashes), "file"))
	if dir == "" {
		r.warn("the files were not read: use --store to say where they are, or put the list into a folder named ascmhl next to them")
		return nil
	}
	s, err := openStore(dir)
	if err != nil {
		return err
	}
	defer s.root.Close()
	for _, h := range list.Hashes {
		if h.XXH64.Action == "failed" {
			r.warn("%s was failed when the list was written", h.Path.Text)
			continue
		}
		r.file(s, h.Path.Text, "", h.Path.Size, h.XXH64.Text)
	}
	r.read(s)
	return nil
}

// inAccount checks a project's hash list against an account's report or hash list that was given with it. Like a chain's signature, the
// account's covers the lists that it names.
func (r *Result) inAccount(account *Result) {
	if slices.ContainsFunc(account.lists, func(l reference) bool { return l.C4 == r.c4 }) {
		by := ""
		if account.proven {
			by, r.SignedBy = ", which is signed with the key "+account.SignedBy, account.SignedBy
			r.Warnings = slices.DeleteFunc(r.Warnings, func(w string) bool { return w == noChain })
		}
		r.ok("%s names it%s", account.File, by)
		return
	}
	name := filepath.Base(r.File)
	if slices.ContainsFunc(account.lists, func(l reference) bool { return path.Base(l.Path) == name }) {
		r.wrong("differs: %s names a different list with that name", account.File)
	}
}

// referred checks the hash lists that a list refers to, below a folder.
func (r *Result) referred(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	right, absent := 0, 0
	for _, l := range r.lists {
		list, err := readBelow(root, l.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			absent++
		case err != nil:
			r.wrong("%s cannot be read: %v", l.Path, err)
		case report.C4(list) != l.C4:
			r.wrong("differs: %s was changed", l.Path)
		default:
			right++
		}
	}
	if r.ok("it names the hash lists of %s", english.Count(len(r.lists), "project")); right > 0 {
		r.ok("%s below its folder %s unchanged", english.Count(right, "hash list"), english.Is(right))
	}
	if absent > 0 {
		r.warn("%s %s not below its folder, at the path that it names, and not compared", english.Count(absent, "hash list"), english.Is(absent))
	}
	return nil
}

func readBelow(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, mostBytes))
}

// chain is the history of hash lists, which is stored next to them.
type chain struct {
	Lists []struct {
		Number int    `xml:"sequencenr,attr"`
		Path   string `xml:"path"`
		C4     string `xml:"c4"`
	} `xml:"hashlist"`
}

const noChain = "there is no chain to prove the list with its signature: no " + report.ChainFile + " is next to it"

// chained checks a hash list against the chain next to it, whose signature covers the lists that it names.
func (r *Result) chained(body []byte, o Options) error {
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(r.File), report.ChainFile))
	if errors.Is(err, fs.ErrNotExist) {
		r.warn("%s", noChain)
		return nil
	}
	if err != nil {
		return err
	}
	var c chain
	if err := xml.Unmarshal(raw, &c); err != nil {
		r.wrong("the chain next to it cannot be read: %v", err)
		return nil
	}
	signed, err := custody.Check(raw, o.Trusted)
	if err != nil && (len(o.Trusted) > 0 || !errors.Is(err, custody.ErrUnsigned)) {
		r.wrong("the chain next to it: %v", err)
		return nil
	}
	by := ""
	switch {
	case errors.Is(err, custody.ErrUnsigned):
		r.warn("the chain next to it is not signed (report.signing_key was not set): who wrote both cannot be proven")
	case len(o.Trusted) == 0:
		r.warn("the chain next to it names its own key, %s: compare it with GET /report-keys, or give the key with --key", signed.Key)
	default:
		r.SignedBy, by = signed.Key, ", which is signed with the key "+signed.Key
	}
	c4, name := report.C4(body), filepath.Base(r.File)
	for _, l := range c.Lists {
		if l.C4 == c4 {
			r.ok("it is generation %d of the chain next to it%s", l.Number, by)
			return nil
		}
	}
	for _, l := range c.Lists {
		if l.Path == name {
			r.wrong("differs: its name says that it is generation %d of the chain next to it, but it is not", l.Number)
			return nil
		}
	}
	r.warn("the chain next to it does not list it: the chain is older, or either was changed")
	return nil
}

// chain checks the lists next to a chain against it.
func (r *Result) chain(body []byte) error {
	var c chain
	if err := xml.Unmarshal(body, &c); err != nil {
		r.wrong("it cannot be read as a chain: %v", err)
		return nil
	}
	root, err := os.OpenRoot(filepath.Dir(r.File))
	if err != nil {
		return err
	}
	defer root.Close()
	if len(c.Lists) == 0 {
		r.wrong("it lists no hash list")
		return nil
	}
	named, right, as := map[string]bool{}, 0, report.Report{}
	for i, l := range c.Lists {
		if named[l.Path] = true; l.Number != i+1 {
			r.wrong("found generation %d, expected %d", l.Number, i+1)
		}
		as.Generations = append(as.Generations, report.Generation{Number: l.Number, File: l.Path, C4: l.C4})
		list, err := readBelow(root, l.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			r.wrong("missing: %s, generation %d", l.Path, l.Number)
		case err != nil:
			r.wrong("%s cannot be read: %v", l.Path, err)
		case report.C4(list) != l.C4:
			r.wrong("differs: %s, generation %d, was changed", l.Path, l.Number)
		default:
			right++
		}
	}
	r.ok("%d of %d hash lists are unchanged", right, len(c.Lists))
	var written bytes.Buffer
	if err := report.Chain(&written, &as); err != nil {
		return err
	}
	rest, ours := bytes.CutPrefix(body, written.Bytes())
	if !ours || len(rest) > 0 && r.SignedBy == "" {
		r.warn("it is not laid out the way Framebridge does it: another program wrote it, or it was changed")
	}
	beside, err := fs.Glob(root.FS(), "*.mhl")
	for _, name := range beside {
		if !named[name] {
			r.warn("%s is next to the chain but not listed in it: the chain is older, or was shortened", name)
		}
	}
	return err
}
