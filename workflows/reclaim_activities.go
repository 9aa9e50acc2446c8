package workflows

// The activities of a reclaim. Package activities/reclaim implements them.
var (
	ActExamineReclaim = declare[ReclaimRef, ReclaimProgress]("ExamineReclaim")
	ActAwaitApproval  = task[ReclaimRef]("AwaitReclaimApproval")
	ActProveFiles     = declare[ReclaimRef, ReclaimProgress]("ProveReclaimFiles")
	ActDeleteProven   = declare[ReclaimRef, ReclaimProgress]("DeleteProvenFiles")
	ActCertifyReclaim = task[ReclaimRef]("CertifyReclaim")
	ActPauseReclaim   = task[PauseReclaimInput]("PauseReclaim")
	ActFinishReclaim  = declare[FinishReclaimInput, ReclaimResult]("FinishReclaim")
)

type (
	// ReclaimRef names one run of a reclaim.
	ReclaimRef struct {
		Tenant  string `json:"tenant"`
		Archive string `json:"archive"` // the Frame.io project's ID
		Run     int    `json:"run"`
	}
	// ReclaimProgress is how far a step has come. The reasons are in the ledger.
	ReclaimProgress struct {
		// Ended says that the run must not continue: it was refused or met a surprise.
		Ended bool `json:"ended,omitempty"`
		// Done says that the step has nothing left to do.
		Done     bool          `json:"done,omitempty"`
		Approved bool          `json:"approved,omitempty"`
		Counts   ReclaimCounts `json:"counts"`
	}
	// ReclaimCounts are a run's totals.
	ReclaimCounts struct {
		Ready        int64 `json:"ready"`
		ReadyBytes   int64 `json:"ready_bytes"`
		Proven       int64 `json:"proven"`
		ProvenBytes  int64 `json:"proven_bytes"`
		Deleted      int64 `json:"deleted"`
		DeletedBytes int64 `json:"deleted_bytes"`
		Left         int64 `json:"left"`
		LeftBytes    int64 `json:"left_bytes"`
	}
	// PauseReclaimInput shows that a run is paused or continues.
	PauseReclaimInput struct {
		ReclaimRef
		Paused bool `json:"paused"`
	}
	// FinishReclaimInput ends a run. Status is empty if the ledger decides; otherwise cancelled or stopped.
	FinishReclaimInput struct {
		ReclaimRef
		Status string `json:"status,omitempty"`
		Reason string `json:"reason,omitempty"`
	}
	// ReclaimResult is how a run ended.
	ReclaimResult struct {
		Status string        `json:"status"`
		Counts ReclaimCounts `json:"counts"`
	}
)

// Ends of a reclaim that its workflow decides, as the ledger stores them (ledger.ReclaimStatus; a test keeps the two equal).
const (
	ReclaimStopped   = "stopped"
	ReclaimCancelled = "cancelled"
)
