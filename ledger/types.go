package ledger

import (
	"slices"
	"time"
)

// ArchiveStatus is the status of an archive, as GET /archives returns it.
type ArchiveStatus string

// Statuses of an archive.
const (
	Queued                 ArchiveStatus = "queued"
	Planning               ArchiveStatus = "planning"
	Running                ArchiveStatus = "running"
	Waiting                ArchiveStatus = "waiting" // for originals to return from cold storage
	Verifying              ArchiveStatus = "verifying"
	Verified               ArchiveStatus = "verified"
	VerifiedWithExceptions ArchiveStatus = "verified_with_exceptions"
	Incomplete             ArchiveStatus = "incomplete"
	Failed                 ArchiveStatus = "failed"
	Cancelled              ArchiveStatus = "cancelled"
)

// Ended reports whether no run of the archive is open.
func (s ArchiveStatus) Ended() bool {
	switch s {
	case Verified, VerifiedWithExceptions, Incomplete, Failed, Cancelled:
		return true
	}
	return false
}

const mostAsking = 20 // addresses besides the first

// Archive brings one Frame.io project into iconik. Its ID is the project's, and a retry continues the same archive.
type Archive struct {
	newer

	Tenant          string        `json:"Tenant"` // ID is the Frame.io project's
	ID              string        `json:"ID"`
	Name            string        `json:"Name"` // the project's name in Frame.io
	TeamID          string        `json:"TeamID"`
	TeamName        string        `json:"TeamName"`
	RootID          string        `json:"RootID"`
	ProjectURL      string        `json:"ProjectURL"`
	Status          ArchiveStatus `json:"Status"`
	Reason          string        `json:"Reason"`        // explains Status to people
	ReasonCode      string        `json:"ReasonCode"`    // of Waiting, for programs: workflows.WaitsForRestore and the like; "" in older rows
	QueuePosition   int           `json:"QueuePosition"` // 0: not queued; 1: next
	Run             int           `json:"Run"`           // counts from 1
	WorkflowID      string        `json:"WorkflowID"`
	RunID           string        `json:"RunID"`
	JobID           string        `json:"JobID"`           // this run's CUSTOM job in iconik
	CollectionID    string        `json:"CollectionID"`    // the project's collection in iconik
	PresentationsID string        `json:"PresentationsID"` // the collection "Presentations"
	ReportAssetID   string        `json:"ReportAssetID"`
	SourceUpdatedAt time.Time     `json:"SourceUpdatedAt"` // the project's updated_at when the last run began
	Changed         bool          `json:"Changed"`         // whether this run wrote something to iconik
	QueuedAt        time.Time     `json:"QueuedAt"`
	StartedAt       time.Time     `json:"StartedAt"`
	FinishedAt      time.Time     `json:"FinishedAt"`
	RequestedBy     string        `json:"RequestedBy"`          // an e-mail address, or empty
	AlsoAsked       []string      `json:"AlsoAsked"`            // addresses of others who asked for it while it was open
	TriggeredBy     Trigger       `json:"TriggeredBy,omitzero"` // of this run
	CopyingSince    time.Time     `json:"CopyingSince"`         // of this run
	BytesBefore     int64         `json:"BytesBefore"`          // those already done when this run began to copy
	Comments        int           `json:"Comments"`             // seen in Frame.io by the last plan
	CommentsDone    int           `json:"CommentsDone"`         // in iconik
	Shares          int           `json:"Shares"`
	SharesDone      int           `json:"SharesDone"`
	Folders         int           `json:"Folders"`
	APICalls        int64         `json:"APICalls"`   // by this run, both vendors
	Generation      string        `json:"Generation"` // of the API that its Frame.io ids belong to; "" is legacy
	ContinuedAs     string        `json:"MovedTo"`    // the archive that continues this one's work
	Migrating       bool          `json:"Moving"`     // this run must match objects whose ids changed
	MigrationNote   string        `json:"MoveNote"`   // what could not be matched
	Stuck           []Stuck       `json:"Stuck,omitempty"`
	DifferencesHash string        `json:"DifferencesHash,omitempty"` // of what the last proof found to differ in iconik
	CommentsTrusted int64         `json:"CommentsTrusted,omitempty"` // files whose comments are not read: archive.comment_count is trust, and their count is 0
	// Delta means that this run belongs to a mirror or to a migration's second round. CommentsKept is the number of files whose comments
	// were not read since the scan KeptFrom (0 if there are none), because archive.comments_again is counted and they had none.
	Delta        bool      `json:"Delta,omitempty"`
	CommentsKept int64     `json:"CommentsKept,omitempty"`
	KeptFrom     int       `json:"KeptFrom,omitempty"`
	ForgottenAt  time.Time `json:"ForgottenAt,omitzero"` // when people were last erased from what is known about it
	// CountsFail means that Frame.io's counts cannot show that a file got its first comment after its comments were read.
	CountsFail  bool      `json:"CountsFail,omitempty"`
	ProvenSince time.Time `json:"ProvenSince,omitzero"` // when a run was first verified after the last change; zero until then
}

// Stuck is something that has long been failing and is still retried.
type Stuck struct {
	Key    string    `json:"key"`   // of the activity that retries
	Since  time.Time `json:"since"` // when it became due
	What   string    `json:"what"`
	Reason string    `json:"reason"`
}

const mostStuck = 20 // kept for one archive

// SetStuck notes that something is stuck, replacing its previous note. Beyond mostStuck, it is ignored.
func (a *Archive) SetStuck(s Stuck) {
	a.Unstick(s.Key)
	if len(a.Stuck) < mostStuck {
		a.Stuck = append(a.Stuck, s)
	}
}

// Unstick notes that something is no longer stuck, and reports whether it was.
func (a *Archive) Unstick(key string) bool {
	before := len(a.Stuck)
	a.Stuck = slices.DeleteFunc(slices.Clone(a.Stuck), func(s Stuck) bool { return s.Key == key })
	return len(a.Stuck) < before
}

// AskedBy notes who else asks for an open archive. Whoever asked first stays first.
func (a *Archive) AskedBy(address string) {
	switch {
	case address == "" || address == a.RequestedBy || slices.Contains(a.AlsoAsked, address) || len(a.AlsoAsked) == mostAsking:
	case a.RequestedBy == "":
		a.RequestedBy = address
	default:
		a.AlsoAsked = append(a.AlsoAsked, address)
	}
}

// Pace returns how fast the run copies, in bytes per second, and how long the rest will take. Both are zero while it does not copy.
func (a Archive) Pace(t Totals, now time.Time) (rate int64, left time.Duration) {
	took := now.Sub(a.CopyingSince)
	if a.Status != Running || a.CopyingSince.IsZero() || took < time.Second || t.BytesDone <= a.BytesBefore {
		return 0, 0
	}
	perSecond := float64(t.BytesDone-a.BytesBefore) / took.Seconds()
	return int64(perSecond), time.Duration(float64(max(t.Bytes-t.BytesDone, 0)) / perSecond * float64(time.Second)).Round(time.Second)
}

// ItemState is the state of one file (one version).
type ItemState string

// States of an item.
const (
	Pending      ItemState = "pending"
	Copying      ItemState = "copying"
	Copied       ItemState = "copied"
	ItemVerified ItemState = "verified"
	Skipped      ItemState = "skipped"
	ItemFailed   ItemState = "failed"
)

// Folder is a folder of the project's tree, including the root.
type Folder struct {
	SourceID, ParentID string // ParentID is empty for the root
	Name, Path         string // Path: names from below the root joined by "/", each "/" inside a name as "∕" (U+2215)
	Depth              int
	Details            string // JSON of what else Frame.io says about it, as the archive keeps it, or empty
	Access             string // the place whose access rule applies to it; empty for the project
	CollectionID       string
	Scan               int    // the scan that last saw it
	Listed             bool   // by this scan
	Cursor             string // where its listing continues
}

// Item is one Frame.io file that the archive must account for. Items with the same AssetKey are versions of the same asset.
type Item struct {
	newer

	Seq            int64     `json:"Seq"`      // from 1, dense within an archive, versions of one asset adjacent, oldest first
	SourceID       string    `json:"SourceID"` // the Frame.io file id
	AssetKey       string    `json:"AssetKey"` // the version stack's id, or the file's own
	FolderID       string    `json:"FolderID"` // the Frame.io folder that holds the file or its stack
	Version        int       `json:"Version"`  // from 1, oldest first
	Versions       int       `json:"Versions"` // of the asset
	Name           string    `json:"Name"`     // of the file
	Title          string    `json:"Title"`    // of the asset: the stack's name, or the file's
	Path           string    `json:"Path"`
	Size           int64     `json:"Size"` // bytes, as Frame.io states it
	MediaType      string    `json:"MediaType"`
	Class          string    `json:"Class"` // frameio.MediaClass
	FrameNum       int64     `json:"FrameNum"`
	FrameDen       int64     `json:"FrameDen"`
	Frames         int64     `json:"Frames"`
	StartTimecode  string    `json:"StartTimecode"`
	Width          int       `json:"Width"`
	Height         int       `json:"Height"`
	SourceChecksum string    `json:"SourceChecksum"` // xxh64 hex or empty
	Original       string    `json:"Original"`       // frameio.Original
	Watermarked    bool      `json:"Watermarked"`    // Frame.io watermarks downloads of the file
	Listed         string    `json:"Listed"`         // what Frame.io lists as Original, if its bytes turned out not to be it; otherwise empty
	MissingSince   time.Time `json:"MissingSince"`   // of an original whose link is missing for no stated reason
	HasProxy       bool      `json:"HasProxy"`
	CommentCount   int       `json:"CommentCount"` // CommentsUnknown until they are read, if Frame.io does not count them
	// CommentHint is Frame.io's own count of the file's comments, which sets the reading order; nil if it gives none.
	CommentHint *int `json:"CommentHint,omitempty"`
	// Fields is the JSON of what goes into the metadata view (mapping.Fields). FieldsHash shows whether it changed since.
	Fields     []byte `json:"Fields"`
	FieldsHash string `json:"FieldsHash"`
	// Custom is the JSON of V4's metadata fields that are filled in or empty ([]mapping.SourceField).
	Custom []byte `json:"Custom,omitempty"`
	// FieldsWritten is the fields as last written to iconik, field by field (proof.Written); empty if unknown.
	FieldsWritten string `json:"FieldsWritten,omitempty"`

	State        ItemState `json:"State"`
	Reason       string    `json:"Reason"`
	Note         string    `json:"Note"`      // what a person should know, whatever the state
	Fault        string    `json:"Fault"`     // "", FaultContent or FaultSystem
	Rendition    string    `json:"Rendition"` // original | proxy | "" while unknown
	BytesDone    int64     `json:"BytesDone"`
	Checksum     string    `json:"Checksum"` // xxh64 hex of the bytes we stored
	StoredSize   int64     `json:"StoredSize"`
	UploadID     string    `json:"UploadID"`             // of the open multipart upload
	Checkpoint   []byte    `json:"Checkpoint,omitempty"` // where a copy that was interrupted on purpose continues
	AssetID      string    `json:"AssetID"`              // iconik
	VersionID    string    `json:"VersionID"`
	FormatID     string    `json:"FormatID"`
	FileSetID    string    `json:"FileSetID"`
	FileID       string    `json:"FileID"`
	WrittenHash  string    `json:"WrittenHash"`          // FieldsHash as last written to iconik
	FieldsOwed   bool      `json:"FieldsOwed,omitempty"` // not written: its version was not the current one, and iconik writes only that one's
	CommentsDone int       `json:"CommentsDone"`
	Migrated     bool      `json:"Moved"`                 // its id has changed: its comments are matched before they are copied
	CommentsSeen int       `json:"CommentsSeen"`          // CommentCount when the comments were copied
	CommentsScan int       `json:"CommentsScan"`          // the scan after which the comments were last read
	HadComments  bool      `json:"HadComments,omitempty"` // comments were brought over; iconik may have some that Frame.io no longer has
	FirstRun     int       `json:"FirstRun,omitempty"`    // the run that first stored its bytes; 0: from before runs were noted
	Scan         int       `json:"Scan"`                  // the scan that last saw it
}

// LinkKind is the kind of objects that a link ties.
type LinkKind string

// Link ties a Frame.io object to an iconik object. It is written in two steps: Intend before the POST that creates the
// iconik object, and Complete after the answer. An intent that was not completed means that the POST may have taken effect.
type Link struct {
	Kind       LinkKind
	SourceID   string
	TargetID   string // empty while only intended
	Archive    string
	Parent     string // the iconik object that holds it (asset of a segment …), or empty
	IntendedAt time.Time
	MadeAt     time.Time
	Hash       string // of the content last written, for later runs
	Written    string // the content last written, property by property; empty if unknown
}

// Totals are an archive's counts.
type Totals struct {
	Items, Pending, Copying, Copied, Verified, Skipped, Failed int64
	Bytes, BytesDone                                           int64 // Bytes: what is stored plus what must still be
	BytesSkipped                                               int64 // those that stay in Frame.io
	Comments, CommentsDone                                     int64
	Assets                                                     int64
	FailedOthers                                               int64 // objects other than files: see Failure
}

// Range is a run of Seq numbers, both ends included.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Special comment counts.
const (
	CommentsUnknown     = -1 // Frame.io does not say; they must be read
	CommentsAsBefore    = -2 // in a scan: keep what is known
	CommentsIfAnyBefore = -3 // in a scan: none if the last read found none and Frame.io counts none; otherwise they must be read
)

// Why returns what a person should know about an item: the reason for its state, and its note.
func (it Item) Why() string {
	if it.Reason == "" || it.Note == "" {
		return it.Reason + it.Note
	}
	return it.Reason + "; " + it.Note
}
