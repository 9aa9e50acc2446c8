package contract

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// rewritten changes the bodies of a vendor's responses.
func rewritten(change func(r *http.Request, body []byte) []byte) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			for name, values := range rec.Header() {
				w.Header()[name] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(rec.Code)
			_, _ = w.Write(change(r, rec.Body.Bytes()))
		})
	}
}

// changed changes each object in a JSON document.
func changed(body []byte, change func(o map[string]any)) []byte {
	var doc any
	if json.Unmarshal(body, &doc) != nil {
		return body
	}
	everyObject(doc, change)
	raw, err := json.Marshal(doc)
	if err != nil {
		return body
	}
	return raw
}

// An object of a kind that nobody has documented is not skipped in silence: it is read as a folder if it says that it holds something.
// If not, plan and archive name it, and the rest is brought over.
func TestAnObjectOfAnUnknownKindIsNamed(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			odd := true
			s := openStacks(t, generation, func(o *harnessOptions) {
				o.frameio = rewritten(func(r *http.Request, body []byte) []byte {
					if !odd || !strings.HasSuffix(r.URL.Path, "/children") {
						return body
					}
					return bytes.ReplaceAll(body, []byte(`"folder"`), []byte(`"camera_roll"`))
				})
			})
			s.file(s.root, "a.mov")
			day := s.frameio.AddFolder(s.root, "Day 1")
			s.file(day.ID, "b.mov")
			plan := s.plan(t)
			if generation == "legacy" { // the row counts what it holds, so it is read as a folder
				assert.Empty(t, plan.Blockers)
				fin := s.again(t)
				assert.Equal(t, "verified", fin.Status, fin.Reason)
				s.holds()
				return
			}
			require.Len(t, plan.Blockers, 1)
			assert.Equal(t, []string{day.ID, "Day 1"}, []string{plan.Blockers[0].SourceID, plan.Blockers[0].Path})
			fin := s.again(t)
			assert.Equal(t, "incomplete", fin.Status, fin.Reason)
			assert.Contains(t, fin.Reason, `"Day 1" is of the kind "camera_roll"`)
			failed, _, err := s.book.Tenant(tenantID).Archive(s.project.ID).Failures(t.Context(), "", 100)
			require.NoError(t, err)
			require.Len(t, failed, 1)
			assert.Equal(t, []string{string(ledger.FailedFolder), day.ID, "Day 1"}, []string{string(failed[0].Kind), failed[0].SourceID, failed[0].Place})
			odd = false
			s.run()
			s.holds()
		})
	}
}

// A file of which one member is of another type than V4 documents fails neither its folder nor the project. What an earlier run knew of it
// stays, and once Frame.io's answer can be read, it is brought over with all that it has.
func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	for member, odd := range map[string]string{"metadata": `{}`, "media_links": `"none"`, "status": `7`, "creator": `"Sam"`} {
		for name, alone := range map[string]bool{"listed": false, "always": true} {
			t.Run(member+" "+name, func(t *testing.T) {
				t.Parallel()
				spoiled := false
				s := openStacks(t, "v4", func(o *harnessOptions) {
					o.frameio = rewritten(func(r *http.Request, body []byte) []byte {
						if !spoiled || !strings.HasSuffix(r.URL.Path, "/children") && (!alone || !strings.Contains(r.URL.Path, "/files/")) {
							return body
						}
						return changed(body, func(o map[string]any) {
							if _, is := o[member]; is && o["name"] == "b.mov" {
								o[member] = json.RawMessage(odd)
							}
						})
					})
				})
				s.file(s.root, "a.mov")
				s.file(s.root, "b.mov")
				s.run()
				s.holds()
				spoiled = true
				s.file(s.root, "c.mov")
				fin := s.again(t)
				if alone {
					assert.Equal(t, "incomplete", fin.Status, fin.Reason)
					assert.Contains(t, fin.Reason, `cannot read the member "`+member+`" of "b.mov"`)
					plan := s.plan(t)
					require.Len(t, plan.Blockers, 1)
					assert.Equal(t, "b.mov", plan.Blockers[0].Path)
				} else {
					assert.Equal(t, "verified", fin.Status, fin.Reason)
				}
				s.holds()
				spoiled = false
				s.run()
				s.holds()
			})
		}
	}
}
