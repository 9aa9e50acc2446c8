// Package lintobservability has the tests of what is in deploy/observability. It is a separate module, because Prometheus comes
// as a Go module, and the product does not need its engine.
package lintobservability

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	alertsFile  = "../../deploy/observability/alerts.yaml"
	runbookFile = "../../docs/runbook.md"
	step        = time.Minute
)

// loaded returns the alert rules over series, written as Prometheus's own tests write them.
func loaded(t *testing.T, series string) (*promqltest.LazyLoader, []*rules.Group) {
	t.Helper()
	p := parser.NewParser(parser.Options{})
	suite, err := promqltest.NewLazyLoader("load 1m\n"+series, promqltest.LazyLoaderOpts{Parser: p})
	require.NoError(t, err)
	t.Cleanup(func() { _ = suite.Close() })
	m := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(suite.QueryEngine(), suite.Storage()), AppendableV2: suite.Storage(), Context: t.Context(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Logger: promslog.NewNopLogger(), Parser: p,
	})
	byName, errs := m.LoadGroups(step, labels.EmptyLabels(), "", nil, false, alertsFile)
	require.Empty(t, errs)
	var groups []*rules.Group
	for _, g := range byName {
		groups = append(groups, g)
		for _, r := range g.Rules() {
			if a, ok := r.(*rules.AlertingRule); ok {
				a.SetRestored(true)
			}
		}
	}
	return suite, groups
}

// firing evaluates the rules every minute until at, and returns what then fires, with its summary.
func firing(t *testing.T, series string, at time.Duration) map[string][]string {
	t.Helper()
	suite, groups := loaded(t, series)
	out := map[string][]string{}
	for ts := time.Unix(0, 0).UTC(); ts.Unix() <= int64(at.Seconds()); ts = ts.Add(step) {
		last := ts.Add(step).Unix() > int64(at.Seconds())
		suite.WithSamplesTill(ts, func(err error) {
			require.NoError(t, err)
			for _, g := range groups {
				g.Eval(suite.Context(), ts)
				for _, r := range g.Rules() {
					require.NoError(t, r.LastError(), r.Name())
					if a, ok := r.(*rules.AlertingRule); ok && last {
						for _, active := range a.ActiveAlerts() {
							if active.State == rules.StateFiring {
								out[r.Name()] = append(out[r.Name()], active.Annotations.Get("summary"))
							}
						}
					}
				}
			}
		})
	}
	return out
}

func alertRules(t *testing.T) []*rules.AlertingRule {
	t.Helper()
	_, groups := loaded(t, "")
	var all []*rules.AlertingRule
	for _, g := range groups {
		for _, r := range g.Rules() {
			a, ok := r.(*rules.AlertingRule)
			require.True(t, ok, r.Name())
			all = append(all, a)
		}
	}
	return all
}

// alertCase is one alert, with series in which it fires at some time, and others in which it does not.
type alertCase struct {
	alert        string
	fires, quiet string
	at           time.Duration
	summary      string
}

var cases = []alertCase{
	{"FramebridgeDown", `up{job="framebridge-worker",instance="w"} 1 0x20`, `up{job="framebridge-worker",instance="w"} 1 0x3 1x20
up{job="other",instance="o"} 0x30`, 10 * time.Minute, "framebridge-worker on w does not answer."},
	{"FramebridgeLedgerUnreachable", `framebridge_ledger_up{instance="s"} 0x20`, `framebridge_ledger_up{instance="s"} 1x20`, 10 * time.Minute, "The starter on s cannot read or write the ledger."},
	{"FramebridgeArchiveFailed", `framebridge_archive_last_failure_timestamp_seconds{tenant="t",status="failed"} 300x80`, `framebridge_archive_last_failure_timestamp_seconds{tenant="t",status="failed"} -3600x80`,
		10 * time.Minute, "An archive of tenant t ended failed within the last hour."},
	{"FramebridgeStuck", `framebridge_stuck_attempts_total{tenant="t",activity="a"} _x5 1 2 3 4x20`, `framebridge_stuck_attempts_total{tenant="t",activity="a"} 4x100`, 15 * time.Minute,
		"Something has failed for an hour or longer and is tried again."},
	{"FramebridgeQueueStandsStill", `framebridge_archive_queue_seconds{tenant="t"} 90000x60
framebridge_archives{tenant="t",status="running"} 0x60
framebridge_archives{tenant="t",status="waiting"} 1x60`, `framebridge_archive_queue_seconds{tenant="t"} 90000x60
framebridge_archives{tenant="t",status="running"} 1x60`, 45 * time.Minute, "An archive of tenant t has waited for a day, and none is running."},
	{"FramebridgeMigrationWaits", `framebridge_migrations{tenant="t",status="waiting_for_go"} 1x30`, `framebridge_migrations{tenant="t",status="waiting_for_go"} 1x10 0x20
framebridge_migrations{tenant="t",status="paused"} 1x30`, 20 * time.Minute, "The migration of tenant t has brought over its first projects and waits for somebody to resume it."},
	{"FramebridgeMigrationFailed", `framebridge_event_last_timestamp_seconds{tenant="t",type="migration.incomplete"} 300x80`, `framebridge_event_last_timestamp_seconds{tenant="t",type="migration.failed"} -3600x80
framebridge_event_last_timestamp_seconds{tenant="t",type="mirror.failed"} 300x80`, 10 * time.Minute, "The migration of tenant t has ended within the last hour, and not all projects are archived."},
	{"FramebridgeMirrorFailed", `framebridge_event_last_timestamp_seconds{tenant="t",type="mirror.failed"} 300x80`, `framebridge_event_last_timestamp_seconds{tenant="t",type="mirror.failed"} -3600x80`, 10 * time.Minute,
		"A mirror of tenant t, or archives of it, failed within the last hour."},
	{"FramebridgeReclaimStopped", `framebridge_event_last_timestamp_seconds{tenant="t",type="reclaim.stopped"} 300x80`, `framebridge_event_last_timestamp_seconds{tenant="t",type="reclaim.stopped"} -3600x80`, 10 * time.Minute,
		"A deletion in Frame.io of tenant t has stopped within the last hour."},
	{"FramebridgeReviewNotSynced", `framebridge_review_oldest_sync_seconds{tenant="t"} 3600+60x30`, `framebridge_review_oldest_sync_seconds{tenant="t"} 3500 3560 3620 3680 20+60x30`, 20 * time.Minute,
		"A review of tenant t has not been synced for an hour."},
	{"FramebridgeWorkflowStopped", `framebridge_workflow_task_retries_total{workflow_type="Archive"} 1+1x30`, `framebridge_workflow_task_retries_total{workflow_type="Archive"} 1 2 2x30`, 15 * time.Minute,
		"A workflow is stuck: its tasks fail again and again."},
	{"FramebridgeServerErrors", `framebridge_http_answers_total{route="/ui",status="500"} 0+2x30`, `framebridge_http_answers_total{route="/ui",status="404"} 0+100x30
framebridge_http_answers_total{route="/ui",status="500"} 0 1x30`, 15 * time.Minute, "The starter answered /ui with errors of its own."},
	{"FramebridgeItemsFail", `framebridge_archive_items_total{tenant="t",result="failed"} 0+2x60`, `framebridge_archive_items_total{tenant="t",result="verified"} 0+100x60
framebridge_archive_items_total{tenant="t",result="failed"} 0 5 10x60`, 30 * time.Minute, "Many files of tenant t failed within the last hour."},
	{"FramebridgeTokenRefused", `framebridge_vendor_calls_total{tenant="t",vendor="iconik",operation="a",answer="401"} 0+1x60`, `framebridge_vendor_calls_total{tenant="t",vendor="iconik",operation="a",answer="401"} 0 1 2x60`,
		25 * time.Minute, "iconik refuses the token of tenant t."},
	{"FramebridgeVendorDown", `framebridge_vendor_calls_total{tenant="t",vendor="Frame.io",operation="a",answer="503"} 0+4x60
framebridge_vendor_calls_total{tenant="t",vendor="Frame.io",operation="a",answer="none"} 0+4x60
framebridge_vendor_calls_total{tenant="t",vendor="Frame.io",operation="a",answer="200"} 0+6x60`, `framebridge_vendor_calls_total{tenant="t",vendor="Frame.io",operation="a",answer="503"} 0+4x60
framebridge_vendor_calls_total{tenant="t",vendor="Frame.io",operation="a",answer="200"} 0+6x60`, 30 * time.Minute, "More than half of the calls to Frame.io get an error or no answer."},
	{"FramebridgeVendorPause", `framebridge_vendor_pause_seconds{tenant="t",vendor="iconik",budget="all"} 300x30`, `framebridge_vendor_pause_seconds{tenant="t",vendor="iconik",budget="all"} 300 0 300 0 300 0x30`,
		20 * time.Minute, "iconik has asked tenant t to pause, again and again."},
	{"FramebridgeWebhooksLate", `framebridge_webhook_lag_seconds_bucket{tenant="t",le="60"} 0x60
framebridge_webhook_lag_seconds_bucket{tenant="t",le="120"} 0+1x60
framebridge_webhook_lag_seconds_bucket{tenant="t",le="+Inf"} 0+1x60`, `framebridge_webhook_lag_seconds_bucket{tenant="t",le="60"} 0+1x60
framebridge_webhook_lag_seconds_bucket{tenant="t",le="120"} 0+1x60
framebridge_webhook_lag_seconds_bucket{tenant="t",le="+Inf"} 0+1x60`, 30 * time.Minute, "Frame.io's webhooks reach tenant t more than a minute late."},
	{"FramebridgeSignInEnds", `framebridge_sign_in_renewed_timestamp_seconds{tenant="t"} -863700x30`, `framebridge_sign_in_renewed_timestamp_seconds{tenant="t"} -860000x30`, 10 * time.Minute,
		"The sign-in of tenant t to Frame.io ends within four days."},
	{"FramebridgeLedgerSlow", `framebridge_ledger_seconds_bucket{kind="write",le="0.25"} 0+1x60
framebridge_ledger_seconds_bucket{kind="write",le="1"} 0+10x60
framebridge_ledger_seconds_bucket{kind="write",le="+Inf"} 0+10x60`, `framebridge_ledger_seconds_bucket{kind="write",le="0.25"} 0+10x60
framebridge_ledger_seconds_bucket{kind="write",le="1"} 0+10x60
framebridge_ledger_seconds_bucket{kind="write",le="+Inf"} 0+10x60`, 30 * time.Minute, "The ledger's database takes more than half a second for a write."},
	{"FramebridgeTasksWait", `temporal_activity_schedule_to_start_latency_seconds_bucket{task_queue="framebridge",le="300"} 0+1x60
temporal_activity_schedule_to_start_latency_seconds_bucket{task_queue="framebridge",le="1800"} 0+10x60
temporal_activity_schedule_to_start_latency_seconds_bucket{task_queue="framebridge",le="+Inf"} 0+10x60`, `temporal_activity_schedule_to_start_latency_seconds_bucket{task_queue="framebridge",le="60"} 0+10x60
temporal_activity_schedule_to_start_latency_seconds_bucket{task_queue="framebridge",le="+Inf"} 0+10x60`, 30 * time.Minute, "Activities in framebridge wait more than five minutes for a worker."},
}

// Each alert fires when it should, with a summary that names the affected, and stays quiet when it should.
func TestEachAlertFiresAndStaysQuiet(t *testing.T) {
	for _, c := range cases {
		t.Run(c.alert, func(t *testing.T) {
			assert.Equal(t, []string{c.summary}, firing(t, c.fires, c.at)[c.alert])
			assert.Empty(t, firing(t, c.quiet, c.at)[c.alert])
			assert.Empty(t, firing(t, "", c.at)[c.alert], "without any metric")
		})
	}
}

func TestEachAlertIsTestedAndHasItsPage(t *testing.T) {
	book, err := os.ReadFile(runbookFile)
	require.NoError(t, err)
	var names []string
	for _, a := range alertRules(t) {
		names = append(names, a.Name())
		assert.True(t, slices.ContainsFunc(cases, func(c alertCase) bool { return c.alert == a.Name() }), "no case for %s", a.Name())
		assert.Contains(t, string(book), "\n## "+a.Name()+"\n")
		assert.Equal(t, "docs/runbook.md#"+strings.ToLower(a.Name()), a.Annotations().Get("runbook"))
		assert.Contains(t, []string{"page", "ticket"}, a.Labels().Get("severity"), a.Name())
	}
	for section := range strings.Lines(string(book)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(section), "## "); ok && strings.HasPrefix(name, "Framebridge") { // others are about what has no alert
			assert.Contains(t, names, name, "a section of the runbook without an alert")
		}
	}
}
