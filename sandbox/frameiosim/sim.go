// Package frameiosim simulates Frame.io as it is known to answer, on one set of projects: the V4 API (files v4_*.go)
// and the legacy API V2 (files v2_*.go). Both have tokens, envelopes, paging, leaky buckets, signed media URLs on an object
// store, and signed webhooks with retries. The legacy one also archives natively.
package frameiosim

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim/signin"
)

// Objects is the object store for the media.
type Objects interface {
	Put(bucket, key, contentType string, body []byte) error
	PutGenerated(bucket, key string, size int64, seed uint64)
	Head(bucket, key string) (size int64, etag string, ok bool)
	Get(bucket, key string) ([]byte, error)
}

// Signer makes presigned URLs.
type Signer interface {
	Presign(method, bucket, key string, query url.Values, headers map[string]string, expires time.Duration) string
}

const bucket = "frameio-media"

// Options configures a simulator.
type Options struct {
	Token      string // the one developer token; its user owns everything
	Objects    Objects
	Signer     Signer
	MoreTokens []string // V4: of users who see what the first one sees, each with its own limits
	RateLimits bool
	Quicker    float64       // factor by which the limits' windows are shorter, also in the headers; 0: 1
	MaxPage    int           // largest page_size; 0: 500
	URLExpiry  time.Duration // of media URLs; 0: 12 h
	// Backoff is the first wait between deliveries of a webhook, 15 s at Frame.io; 0: 15 s.
	Backoff time.Duration
	// Generation is the API that the account is on: "legacy" (default) or "v4".
	Generation string
	// Shares is V4's profile of share fields, Shares202607 or Shares202609 (default).
	Shares string
	// ClientID, ClientSecret and RefreshToken are for Adobe's sign-in, with V4.
	ClientID, ClientSecret, RefreshToken string
	NoDownload                           bool // V4: the token's user may not download
	OwnRoles                             bool // V4: a folder's list of people has only its own, not those from above
	// AdobeOwners makes V4's comments name their authors by Adobe's ids, which differ from the id that /me returns.
	AdobeOwners bool
	// Replies is how V4's calls by a comment's id treat replies: RepliesWithAuthors or RepliesUnknown; "" answers without their
	// authors. What Frame.io does is not documented.
	Replies string
	// ArchivedOriginal is what an archived video's original is: "absent" (default), "proxy", "403" or "served".
	ArchivedOriginal string
	// PublicURL is where this simulator is reached, for its review links.
	PublicURL string
	// Policy is what the account allows for V4's shares.
	Policy Policy
	// Watermark puts a session watermark on uploads, as a team's default template does.
	Watermark bool
	// Transcode is how long an upload takes to become ready.
	Transcode time.Duration
	// PartSize is the size in bytes of an upload's parts; 0: 8 MiB.
	PartSize int64
	Seed     int64  // for the ids; 0: random ids
	Dir      string // folder to keep the state in; "" keeps none
}

// Sim is one Frame.io account.
type Sim struct {
	o       Options
	mu      sync.RWMutex
	s       state
	kids    map[string][]string // children by parent
	threads map[string][]string // comments by file
	limits  map[string]*bucketLevel
	faults  faults.Set
	calls   map[string]int
	dirty   chan struct{}
	mux     *http.ServeMux
	wait    sync.WaitGroup
	client  *http.Client
	ids     *rand.ChaCha8
	adobe   signin.Adobe
	home    string          // the sandbox's own page
	streams bool            // StreamWatermarked
	hidden  map[string]bool // HideOriginal
	revoked map[string]bool // of MoreTokens
	counted func(fileID string, comments int) any
}

// state is what survives a restart.
type state struct {
	Account  string              `json:"account"`
	User     User                `json:"user"`
	Teams    map[string]*Team    `json:"teams"`
	Projects map[string]*Project `json:"projects"`
	Assets   map[string]*Asset   `json:"assets"`
	Comments map[string]*Comment `json:"comments"`
	Shares   map[string]*Share   `json:"shares"`
	Hooks    map[string]*Hook    `json:"hooks"`
	Buttons  map[string]*Button  `json:"buttons,omitempty"`

	Fields      []*FieldDef   `json:"fields,omitempty"`
	Users       []User        `json:"users,omitempty"` // besides User
	Groups      []Group       `json:"groups,omitempty"`
	Collections []*Collection `json:"collections,omitempty"`

	Order int64  `json:"order"`
	Mails []Mail `json:"mails"`
}

// Mail is an invitation that Frame.io sent.
type Mail struct {
	Share, To, Message string
}

// User is somebody with an account.
type User struct{ ID, Name, Email string }

// Team holds projects.
type Team struct {
	ID, Name string
	Members  []string // ids; nil: everybody
}

// Project is a project and its native archive state.
type Project struct {
	ID, Name, TeamID, RootID string
	ArchiveStatus            string // standard, archiving, archived, unarchiving
	Inserted, Updated        time.Time
	Deleted                  *time.Time

	// V4 only.
	Description string
	Owner       *User  // nil: the account's user
	AdobeID     string // of accounts on Adobe's storage

	Aside   bool // V4: inactive, with all of its media
	Refused bool // its folders are not listed

	Restricted bool   // only people with a role see it: a private project in the legacy API
	Roles      []Role // who was invited
}

// Asset is a file, folder or version stack.
type Asset struct {
	ID, Type, Name, ParentID, ProjectID string
	Order                               int64
	Filetype, AssetType                 string
	Size                                int64
	Key                                 string // of the original in the store; "" until it is uploaded
	Parts                               int    // of its upload; 0 if it was seeded
	Transcoded                          bool   // of uploads
	ProxyKey                            string
	XXH                                 string
	FPS                                 float64
	Frames                              int64
	Duration                            float64
	Timecode                            string
	Width, Height                       int
	Label, Description                  string
	Rating                              *float64
	Properties                          map[string]any
	Watermarked                         bool
	Creator                             User
	Inserted, Updated                   time.Time
	Uploaded, Deleted                   *time.Time
	CoverID                             string
	TeamOnly                            bool           // legacy: hidden from collaborators
	Restricted                          bool           // V4, of folders: only people with a role see it
	Roles                               []Role         // V4, of folders
	AdobeID                             string         // V4, of accounts on Adobe's storage
	Values                              map[string]any // V4's metadata, by the field's id
}

// Comment is a comment or, with ParentID, a reply.
type Comment struct {
	ID, AssetID, ParentID, Text, Annotation string
	Timestamp, Duration                     *int64
	Page                                    *int
	Private, Completed                      bool
	Owner, Guest                            *User
	Inserted, Updated                       time.Time

	// V4 only.
	Anchor      *Point
	Completer   string // who completed it, by id
	CompletedAt *time.Time
	EditedAt    *time.Time
	Links       []TextLink
	Mentions    []Mention
	Attachments []Attachment
	Markup      *Markup
}

// Share is a presentation or review link.
type Share struct {
	ID, Kind, Name, ProjectID string // Kind: presentation, review_link
	Items                     []string
	ExpiresAt                 *time.Time
	Password                  string
	Downloads                 bool
	Inactive                  bool
	Watermark                 bool // of V4's shares
	Reviewers                 []string
	Inserted                  time.Time
	Deleted                   *time.Time

	// V4 only.
	Description string
	Secure      bool
	Forensic    bool
	DRM         bool
	LastViewed  *time.Time
}

// Hook is a team's webhook.
type Hook struct {
	ID, Name, URL, Secret, TeamID string
	Events                        []string
	Active                        bool
}

// New opens a simulator.
func New(o Options) (*Sim, error) {
	if o.MaxPage == 0 {
		o.MaxPage = 500
	}
	if o.URLExpiry == 0 {
		o.URLExpiry = 12 * time.Hour
	}
	if o.Backoff == 0 {
		o.Backoff = 15 * time.Second
	}
	if o.PartSize == 0 {
		o.PartSize = 8 << 20
	}
	s := &Sim{o: o, kids: map[string][]string{}, threads: map[string][]string{}, limits: map[string]*bucketLevel{}, calls: map[string]int{}, hidden: map[string]bool{}, revoked: map[string]bool{},
		dirty: make(chan struct{}, 1), client: &http.Client{Timeout: 5 * time.Second}, adobe: signin.Adobe{ClientID: o.ClientID, ClientSecret: o.ClientSecret, RefreshToken: o.RefreshToken}}
	if o.Seed != 0 {
		s.ids = rand.NewChaCha8([32]byte{byte(o.Seed)})
	}
	s.s = state{Account: s.newID(), User: User{s.newID(), "Sam Sandbox", "sam@example.com"}, Teams: map[string]*Team{}, Projects: map[string]*Project{},
		Assets: map[string]*Asset{}, Comments: map[string]*Comment{}, Shares: map[string]*Share{}, Hooks: map[string]*Hook{}}
	if o.Dir != "" {
		if err := s.load(); err != nil {
			return nil, err
		}
		go s.persist()
	}
	s.routes()
	return s, nil
}

// SignIn returns Adobe's sign-in.
func (s *Sim) SignIn() *signin.Adobe { return &s.adobe }

func (s *Sim) newID() string {
	if s.ids == nil {
		return uuid.NewString()
	}
	id, err := uuid.NewRandomFromReader(s.ids)
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}

func (s *Sim) file() string { return filepath.Join(s.o.Dir, "frameio.json") }

func (s *Sim) load() error {
	raw, err := os.ReadFile(s.file())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &s.s); err != nil {
		return fmt.Errorf("%s: %w", s.file(), err)
	}
	for _, a := range s.s.Assets {
		s.kids[a.ParentID] = append(s.kids[a.ParentID], a.ID)
	}
	for _, c := range s.s.Comments {
		s.threads[c.AssetID] = append(s.threads[c.AssetID], c.ID)
	}
	return nil
}

// touch requests that the state be written. The caller must hold the lock.
func (s *Sim) touch() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

func (s *Sim) persist() {
	for range s.dirty {
		began := time.Now()
		s.mu.RLock()
		raw, err := json.Marshal(s.s)
		s.mu.RUnlock()
		if err == nil && os.WriteFile(s.file()+".new", raw, 0o600) == nil {
			_ = os.Rename(s.file()+".new", s.file())
		}
		time.Sleep(max(200*time.Millisecond, 20*time.Since(began)))
	}
}

// AddFault adds a fault for calls.
func (s *Sim) AddFault(f faults.Fault) error { return s.faults.Add(f) }

// ClearFaults removes all faults.
func (s *Sim) ClearFaults() { s.faults.Clear() }

// Calls returns the number of calls of each operation.
func (s *Sim) Calls() map[string]int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string]int{}
	for k, v := range s.calls {
		out[k] = v
	}
	return out
}
