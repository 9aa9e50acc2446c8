package verify

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cespare/xxhash/v2"

	"github.com/framebridge/framebridge/report"
)

// store is a folder with files, outside of which nothing is read whatever a list names.
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

// file reads a stored file and holds it against its size in bytes and its xxHash64.
func (r *Result) file(s *store, path string, size int64, checksum string) {
	f, err := s.root.Open(filepath.FromSlash(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.wrong("missing: %s", path)
		return
	case err != nil:
		r.wrong("%s cannot be read: %v", path, err)
		return
	}
	defer f.Close()
	sum := xxhash.New()
	n, err := io.Copy(sum, f)
	got := fmt.Sprintf("%016x", sum.Sum64())
	switch {
	case err != nil:
		r.wrong("%s cannot be read: %v", path, err)
	case n != size:
		r.wrong("differs: %s has %d bytes instead of %d", path, n, size)
	case got != checksum:
		r.wrong("differs: %s has the xxHash64 %s instead of %s", path, got, checksum)
	default:
		s.files++
		s.bytes += n
	}
}

func (r *Result) read(s *store) {
	r.ok("read %d files (%s): size and xxHash64 are right", s.files, report.Size(s.bytes))
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
}

// hashList reads the files of an ASC MHL. Without a store these lie in the folder around its own "ascmhl".
func (r *Result) hashList(body []byte, o Options) error {
	var list hashList
	if err := xml.Unmarshal(body, &list); err != nil {
		r.wrong("it cannot be read as an ASC MHL: %v", err)
		return nil
	}
	if err := r.chained(body); err != nil {
		return err
	}
	dir := o.Store
	if here := filepath.Dir(r.File); dir == "" && filepath.Base(here) == "ascmhl" {
		dir = filepath.Dir(here)
	}
	r.ok("it names %d files", len(list.Hashes))
	if dir == "" {
		r.warn("the files were not read: say with --store where they are, or put the list into a folder ascmhl beside them")
		return nil
	}
	s, err := openStore(dir)
	if err != nil {
		return err
	}
	defer s.root.Close()
	for _, h := range list.Hashes {
		if h.XXH64.Action == "failed" {
			r.warn("%s had failed when the list was written", h.Path.Text)
			continue
		}
		r.file(s, h.Path.Text, h.Path.Size, h.XXH64.Text)
	}
	r.read(s)
	return nil
}

// chain is the history of hash lists that lies beside them.
type chain struct {
	Lists []struct {
		Number int    `xml:"sequencenr,attr"`
		Path   string `xml:"path"`
		C4     string `xml:"c4"`
	} `xml:"hashlist"`
}

// chained holds a hash list against the chain beside it: a list has no signature, and its own bytes show only there.
func (r *Result) chained(body []byte) error {
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(r.File), report.ChainFile))
	if errors.Is(err, fs.ErrNotExist) {
		r.ok("it is held against no chain: there is no %s beside it", report.ChainFile)
		return nil
	}
	if err != nil {
		return err
	}
	var c chain
	if err := xml.Unmarshal(raw, &c); err != nil {
		r.wrong("the chain beside it cannot be read: %v", err)
		return nil
	}
	c4, name := report.C4(body), filepath.Base(r.File)
	for _, l := range c.Lists {
		if l.C4 == c4 {
			r.ok("it is generation %d of the chain beside it", l.Number)
			return nil
		}
	}
	for _, l := range c.Lists {
		if l.Path == name {
			r.wrong("differs: the list is not generation %d of the chain beside it, as its name says", l.Number)
			return nil
		}
	}
	r.warn("the chain beside it does not name it: the chain is older, or either was changed")
	return nil
}

// chain holds the lists beside a chain against it.
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
		r.wrong("it names no hash list")
		return nil
	}
	named, right, as := map[string]bool{}, 0, report.Report{}
	for i, l := range c.Lists {
		if named[l.Path] = true; l.Number != i+1 {
			r.wrong("generation %d stands where generation %d should", l.Number, i+1)
		}
		as.Generations = append(as.Generations, report.Generation{Number: l.Number, File: l.Path, C4: l.C4})
		f, err := root.Open(l.Path)
		if err != nil {
			r.wrong("missing: %s, generation %d", l.Path, l.Number)
			continue
		}
		list, err := io.ReadAll(io.LimitReader(f, mostBytes))
		_ = f.Close()
		switch {
		case err != nil:
			r.wrong("%s cannot be read: %v", l.Path, err)
		case report.C4(list) != l.C4:
			r.wrong("differs: %s, generation %d, was changed", l.Path, l.Number)
		default:
			right++
		}
	}
	r.ok("%d of %d hash lists are as they were written", right, len(c.Lists))
	var written bytes.Buffer
	if err := report.Chain(&written, &as); err != nil {
		return err
	}
	if !bytes.Equal(written.Bytes(), body) {
		r.warn("it is not laid out as Framebridge does: another program has written it, or it was changed")
	}
	beside, err := fs.Glob(root.FS(), "*.mhl")
	for _, name := range beside {
		if !named[name] {
			r.warn("%s lies beside it, and it does not name it: the chain is older, or was shortened", name)
		}
	}
	return err
}
