package control

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// silent accepts updates but never responds, and knows no workflow until one is started.
type silent struct {
	client.Client
	started []workflows.ReclaimInput
	closing int // how often a workflow that has recorded its result still appears to be running
}

func (*silent) UpdateWorkflow(context.Context, client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return nil, context.DeadlineExceeded
}

func (s *silent) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if s.closing > 0 {
		s.closing--
		return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflow.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING}}, nil
	}
	return nil, serviceerror.NewNotFound("none")
}

func (s *silent) ExecuteWorkflow(_ context.Context, _ client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	s.started = append(s.started, args[0].(workflows.ReclaimInput))
	return nil, nil
}

// reclaiming returns the service of a person at the command line, with a project whose reclaim was requested in the console.
func reclaiming(t *testing.T, who string, status ledger.ReclaimStatus) (*Service, *silent, ledger.ArchiveLedger) {
	t.Helper()
	l, err := ledger.Open(t.Context(), "sqlite:"+t.TempDir()+"/l.db")
	require.NoError(t, err)
	t.Cleanup(l.Close)
	h := l.Tenant("T").Archive("p")
	_, _, err = h.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, _, err = h.RequestReclaim(t.Context(), ledger.Reclaim{Status: status, RequestedBy: ledger.Actor{Kind: ledger.ActorConsole, Name: "edith@post.example"}})
	require.NoError(t, err)
	temporal := &silent{}
	return New(config.Hold(&config.Config{}), "", ledger.Actor{Kind: ledger.ActorCommand, Name: who}, l, temporal, slog.New(slog.DiscardHandler)), temporal, h
}

func actions(t *testing.T, s *Service) (out []string) {
	t.Helper()
	entries, err := s.Ledger.Tenant("T").AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	for _, e := range entries {
		out = append(out, e.Action+" by "+e.Actor.Name)
	}
	return out
}

// What was done to a reclaim is in the audit log even if the workflow does not respond in time.
func TestAControlThatIsNotAnsweredIsAudited(t *testing.T) {
	t.Parallel()
	s, _, h := reclaiming(t, "sam", ledger.ReclaimWaiting)
	_, err := s.ControlReclaim(t.Context(), &config.Tenant{ID: "T"}, "p", VerbApprove)
	require.ErrorIs(t, err, ErrUnavailable)
	row, _, err := h.Reclaim(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "sam", row.ApprovedBy.Name)
	assert.Equal(t, []string{"reclaim approve by sam"}, actions(t, s))
	_, err = s.ControlReclaim(t.Context(), &config.Tenant{ID: "T"}, "p", VerbCancel)
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ElementsMatch(t, []string{"reclaim approve by sam", "reclaim cancel by sam"}, actions(t, s))
}

// The console knows people by address, the command line by account. The same name does not count as a second person.
func TestOnePersonOfTwoChannelsCannotApprove(t *testing.T) {
	t.Parallel()
	s, _, h := reclaiming(t, "Edith", ledger.ReclaimWaiting)
	_, err := s.ControlReclaim(t.Context(), &config.Tenant{ID: "T"}, "p", VerbApprove)
	require.ErrorContains(t, err, "cannot approve it")
	row, _, err := h.Reclaim(t.Context())
	require.NoError(t, err)
	assert.True(t, row.ApprovedAt.IsZero())
	assert.Empty(t, actions(t, s))
}

// Whoever reads how a reclaim ended and asks again at once means the next run, because its workflow is about to close.
func TestAReclaimThatIsAboutToCloseIsWaitedFor(t *testing.T) {
	t.Parallel()
	for closing, want := range map[int]string{2: "", 1000: "ask again in a minute"} {
		s, temporal, h := reclaiming(t, "sam", ledger.ReclaimRefused)
		temporal.closing = closing
		_, err := h.UpdateReclaim(t.Context(), func(r *ledger.Reclaim) error { r.FinishedAt = time.Now(); return nil })
		require.NoError(t, err)
		_, err = s.StartReclaim(t.Context(), &config.Tenant{ID: "T"}, ledger.Archive{ID: "p", Name: "Pilot"}, ReclaimRequest{DryRun: true})
		if want == "" {
			require.NoError(t, err)
			assert.Len(t, temporal.started, 1)
			continue
		}
		require.ErrorContains(t, err, want)
		assert.Empty(t, temporal.started)
	}
}

// A run that was terminated in Temporal is closed by the next request: its workflow records its end and certifies what was deleted.
func TestATerminatedReclaimIsClosed(t *testing.T) {
	t.Parallel()
	s, temporal, h := reclaiming(t, "sam", ledger.ReclaimDeleting)
	archive := ledger.Archive{ID: "p", Name: "Pilot"}
	ask := func() error {
		_, err := s.StartReclaim(t.Context(), &config.Tenant{ID: "T"}, archive, ReclaimRequest{DryRun: true})
		return err
	}
	for range 2 { // even if that workflow came to nothing
		require.ErrorContains(t, ask(), "ask again")
	}
	require.Len(t, temporal.started, 2)
	assert.Equal(t, workflows.ReclaimInput{ReclaimRef: workflows.ReclaimRef{Tenant: "T", Archive: "p", Run: 1}, State: workflows.ReclaimOver()}, temporal.started[1])
	row, _, err := h.Reclaim(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReclaimStopped, row.Status)
	assert.Contains(t, actions(t, s), "reclaim closed by sam")
	_, err = h.UpdateReclaim(t.Context(), func(r *ledger.Reclaim) error { r.FinishedAt = time.Now(); return nil })
	require.NoError(t, err)
	require.NoError(t, ask())
	assert.Equal(t, 2, temporal.started[2].Run)
	assert.Contains(t, actions(t, s), "reclaim examined by sam")
}

// begins accepts the start of a workflow, but its answer is lost.
type begins struct {
	silent
	h ledger.ArchiveLedger
}

func (b *begins) ExecuteWorkflow(ctx context.Context, _ client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	_, err := b.h.UpdateReclaim(ctx, func(r *ledger.Reclaim) error { r.ArchiveRun = 1; return nil })
	return nil, errors.Join(serviceerror.NewUnavailable("down"), err)
}

// Only Temporal's answer was lost, and the run has begun, so it is not refused.
func TestAReclaimThatHasBegunIsNotRefused(t *testing.T) {
	t.Parallel()
	s, _, h := reclaiming(t, "sam", ledger.ReclaimRefused)
	s.Temporal = &begins{h: h}
	_, err := h.UpdateReclaim(t.Context(), func(r *ledger.Reclaim) error { r.FinishedAt = time.Now(); return nil })
	require.NoError(t, err)
	_, err = s.StartReclaim(t.Context(), &config.Tenant{ID: "T"}, ledger.Archive{ID: "p", Name: "Pilot"}, ReclaimRequest{DryRun: true})
	require.NoError(t, err)
	row, _, err := h.Reclaim(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReclaimExamining, row.Status)
	assert.True(t, row.FinishedAt.IsZero())
	assert.Equal(t, []string{"reclaim examined by sam"}, actions(t, s))
}

// A typed name matches in whichever Unicode form the keyboard writes it.
func TestATypedNameIsTheProjects(t *testing.T) {
	t.Parallel()
	for typed, right := range map[string]bool{"Cafe\u0301 Noir - Archived": true, "Caf\u00e9 Noir - Archived": true, "caf\u00e9 noir - archived": false, "Cafe Noir - Archived": false,
		"Caf\u00e9 Noir - Archived ": false, "Caf\u00e9  Noir - Archived": false, "Caf\u00e9\u00a0Noir - Archived": false, "Caf\u00e9 Noir": false} {
		s, temporal, h := reclaiming(t, "sam", ledger.ReclaimRefused)
		_, err := h.UpdateReclaim(t.Context(), func(r *ledger.Reclaim) error { r.FinishedAt = time.Now(); return nil })
		require.NoError(t, err)
		tenant := &config.Tenant{ID: "T"}
		tenant.Archive.Reclaim = "allowed"
		_, err = s.StartReclaim(t.Context(), tenant, ledger.Archive{ID: "p", Name: "Caf\u00e9 Noir - Archived"}, ReclaimRequest{Name: typed})
		if right {
			require.NoError(t, err, typed)
			assert.Len(t, temporal.started, 1)
			continue
		}
		require.ErrorContains(t, err, "not the project's name", typed)
		assert.Empty(t, temporal.started)
	}
}

// iconik refused the certificate of a run that has deleted files. It is made before another run begins, because nothing would make it later.
func TestAMissingCertificateIsMadeFirst(t *testing.T) {
	t.Parallel()
	s, temporal, h := reclaiming(t, "sam", ledger.ReclaimDone)
	ask := func() error {
		_, err := s.StartReclaim(t.Context(), &config.Tenant{ID: "T"}, ledger.Archive{ID: "p", Name: "Pilot"}, ReclaimRequest{DryRun: true})
		return err
	}
	require.NoError(t, h.PutReclaimFiles(t.Context(), 1, []ledger.ReclaimFile{{Seq: 1, SourceID: "f", State: ledger.ReclaimDeleted}}))
	_, err := h.UpdateReclaim(t.Context(), func(r *ledger.Reclaim) error { r.FinishedAt = time.Now(); return nil })
	require.NoError(t, err)
	for range 2 {
		require.ErrorContains(t, ask(), "no deletion certificate")
	}
	require.Len(t, temporal.started, 2)
	assert.Equal(t, workflows.ReclaimInput{ReclaimRef: workflows.ReclaimRef{Tenant: "T", Archive: "p", Run: 1}, State: workflows.ReclaimOver()}, temporal.started[1])
	_, err = h.UpdateReclaim(t.Context(), func(r *ledger.Reclaim) error { r.Certificate = "asset"; return nil })
	require.NoError(t, err)
	require.NoError(t, ask())
	assert.Equal(t, 2, temporal.started[2].Run)
}
