// Package s3sim is an S3 store in this process, as strict as MinIO about signatures, expiry, part order, ETags and
// sizes. It keeps objects in memory or in a folder, where they survive a restart together with open uploads.
package s3sim

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options of a store.
type Options struct {
	Dir                  string // "" keeps everything in memory
	AccessKey, SecretKey string
	Now                  func() time.Time
	// CRC64 answers parts with their CRC64NVME.
	CRC64 bool
	// Discard keeps checksums and sizes of what is over 1 MiB, and no bytes; reading it gives zeros.
	Discard bool
	// Fault, where it returns one, spoils a request. For tests.
	Fault func(*http.Request) *Fault
}

// Fault spoils a request.
type Fault struct {
	Status int           // answer this instead
	Code   string        // S3's error code with it
	Delay  time.Duration // wait before anything
	Reset  bool          // break the connection off before the request takes effect
	Lose   bool          // let it take effect and break the connection off
	Cut    int64         // send only so many bytes of an object
}

// Store is an http.Handler.
type Store struct {
	o   Options
	now func() time.Time

	mu      sync.Mutex
	objects map[string]*object // by bucket/key
	uploads map[string]*upload // by upload id
	blobs   int64
	journal *os.File // nil: everything is in memory
	corrupt bool
	puts    map[string]int // requests that stored bytes, by bucket/key
}

// object is a stored object: in memory, in a file, or generated as it is read.
type object struct {
	Size      int64     `json:"size"`
	ETag      string    `json:"etag"`
	Type      string    `json:"type"`
	Modified  time.Time `json:"modified"`
	File      string    `json:"file,omitempty"`
	Generated bool      `json:"generated,omitempty"`
	Seed      uint64    `json:"seed,omitempty"`
	Discarded bool      `json:"discarded,omitempty"`
	bytes     []byte
}

type upload struct {
	Bucket string          `json:"bucket"`
	Key    string          `json:"key"`
	Type   string          `json:"type"`
	Parts  map[int]*object `json:"parts"`
}

// New opens a store.
func New(o Options) (*Store, error) {
	s := &Store{o: o, now: o.Now, objects: map[string]*object{}, uploads: map[string]*upload{}, puts: map[string]int{}}
	if s.now == nil {
		s.now = time.Now
	}
	if o.Dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "blobs"), 0o700); err != nil {
		return nil, err
	}
	return s, s.openJournal(filepath.Join(o.Dir, "index.jsonl"))
}

// entry is a line of the journal: what an object or an upload is from now on; null when it is no more.
type entry struct {
	Name   string  `json:"name"` // bucket/key, or an upload's id
	Object *object `json:"object,omitempty"`
	Upload *upload `json:"upload,omitempty"`
	Kind   string  `json:"kind"`
}

// openJournal reads the journal and begins it anew with what is left.
func (s *Store) openJournal(file string) error {
	old, err := os.Open(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err == nil {
		defer old.Close()
		dec := json.NewDecoder(old)
		for {
			var e entry
			if err := dec.Decode(&e); err != nil {
				break // its end, or a line that a kill cut off
			}
			switch {
			case e.Kind == kindObject && e.Object == nil:
				delete(s.objects, e.Name)
			case e.Kind == kindObject:
				s.objects[e.Name] = e.Object
			case e.Upload == nil:
				delete(s.uploads, e.Name)
			default:
				s.uploads[e.Name] = e.Upload
			}
		}
	}
	s.blobs = time.Now().UnixNano() // names are never used twice
	s.journal, err = os.OpenFile(file+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for name := range s.objects {
		s.keepObject(name)
	}
	for id := range s.uploads {
		s.keepUpload(id)
	}
	return os.Rename(file+".new", file)
}

const (
	kindObject = "object"
	kindUpload = "upload"
)

// keepObject writes down what is under a name now; the caller holds the lock.
func (s *Store) keepObject(name string) {
	s.keep(entry{Kind: kindObject, Name: name, Object: s.objects[name]})
}

// keepUpload does the same for an upload.
func (s *Store) keepUpload(id string) {
	s.keep(entry{Kind: kindUpload, Name: id, Upload: s.uploads[id]})
}

func (s *Store) keep(e entry) {
	if s.journal == nil {
		return
	}
	if raw, err := json.Marshal(e); err == nil {
		_, _ = s.journal.Write(append(raw, '\n'))
	}
}

// Presigner signs URLs for this store at an endpoint.
func (s *Store) Presigner(endpoint string) Presigner {
	return Presigner{Endpoint: endpoint, AccessKey: s.o.AccessKey, SecretKey: s.o.SecretKey, Now: s.now}
}

// Put stores an object from inside.
func (s *Store) Put(bucket, key, contentType string, body []byte) error {
	sum := md5.Sum(body)
	o := &object{Size: int64(len(body)), ETag: hex.EncodeToString(sum[:]), Type: contentType, Modified: s.now().UTC(), bytes: body}
	if s.o.Dir != "" {
		s.mu.Lock()
		name := s.blobName()
		s.mu.Unlock()
		if err := os.WriteFile(filepath.Join(s.o.Dir, "blobs", name), body, 0o600); err != nil {
			return err
		}
		o.File, o.bytes = name, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[bucket+"/"+key] = o
	s.keepObject(bucket + "/" + key)
	return nil
}

// PutGenerated stores an object whose bytes are made up as they are read, always the same for a seed.
func (s *Store) PutGenerated(bucket, key string, size int64, seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[bucket+"/"+key] = &object{Size: size, ETag: "generated-" + strconv.FormatUint(seed, 16), Modified: s.now().UTC(), Generated: true, Seed: seed}
	s.keepObject(bucket + "/" + key)
}

// Head returns an object's size, and false when there is none.
func (s *Store) Head(bucket, key string) (size int64, etag string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[bucket+"/"+key]
	if !ok {
		return 0, "", false
	}
	return o.Size, o.ETag, true
}

// Get reads an object from inside.
func (s *Store) Get(bucket, key string) ([]byte, error) {
	s.mu.Lock()
	o, ok := s.objects[bucket+"/"+key]
	s.mu.Unlock()
	if !ok {
		return nil, os.ErrNotExist
	}
	r, err := s.open(o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body := make([]byte, o.Size)
	_, err = io.ReadFull(r, body)
	return body, err
}

// Puts counts the requests that stored bytes under a key.
func (s *Store) Puts(bucket, key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts[bucket+"/"+key]
}

// AllPuts counts them under every key.
func (s *Store) AllPuts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.puts {
		n += p
	}
	return n
}

// Corrupt makes the store keep other bytes than it is sent.
func (s *Store) Corrupt(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.corrupt = on
}

// ForgetUploads loses what is not complete, as a lifecycle rule does.
func (s *Store) ForgetUploads() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.uploads {
		delete(s.uploads, id)
		s.keepUpload(id)
	}
}

// Uploads counts the open multipart uploads.
func (s *Store) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

func (s *Store) blobName() string {
	s.blobs++
	return strconv.FormatInt(s.blobs, 10)
}

type readSeekCloser interface {
	io.ReadSeeker
	io.Closer
}

func (s *Store) open(o *object) (readSeekCloser, error) {
	switch {
	case o.Generated, o.Discarded:
		return &generated{size: o.Size, seed: o.Seed}, nil
	case o.File != "":
		return os.Open(filepath.Join(s.o.Dir, "blobs", o.File))
	}
	return nopCloser{bytes.NewReader(o.bytes)}, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// generated makes bytes up: block n holds a cheap hash of n and the seed.
type generated struct {
	size, at int64
	seed     uint64
}

func (g *generated) Close() error { return nil }

func (g *generated) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += g.at
	case io.SeekEnd:
		offset += g.size
	}
	g.at = offset
	return offset, nil
}

func (g *generated) Read(p []byte) (int, error) {
	if g.at >= g.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), g.size-g.at)]
	for i := 0; i < len(p); {
		block := uint64(g.at+int64(i)) / 8
		x := (block + g.seed + 1) * 0x9E3779B97F4A7C15
		x ^= x >> 29
		for b := (g.at + int64(i)) % 8; b < 8 && i < len(p); b++ {
			p[i] = byte(x >> (8 * uint(b)))
			i++
		}
	}
	g.at += int64(len(p))
	return len(p), nil
}

func newUploadID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// multiETag is S3's ETag of a completed multipart upload.
func multiETag(parts []*object) string {
	h := md5.New()
	for _, p := range parts {
		sum, _ := hex.DecodeString(p.ETag)
		h.Write(sum)
	}
	return hex.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
}

// Keys lists a bucket's keys.
func (s *Store) Keys(bucket string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for k := range s.objects {
		if rest, ok := strings.CutPrefix(k, bucket+"/"); ok {
			out = append(out, rest)
		}
	}
	sort.Strings(out)
	return out
}
