package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

const (
	mirrorJitter  = 10 * time.Minute // spreads tenants that all chose midnight
	mirrorCatchUp = 4 * time.Hour    // how late a run may start after an outage
)

// Mirror is a schedule that archives selected projects repeatedly.
type Mirror struct {
	Name      string            `json:"name"`
	Selection account.Selection `json:"selection"`
	At        string            `json:"at"`   // 02:00
	Days      string            `json:"days"` // daily, mon-fri or sat,sun
	Zone      string            `json:"zone"` // Europe/Berlin
}

// MirrorView is a mirror with its last result and its next run.
type MirrorView struct {
	Mirror
	Paused  bool                    `json:"paused"`
	Note    string                  `json:"note,omitempty"`
	Running bool                    `json:"running"`
	Skipped int                     `json:"skipped"` // number of runs skipped because the previous one had not ended
	LastAt  *time.Time              `json:"last_at"`
	Last    *workflows.MirrorResult `json:"last"`
	Failed  string                  `json:"failed,omitempty"` // why the last run ended without a result
	NextAt  *time.Time              `json:"next_at"`
	URL     string                  `json:"temporal_url,omitempty"`
}

var (
	mirrorName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	clockTime  = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])$`)
	weekdays   = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// withDefaults fills in the fields that a person left empty.
func (m Mirror) withDefaults() Mirror {
	m.Name, m.At, m.Days, m.Zone = cmp.Or(m.Name, "nightly"), cmp.Or(m.At, "02:00"), cmp.Or(strings.ToLower(m.Days), "daily"), cmp.Or(m.Zone, "UTC")
	return m
}

// spec returns the schedule's times. Its errors are *account.FieldError.
func (m Mirror) spec() (client.ScheduleSpec, error) {
	none := client.ScheduleSpec{}
	if len(m.Name) > 40 || !mirrorName.MatchString(m.Name) {
		return none, &account.FieldError{Field: "name", Why: fmt.Sprintf("%q is not a valid name: use up to 40 lowercase letters, digits and hyphens", m.Name)}
	}
	at := clockTime.FindStringSubmatch(m.At)
	if at == nil {
		return none, &account.FieldError{Field: "at", Why: fmt.Sprintf("%q is not a time of day: write 02:00", m.At)}
	}
	days, ok := daysOf(m.Days)
	if !ok {
		return none, &account.FieldError{Field: "days", Why: fmt.Sprintf("%q is not a list of days: write daily, mon-fri or sat,sun", m.Days)}
	}
	if _, err := time.LoadLocation(m.Zone); err != nil || m.Zone == "Local" {
		return none, &account.FieldError{Field: "zone", Why: fmt.Sprintf("%q is not a time zone: write Europe/Berlin or UTC", m.Zone)}
	}
	if err := m.Selection.Validate(); err != nil {
		return none, err
	}
	var hour, minute int
	_, _ = fmt.Sscanf(m.At, "%d:%d", &hour, &minute) // the pattern guarantees it
	return client.ScheduleSpec{
		Calendars: []client.ScheduleCalendarSpec{{Hour: one(hour), Minute: one(minute), DayOfWeek: days}}, TimeZoneName: m.Zone, Jitter: mirrorJitter,
	}, nil
}

func one(n int) []client.ScheduleRange { return []client.ScheduleRange{{Start: n, End: n}} }

// daysOf parses days and ranges of them. A range may wrap around the end of the week.
func daysOf(text string) ([]client.ScheduleRange, bool) {
	if text == "daily" {
		return []client.ScheduleRange{{Start: 0, End: 6}}, true
	}
	var out []client.ScheduleRange
	for part := range strings.SplitSeq(text, ",") {
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		first, last := slices.Index(weekdays, from), slices.Index(weekdays, to)
		if !ranged {
			last = first
		}
		switch {
		case first < 0 || last < 0:
			return nil, false
		case first <= last:
			out = append(out, client.ScheduleRange{Start: first, End: last})
		default:
			out = append(out, client.ScheduleRange{Start: first, End: 6}, client.ScheduleRange{Start: 0, End: last})
		}
	}
	return out, true
}

// StartMirror creates a mirror, or changes the selection and time of the one with that name.
func (s *Service) StartMirror(ctx context.Context, t *config.Tenant, m Mirror) (MirrorView, error) {
	m = m.withDefaults()
	spec, err := m.spec()
	if err != nil {
		return MirrorView{}, err
	}
	take, err := json.Marshal(m.Selection)
	if err != nil {
		return MirrorView{}, err
	}
	action := &client.ScheduleWorkflowAction{ID: workflows.MirrorRunID(t.ID, m.Name), Workflow: workflows.MirrorName, TaskQueue: s.Config().Temporal.TaskQueue, StaticSummary: "Mirror " + m.Name,
		Args: []any{workflows.MirrorInput{Tenant: t.ID, Name: m.Name, Selection: take, At: m.At, Days: m.Days, Zone: m.Zone}}}
	action.TypedSearchAttributes = s.tagged(workflows.Keyword(workflows.AttributeTenant, t.ID))
	_, err = s.Temporal.ScheduleClient().Create(ctx, client.ScheduleOptions{ID: workflows.MirrorID(t.ID, m.Name), Spec: spec, Action: action, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: mirrorCatchUp})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		err = s.Temporal.ScheduleClient().GetHandle(ctx, workflows.MirrorID(t.ID, m.Name)).Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			next := in.Description.Schedule
			next.Spec, next.Action = &spec, action
			return &client.ScheduleUpdate{Schedule: &next}, nil
		}})
	}
	if err != nil {
		return MirrorView{}, errors.Join(ErrUnavailable, err)
	}
	if err := s.auditMirror(ctx, t, "mirror.start", m.Name, m.At+" "+m.Days+" "+m.Zone); err != nil {
		return MirrorView{}, err
	}
	return s.mirror(ctx, t, m.Name)
}

func (s *Service) auditMirror(ctx context.Context, t *config.Tenant, action, name, detail string) error {
	return s.Audit(ctx, t, ledger.AuditEntry{Action: action, ObjectKind: "mirror", ObjectID: name, Detail: ledger.AuditText(detail)})
}

// StopMirror removes a mirror and ends its run. Archives that it has started continue.
func (s *Service) StopMirror(ctx context.Context, t *config.Tenant, name string) error {
	v, err := s.mirror(ctx, t, name)
	if err != nil {
		return err
	}
	h := s.Temporal.ScheduleClient().GetHandle(ctx, workflows.MirrorID(t.ID, name))
	d, err := h.Describe(ctx)
	if err != nil {
		return mirrorError(name, err)
	}
	for _, run := range d.Info.RunningWorkflows { // first: without the schedule, nobody could ask for it again
		var gone *serviceerror.NotFound
		if err := s.Temporal.CancelWorkflow(ctx, run.WorkflowID, ""); err != nil && !errors.As(err, &gone) {
			return errors.Join(ErrUnavailable, err)
		}
	}
	if err := h.Delete(ctx); err != nil {
		return mirrorError(name, err)
	}
	return s.auditMirror(ctx, t, "mirror.stop", v.Name, "")
}

// PauseMirror keeps a mirror from starting; note says why. A run in progress continues.
func (s *Service) PauseMirror(ctx context.Context, t *config.Tenant, name, note string) error {
	err := s.Temporal.ScheduleClient().GetHandle(ctx, workflows.MirrorID(t.ID, name)).Pause(ctx, client.SchedulePauseOptions{Note: cmp.Or(note, "paused manually")})
	if err != nil {
		return mirrorError(name, err)
	}
	return s.auditMirror(ctx, t, "mirror.pause", name, note)
}

// ResumeMirror lets a mirror start again at its next time.
func (s *Service) ResumeMirror(ctx context.Context, t *config.Tenant, name, note string) error {
	err := s.Temporal.ScheduleClient().GetHandle(ctx, workflows.MirrorID(t.ID, name)).Unpause(ctx, client.ScheduleUnpauseOptions{Note: cmp.Or(note, "resumed")})
	if err != nil {
		return mirrorError(name, err)
	}
	return s.auditMirror(ctx, t, "mirror.resume", name, note)
}

// RunMirror starts a run of the mirror now, unless one is already running.
func (s *Service) RunMirror(ctx context.Context, t *config.Tenant, name string) error {
	err := s.Temporal.ScheduleClient().GetHandle(ctx, workflows.MirrorID(t.ID, name)).Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP})
	if err != nil {
		return mirrorError(name, err)
	}
	return s.auditMirror(ctx, t, "mirror.run", name, "")
}

func mirrorError(name string, err error) error {
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return &Missing{Refusal{"there is no mirror " + name}}
	}
	return errors.Join(ErrUnavailable, err)
}

// Mirrors lists a tenant's mirrors by name.
func (s *Service) Mirrors(ctx context.Context, t *config.Tenant) ([]MirrorView, error) {
	list, err := s.Temporal.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: 100})
	if err != nil {
		return nil, errors.Join(ErrUnavailable, err)
	}
	out := []MirrorView{}
	for list.HasNext() {
		entry, err := list.Next()
		if err != nil {
			return nil, errors.Join(ErrUnavailable, err)
		}
		name, ours := strings.CutPrefix(entry.ID, workflows.MirrorID(t.ID, ""))
		if !ours {
			continue
		}
		v, err := s.mirror(ctx, t, name)
		var gone *Refusal
		if errors.As(err, &gone) { // removed since it was listed
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(x, y MirrorView) int { return cmp.Compare(x.Name, y.Name) })
	return out, nil
}

func (s *Service) mirror(ctx context.Context, t *config.Tenant, name string) (MirrorView, error) {
	d, err := s.Temporal.ScheduleClient().GetHandle(ctx, workflows.MirrorID(t.ID, name)).Describe(ctx)
	if err != nil {
		return MirrorView{}, mirrorError(name, err)
	}
	v := MirrorView{Mirror: Mirror{Name: name}, Running: len(d.Info.RunningWorkflows) > 0, Skipped: d.Info.NumActionsSkippedOverlap}
	if action, ok := d.Schedule.Action.(*client.ScheduleWorkflowAction); ok {
		s.readMirror(&v, action)
	}
	if state := d.Schedule.State; state != nil {
		v.Paused, v.Note = state.Paused, state.Note
	}
	if next := d.Info.NextActionTimes; len(next) > 0 && !v.Paused {
		v.NextAt = &next[0]
	}
	if n := len(d.Info.RecentActions); n > 0 {
		last := d.Info.RecentActions[n-1]
		v.LastAt = &last.ActualTime
		if run := last.StartWorkflowResult; run != nil {
			v.URL = temporalclient.WorkflowURL(s.Config().Temporal, run.WorkflowID)
			if !v.Running {
				s.readLast(ctx, &v, run.WorkflowID)
			}
		}
	}
	return v, nil
}

// readMirror reads the definition back from the schedule, where it is stored.
func (s *Service) readMirror(v *MirrorView, action *client.ScheduleWorkflowAction) {
	converted, _, err := temporalclient.Converters(s.Config().Temporal.Codec)
	if err != nil || len(action.Args) == 0 {
		return
	}
	payload, ok := action.Args[0].(*commonpb.Payload)
	var in workflows.MirrorInput
	if !ok || converted.FromPayload(payload, &in) != nil {
		return
	}
	v.At, v.Days, v.Zone = in.At, in.Days, in.Zone
	_ = json.Unmarshal(in.Selection, &v.Selection) // written by StartMirror
}

// readLast adds the result of the last run to the view.
func (s *Service) readLast(ctx context.Context, v *MirrorView, workflowID string) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var res workflows.MirrorResult
	switch err := s.Temporal.GetWorkflow(ctx, workflowID, "").Get(ctx, &res); {
	case err == nil:
		v.Last = &res
	case ctx.Err() == nil:
		v.Failed = reasonOf(err)
	}
}
