package storesim

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const leastB2Part = 5_000_000

// B2 is a bucket of Backblaze B2, with as much of its native API as uploaders use.
type B2 struct {
	store
	urls  map[string]*b2URL
	large map[string]*b2Large
}

type b2URL struct {
	token string
	large string // id of the large file; "" for whole files
	busy  bool
	gone  bool
}

type b2Large struct {
	name     string
	parts    map[int][]byte
	finished bool
}

// Errors of the calls that iconik makes.
var (
	ErrNoSuchFile = errors.New("no such large file")
	ErrPartSHA1   = errors.New("the SHA-1 list differs from the parts")
)

// NewB2 returns a store that is served at base.
func NewB2(base string) *B2 {
	return &B2{store: newStore(base), urls: map[string]*b2URL{}, large: map[string]*b2Large{}}
}

// UploadURL returns where one stream uploads whole files, or a large one's parts.
func (b *B2) UploadURL(largeID string) (link, token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := uuid.NewString()
	b.urls[id] = &b2URL{token: uuid.NewString(), large: largeID}
	return b.base + "/upload/" + id, b.urls[id].token
}

// ExpireURLs makes every upload URL answer 401.
func (b *B2) ExpireURLs() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.urls {
		u.gone = true
	}
}

// Start starts a large file.
func (b *B2) Start(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := "4_z" + uuid.NewString()
	b.large[id] = &b2Large{name: name, parts: map[int][]byte{}}
	return id
}

// Finish joins a large file's parts into a file.
func (b *B2) Finish(id string, sums []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.large[id]
	if !ok {
		return ErrNoSuchFile
	}
	if l.finished {
		return ErrNoSuchFile // it is already a file
	}
	var whole []byte
	for i, want := range sums {
		part, ok := l.parts[i+1]
		sum := sha1.Sum(part)
		if !ok || hex.EncodeToString(sum[:]) != want || i < len(sums)-1 && len(part) < leastB2Part {
			return ErrPartSHA1
		}
		whole = append(whole, part...)
	}
	if len(sums) < 2 || len(sums) != len(l.parts) {
		return ErrPartSHA1
	}
	l.finished = true
	b.objects[l.name] = whole
	return nil
}

// Cancel discards a large file.
func (b *B2) Cancel(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.large, id)
}

// GetURL returns a URL that reads a file.
func (b *B2) GetURL(name string, life time.Duration) string {
	return b.Sign(http.MethodGet, "/file/"+name, nil, life)
}

func b2Refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "code": code, "message": code})
}

func (b *B2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	done, lose := b.spoil(w, r)
	if done {
		return
	}
	if name, isFile := strings.CutPrefix(r.URL.Path, "/file/"); isFile && r.Method == http.MethodGet {
		content, there := b.Object(name)
		switch {
		case !b.signed(r):
			b2Refuse(w, http.StatusUnauthorized, "unauthorized")
		case !there:
			b2Refuse(w, http.StatusNotFound, "not_found")
		default:
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}
		return
	}
	id, ok := strings.CutPrefix(r.URL.Path, "/upload/")
	b.mu.Lock()
	u := b.urls[id]
	b.mu.Unlock()
	switch {
	case !ok || u == nil || r.Method != http.MethodPost:
		b2Refuse(w, http.StatusNotFound, "not_found")
		return
	case u.gone || r.Header.Get("Authorization") != u.token:
		b2Refuse(w, http.StatusUnauthorized, "expired_auth_token")
		return
	case r.ContentLength < 0:
		b2Refuse(w, http.StatusLengthRequired, "bad_request")
		return
	}
	b.mu.Lock()
	if u.busy {
		b.mu.Unlock()
		b2Refuse(w, http.StatusServiceUnavailable, "service_unavailable") // a URL is for one upload at a time
		return
	}
	u.busy = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		u.busy = false
		b.mu.Unlock()
	}()
	sent, err := b.body(r)
	if err != nil {
		return
	}
	claimed := r.Header.Get("X-Bz-Content-Sha1")
	if claimed == "hex_digits_at_end" {
		if len(sent) < 40 {
			b2Refuse(w, http.StatusBadRequest, "bad_request")
			return
		}
		sent, claimed = sent[:len(sent)-40], string(sent[len(sent)-40:])
	}
	sum := sha1.Sum(sent)
	if claimed != hex.EncodeToString(sum[:]) {
		b2Refuse(w, http.StatusBadRequest, "bad_request")
		return
	}
	if status, code := b.keep(r, u, sent); status != 0 {
		b2Refuse(w, status, code)
		return
	}
	if lose {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"contentSha1":"%s","contentLength":%d}`, claimed, len(sent))
}

func (b *B2) keep(r *http.Request, u *b2URL, sent []byte) (status int, code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u.large == "" {
		name, err := url.QueryUnescape(r.Header.Get("X-Bz-File-Name")) // a plus is a space
		if err != nil || name == "" || r.Header.Get("Content-Type") == "" {
			return http.StatusBadRequest, "bad_request"
		}
		b.objects[name] = sent
		return 0, ""
	}
	l, ok := b.large[u.large]
	n, err := strconv.Atoi(r.Header.Get("X-Bz-Part-Number"))
	switch {
	case !ok || l.finished:
		return http.StatusBadRequest, "bad_request"
	case err != nil || n < 1 || n > 10000 || len(sent) == 0:
		return http.StatusBadRequest, "bad_request"
	}
	l.parts[n] = sent
	return 0, ""
}
