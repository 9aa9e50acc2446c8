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

// Statuses of a migration, as the ledger stores them (ledger.MigrationStatus; a test keeps the two equal).
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
	// Standing is the state of a migration's projects and windows.
	Standing struct {
		Total   int `json:"total"`
		Queued  int `json:"queued"`
		Running int `json:"running"`
		Waiting int `json:"waiting"`
		// Originals counts those of Waiting that wait for originals in Frame.io and for nothing else.
		Originals int `json:"originals,omitempty"`
		Parallel  int `json:"parallel"` // archives at once
		// Outage says that everything open is stuck. Nothing more is started until something continues.
		Outage bool `json:"outage,omitempty"`

		WindowOpen bool      `json:"window_open"`
		Opens      string    `json:"opens,omitempty"` // in words, if the window is closed
		Changes    time.Time `json:"changes"`         // when the windows' answer changes; zero: never
	}
	// StartProjectsInput asks for the next projects in the order of the list.
	StartProjectsInput struct {
		MigrationRef
		Most  int `json:"most"`
		Round int `json:"round"`
		// Canary is how many archives may begin in total before somebody gives a go; 0: no limit.
		Canary int `json:"canary,omitempty"`
	}
	// StartProjectsResult says how many archives were started or joined, and how many projects need none.
	StartProjectsResult struct {
		Archives int `json:"archives"`
		Settled  int `json:"settled,omitempty"`
		Begun    int `json:"begun,omitempty"` // in total, if there is a limit
	}
	// HoldProjectsInput pauses or resumes the archives of a migration.
	HoldProjectsInput struct {
		MigrationRef
		Paused bool `json:"paused"`
	}
	// AddProjectsInput lists projects that are not in the migration yet.
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
		// WaitsForGo says that it is paused after its first projects, and not by a person.
		WaitsForGo bool `json:"waits_for_go,omitempty"`
	}
	// AccountReportInput asks for the report. Status is how the migration is about to end.
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

// Open returns how many projects have not ended.
func (s Standing) Open() int { return s.Queued + s.Running + s.Waiting }
