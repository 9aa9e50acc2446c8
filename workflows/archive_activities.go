package workflows

// The activities of an archive. Their steps are in activities/archive; what needs Temporal is in activities.
var (
	ActJoinQueue        = task[JoinQueueInput]("JoinQueue")
	ActQueuePositions   = task[QueuePositionsInput]("QueuePositions")
	ActClosedArchives   = declare[ClosedArchivesInput, []Ticket]("ClosedArchives")
	ActOpenArchive      = declare[OpenArchiveInput, OpenArchiveResult]("OpenArchive")
	ActPrepareIconik    = task[Ref]("PrepareIconik")
	ActScanProject      = declare[ScanInput, ScanResult]("ScanProject")
	ActMakeCollections  = task[Ref]("MakeCollections")
	ActNextRanges       = declare[NextRangesInput, []Range]("NextRanges")
	ActRangeItems       = declare[RangeInput, []CopyItem]("RangeItems")
	ActCopyTogether     = declare[RangeInput, CopyTogetherResult]("CopyTogether")
	ActOpenVersion      = declare[OpenVersionInput, OpenVersionResult]("OpenVersion")
	ActTransferFile     = task[ItemInput]("TransferFile")
	ActCloseVersion     = task[ItemInput]("CloseVersion")
	ActFailItem         = task[FailItemInput]("FailItem")
	ActRecheckOriginals = declare[Ref, RecheckResult]("RecheckOriginals")
	ActCopyComments     = declare[CommentsInput, Counts]("CopyComments")
	ActCopyShares       = task[Ref]("CopyShares")
	ActVerifyItems      = declare[VerifyInput, Counts]("VerifyItems")
	ActVerifyTree       = declare[Ref, TreeResult]("VerifyTree")
	ActWriteReport      = task[Ref]("WriteReport")
	ActSetStatus        = task[SetStatusInput]("SetStatus")
	ActFinishArchive    = declare[FinishInput, FinishArchiveResult]("FinishArchive")
	ActNotify           = task[NotifyInput]("Notify")
	ActPlanProject      = declare[Ref, Plan]("PlanProject")
)

// Phases of an archive that work through ranges of items.
const (
	PhaseCopy     = "copy"
	PhaseComments = "comments"
	PhaseVerify   = "verify"
)

// lastPass is the pass over the comments that reads what the earlier ones left. Those read the files that Frame.io counts
// comments of, and the files it gives no count for.
const lastPass = 3

type (
	// Ticket is an archive's place in its tenant's queue.
	Ticket struct {
		Archive    string `json:"archive"`
		WorkflowID string `json:"workflow_id"`
		RunID      string `json:"run_id"` // the first run's, which survives continue-as-new
	}
	// JoinQueueInput puts an archive at the end of its tenant's queue.
	JoinQueueInput struct {
		Ref
		Ticket Ticket `json:"ticket"`
	}
	// QueuePositionsInput lists the waiting archives, so that the ledger and iconik can show their positions.
	QueuePositionsInput struct {
		Tenant   string   `json:"tenant"`
		Archives []string `json:"archives"` // waiting, in order
	}
	// ClosedArchivesInput asks which of these archives ended without leaving the queue.
	ClosedArchivesInput struct {
		Tickets []Ticket `json:"tickets"`
	}

	// OpenArchiveInput begins a run.
	OpenArchiveInput struct {
		Ref
		WorkflowID string `json:"workflow_id"`
		RunID      string `json:"run_id"`
		// Only restricts which failures are forgotten to those of these items.
		Only *Range `json:"only,omitempty"`
	}
	// OpenArchiveResult is what the workflow needs to know about the project, and about the tenant's configuration as of now.
	OpenArchiveResult struct {
		Project      string `json:"project"`
		Team         string `json:"team"`
		Run          int    `json:"run"`
		Lanes        int    `json:"lanes"`         // items in parallel
		WaitInterval string `json:"wait_interval"` // Go duration

	}

	// Counts are an archive's totals.
	Counts struct {
		Items         int64 `json:"items"`
		Copied        int64 `json:"copied"`
		Verified      int64 `json:"verified"`
		Skipped       int64 `json:"skipped"`
		Failed        int64 `json:"failed"`
		Waiting       int64 `json:"waiting"`
		Bytes         int64 `json:"bytes"`
		BytesDone     int64 `json:"bytes_done"`
		BytesSkipped  int64 `json:"bytes_skipped,omitempty"`
		Comments      int64 `json:"comments"`
		CommentsDone  int64 `json:"comments_done"`
		Folders       int64 `json:"folders"`
		Presentations int64 `json:"presentations"`
		// Missing counts items that a verification found deleted in iconik and reopened, to be restored.
		Missing int64 `json:"lost,omitempty"`
	}

	// Range is a range of the ledger's item numbers, both ends included.
	Range struct {
		From int64 `json:"from"`
		To   int64 `json:"to"`
		// Pass is the pass that a range of comments belongs to; 0 if comments are read in no particular order.
		Pass int `json:"pass,omitempty"`
	}
	// NextRangesInput asks for the next ranges of a phase: at most Max of Size items each, after item number After.
	NextRangesInput struct {
		Ref
		Phase string `json:"phase"`
		After int64  `json:"after"`
		Size  int    `json:"size"`
		Max   int    `json:"max"`
		// Bytes limits the size of a range to copy. An older run sends 0, which means 2 GiB.
		Bytes int64 `json:"bytes,omitempty"`
		// Again also asks for the comments of items that had none.
		Again bool `json:"again,omitempty"`
		// Pass asks for comments in the order of Frame.io's counts, from this pass on; 0 from an older run. After belongs to the
		// last pass, Passed to those before it.
		Pass   int   `json:"pass,omitempty"`
		Passed int64 `json:"passed,omitempty"`
	}
	// RangeInput is a range of one archive.
	RangeInput struct {
		Ref
		Range
		// Orderly makes a canceled parent wait for the child and for what it is doing.
		Orderly bool `json:"orderly,omitempty"`
	}
	// CommentsInput asks for the comments of a range. Comments that were read since the project's tree was last scanned are left
	// out, except with Again.
	CommentsInput struct {
		RangeInput
		Again bool `json:"again,omitempty"`
		// Beside says that files are being copied meanwhile. Files that Frame.io counts no comments of are then read only if the
		// vendor's limit has room, and otherwise left for later.
		Beside bool `json:"beside,omitempty"`
	}

	// VerifyInput asks for the comparison of a range. With Repair, an item that was deleted in iconik does not fail: the run
	// restores it.
	VerifyInput struct {
		RangeInput
		Repair bool `json:"heal,omitempty"`
	}
	// TreeResult says how many collections were deleted in iconik or lack a reference.
	TreeResult struct {
		Missing int `json:"lost,omitempty"`
	}

	// CopyItem is one version to copy.
	CopyItem struct {
		SourceID string `json:"source_id"`
		Asset    string `json:"asset"` // the version stack or file it belongs to
		Name     string `json:"name"`  // for the timeline
		Size     int64  `json:"size"`
		// Together marks an item that CopyTogether copies with others of its range.
		Together bool `json:"together,omitempty"`
	}
	// CopyTogetherResult names the items that CopyTogether left, to be copied one by one.
	CopyTogetherResult struct {
		Left []string `json:"left,omitempty"` // source IDs
	}
	// OpenVersionInput asks for what a version needs in iconik before its bytes are copied.
	OpenVersionInput struct {
		Ref
		SourceID string `json:"source_id"`
		// NewUpload discards an upload session that the object store no longer has.
		NewUpload bool `json:"new_upload,omitempty"`
		// NoOriginal says that Frame.io refused the original when asked for its bytes.
		NoOriginal bool `json:"no_original,omitempty"`
	}
	// OpenVersionResult says what to do with a version.
	OpenVersionResult struct {
		Do string `json:"do"` // DoTransfer, DoClose, DoNothing or DoWait
	}
	// ItemInput is one version of one archive.
	ItemInput struct {
		Ref
		SourceID string `json:"source_id"`
	}
	// FailItemInput says why a version could not be copied.
	FailItemInput struct {
		Ref
		SourceID string `json:"source_id"`
		Fault    string `json:"fault"` // FaultContent, FaultSystem
		Reason   string `json:"reason"`
	}

	// RecheckResult counts the originals that are still missing and those that came back.
	RecheckResult struct {
		Waiting int `json:"waiting"`
		Back    int `json:"back"`
		// Advice tells people how to bring the missing ones back.
		Advice string `json:"advice,omitempty"`
		// Code is why they are missing: WaitsForRestore or WaitsForLink; empty from an older worker.
		Code string `json:"code,omitempty"`
	}
	// ScanInput asks for the project's tree.
	ScanInput struct {
		Ref
		// Compare makes it the reading at the end: Changed then reports whether another round is needed.
		Compare bool `json:"compare,omitempty"`
	}
	// ScanResult is what the tree contains.
	ScanResult struct {
		Counts  Counts `json:"counts"`
		Changed bool   `json:"changed,omitempty"`
	}

	// SetStatusInput is what GET /archives and the job in iconik show from now on.
	SetStatusInput struct {
		Ref
		Status string `json:"status"`
		Phase  string `json:"phase"` // the step of the job that begins
		Reason string `json:"reason,omitempty"`
		Code   string `json:"code,omitempty"` // of Reason; see RecheckResult
	}
	// FinishInput ends a run.
	FinishInput struct {
		Ref
		// Status is empty if the counts decide; otherwise failed or cancelled.
		Status string `json:"status,omitempty"`
		Reason string `json:"reason,omitempty"`
		Fault  string `json:"fault,omitempty"`
	}
	// FinishArchiveResult is how a run ended.
	FinishArchiveResult struct {
		Status  string `json:"status"`
		Reason  string `json:"reason,omitempty"`
		Changed bool   `json:"changed"`
		Counts  Counts `json:"counts"`
	}
	// NotifyInput asks for one mail.
	NotifyInput struct {
		Ref
		Kind string `json:"kind"` // NotifyQueued, NotifyWaiting, NotifyEnded, NotifyStuck
		// Run is the archive's run that the mail is about. News of an earlier run is sent only if the runs since then had none. 0
		// means any run.
		Run int `json:"run,omitempty"`
	}

	// Plan is a dry run's answer.
	Plan struct {
		Project  string `json:"project"`
		Team     string `json:"team"`
		Items    int64  `json:"items"`
		Assets   int64  `json:"assets"`
		Folders  int64  `json:"folders"`
		Versions int64  `json:"versions"` // items that belong to version stacks
		Bytes    int64  `json:"bytes"`
		Comments int64  `json:"comments"`
		// CommentsNotCounted says that Frame.io does not count the comments of some or all files: there are more than Comments.
		CommentsNotCounted bool        `json:"comments_not_counted,omitempty"`
		Shares             int64       `json:"presentations"`
		ByType             []PlanType  `json:"by_type"`
		Blockers           []Blocker   `json:"blockers"`
		Access             *PlanAccess `json:"access,omitempty"`
		// BlockersMore counts blockers beyond those listed.
		BlockersMore int `json:"blockers_more,omitempty"`
		// APICalls is how many calls an archive makes; APISeconds is the least time that the vendors' limits allow for them.
		APICalls        int64   `json:"api_calls"`
		APISeconds      float64 `json:"api_seconds"`
		TransferSeconds float64 `json:"transfer_seconds"`
	}
	// PlanAccess says who will see what in iconik, apart from administrators.
	PlanAccess struct {
		Mode       string      `json:"mode"` // archive.access
		Places     []PlanPlace `json:"places"`
		PlacesMore int         `json:"places_more,omitempty"` // beyond those listed
		Unmapped   []string    `json:"unmapped"`              // Frame.io's people and groups without access
	}
	// PlanPlace is the project, or a place in it with different readers.
	PlanPlace struct {
		Kind    string   `json:"kind"`
		Place   string   `json:"place"`
		Open    bool     `json:"open"` // iconik's default access applies
		Why     string   `json:"why,omitempty"`
		Readers []string `json:"readers"`
	}
	// PlanType counts the files of one media type.
	PlanType struct {
		MediaType string `json:"media_type"`
		Count     int64  `json:"count"`
		Bytes     int64  `json:"bytes"`
	}
	// Blocker is a file, or the project itself (SourceID is empty), that an archive cannot bring over as is.
	Blocker struct {
		SourceID string `json:"source_id,omitempty"`
		Path     string `json:"path,omitempty"`
		Why      string `json:"why"`
		// Outcome is what an archive would do: waits, skips, fails, stores the proxy.
		Outcome string `json:"outcome"`
	}
)

// What OpenVersion may ask for next.
const (
	DoTransfer = "transfer" // move the bytes, then close
	DoClose    = "close"    // the bytes are there: close
	DoNothing  = "nothing"  // already verified, skipped or failed: the ledger says why
	DoWait     = "wait"     // its original is unavailable and may come back
)

// Statuses of an archive, as the ledger stores them (ledger.ArchiveStatus; a test keeps the two equal).
const (
	StatusPlanning  = "planning"
	StatusRunning   = "running"
	StatusWaiting   = "waiting"
	StatusVerifying = "verifying"
	StatusFailed    = "failed"
	StatusCancelled = "cancelled"

	StatusVerified               = "verified"
	StatusVerifiedWithExceptions = "verified_with_exceptions"
)

// Why an archive waits for originals.
const (
	WaitsForRestore = "restore" // they are in Frame.io's cold storage
	WaitsForLink    = "link"    // Frame.io offers no download of them and does not say why
)

// Kinds of mail.
const (
	NotifyQueued  = "queued"
	NotifyWaiting = "waiting"
	NotifyEnded   = "ended"
	NotifyStuck   = "stuck"
)
