package contract

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/workflows"
)

const setsApproval = "PUT assets/v1/assets/{id}/approvals"

var setsStatus = map[string]string{"v4": "PATCH projects/{id}/metadata/values", "legacy": "POST /v2/assets/{id}/label"}

// decisions is an open review of whose file two people in iconik, and reviewers in Frame.io, decide.
type decisions struct {
	*chaos
	full   workflows.SyncInput
	ed, mo string
}

func decisionsOn(t *testing.T, frameio, iconik func(http.Handler) http.Handler) decisions {
	t.Helper()
	return decisionsIn(t, "v4", frameio, iconik)
}

func decisionsIn(t *testing.T, generation string, frameio, iconik func(http.Handler) http.Handler) decisions {
	t.Helper()
	c, ref := harnessOptions{generation: generation, storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw), frameio: frameio, iconik: iconik, objects: plain}.open(t).openReview(t, 0)
	d := decisions{chaos: c, full: workflows.SyncInput{ReviewRef: ref, Full: true}, ed: c.iconik.AddUser("ed@post.example", "Ed", "Itor"), mo: c.iconik.AddUser("mo@post.example", "Mo", "Vie")}
	d.synced(1)
	return d
}

func (d decisions) synced(times int) {
	d.t.Helper()
	for range times {
		require.NoError(d.t, d.sync(d.full, 0))
	}
}

// decides is one person's decision in iconik and what it makes of the file, however often both sides are synced.
func (d decisions) decides(user, status, label string) {
	d.t.Helper()
	if status == "" {
		d.iconik.Withdraw(d.asset, user)
	} else {
		d.iconik.Decide(d.asset, user, status)
	}
	d.synced(3)
	d.statusLater()
	d.synced(3)
	d.shows(label)
}

// reviewed is a decision in Frame.io, which stays.
func (d decisions) reviewed(label string) {
	d.t.Helper()
	time.Sleep(2 * time.Millisecond) // what the vendors' clocks tell apart
	d.statusLater()
	d.frameio.Label(d.file, label)
	d.synced(3)
	d.shows(label)
}

func (d decisions) shows(label string) {
	d.t.Helper()
	assert.Equal(d.t, label, d.label())
	assert.Equal(d.t, map[string]string{"approved": "approved", "needs_review": "changes requested"}[label], strings.TrimPrefix(d.decisionShown(), "none"))
}

// statusLater has an hour go by since a status was set or refused, and since a decision was withdrawn.
func (c *chaos) statusLater() {
	c.edit(func(row *ledger.ReviewAsset) {
		for _, at := range []*time.Time{&row.LabelSentAt, &row.WithdrawnAt, &row.LabelRefused} {
			if !at.IsZero() {
				*at = at.Add(-time.Hour)
			}
		}
	})
}

func (c *chaos) edit(change func(*ledger.ReviewAsset)) {
	_, err := c.book.Tenant(tenantID).Review(c.id()).UpdateAsset(c.t.Context(), 1, change)
	require.NoError(c.t, err)
}

// written asserts how often each side was written.
func (d decisions) written(statuses, approvals int) {
	d.t.Helper()
	assert.Equal(d.t, statuses, d.frameio.Calls()[setsStatus[d.generation]], "statuses set in Frame.io")
	assert.Equal(d.t, approvals, d.iconik.Calls()[setsApproval], "approvals set in iconik")
}

// approvalRows changes what iconik lists of a version's approvals.
func approvalRows(change func(rows []any) []any) func(*answered) {
	return func(a *answered) {
		if rows, said := a.rows(); said != nil && a.Method == http.MethodGet && strings.HasSuffix(a.route, "/approvals/") {
			said["objects"] = change(rows)
		}
	}
}

func eachApproval(change func(row map[string]any)) func(*answered) {
	return approvalRows(func(rows []any) []any {
		for _, row := range rows {
			change(row.(map[string]any))
		}
		return rows
	})
}

// However iconik lists decisions, each of them is set once in Frame.io and never comes back.
func TestDecisionsOfAnotherIconik(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(*answered){
		"a user as an object": eachApproval(func(row map[string]any) { row["user"] = map[string]any{"id": row["user"], "email": "x@post.example"} }),
		"no dates":            eachApproval(func(row map[string]any) { delete(row, "change_date") }),
		"dates of no format":  eachApproval(func(row map[string]any) { row["change_date"] = "Tue Dec 1" }),
		"no versions":         eachApproval(func(row map[string]any) { row["version_id"] = nil }),
		"guests": eachApproval(func(row map[string]any) {
			if row["status"] != "REQUESTED" {
				row["external"], row["user"] = "guest@client.example", nil
			}
		}),
		"other versions' too": approvalRows(func(rows []any) []any {
			return append(rows, map[string]any{"user": "u-of-another", "version_id": "v-of-another", "status": "APPROVED", "change_date": "2099-01-01T00:00:00Z"},
				map[string]any{"user": "u-of-another", "version_id": "v-of-another", "status": "NOT_APPROVED", "change_date": "2099-01-01T00:00:00Z"})
		}),
		"what is no decision": approvalRows(func(rows []any) []any {
			return append(rows, map[string]any{"user": "u", "status": "MIXED"}, map[string]any{"user": nil, "external": nil, "status": "APPROVED"}, map[string]any{})
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decisionsOn(t, plain, other([]otherwise{{answer: way}}))
			d.decides(d.ed, "APPROVED", "approved")
			d.decides(d.ed, "NOT_APPROVED", "needs_review")
			d.decides(d.ed, "N/A", "none")
			d.written(3, 0)
			assert.Empty(t, d.notes())
		})
	}
}

// Two decisions without dates count the same in whatever order they are listed.
func TestDecisionsWithoutDatesInAnyOrder(t *testing.T) {
	t.Parallel()
	turn := 0
	d := decisionsOn(t, plain, other([]otherwise{{answer: approvalRows(func(rows []any) []any {
		turn++
		for _, row := range rows {
			delete(row.(map[string]any), "change_date")
		}
		if len(rows) == 2 && turn%2 == 0 {
			rows[0], rows[1] = rows[1], rows[0]
		}
		return rows
	})}}))
	d.decides(d.ed, "APPROVED", "approved")
	d.decides(d.mo, "NOT_APPROVED", "needs_review")
	d.synced(3)
	d.written(2, 0)
}

// A list that is empty for a moment withdraws nothing.
func TestADecisionThatIsNotListedForAMoment(t *testing.T) {
	t.Parallel()
	reads, empty := 0, false
	d := decisionsOn(t, plain, other([]otherwise{{answer: approvalRows(func(rows []any) []any {
		if reads++; empty && reads%2 == 0 {
			return []any{}
		}
		return rows
	})}}))
	d.decides(d.ed, "APPROVED", "approved")
	empty = true
	d.synced(6)
	d.shows("approved")
	d.written(1, 0)
}

// late sets a status only when a sync has read its file since.
func late(next http.Handler) http.Handler {
	var mu sync.Mutex
	var held *http.Request
	reads := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		switch {
		case strings.HasSuffix(r.URL.Path, "/metadata/values"):
			body, _ := io.ReadAll(r.Body)
			held, reads = r.Clone(r.Context()), 0
			held.Body = io.NopCloser(bytes.NewReader(body))
			mu.Unlock()
			w.WriteHeader(http.StatusAccepted)
			return
		case held != nil && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/files/") && !strings.HasSuffix(r.URL.Path, "/comments"):
			if reads++; reads > 1 {
				next.ServeHTTP(httptest.NewRecorder(), held.WithContext(r.Context()))
				held = nil
			}
		}
		mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// clock has Frame.io's dates differ from iconik's.
func clock(by time.Duration) func(http.Handler) http.Handler {
	return deviating(func(_ *http.Request, status int, body map[string]any) (int, map[string]any) {
		everyObject(body["data"], func(m map[string]any) {
			if at, err := time.Parse(time.RFC3339Nano, text(m["updated_at"])); err == nil {
				m["updated_at"] = at.Add(by).Format(time.RFC3339Nano)
			}
		})
		return status, body
	})
}

func text(v any) string { s, _ := v.(string); return s }

// However Frame.io sets a status, both sides take turns, and each is written once for each decision of the other.
func TestDecisionsOnAnotherFrameio(t *testing.T) {
	t.Parallel()
	ways := map[string]func(http.Handler) http.Handler{
		"a status that is shown late": late,
		"a clock ahead":               clock(5 * time.Minute),
		"a clock behind":              clock(-5 * time.Minute),
		"a file that never changes":   clock(-300 * 24 * time.Hour),
		"options in other case": deviating(func(_ *http.Request, status int, body map[string]any) (int, map[string]any) {
			everyObject(body["data"], func(m map[string]any) {
				if name := text(m["display_name"]); name != "" {
					m["display_name"] = " " + strings.ToUpper(name)
				}
			})
			return status, body
		}),
		"values by their IDs": deviating(func(_ *http.Request, status int, body map[string]any) (int, map[string]any) {
			everyObject(body["data"], func(m map[string]any) {
				if chosen, ok := m["value"].([]any); ok && len(chosen) == 1 {
					m["value"] = chosen[0].(map[string]any)["id"]
				}
			})
			return status, body
		}),
		"an answer with a body": deviating(func(r *http.Request, status int, body map[string]any) (int, map[string]any) {
			if strings.HasSuffix(r.URL.Path, "/metadata/values") {
				return http.StatusOK, map[string]any{"data": []any{}}
			}
			return status, body
		}),
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decisionsOn(t, way, plain)
			d.decides(d.ed, "APPROVED", "approved")
			d.written(1, 0)
			d.reviewed("needs_review")
			d.written(1, 1)
			d.decides(d.mo, "APPROVED", "approved")
			d.written(2, 2) // our own approval follows
			d.reviewed("needs_review")
			d.decides(d.ed, "APPROVED", "approved")
			d.decides(d.ed, "", "needs_review") // as the reviewer left it
			assert.Empty(t, d.notes())
		})
	}
}

// What is withdrawn gives the file the status back that a reviewer gave it last, whoever decided in between, and nothing that
// nobody stands for any more.
func TestDecisionsInTurns(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(d decisions){
		"two people": func(d decisions) {
			d.decides(d.ed, "APPROVED", "approved")
			d.decides(d.mo, "NOT_APPROVED", "needs_review")
			d.decides(d.mo, "", "approved")
			d.decides(d.ed, "", "none")
			d.written(4, 0)
		},
		"the same one twice": func(d decisions) {
			for range 2 {
				d.decides(d.ed, "APPROVED", "approved")
				d.decides(d.ed, "", "none")
			}
			told, err := d.book.Tenant(tenantID).EventsSince(d.t.Context(), events.ReviewDecision, time.Time{})
			require.NoError(d.t, err)
			assert.Len(d.t, told, 4)
		},
		"one that a reviewer overruled": func(d decisions) {
			d.decides(d.ed, "APPROVED", "approved")
			d.reviewed("needs_review")
			d.decides(d.mo, "APPROVED", "approved")
			d.decides(d.mo, "", "needs_review")
		},
		"one from before the review": func(d decisions) {
			d.iconik.Decide(d.asset, d.ed, "APPROVED")
			d.edit(func(row *ledger.ReviewAsset) { row.ClickedAt = time.Now() })
			d.synced(1)
			time.Sleep(2 * time.Millisecond)
			d.decides(d.mo, "NOT_APPROVED", "needs_review")
			d.decides(d.mo, "", "none")
		},
		"a reviewer who agrees": func(d decisions) {
			d.reviewed("approved")
			d.decides(d.ed, "APPROVED", "approved")
			d.decides(d.ed, "", "approved")
			d.written(0, 1)
		},
		"approval requested before": func(d decisions) {
			d.reviewed("in_progress")
			d.decides(d.ed, "APPROVED", "approved")
			d.decides(d.ed, "", "in_progress")
			assert.Equal(d.t, "REQUESTED", d.iconik.Approval(d.asset))
		},
		"an attempt that died before it set anything": func(d decisions) {
			d.decides(d.ed, "APPROVED", "approved")
			d.edit(func(row *ledger.ReviewAsset) { row.LabelSent = "needs_review" })
			d.decides(d.mo, "NOT_APPROVED", "needs_review")
			d.decides(d.mo, "", "approved")
			d.decides(d.ed, "", "none")
		},
		"an attempt that died, and a reviewer's own status": func(d decisions) {
			d.edit(func(row *ledger.ReviewAsset) { row.LabelSent = "approved" })
			d.synced(2)
			d.reviewed("approved")
			assert.Equal(d.t, "APPROVED", d.iconik.Approval(d.asset))
		},
		"an attempt that died while it withdrew": func(d decisions) {
			d.decides(d.ed, "APPROVED", "approved")
			d.iconik.Withdraw(d.asset, d.ed)
			d.edit(func(row *ledger.ReviewAsset) { row.LabelSent = "none" })
			d.frameio.Label(d.file, "none")
			d.synced(3)
			d.shows("none")
			d.written(1, 0)
		},
	} {
		for _, generation := range played() {
			t.Run(generation+", "+name, func(t *testing.T) {
				t.Parallel()
				d := decisionsIn(t, generation, plain, plain)
				play(d)
				assert.Empty(t, d.notes())
			})
		}
	}
}

// What Frame.io refuses for a while is set later, a withdrawal too. A comment is not held up by it.
func TestADecisionThatFrameioRefusesForAWhile(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusConflict, http.StatusLocked, http.StatusUnprocessableEntity, http.StatusNotFound, http.StatusMethodNotAllowed} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			d := decisionsOn(t, plain, plain)
			d.decides(d.ed, "APPROVED", "approved")
			require.NoError(t, d.frameio.AddFault(faults.Fault{Match: "PATCH .*/metadata/values", Status: status}))
			d.iconik.Decide(d.asset, d.mo, "NOT_APPROVED")
			ms := int64(1000)
			d.iconik.Comment(d.asset, d.ed, "remark 1", &ms, &ms, "", nil)
			d.synced(2)
			d.shows("approved")
			assert.Len(t, d.frameioIDs(), 1)
			d.iconik.Withdraw(d.asset, d.mo)
			d.iconik.Withdraw(d.asset, d.ed)
			for range 3 {
				d.statusLater()
				d.synced(1)
			}
			d.frameio.ClearFaults()
			for range 3 {
				d.statusLater()
				d.synced(1)
			}
			d.shows("none")
			assert.Len(t, d.row().Notes, 1, d.notes())
		})
	}
}

// A V4 that shows no Status field that it can set costs nothing but a note.
func TestADecisionThatFrameioCannotShow(t *testing.T) {
	t.Parallel()
	status := func(change func(field map[string]any)) deviation {
		return func(_ *http.Request, code int, body map[string]any) (int, map[string]any) {
			everyObject(body["data"], func(m map[string]any) {
				if m["field_definition_name"] == "Status" {
					change(m)
				}
			})
			return code, body
		}
	}
	for name, way := range map[string]deviation{
		"no options": status(func(field map[string]any) { delete(field, "field_options") }),
		"no IDs": status(func(field map[string]any) {
			everyObject(field["field_options"], func(m map[string]any) { delete(m, "id") })
		}),
		"another type": status(func(field map[string]any) { field["field_type"] = "select_multi" }),
		"a text":       status(func(field map[string]any) { field["field_type"], field["value"] = "text", nil }),
		"read only":    status(func(field map[string]any) { field["mutable"] = false }),
		"its own options": status(func(field map[string]any) {
			everyObject(field["field_options"], func(m map[string]any) { m["display_name"] = "Ok ✅" })
		}),
		"none": func(_ *http.Request, code int, body map[string]any) (int, map[string]any) {
			everyObject(body["data"], func(m map[string]any) { maps.DeleteFunc(m, func(k string, _ any) bool { return k == "metadata" }) })
			return code, body
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decisionsOn(t, deviating(way), plain)
			d.iconik.Decide(d.asset, d.ed, "APPROVED")
			for range 3 {
				d.synced(1)
				d.statusLater()
			}
			assert.Equal(t, "none", d.label())
			assert.Len(t, d.row().Notes, 1, d.notes())
			t.Log(d.notes())
			d.written(0, 0)
		})
	}
}

// What a vendor fails at for a while, or does without saying so, happens once.
func TestADecisionWhileAVendorFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]faults.Fault{
		"a status is set and the answer lost":     {Match: "(PATCH .*/metadata/values|POST .*/label)", Times: 2, Lose: true},
		"an approval is set and the answer lost":  {Match: "PUT .*/approvals", Times: 2, Lose: true},
		"statuses cannot be set":                  {Match: "(PATCH .*/metadata/values|POST .*/label)", Times: 9, Status: http.StatusBadGateway},
		"decisions cannot be listed":              {Match: "GET .*/versions/.*/approvals", Times: 9, Status: http.StatusInternalServerError},
		"decisions cannot be listed for a moment": {Match: "GET .*/versions/.*/approvals", Times: 1, Status: http.StatusNotFound},
	} {
		for _, generation := range played() {
			t.Run(generation+", "+name, func(t *testing.T) {
				t.Parallel()
				d := decisionsIn(t, generation, plain, plain)
				d.reviewed("needs_review")
				require.NoError(t, d.frameio.AddFault(fault))
				require.NoError(t, d.iconik.AddFault(fault))
				d.iconik.Decide(d.asset, d.ed, "APPROVED")
				frame := int64(10)
				d.frameio.AddComment(frameiosim.Comment{AssetID: d.file, Text: "remark 1", Timestamp: &frame})
				for range 2 {
					_ = d.sync(d.full, 0)
				}
				assert.Len(t, d.segmentIDs(), 1, "a comment is not held up")
				d.frameio.ClearFaults()
				d.iconik.ClearFaults()
				d.synced(3)
				d.shows("approved")
				assert.Equal(t, "APPROVED", d.iconik.Approval(d.asset))
				d.decides(d.ed, "", "needs_review")
				assert.Equal(t, "NOT_APPROVED", d.iconik.Approval(d.asset))
				assert.Empty(t, d.notes())
			})
		}
	}
}

// A row of an earlier release knows nothing of decisions in iconik: a status that the file has stays, and a file without one gets it.
func TestDecisionsOfARowFromAnEarlierRelease(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{"none": "approved", "needs_review": "needs_review"} {
		t.Run(before, func(t *testing.T) {
			t.Parallel()
			d := decisionsOn(t, plain, plain)
			d.reviewed(before)
			d.edit(func(row *ledger.ReviewAsset) {
				row.LabelAt, row.LabelBefore, row.LabelSent, row.Approval = time.Time{}, "", "", ""
			})
			d.decides(d.ed, "APPROVED", after)
			d.decides(d.ed, "", before)
			d.decides(d.mo, "APPROVED", "approved")
		})
	}
}
