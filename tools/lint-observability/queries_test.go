package lintobservability

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const dashboardFile = "../../deploy/observability/dashboard.json"

// scraped are what /metrics of the programs answered during an archive and a review of test/e2e's TestNoSecretAndNoOtherTenantIsSeen, which writes them
// with FRAMEBRIDGE_SCRAPES=DIR.
var scraped = map[string]string{"framebridge-starter": "testdata/starter.metrics", "framebridge-worker": "testdata/worker.metrics"}

// absent are metrics that are in no such scrape, each with the reason.
var absent = map[string]string{
	"up": "Prometheus adds it to each scrape",
	"framebridge_archive_last_failure_timestamp_seconds": "no archive failed",
	"framebridge_event_last_timestamp_seconds":           "nothing happened that it tells of",
	"framebridge_sign_in_renewed_timestamp_seconds":      "a legacy token has no sign-in that ends",
	"framebridge_stuck_attempts_total":                   "nothing was stuck",
	"framebridge_workflow_task_retries_total":            "no workflow task failed",
}

// series returns the scrapes as Prometheus stores them, with the labels of the job. Each has the same value for an hour.
func series(t *testing.T) (load string, names map[string][]labels.Labels) {
	t.Helper()
	names = map[string][]labels.Labels{}
	var b strings.Builder
	for job, file := range scraped {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			at := strings.LastIndexByte(line, ' ')
			selector, value := line[:at], line[at+1:]
			name, rest, labeled := strings.Cut(selector, "{")
			own := fmt.Sprintf(`{job=%q,instance="here"`, job)
			if labeled {
				own += "," + rest
			} else {
				own += "}"
			}
			m, err := parser.NewParser(parser.Options{}).ParseMetric(name + own)
			require.NoError(t, err, line)
			names[name] = append(names[name], m)
			fmt.Fprintf(&b, "%s%s %sx60\n", name, own, value)
		}
	}
	return b.String(), names
}

// queries returns all expressions of the alert rules and the dashboard, by where they are.
func queries(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, a := range alertRules(t) {
		out["alert "+a.Name()] = a.Query().String()
	}
	raw, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &board))
	for _, p := range board.Panels {
		for i, target := range p.Targets {
			out[fmt.Sprintf("panel %s, query %d", p.Title, i+1)] = strings.NewReplacer("$__rate_interval", "5m", "$tenant", ".*").Replace(target.Expr)
		}
	}
	require.Greater(t, len(out), 40)
	return out
}

// Every metric and label that a query names is one that the programs have. The query runs, and a panel's returns something.
func TestQueriesAskForWhatTheProgramsHave(t *testing.T) {
	load, names := series(t)
	engine := promqltest.NewTestEngine(t, false, time.Minute, promqltest.DefaultMaxSamplesPerQuery)
	store := promqltest.LoadedStorage(t, "load 1m\n"+load)
	used := map[string]bool{}
	for where, text := range queries(t) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		require.NoError(t, err, where)
		missing := false
		parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
			v, ok := n.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			used[v.Name] = true
			have := names[v.Name]
			if absent[v.Name] != "" {
				missing = true
				return nil
			}
			assert.NotEmpty(t, have, "%s asks for %s, which no program has", where, v.Name)
			asked := groupings(path)
			for _, m := range v.LabelMatchers {
				asked = append(asked, m.Name)
			}
			for _, label := range asked {
				assert.True(t, label == labels.MetricName || slices.ContainsFunc(have, func(l labels.Labels) bool { return l.Has(label) }), "%s asks for the label %s of %s, which has none", where, label, v.Name)
			}
			return nil
		})
		q, err := engine.NewInstantQuery(t.Context(), store, nil, text, time.Unix(0, 0).Add(30*time.Minute))
		require.NoError(t, err, where)
		res := q.Exec(t.Context())
		require.NoError(t, res.Err, where)
		if v, ok := res.Value.(promql.Vector); ok && strings.HasPrefix(where, "panel ") && !missing {
			assert.NotEmpty(t, v, "%s shows nothing: %s", where, text)
		}
		q.Close()
	}
	for name := range absent {
		assert.Empty(t, names[name], "%s is in the scrape: take it off the list", name)
		assert.True(t, used[name], "no query asks for %s", name)
	}
}

// groupings returns the labels by which a selector's series are grouped or matched further up.
func groupings(path []parser.Node) (out []string) {
	for _, n := range path {
		if a, ok := n.(*parser.AggregateExpr); ok && !a.Without {
			out = append(out, a.Grouping...)
		}
	}
	return out
}
