// Package iconiksim simulates iconik as it is known to answer: two authentication headers, four forms of paging, an index
// that lags behind the store, versions created with their assets, presigned uploads, transcode jobs, segments, metadata per
// version, custom actions and webhooks.
package iconiksim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/sandbox/faults"
)

// Objects is the object store for the files.
type Objects interface {
	Put(bucket, key, contentType string, body []byte) error
	Head(bucket, key string) (size int64, etag string, ok bool)
	Get(bucket, key string) ([]byte, error)
}

// Signer makes presigned URLs.
type Signer interface {
	Presign(method, bucket, key string, query url.Values, headers map[string]string, expires time.Duration) string
}

// Options configures a simulator.
type Options struct {
	AppID, Token string // the service's application token
	Objects      Objects
	Signer       Signer
	Stores       Stores   // for storages that are not S3
	Bucket       string   // of the storage for files; "" : iconik-files
	MoreTokens   []string // of the same user, each with its own limit
	RateLimits   bool
	// IndexDelay is how long search, contents and segment lists lag behind the store; 0: 1 s, negative: not at all.
	IndexDelay time.Duration
	// TranscodeDelay is how long a file waits for keyframes and proxy; 0: 500 ms.
	TranscodeDelay time.Duration
	URLExpiry      time.Duration // of signed URLs; 0: 1 h
	ListDeleted    bool          // lists of segments include deleted ones; the vendor does not say
	OldestFirst    bool          // versions[] is oldest first, otherwise newest first; the vendor promises neither
	OwnName        bool          // comments belong to the token's user; user_id is silently ignored
	WholePoints    bool          // points of drawings are whole numbers, as the vendor's document of 2025 says
	Dir            string        // folder to keep the state in; "" keeps none
}

const (
	proxyBucket = "iconik-proxies"
	proxyMost   = 64 << 20 // largest original, in bytes, that is copied as its proxy
)

// doc is an entity as the API shows it. A stored doc is never changed, only replaced.
type doc = map[string]any

// Kinds of entities.
const (
	kAsset        = "assets"
	kCollection   = "collections"
	kFormat       = "formats"
	kFileSet      = "file_sets"
	kFile         = "files"
	kProxy        = "proxies"
	kKeyframe     = "keyframes"
	kSegment      = "segments"
	kJob          = "jobs"
	kField        = "fields"
	kView         = "views"
	kStorage      = "storages"
	kUser         = "users"
	kNotification = "notifications"
	kAction       = "custom_actions"
	kWebhook      = "webhooks"
)

// entity is a doc, and its state in the index.
type entity struct {
	doc    doc
	shown  doc // nil if the index does not have it yet
	showAt time.Time
}

// Sim is one iconik domain.
type Sim struct {
	o      Options
	faults faults.Set
	mux    *http.ServeMux
	client *http.Client
	dirty  chan struct{}
	wait   sync.WaitGroup

	mu     sync.Mutex
	domain string
	kinds  map[string]map[string]*entity
	order  map[string][]string // ids by kind, in the order they were created
	kids   map[string][]string // "kind/parent" → ids, in the order they were added
	ext    map[string][]string // "kind/external_id" → ids
	values map[string]doc      // metadata by object → field → list of values
	tokens map[string]string   // token → user id
	service,
	everyone, // the group of all users, who can read new objects
	storage,
	back string // the sandbox's own page
	levels map[string]bucketLevel // by token
	calls  map[string]int

	onWrite func(method, path string)
}

// New opens a simulator with its service user and one S3 storage.
func New(o Options) (*Sim, error) {
	orDefault := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
		*d = max(*d, 0)
	}
	orDefault(&o.IndexDelay, time.Second)
	orDefault(&o.TranscodeDelay, 500*time.Millisecond)
	orDefault(&o.URLExpiry, time.Hour)
	if o.Bucket == "" {
		o.Bucket = "iconik-files"
	}
	s := &Sim{o: o, dirty: make(chan struct{}, 1), client: &http.Client{Timeout: 10 * time.Second}, kinds: map[string]map[string]*entity{}, order: map[string][]string{},
		kids: map[string][]string{}, ext: map[string][]string{}, values: map[string]doc{}, tokens: map[string]string{}, calls: map[string]int{}, levels: map[string]bucketLevel{}}
	s.routes()
	if o.Dir != "" {
		found, err := s.load()
		if err != nil {
			return nil, err
		}
		go s.persist()
		if found {
			s.addTokens()
			return s, nil
		}
	}
	s.domain = newID()
	s.everyone = s.AddGroup("Everyone")
	s.service = s.AddUser("service@framebridge.example", "Framebridge", "Service")
	s.addTokens()
	s.storage = s.AddStorage("Media", "S3", doc{"bucket": o.Bucket, "endpoint": "", "region": "us-east-1", "path": "media"})
	return s, nil
}

func newID() string {
	id, err := uuid.NewUUID() // iconik's ids are version 1
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}

func now() string { return stamp(time.Now()) }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000") + "+00:00" }

// saved is the file of the state.
type saved struct {
	Domain, Service, Storage string
	Everyone                 string
	Docs                     map[string][]doc
	Values                   map[string]doc
	Tokens                   map[string]string
}

func (s *Sim) file() string { return filepath.Join(s.o.Dir, "iconik.json") }

func (s *Sim) load() (bool, error) {
	raw, err := os.ReadFile(s.file())
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var v saved
	if err := json.Unmarshal(raw, &v); err != nil {
		return false, fmt.Errorf("%s: %w", s.file(), err)
	}
	s.domain, s.service, s.storage, s.tokens, s.everyone = v.Domain, v.Service, v.Storage, v.Tokens, v.Everyone
	if v.Values != nil {
		s.values = v.Values
	}
	for kind, docs := range v.Docs {
		for _, d := range docs {
			s.put(kind, d).shown = d
		}
	}
	return true, nil
}

func (s *Sim) persist() {
	for range s.dirty {
		began := time.Now()
		s.mu.Lock()
		v := saved{s.domain, s.service, s.storage, s.everyone, map[string][]doc{}, s.values, s.tokens}
		for kind, ids := range s.order {
			for _, id := range ids {
				if e := s.kinds[kind][id]; e != nil {
					v.Docs[kind] = append(v.Docs[kind], e.doc)
				}
			}
		}
		raw, err := json.Marshal(v)
		s.mu.Unlock()
		if err == nil && os.WriteFile(s.file()+".new", raw, 0o600) == nil {
			_ = os.Rename(s.file()+".new", s.file())
		}
		time.Sleep(max(200*time.Millisecond, 20*time.Since(began)))
	}
}

// touch requests that the state be written.
func (s *Sim) touch() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// parents returns what a doc is listed under.
func parents(kind string, d doc) []string {
	switch kind {
	case kAsset, kCollection:
		return texts(d["in_collections"])
	case kFormat, kFileSet, kFile, kProxy, kKeyframe, kSegment, kApproval:
		return []string{text(d, "asset_id")}
	case kJob:
		return []string{text(d, "object_id")}
	}
	return nil
}

func idOf(kind string, d doc) string {
	if kind == kField {
		return text(d, "name")
	}
	return text(d, "id")
}

// put stores a new entity. The caller must hold the lock.
func (s *Sim) put(kind string, d doc) *entity {
	id := idOf(kind, d)
	e := &entity{doc: d, showAt: time.Now().Add(s.o.IndexDelay)}
	if s.kinds[kind] == nil {
		s.kinds[kind] = map[string]*entity{}
	}
	s.kinds[kind][id] = e
	s.order[kind] = append(s.order[kind], id)
	for _, p := range parents(kind, d) {
		s.kids[kind+"/"+p] = append(s.kids[kind+"/"+p], id)
	}
	if x := text(d, "external_id"); x != "" {
		s.ext[kind+"/"+x] = append(s.ext[kind+"/"+x], id)
	}
	s.touch()
	return e
}

// get reads the store.
func (s *Sim) get(kind, id string) (doc, bool) {
	e := s.kinds[kind][id]
	if e == nil {
		return nil, false
	}
	return e.doc, true
}

// indexed reads the index, which lags.
func (s *Sim) indexed(kind, id string) doc {
	e := s.kinds[kind][id]
	if e == nil {
		return nil
	}
	e.settle()
	return e.shown
}

func (e *entity) settle() {
	if !e.showAt.IsZero() && !time.Now().Before(e.showAt) {
		e.shown, e.showAt = e.doc, time.Time{}
	}
}

// set replaces a doc with a changed copy.
func (s *Sim) set(kind, id string, change func(doc)) doc {
	e := s.kinds[kind][id]
	e.settle()
	before := parents(kind, e.doc)
	external := text(e.doc, "external_id")
	d := maps.Clone(e.doc)
	change(d)
	if _, ok := d["date_modified"]; ok {
		d["date_modified"] = now()
	}
	e.doc = d
	if e.showAt.IsZero() {
		e.showAt = time.Now().Add(s.o.IndexDelay)
	}
	for _, p := range parents(kind, d) {
		if !slices.Contains(before, p) {
			s.kids[kind+"/"+p] = append(s.kids[kind+"/"+p], id)
		}
	}
	if x := text(d, "external_id"); x != "" && x != external {
		s.ext[kind+"/"+x] = append(s.ext[kind+"/"+x], id)
	}
	s.touch()
	return d
}

func (s *Sim) drop(kind, id string) {
	delete(s.kinds[kind], id)
	s.touch()
}

// stored returns the docs of a kind under a parent, or all of them if parent is "", from the store, oldest first.
func (s *Sim) stored(kind, parent string) []doc {
	ids := s.order[kind]
	if parent != "" {
		ids = s.kids[kind+"/"+parent]
	}
	var out []doc
	seen := map[string]bool{}
	for _, id := range ids {
		if d, ok := s.get(kind, id); ok && !seen[id] {
			seen[id] = true
			out = append(out, d)
		}
	}
	return out
}

func text(d doc, key string) string {
	v, _ := d[key].(string)
	return v
}

func texts(v any) []string {
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		var out []string
		for _, x := range list {
			if t, ok := x.(string); ok {
				out = append(out, t)
			}
		}
		return out
	}
	return nil
}

func docs(v any) []doc {
	switch list := v.(type) {
	case []doc:
		return list
	case []any:
		var out []doc
		for _, x := range list {
			if d, ok := x.(doc); ok {
				out = append(out, d)
			}
		}
		return out
	}
	return nil
}

// number parses a number or, as iconik does, a string that contains one.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case string:
		var f float64
		_, err := fmt.Sscanf(strings.TrimSpace(n), "%g", &f)
		return f, err == nil
	}
	return 0, false
}

// AddUser adds a user with their own token and returns the user's id.
func (s *Sim) AddUser(email, first, last string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := newID()
	s.put(kUser, doc{"id": id, "email": email, "first_name": first, "last_name": last, "status": "ACTIVE", "type": "POWER", "is_admin": false, "photo": nil,
		"photo_small": nil, "photo_big": nil, "groups": []string{s.everyone}, "primary_group": nil, "date_created": now(), "date_modified": now()})
	s.tokens["user-"+uuid.NewString()] = id
	return id
}

// AddStorage adds a storage for files and returns its id.
func (s *Sim) AddStorage(name, method string, settings map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := newID()
	s.put(kStorage, doc{"id": id, "name": name, "description": nil, "method": method, "purpose": "FILES", "settings": settings, "default": true, "status": "ACTIVE",
		"status_message": nil, "scanner_status": "DISABLED", "last_scanned": nil, "version": nil, "date_created": now(), "date_modified": now()})
	return id
}

// AddFault adds a fault for calls.
func (s *Sim) AddFault(f faults.Fault) error { return s.faults.Add(f) }

// ClearFaults removes all faults.
func (s *Sim) ClearFaults() { s.faults.Clear() }

// Calls returns the number of calls of each operation.
func (s *Sim) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// Wait returns when every webhook and action call in progress has ended.
func (s *Sim) Wait() { s.wait.Wait() }

// Bound returns how long iconik's limit alone requires for the calls let through so far, for the token with the most calls.
func (s *Sim) Bound() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, b := range s.levels {
		n = max(n, b.let)
	}
	return time.Duration(max(0, float64(n)-bucketSize) / perSecond * float64(time.Second))
}
