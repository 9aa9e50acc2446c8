package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/english"
)

// MigrationInput starts or continues a migration.
type MigrationInput struct {
	MigrationRef
	// State is where the previous run stopped. The zero value starts from the beginning.
	State MigrationState `json:"state"`
}

// MigrationState is what a run hands on to the next one. Its size does not grow with the account.
type MigrationState struct {
	Listed bool   `json:"listed,omitempty"`
	Round  int    `json:"round,omitempty"`  // 0: the first pass; 1: what has changed since then
	Canary int    `json:"canary,omitempty"` // projects to bring over before the others wait for a go; 0: no limit
	Begun  int    `json:"begun,omitempty"`  // archives started so far
	Paused string `json:"paused,omitempty"` // why a person paused it; empty if nobody did
	Held   bool   `json:"held,omitempty"`   // the archives were told to pause
	Status string `json:"status,omitempty"` // as last recorded, with its reason
	Reason string `json:"reason,omitempty"`
	// Orderly makes a canceled migration wait for what is in progress, limits the canary to the first round and to what is not stuck,
	// lets a canary that only waits get its go, and keeps a paused migration from ending. Runs started by older versions do not have it.
	Orderly bool `json:"orderly,omitempty"`

	Standing Standing `json:"standing"`
}

// migration is one run of the workflow.
type migration struct {
	ref   MigrationRef
	state MigrationState

	news    bool // something happened that is worth a new look
	grown   bool // projects were added since the last survey
	closing bool // its report is being written
	ended   bool // its end is being recorded
	leave   bool // what is left waits for originals and continues on its own
	stop    workflow.CancelFunc
	stopped string         // why the cancel update stopped it
	writing workflow.Mutex // of the status, which updates write concurrently with the loop

	adding   int                   // updates that are listing more projects
	stopAdds []workflow.CancelFunc // for all of them, including those that have ended
}

// Migration brings over the projects of an account. The ledger has the list of them; each is an archive of its own.
func Migration(ctx workflow.Context, in MigrationInput) (MigrationResult, error) {
	m := &migration{ref: in.MigrationRef, state: in.State, writing: workflow.NewMutex(ctx)}
	if m.state.Orderly {
		ctx = workflow.WithValue(ctx, orderly{}, true)
	}
	ctx, m.stop = workflow.WithCancel(ctx)
	if err := m.setup(ctx); err != nil {
		return MigrationResult{}, err
	}
	err := m.run(ctx)
	var again *workflow.ContinueAsNewError
	if errors.As(err, &again) {
		return MigrationResult{}, err
	}
	return m.end(ctx, err)
}

func (m *migration) run(ctx workflow.Context) error {
	if !m.state.Listed {
		if err := m.show(ctx, MigrationPlanning, ""); err != nil {
			return err
		}
		if err := ActListProjects.Execute(forWalks(ctx, "list the account's projects"), m.ref); err != nil {
			return err
		}
		m.state.Listed = true
	}
	for {
		m.news, m.grown = false, false
		standing, err := ActSurveyMigration.Execute(forCalls(ctx, "how the projects stand"), m.ref)
		if err != nil {
			return err
		}
		m.state.Standing = standing
		m.leave = m.onlyOriginals() && markerEndsWithoutOriginals.isSet(ctx)
		m.describe(ctx)
		switch more, err := m.anotherRound(ctx); {
		case err != nil:
			return err
		case more, m.grown:
			continue
		case m.left() == 0 && m.adding == 0 && !m.staysPaused():
			m.closing = true
			if standing.Waiting > 0 {
				if err := ActReleaseProjects.Execute(forCalls(ctx, "let the archives go that wait for originals"), m.ref); err != nil {
					return err
				}
			}
			return ActWriteAccountReport.Execute(forWalks(ctx, "write the account's report"), AccountReportInput{MigrationRef: m.ref, Status: MigrationDone})
		}
		if err := m.advance(ctx); err != nil {
			return err
		}
		if err := m.await(ctx); err != nil {
			return err
		}
		if m.adding == 0 && workflow.GetInfo(ctx).GetContinueAsNewSuggested() { // the next run cannot wait for a listing that this one has begun
			return m.continueAsNew(ctx)
		}
	}
}

// anotherRound looks, once all projects have ended, for what has changed in Frame.io since. It does so at most deltaRounds times.
func (m *migration) anotherRound(ctx workflow.Context) (bool, error) {
	if m.left() > 0 || m.adding > 0 || m.state.Round >= deltaRounds || m.staysPaused() {
		return false, nil
	}
	changed, err := ActFindChanged.Execute(forWalks(ctx, "what has changed since"), m.ref)
	if err != nil {
		return false, err
	}
	m.state.Round++
	if m.state.Orderly { // nobody is left to wait for it
		m.state.Canary = 0
	}
	return changed > 0, nil
}

// onlyOriginals reports whether nothing is left but waiting for originals in Frame.io, and nobody has paused the migration.
func (m *migration) onlyOriginals() bool {
	s := m.state.Standing
	return s.Queued == 0 && s.Running == 0 && s.Waiting > 0 && s.Originals == s.Waiting && m.state.Paused == ""
}

// staysPaused reports whether somebody has paused the migration. It then does not end before it is resumed, even if every started
// archive has ended.
func (m *migration) staysPaused() bool { return m.state.Orderly && m.state.Paused != "" }

// left returns how many projects the migration must still see to their end.
func (m *migration) left() int {
	if m.leave {
		return 0
	}
	return m.state.Standing.Open()
}

// advance does what is due: it records where the migration stands, pauses or resumes archives, and starts the next ones.
func (m *migration) advance(ctx workflow.Context) error {
	status, reason := m.due()
	if err := m.show(ctx, status, reason); err != nil {
		return err
	}
	hold := status != MigrationRunning
	if hold != m.state.Held {
		if err := ActHoldProjects.Execute(forCalls(ctx, "pause or resume the archives"), HoldProjectsInput{MigrationRef: m.ref, Paused: hold}); err != nil {
			return err
		}
		m.state.Held = hold
	}
	if hold {
		return nil
	}
	most := m.state.Standing.Parallel - m.state.Standing.Running
	if m.state.Canary > 0 {
		most = min(most, m.state.Canary-m.state.Begun)
	}
	if most <= 0 || m.state.Standing.Queued == 0 {
		return nil
	}
	begun, err := ActStartProjects.Execute(forCalls(ctx, "start the next projects"), StartProjectsInput{MigrationRef: m.ref, Most: most, Round: m.state.Round, Canary: m.state.Canary})
	m.state.Begun = max(m.state.Begun+begun.Archives, begun.Begun)
	m.news = m.news || begun.Settled > 0 // others may be started in their place
	return err
}

// due returns the status that the migration should have, and why.
func (m *migration) due() (status, reason string) {
	s := m.state.Standing
	stuck := s.Waiting - s.Originals
	switch {
	case m.state.Paused != "":
		return MigrationPaused, m.state.Paused
	case m.waitsForGo():
		reason := m.first(m.state.Canary, english.Is(m.state.Canary)+" done")
		if m.state.Orderly && s.Waiting > 0 {
			reason = m.first(s.Waiting, english.Verb(s.Waiting, "wait")+" for originals in Frame.io")
		}
		if m.state.Canary == 1 {
			return MigrationPaused, reason + " Look at it, then resume the migration to bring over the others."
		}
		return MigrationPaused, reason + " Look at them, then resume the migration to bring over the others."
	case !m.state.Listed:
		return MigrationPlanning, ""
	case !s.WindowOpen:
		return MigrationScheduled, "Outside the migration's windows. The next one opens " + s.Opens
	case m.state.Orderly && s.Outage && s.Queued > 0:
		return MigrationRunning, fmt.Sprintf("All %s that are open are stuck: see the archive's reason. Others are started when one of them continues.", english.Count(stuck, "project"))
	case m.state.Orderly && m.canaryBegun() && s.Running == 0 && stuck > 0:
		return MigrationRunning, m.first(stuck, english.Is(stuck)+" stuck: see the archive's reason") + " The others wait for it."
	case s.Running == 0 && s.Queued == 0 && s.Waiting > 0:
		return MigrationRunning, fmt.Sprintf("%s %s for something that a person must do: see the archive's reason.", english.Count(s.Waiting, "project"), english.Verb(s.Waiting, "wait"))
	}
	return MigrationRunning, ""
}

// first returns a sentence about n of the canary's projects.
func (m *migration) first(n int, do string) string {
	all := english.Count(m.state.Canary, "project")
	switch {
	case m.state.Canary == 1:
		return "The first project " + do + "."
	case n == m.state.Canary:
		return "The first " + all + " " + do + "."
	}
	return fmt.Sprintf("Of the first %s, %d %s.", all, n, do)
}

func (m *migration) canaryBegun() bool {
	return m.state.Canary > 0 && m.state.Begun >= m.state.Canary && m.state.Standing.Queued > 0
}

// waitsForGo reports whether the canary's projects are done and somebody must decide whether the others follow.
func (m *migration) waitsForGo() bool {
	s := m.state.Standing
	return m.canaryBegun() && s.Running == 0 && (!m.state.Orderly || s.Waiting == s.Originals)
}

// await returns when something has happened, the window changes, or it is time to look again.
func (m *migration) await(ctx workflow.Context) error {
	wait := surveyInterval
	if at := m.state.Standing.Changes; !at.IsZero() {
		wait = min(wait, max(at.Sub(workflow.Now(ctx)), time.Second))
	}
	if m.state.Held && m.state.Standing.Running == 0 {
		wait = max(wait, min(idleInterval, wait*4))
	}
	_, err := workflow.AwaitWithTimeout(ctx, wait, func() bool { return m.news })
	return err
}

// show records where the migration stands, if that has changed.
func (m *migration) show(ctx workflow.Context, status, reason string) error {
	if err := m.writing.Lock(ctx); err != nil {
		return err
	}
	defer m.writing.Unlock()
	if status == m.state.Status && reason == m.state.Reason {
		return nil
	}
	in := MigrationStatusInput{MigrationRef: m.ref, Status: status, Reason: reason, WaitsForGo: status == MigrationPaused && m.state.Paused == ""}
	if err := ActSetMigrationStatus.Execute(forCalls(ctx, "status "+status), in); err != nil {
		return err
	}
	m.state.Status, m.state.Reason = status, reason
	return nil
}

func (m *migration) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	ended := workflow.GetSignalChannel(ctx, SignalEnded)
	for ended.ReceiveAsync(nil) { // the next run surveys first
	}
	return workflow.NewContinueAsNewError(ctx, MigrationName, MigrationInput{MigrationRef: m.ref, State: m.state})
}

// end records how the migration ended. If it did not end on its own, its archives are canceled with it.
func (m *migration) end(ctx workflow.Context, cause error) (MigrationResult, error) {
	m.ended = true
	out := MigrationEndInput{MigrationRef: m.ref, Status: MigrationDone}
	switch {
	case cause == nil:
	case temporal.IsCanceledError(cause) || m.stopped != "":
		out.Status, out.Reason = MigrationCancelled, m.stopped
	default:
		out.Status, out.Fault, out.Reason = MigrationFailed, faultOf(cause), reasonOf(cause)
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if cause != nil {
		if err := m.stopAdding(ctx); err != nil {
			return MigrationResult{}, err
		}
		if err := m.cancelArchives(ctx); err != nil {
			return MigrationResult{}, err
		}
		if err := ActWriteAccountReport.Execute(forFinish(ctx, "write the account's report"), AccountReportInput{MigrationRef: m.ref, Status: out.Status, Reason: out.Reason}); err != nil {
			workflow.GetLogger(ctx).Warn("the account's report was not stored in iconik", "error", err)
		}
	}
	res, err := ActFinishMigration.Execute(forFinish(ctx, "record the result"), out)
	if err == nil {
		m.state.Status, m.state.Reason = res.Status, res.Reason
		err = m.mail(ctx)
	}
	m.describe(ctx)
	switch {
	case err != nil:
		return res, err
	case out.Status == MigrationCancelled && m.stopped == "":
		return res, temporal.NewCanceledError(out.Reason)
	case out.Status == MigrationFailed:
		return res, cause
	}
	return res, workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// cancelArchives cancels the archives that the migration started, and waits until they have ended or cancelLooks is used up.
func (m *migration) cancelArchives(ctx workflow.Context) error {
	left, err := ActCancelProjects.Execute(forFinish(ctx, "cancel the archives"), m.ref)
	for look := 0; err == nil && left > 0 && look < cancelLooks; look++ {
		m.news = false
		if _, err = workflow.AwaitWithTimeout(ctx, cancelInterval, func() bool { return m.news }); err == nil {
			left, err = ActCancelProjects.Execute(forFinish(ctx, "cancel the archives"), m.ref)
		}
	}
	return err
}
