package storesim

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	granule       = 256 << 10 // a session keeps multiples of this
	googleNoRange = "no bytes are kept"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// GCS is a bucket of Google Cloud Storage.
type GCS struct {
	store
	sessions map[string]*session
}

type session struct {
	name      string
	got       []byte
	done      bool
	cancelled bool
}

// NewGCS returns a store that is served at base.
func NewGCS(base string) *GCS { return &GCS{store: newStore(base), sessions: map[string]*session{}} }

// StartURL returns a URL that starts a resumable session for an object.
func (g *GCS) StartURL(name string, life time.Duration) string {
	return g.Sign(http.MethodPost, "/"+name, nil, life)
}

// GetURL returns a URL that reads an object.
func (g *GCS) GetURL(name string, life time.Duration) string {
	return g.Sign(http.MethodGet, "/"+name, nil, life)
}

func (g *GCS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	done, lose := g.spoil(w, r)
	if done {
		return
	}
	id, isSession := strings.CutPrefix(r.URL.Path, "/session/")
	name := strings.TrimPrefix(r.URL.Path, "/")
	answer := func(status int) {
		if lose {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}
	switch {
	case isSession: // the session's URI is its own secret
		g.session(w, r, id, answer)
	case !g.signed(r):
		refuse(w, http.StatusForbidden, "SignatureDoesNotMatch")
	case r.Method == http.MethodPost:
		if r.Header.Get("X-Goog-Resumable") != "start" || r.ContentLength > 0 {
			refuse(w, http.StatusBadRequest, "InvalidArgument")
			return
		}
		id := uuid.NewString()
		g.mu.Lock()
		g.sessions[id] = &session{name: name}
		g.mu.Unlock()
		w.Header().Set("Location", g.base+"/session/"+id)
		answer(http.StatusCreated)
	case r.Method == http.MethodGet:
		b, ok := g.Object(name)
		if !ok {
			refuse(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		hashes(w, b, false)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(b)))
	default:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
	}
}

func crcText(b []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli)))
}

func hashes(w http.ResponseWriter, b []byte, withMD5 bool) {
	w.Header().Add("X-Goog-Hash", "crc32c="+crcText(b))
	if withMD5 {
		sum := md5.Sum(b)
		w.Header().Add("X-Goog-Hash", "md5="+base64.StdEncoding.EncodeToString(sum[:]))
		w.Header().Set("ETag", `"`+fmt.Sprintf("%x", sum)+`"`)
	}
}

func (g *GCS) session(w http.ResponseWriter, r *http.Request, id string, answer func(int)) {
	s := g.openSession(w, r, id, answer)
	if s == nil {
		return
	}
	from, to, total, err := parseRange(r.Header.Get("Content-Range"))
	if err != nil && err.Error() != googleNoRange {
		refuse(w, http.StatusBadRequest, "InvalidContentRange")
		return
	}
	query := err != nil
	if query && r.ContentLength > 0 || !query && r.ContentLength != to-from+1 {
		refuse(w, http.StatusBadRequest, "InvalidContentRange")
		return
	}
	var body []byte
	var cut error
	if !query {
		body, cut = g.body(r)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	have := int64(len(s.got))
	if !query && !s.done {
		switch {
		case from > have:
			refuse(w, http.StatusServiceUnavailable, "GapInUpload")
			return
		case to+1 != total && (to+1)%granule != 0:
			refuse(w, http.StatusBadRequest, "InvalidChunkSize")
			return
		}
		keep := int64(len(body))
		if cut != nil {
			keep = (from + keep) / granule * granule
			keep = max(0, keep-from)
		}
		if from+keep > have {
			s.got = append(s.got, body[have-from:keep]...)
		}
		if cut != nil {
			return
		}
	}
	if total >= 0 && int64(len(s.got)) == total && !s.done {
		s.done = true
		g.objects[s.name] = s.got
	}
	if s.done {
		hashes(w, s.got, true)
		bucket, object, _ := strings.Cut(s.name, "/")
		w.Header().Set("Content-Type", "application/json")
		answer(http.StatusOK)
		_ = json.NewEncoder(w).Encode(map[string]string{"kind": "storage#object", "bucket": bucket, "name": object, "size": strconv.Itoa(len(s.got)), "crc32c": crcText(s.got)})
		return
	}
	if len(s.got) > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", len(s.got)-1))
	}
	if r.Header.Get("X-Guploader-No-308") == "yes" { // Google's own clients do not want a redirect
		w.Header().Set("X-Http-Status-Code-Override", "308")
		answer(http.StatusOK)
		return
	}
	answer(http.StatusPermanentRedirect)
}

// openSession returns the session that a request may write to, or nil if it has already answered.
func (g *GCS) openSession(w http.ResponseWriter, r *http.Request, id string, answer func(int)) *session {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.sessions[id]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "NotFound")
	case s.cancelled:
		refuse(w, 499, "ClientClosedRequest")
	case r.Method == http.MethodDelete:
		s.cancelled = true
		answer(499)
	case r.Method != http.MethodPut && r.Method != http.MethodPost: // Google takes either
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
	default:
		return s
	}
	return nil
}

// parseRange parses "bytes a-b/T", "bytes a-b/*", "bytes */T" and "bytes */*". total is -1 for a star.
func parseRange(h string) (from, to, total int64, err error) {
	spec, ok := strings.CutPrefix(h, "bytes ")
	span, size, cut := strings.Cut(spec, "/")
	if !ok || !cut {
		return 0, 0, 0, fmt.Errorf("no range: %q", h)
	}
	total = -1
	if size != "*" {
		if total, err = strconv.ParseInt(size, 10, 64); err != nil {
			return 0, 0, 0, err
		}
	}
	if span == "*" {
		return 0, 0, total, errors.New(googleNoRange)
	}
	if _, err = fmt.Sscanf(span, "%d-%d", &from, &to); err != nil || to < from {
		return 0, 0, 0, fmt.Errorf("bad range %q", h)
	}
	return from, to, total, nil
}

// ForgetSessions discards all sessions, as Google does after a week.
func (g *GCS) ForgetSessions() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sessions = map[string]*session{}
}
