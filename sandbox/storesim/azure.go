package storesim

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Azure is a container of Azure Blob Storage that is accessed through SAS URLs.
type Azure struct {
	store
	blocks map[string]map[string][]byte // uncommitted, by blob and id
}

// NewAzure returns a store that is served at base.
func NewAzure(base string) *Azure {
	return &Azure{store: newStore(base), blocks: map[string]map[string][]byte{}}
}

// SAS returns a URL that is valid for every request on a blob.
func (a *Azure) SAS(name string, life time.Duration) string { return a.Sign("*", "/"+name, nil, life) }

// DropBlocks discards uncommitted blocks, as a store does after a week.
func (a *Azure) DropBlocks() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.blocks = map[string]map[string][]byte{}
}

// LosePart discards one block of each blob, the number-th by name.
func (a *Azure) LosePart(number int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, blocks := range a.blocks {
		if ids := slices.Sorted(maps.Keys(blocks)); number <= len(ids) {
			delete(blocks, ids[number-1])
		}
	}
}

func (a *Azure) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	done, lose := a.spoil(w, r)
	if done {
		return
	}
	if !a.signed(r) {
		refuse(w, http.StatusForbidden, "AuthenticationFailed")
		return
	}
	name, q := strings.TrimPrefix(r.URL.Path, "/"), r.URL.Query()
	answer := func(status int) {
		if lose {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}
	switch {
	case r.Method == http.MethodGet && q.Get("comp") == "blocklist":
		a.list(w, name)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		b, ok := a.Object(name)
		if !ok {
			refuse(w, http.StatusNotFound, "BlobNotFound")
			return
		}
		w.Header().Set("ETag", `"0x8D"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(b)))
	case r.Method != http.MethodPut:
		refuse(w, http.StatusMethodNotAllowed, "UnsupportedHttpVerb")
	case q.Get("comp") == "blocklist":
		a.commit(w, r, name, answer)
	default:
		a.put(w, r, name, q.Get("comp") == "block", q.Get("blockid"), answer)
	}
}

func (a *Azure) put(w http.ResponseWriter, r *http.Request, name string, isBlock bool, id string, answer func(int)) {
	if r.ContentLength < 0 {
		refuse(w, http.StatusLengthRequired, "MissingContentLengthHeader")
		return
	}
	if !isBlock && r.Header.Get("X-Ms-Blob-Type") != "BlockBlob" {
		refuse(w, http.StatusBadRequest, "MissingRequiredHeader")
		return
	}
	sent, err := a.body(r)
	if err != nil {
		return // an incomplete block is not stored
	}
	sum := md5.Sum(sent)
	text := base64.StdEncoding.EncodeToString(sum[:])
	if want := r.Header.Get("Content-Md5"); want != "" && want != text {
		refuse(w, http.StatusBadRequest, "Md5Mismatch")
		return
	}
	if r.Header.Get("Content-Md5") != "" { // since version 2019-02-02, only if it was sent
		w.Header().Set("Content-Md5", text)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !isBlock {
		a.objects[name] = sent
		delete(a.blocks, name)
		answer(http.StatusCreated)
		return
	}
	if raw, err := base64.StdEncoding.DecodeString(id); err != nil || len(raw) == 0 || len(raw) > 64 || len(sent) == 0 {
		refuse(w, http.StatusBadRequest, "InvalidQueryParameterValue")
		return
	}
	for other := range a.blocks[name] {
		if len(other) != len(id) {
			refuse(w, http.StatusBadRequest, "InvalidBlobOrBlock")
			return
		}
	}
	if a.blocks[name] == nil {
		a.blocks[name] = map[string][]byte{}
	}
	a.blocks[name][id] = sent
	answer(http.StatusCreated)
}

func (a *Azure) list(w http.ResponseWriter, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	blocks, pending := a.blocks[name]
	if _, there := a.objects[name]; !there && !pending {
		refuse(w, http.StatusNotFound, "BlobNotFound")
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprint(w, `<?xml version="1.0"?><BlockList><UncommittedBlocks>`)
	for id, b := range blocks {
		fmt.Fprintf(w, "<Block><Name>%s</Name><Size>%d</Size></Block>", id, len(b))
	}
	fmt.Fprint(w, "</UncommittedBlocks></BlockList>")
}

func (a *Azure) commit(w http.ResponseWriter, r *http.Request, name string, answer func(int)) {
	var in struct {
		IDs []string `xml:"Latest"`
	}
	if err := xml.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "InvalidXmlDocument")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	whole := []byte{}
	for _, id := range in.IDs {
		b, ok := a.blocks[name][id]
		if !ok {
			refuse(w, http.StatusBadRequest, "InvalidBlockList")
			return
		}
		whole = append(whole, b...)
	}
	a.objects[name] = whole
	delete(a.blocks, name)
	answer(http.StatusCreated)
}
