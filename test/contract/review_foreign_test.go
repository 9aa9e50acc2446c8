package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// deviation is one way in which another V4 may answer a call, within its document or not far from it. A nil body means none.
type deviation func(r *http.Request, status int, body map[string]any) (int, map[string]any)

var writesOfReviews = regexp.MustCompile(`/(comments|shares|assets|reviewers|folders|move|version_stacks)(/[^/]+)?$`)

// deviations are what another V4 may do differently in a review.
var deviations = map[string]deviation{
	"writes are answered by the ID alone": func(r *http.Request, status int, body map[string]any) (int, map[string]any) {
		if data, ok := body["data"].(map[string]any); ok && r.Method != http.MethodGet && status < 300 && writesOfReviews.MatchString(r.URL.Path) {
			body["data"] = map[string]any{"id": data["id"]}
		}
		return status, body
	},
	"changes are answered by nothing": func(r *http.Request, status int, body map[string]any) (int, map[string]any) {
		if r.Method == http.MethodPatch && status < 300 {
			return http.StatusNoContent, nil
		}
		return status, body
	},
	"deletions are answered by an object, and everything by 200": func(r *http.Request, status int, body map[string]any) (int, map[string]any) {
		if status > 200 && status < 300 {
			status = 200
			if body == nil {
				body = map[string]any{}
			}
		}
		return status, body
	},
	"writes are accepted only": func(r *http.Request, status int, body map[string]any) (int, map[string]any) {
		if r.Method != http.MethodGet && (status == 200 || status == 201) {
			status = http.StatusAccepted
		}
		return status, body
	},
	"guests have no owner": func(_ *http.Request, status int, body map[string]any) (int, map[string]any) {
		everyObject(body["data"], func(m map[string]any) {
			if o, ok := m["owner"].(map[string]any); ok && o["id"] == nil {
				m["owner"] = nil
			}
		})
		return status, body
	},
	"nothing is absent": func(_ *http.Request, status int, body map[string]any) (int, map[string]any) {
		everyObject(body["data"], func(m map[string]any) {
			for k, v := range m {
				if v == nil && k != "value" {
					delete(m, k)
				}
			}
		})
		return status, body
	},
	"drawings are rewritten": func(_ *http.Request, status int, body map[string]any) (int, map[string]any) {
		everyObject(body["data"], func(m map[string]any) {
			var shapes []map[string]any
			if s, ok := m["annotation"].(string); ok && json.Unmarshal([]byte(s), &shapes) == nil {
				for _, shape := range shapes {
					for k, v := range shape {
						if f, ok := v.(float64); ok {
							shape[k] = math.Round(f*1000) / 1000
						}
					}
					shape["radius"] = 8
				}
				raw, _ := json.Marshal(shapes)
				m["annotation"] = string(raw)
			}
		})
		return status, body
	},
	"frames are texts": func(_ *http.Request, status int, body map[string]any) (int, map[string]any) {
		everyObject(body["data"], func(m map[string]any) {
			if n, ok := m["timestamp"].(float64); ok {
				m["timestamp"] = fmt.Sprintf("%02d:%02d:%02d:%02d", int(n)/25/3600, int(n)/25/60%60, int(n)/25%60, int(n)%25)
			}
		})
		return status, body
	},
}

func everyObject(v any, do func(map[string]any)) {
	switch v := v.(type) {
	case []any:
		for _, each := range v {
			everyObject(each, do)
		}
	case map[string]any:
		do(v)
		for _, each := range v {
			everyObject(each, do)
		}
	}
}

// deviating puts deviations in front of our V4.
func deviating(all ...deviation) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/v4/") {
				next.ServeHTTP(w, r)
				return
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			maps.Copy(w.Header(), rec.Header())
			w.Header().Del("Content-Length")
			status := rec.Code
			var said map[string]any
			_ = json.Unmarshal(rec.Body.Bytes(), &said)
			for _, d := range all {
				status, said = d(r, status, said)
			}
			w.WriteHeader(status)
			if said != nil {
				body, _ := json.Marshal(said)
				_, _ = bytes.NewReader(body).WriteTo(w)
			}
		})
	}
}

// foreignReview opens a review on a V4 that is not ours.
func foreignReview(t *testing.T, seed int, all ...deviation) (*chaos, workflows.ReviewRef) {
	t.Helper()
	return harnessOptions{generation: "v4", storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw), frameio: deviating(all...), iconik: plain, objects: plain}.open(t).openReview(t, seed)
}

// However V4 answers, both sides end equal, nothing is done twice, and nothing of ours counts as somebody's edit.
func TestAnotherFrameioIsReviewedAlike(t *testing.T) {
	t.Parallel()
	var each []deviation
	for name, d := range deviations {
		each = append(each, d)
		t.Run(name, func(t *testing.T) { t.Parallel(); reviewedAlike(t, d) })
	}
	t.Run("all", func(t *testing.T) { t.Parallel(); reviewedAlike(t, each...) })
}

func reviewedAlike(t *testing.T, all ...deviation) {
	c, ref := foreignReview(t, 3, all...)
	in := workflows.SyncInput{ReviewRef: ref, Full: true}
	frame, ms, end := int64(30), int64(1003), int64(2017)
	c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 100", Timestamp: &frame, Annotation: `[{"tool":"rect","color":"#F22237","size":8,"x":0.27771,"y":0.12912,"w":0.31533,"h":0.53084}]`})
	c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "remark 101 😀 é", &ms, &end, "", nil)
	require.NoError(t, c.iconik.EditSegment(c.asset, c.segmentIDs()[0], map[string]any{"segment_checked": true,
		"drawing": map[string]any{"primitives": []any{map[string]any{"type": "RECTANGLE", "color": "#ff0000", "points": []any{map[string]any{"x": 0.1234567, "y": 0.2}, map[string]any{"x": 0.5, "y": 0.7654321}}}}}}))
	written := fmt.Sprint(c.iconik.Segments(c.asset)[0])
	for range 3 {
		require.NoError(t, c.sync(in, 0))
	}
	assert.Empty(t, c.equal(ref))
	assert.Equal(t, written, fmt.Sprint(c.iconik.Segments(c.asset)[0]), "nobody has edited it")
	for range 10 {
		for range 1 + c.r.IntN(4) {
			c.act()
		}
		require.NoError(t, c.sync(in, 0))
	}
	for range 3 {
		require.NoError(t, c.sync(in, 0))
	}
	assert.Empty(t, c.equal(ref))
	edits := func() string {
		return fmt.Sprint(c.frameio.Calls()["PATCH comments/{id}"], c.iconik.Calls()["PATCH assets/v1/assets/{id}/segments/{id}"])
	}
	before := edits()
	require.NoError(t, c.sync(in, 0))
	assert.Equal(t, before, edits(), "nothing is left to do")
}

// wholeLife are deviations that matter only over a review's whole life.
var wholeLife = map[string]deviation{
	"an address in another field": func(r *http.Request, status int, body map[string]any) (int, map[string]any) {
		if strings.Contains(r.URL.Path, "/shares") {
			everyObject(body["data"], func(m map[string]any) {
				if address, ok := m["short_url"]; ok {
					m["short_url"], m["url"] = nil, address
				}
			})
		}
		return status, body
	},
	"whatever is asked for is not found for a moment": func() deviation {
		var mu sync.Mutex
		asked := map[string]int{}
		return func(r *http.Request, status int, body map[string]any) (int, map[string]any) {
			mu.Lock()
			defer mu.Unlock()
			call := r.Method + r.URL.Path
			if asked[call]++; asked[call] != 3 || status >= 300 || r.Method != http.MethodGet || strings.HasSuffix(r.URL.Path, "/me") || strings.HasSuffix(r.URL.Path, "/accounts") || strings.HasSuffix(r.URL.Path, "/workspaces") {
				return status, body
			}
			return http.StatusNotFound, map[string]any{"errors": []any{map[string]any{"detail": "not found"}}}
		}
	}(),
}

// A review's whole life is the same: it is shared with its watermark, ends at its time, and leaves nothing in Frame.io.
func TestAWholeReviewOnAnotherFrameio(t *testing.T) {
	t.Parallel()
	all, each := maps.Clone(deviations), []deviation{}
	maps.Copy(all, wholeLife)
	for name, d := range all {
		each = append(each, d)
		t.Run(name, func(t *testing.T) { t.Parallel(); livesAlike(t, d) })
	}
	t.Run("all", func(t *testing.T) { t.Parallel(); livesAlike(t, each...) })
}

func livesAlike(t *testing.T, all ...deviation) {
	b := harnessOptions{generation: "v4", storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw), frameio: deviating(all...), iconik: plain, objects: plain}.open(t)
	b.frameio.SetWatermark(true)
	asset, err := b.iconik.AddAsset("Take 1.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	c := &chaos{harness: b, t: t, asset: asset}
	ref := b.request(t, 40*time.Minute, asset)
	c.update(func(r *ledger.Review) { r.RequestedBy = ledger.Person{} })
	env := b.skippingTime()
	frame, ms := int64(10), int64(1000)
	env.RegisterDelayedCallback(func() {
		c.file = c.rows()[0].FileID
		top := b.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 1", Timestamp: &frame, Guest: &frameiosim.User{Name: "Rita", Email: "rita@client.example"}})
		b.frameio.AddComment(frameiosim.Comment{AssetID: c.file, ParentID: top.ID, Text: "remark 2"})
		b.iconik.Comment(asset, b.iconik.ServiceUser(), "remark 3", &ms, &ms, "", nil)
		b.frameio.Label(c.file, "needs_review")
		links := c.shares()
		require.Len(t, links, 1)
		assert.True(t, links[0].Watermark && !links[0].Inactive)
		assert.NotEmpty(t, c.row().ShareURL)
	}, 3*time.Minute)
	env.RegisterDelayedCallback(func() {
		assert.Empty(t, c.equal(ref))
		b.frameio.Label(c.file, "approved")
		env.UpdateWorkflow(workflows.UpdateExtend, "extend", &testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(err error) { assert.NoError(t, err) }, OnComplete: func(_ any, err error) { assert.NoError(t, err) }},
			workflows.ExtendUpdate{ExpiresAt: env.Now().Add(50 * time.Minute)})
	}, 20*time.Minute)
	env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{ReviewRef: ref})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	row := c.row()
	assert.Equal(t, ledger.ReviewDeleted, row.Status, row.Reason)
	assert.Equal(t, "approved", c.decisionShown())
	assert.Len(t, c.segmentIDs(), 3)
	assert.Len(t, b.frameio.AssetsOf(row.ProjectID), 1, "only the project's root is left")
	assert.Len(t, b.frameio.Mails(), 1)
	for _, s := range c.shares() {
		assert.True(t, s.Inactive)
	}
	t.Log(c.notes())
}
