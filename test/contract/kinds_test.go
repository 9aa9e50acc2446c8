package contract

import (
	"bytes"
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
