package workflows

import "time"

// Activities of a migration.
var (
	ActListProjects       = task[MigrationRef]("ListProjects")
	ActSurveyMigration    = declare[MigrationRef, Standing]("SurveyMigration")
	ActStartProjects      = declare[StartProjectsInput, StartProjectsResult]("StartProjects")
	ActHoldProjects       = task[HoldProjectsInput]("HoldProjects")
	ActAddProjects        = declare[AddProjectsInput, AddProjectsResult]("AddProjects")
	ActFindChanged        = declare[MigrationRef, int]("FindChanged")
	ActOrderProject       = task[OrderProjectInput]("OrderProject")
	ActReleaseProjects    = task[MigrationRef]("ReleaseProjects")
	ActCancelProjects     = declare[MigrationRef, int]("CancelProjects")
	ActSetMigrationStatus = task[MigrationStatusInput]("SetMigrationStatus")
	ActWriteAccountReport = task[AccountReportInput]("WriteAccountReport")
	ActFinishMigration    = declare[MigrationEndInput, MigrationResult]("FinishMigration")
	ActNotifyMigration    = task[MigrationRef]("NotifyMigration")
)

// Where a migration stands, as the ledger writes it (ledger.MigrationStatus, which a test holds to these).
const (
	MigrationPlanning  = "planning"
	MigrationRunning   = "running"
	MigrationPaused    = "paused"
	MigrationScheduled = "waiting_for_window"
	MigrationDone      = "done"
	MigrationCancelled = "cancelled"
	MigrationFailed    = "failed"
)

type (
	// MigrationRef names one migration in every activity's input.
	MigrationRef struct {
		Tenant    string `json:"tenant"`
		Migration string `json:"migration"`
	}
	// Standing is how a migration's projects stand, and what its windows say.
	Standing struct {
		Total   int `json:"total"`
		Queued  int `json:"queued"`
		Running int `json:"running"`
		Waiting int `json:"waiting"`
		// Originals are those of Waiting that wait for originals in Frame.io, and for nothing else.
		Originals int `json:"originals,omitempty"`
		Parallel  int `json:"parallel"` // archives at once
		// Outage: all that is open is stuck. Nothing more is started until something goes on.
		Outage bool `json:"outage,omitempty"`

		WindowOpen bool      `json:"window_open"`
		Opens      string    `json:"opens,omitempty"` // in words, where it is closed
		Changes    time.Time `json:"changes"`         // when the windows say something else; zero: never
	}
	// StartProjectsInput asks for the next projects in the order of the list.
	StartProjectsInput struct {
		MigrationRef
		Most  int `json:"most"`
		Round int `json:"round"`
		// Canary is how many archives may have begun in all before somebody gives a go; 0: any number.
		Canary int `json:"canary,omitempty"`
	}
	// StartProjectsResult says how many archives were started or joined, and how many projects need none.
	StartProjectsResult struct {
		Archives int `json:"archives"`
		Settled  int `json:"settled,omitempty"`
		Begun    int `json:"begun,omitempty"` // in all, where that is limited
	}
	// HoldProjectsInput lets the archives of a migration stand still or go on.
	HoldProjectsInput struct {
		MigrationRef
		Paused bool `json:"paused"`
	}
	// AddProjectsInput lists projects that the migration has not.
	AddProjectsInput struct {
		MigrationRef
		AddUpdate
	}
	// AddProjectsResult says how many projects were added.
	AddProjectsResult struct {
		Added int `json:"added"`
	}
	// OrderProjectInput gives a queued project another place.
	OrderProjectInput struct {
		MigrationRef
		OrderUpdate
	}
	// MigrationStatusInput is what GET /migrations shows from now on.
	MigrationStatusInput struct {
		MigrationRef
		Status string `json:"status"`
		Reason string `json:"reason,omitempty"`
		// WaitsForGo: it is paused after its first projects, and not by a person.
		WaitsForGo bool `json:"waits_for_go,omitempty"`
	}
	// AccountReportInput asks for the report; Status is how the migration is about to end.
	AccountReportInput struct {
		MigrationRef
		Status string `json:"status"`
		Reason string `json:"reason,omitempty"`
	}
	// MigrationEndInput ends a migration.
	MigrationEndInput struct {
		MigrationRef
		Status string `json:"status"`
		Reason string `json:"reason,omitempty"`
		Fault  string `json:"fault,omitempty"`
	}
	// MigrationResult is how a migration ended.
	MigrationResult struct {
		Status string `json:"status"`
		Reason string `json:"reason,omitempty"`
	}
)

// Open is how many projects have not ended.
func (s Standing) Open() int { return s.Queued + s.Running + s.Waiting }
