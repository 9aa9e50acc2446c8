//go:build integration

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/sandbox/stack"
)

type request struct {
	method, path, body string
	header             map[string]string
}

// send returns the status and the answer of a raw request to the starter.
func (s *harness) send(r request) (int, map[string]any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), r.method, s.APIURL+prefix+r.path, strings.NewReader(r.body))
	require.NoError(s.t, err)
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	out := map[string]any{}
	require.NoError(s.t, json.NewDecoder(bytes.NewReader(raw)).Decode(&out), "%s", raw)
	return resp.StatusCode, out
}

func signed(secret, body string, at time.Time) map[string]string {
	ts := strconv.FormatInt(at.Unix(), 10)
	return map[string]string{"X-Frameio-Request-Timestamp": ts, "X-Frameio-Signature": frameio.Sign(secret, ts, []byte(body))}
}

func TestRoutesAnswerAsTheContractSays(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, options(t))
	const hook = "/archive/webhooks/project-updated?tenant-id="
	const noSuchTenant = "99999999-2222-4333-8444-555555555555"
	event := `{"type":"project.updated","resource":{"type":"project","id":"` + s.project.ID + `"}}`
	bearer := map[string]string{"Authorization": "Bearer " + stack.APIKey}
	with := func(h map[string]string, k, v string) map[string]string {
		out := map[string]string{k: v}
		for key, value := range h {
			if key != k {
				out[key] = value
			}
		}
		return out
	}
	now := time.Now()
	for name, tt := range map[string]struct {
		request
		status int
		field  string
	}{
		"no tenant":           {request{"POST", "/archive/webhooks/project-updated", event, signed(stack.HookSecret, event, now)}, 400, "tenant-id"},
		"malformed tenant":    {request{"POST", hook + "x", event, signed(stack.HookSecret, event, now)}, 400, "tenant-id"},
		"unknown tenant":      {request{"POST", hook + noSuchTenant, event, signed(stack.HookSecret, event, now)}, 404, "tenant-id"},
		"wrong secret":        {request{"POST", hook + stack.Tenant, event, signed("other", event, now)}, 401, "X-Frameio-Signature"},
		"stale":               {request{"POST", hook + stack.Tenant, event, signed(stack.HookSecret, event, now.Add(-6*time.Minute))}, 401, "X-Frameio-Signature"},
		"no signature":        {request{"POST", hook + stack.Tenant, event, nil}, 401, "X-Frameio-Signature"},
		"too large":           {request{"POST", hook + stack.Tenant, `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, nil}, 413, ""},
		"not JSON":            {request{"POST", hook + stack.Tenant, event, with(signed(stack.HookSecret, event, now), "Content-Type", "text/plain")}, 415, "Content-Type"},
		"malformed":           {request{"POST", hook + stack.Tenant, "{", signed(stack.HookSecret, "{", now)}, 400, ""},
		"not an archive name": {request{"POST", hook + stack.Tenant, event, signed(stack.HookSecret, event, now)}, 200, ""},
		"no bearer":           {request{"GET", "/archives", "", nil}, 401, "Authorization"},
		"wrong bearer":        {request{"GET", "/archives", "", map[string]string{"Authorization": "Bearer x"}}, 401, "Authorization"},
		"other tenant":        {request{"GET", "/archives?tenant-id=" + noSuchTenant, "", bearer}, 404, "tenant-id"},
		"no such archive":     {request{"GET", "/archives/" + noSuchTenant, "", bearer}, 404, ""},
		"no such route":       {request{"GET", "/nothing", "", bearer}, 404, ""},
		"no such method":      {request{"DELETE", "/archives", "", bearer}, 405, ""},
		"no project":          {request{"POST", "/archives", `{}`, bearer}, 422, "project_id"},
		"unknown project":     {request{"POST", "/archives", `{"project_id":"` + noSuchTenant + `"}`, bearer}, 422, "project_id"},
		"unknown field":       {request{"POST", "/archives", `{"projectid":"x"}`, bearer}, 400, ""},
		"bad requester":       {request{"POST", "/archives", `{"project_id":"` + s.project.ID + `","requested_by":"sam"}`, bearer}, 422, "requested_by"},
		"action, no secret":   {request{"POST", "/archive/actions/retry?tenant-id=" + stack.Tenant, `{}`, nil}, 401, "X-Framebridge-Secret"},
		"action, nothing":     {request{"POST", "/archive/actions/retry?tenant-id=" + stack.Tenant, `{}`, map[string]string{"X-Framebridge-Secret": stack.ActionSecret}}, 422, "collection_ids"},
		"cancel nothing":      {request{"POST", "/archives/" + noSuchTenant + "/cancel", "", bearer}, 404, ""},
	} {
		status, answer := s.send(tt.request)
		assert.Equal(t, tt.status, status, "%s: %v", name, answer)
		if tt.field != "" {
			assert.Equal(t, tt.field, answer["field"], "%s: %v", name, answer)
		}
		if status >= 400 {
			assert.NotEmpty(t, answer["detail"], name)
			assert.NotEmpty(t, answer["request_id"], name)
		}
	}
	assert.Zero(t, s.writes(), "nothing of this has touched iconik")

	s.Worker.Stop()
	status, plan := s.send(request{"POST", "/archives", `{"project_id":"` + s.project.ID + `","dry_run":true}`, bearer})
	assert.Equal(t, 200, status, plan)
	assert.EqualValues(t, s.project.Items, plan["items"], "a dry run needs no worker")
	require.NoError(t, s.Worker.Start())
	assert.Zero(t, s.writes(), "a dry run writes nothing")

	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, ended)
	again := request{"POST", hook + stack.Tenant, event, signed(stack.HookSecret, event, time.Now())}
	status, answer := s.send(again)
	assert.Equal(t, 200, status)
	assert.Equal(t, "ignored", answer["status"], "it is archived and has not changed")

	// A canceled archive is restarted by a new event, and not by the same delivery again.
	other := s.Frameio.AddProject(s.team, "Other - Archived")
	event = `{"type":"project.updated","resource":{"type":"project","id":"` + other.ID + `"}}`
	once := request{"POST", hook + stack.Tenant, event, signed(stack.HookSecret, event, time.Now())}
	status, answer = s.send(once)
	assert.Equal(t, 200, status)
	assert.Equal(t, "started", answer["status"])
	assert.Equal(t, other.ID, answer["id"])
	status, answer = s.send(once)
	assert.Equal(t, 200, status)
	assert.Equal(t, "ignored", answer["status"])
	s.until(other.ID, ended)

	s.Temporal.Kill()
	event = strings.Replace(event, "{", "{ ", 1)
	once = request{"POST", hook + stack.Tenant, event, signed(stack.HookSecret, event, time.Now())}
	s.Frameio.Rename(other.ID, "Another Archived")
	began := time.Now()
	status, answer = s.send(once)
	assert.Equal(t, 503, status, "%v: so that Frame.io sends it again", answer)
	assert.Less(t, time.Since(began), 5*time.Second)
	require.NoError(t, s.Temporal.Start())
	require.NoError(t, s.TemporalReady(t.Context()))
	require.Eventually(t, func() bool { status, answer = s.send(once); return status == 200 }, patience, 200*time.Millisecond)
	assert.Contains(t, []any{"started", "running", "queued", "ignored"}, answer["status"], "its redelivery is taken")
}
