package archive

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/workflows"
)

func aboutFiles(r *http.Request) bool { return strings.Contains(r.URL.Path, "/files/") }

// S3 storages need not offer a single PUT.
func TestAnS3StorageWithoutASinglePutTakesParts(t *testing.T) {
	for name, body := range map[string][]byte{"small": []byte("bytes"), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, harnessOptions{spoil: answers(aboutFiles, func(v map[string]any) {
				if _, ok := v["upload_url"]; ok {
					v["upload_url"] = nil
				}
			})})
			h.sees(t, file("F", "clip.mov", body))
			h.copies(t, "F", body)
			it := h.item(t, "F")
			require.Equal(t, ledger.Copied, it.State)
			problem, _, err := h.fileProblem(t.Context(), it)
			require.NoError(t, err)
			require.Empty(t, problem)
			require.Equal(t, 1, h.sim.Calls()["POST files/v1/assets/{id}/files"])
		})
	}
}

// A record whose single PUT is gone is not retried forever: another one takes its place.
func TestARecordWhoseURLIsGoneIsMadeAnew(t *testing.T) {
	h := newHarness(t, harnessOptions{spoil: answers(func(r *http.Request) bool { return r.Method == http.MethodGet && aboutFiles(r) }, func(v map[string]any) {
		if _, ok := v["upload_url"]; ok {
			v["upload_url"], v["multipart_upload_url"] = nil, nil
		}
	})})
	body := []byte("bytes")
	h.sees(t, file("F", "clip.mov", body))
	require.Equal(t, workflows.DoTransfer, h.open(t, "F"))
	gone := h.item(t, "F")
	h.steps.uploads.Forget() // another worker continues
	_, err := h.updateItem(t.Context(), gone, func(i *ledger.Item) { i.State = ledger.Pending })
	require.NoError(t, err)
	h.copies(t, "F", body)
	require.NotEqual(t, gone.FileID, h.item(t, "F").FileID)
	require.Len(t, h.sim.Docs("files"), 1)
}

// The URL for parts may come only with a record's creation: an upload that could not be begun then is begun with another record.
func TestPartsAreBegunAgainWhereTheirURLComesOnce(t *testing.T) {
	var begun atomic.Int32
	h := newHarness(t, harnessOptions{
		spoil: answers(func(r *http.Request) bool { return r.Method == http.MethodGet && aboutFiles(r) }, func(v map[string]any) {
			if _, ok := v["multipart_upload_url"]; ok {
				v["multipart_upload_url"] = nil
			}
		}),
		objects: func(r *http.Request) *s3sim.Fault {
			if r.Method == http.MethodPost && r.URL.Query().Has("uploads") && begun.Add(1) == 1 {
				return &s3sim.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
			}
			return nil
		},
	})
	body := bytes.Repeat([]byte("0123456789abcdef"), testPartSize/16+1)
	h.sees(t, file("F", "clip.mov", body))
	_, err := h.steps.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: h.ref, SourceID: "F"})
	require.ErrorContains(t, err, "SlowDown")
	h.copies(t, "F", body)
	problem, _, err := h.fileProblem(t.Context(), h.item(t, "F"))
	require.NoError(t, err)
	require.Empty(t, problem)
	require.Len(t, h.sim.Docs("files"), 1)
}

// A storage that accepts large files only as a whole is reported, and not retried forever.
func TestAFileThatCannotGoUpInPartsFails(t *testing.T) {
	h := newHarness(t, harnessOptions{spoil: answers(aboutFiles, func(v map[string]any) {
		if _, ok := v["multipart_upload_url"]; ok {
			v["multipart_upload_url"] = nil
		}
	})})
	h.sees(t, file("F", "clip.mov", make([]byte, testPartSize+1)))
	_, err := h.steps.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: h.ref, SourceID: "F"})
	require.ErrorContains(t, err, "iconik returned no upload URL for parts")
	var own *fault.Error
	require.ErrorAs(t, err, &own)
	require.Equal(t, workflows.ErrorContent, own.Type)
}

// An attempt that Temporal has given up on may run next to its successor. A file that the successor has copied has no upload
// URL, and is not taken back because of that.
func TestAnAttemptThatWasOvertakenTakesNothingBack(t *testing.T) {
	for name, in := range map[string]workflows.OpenVersionInput{"going on": {}, "with a new upload": {NewUpload: true}} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, harnessOptions{})
			body := []byte("bytes")
			h.sees(t, file("F", "clip.mov", body))
			before := h.item(t, "F")
			h.copies(t, "F", body)
			done := h.item(t, "F")
			require.Equal(t, ledger.Copied, done.State)
			in.Ref, in.SourceID = h.ref, "F"
			_, err := h.openVersion(t.Context(), before, in)
			require.ErrorContains(t, err, `another attempt continued with "clip.mov"`)
			require.Equal(t, done, h.item(t, "F"))
			problem, _, err := h.fileProblem(t.Context(), done)
			require.NoError(t, err)
			require.Empty(t, problem)
		})
	}
}

// If two attempts create something at once, one object stays and the other is deleted.
func TestNoSecondFormatOrRecordStays(t *testing.T) {
	var h *harness
	var both sync.Map
	h = newHarness(t, harnessOptions{spoil: func(sim http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kind := ledger.LinkFormat
			if strings.HasSuffix(r.URL.Path, "/files/") {
				kind = ledger.LinkFileRecord
			} else if !strings.HasSuffix(r.URL.Path, "/formats/") {
				kind = ""
			}
			if _, done := both.LoadOrStore(kind, true); kind == "" || done || r.Method != http.MethodPost {
				sim.ServeHTTP(w, r)
				return
			}
			body, _ := io.ReadAll(r.Body)
			other := r.Clone(r.Context())
			other.Body, r.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
			rec := httptest.NewRecorder()
			sim.ServeHTTP(rec, other)
			var made struct{ ID string }
			assert.NoError(t, json.Unmarshal(rec.Body.Bytes(), &made))
			holds, err := h.tenant.Ledger.Claim(r.Context(), kind, "F", made.ID, "")
			assert.NoError(t, err)
			assert.Equal(t, made.ID, holds)
			sim.ServeHTTP(w, r)
		})
	}})
	body := []byte("bytes")
	h.sees(t, file("F", "clip.mov", body))
	h.copies(t, "F", body)
	require.Len(t, h.sim.Docs("formats"), 1)
	require.Len(t, h.sim.Docs("files"), 1)
	require.Equal(t, h.item(t, "F").FileID, h.sim.Docs("files")[0]["id"])
}

// A worker runs for weeks: if a storage is replaced in that time, at most one file fails.
func TestAStorageThatWasReplacedIsNotedOnce(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	h.sees(t, file("F", "clip.mov", []byte("bytes")))
	h.copies(t, "F", []byte("bytes"))
	for _, d := range h.sim.Docs("storages") {
		h.sim.ChangeDoc("storages", d["id"].(string), func(map[string]any) bool { return false })
	}
	second := h.sim.AddStorage("second", "S3", map[string]any{"bucket": "originals"})
	h.sees(t, file("G", "next.mov", []byte("more")))
	_, err := h.steps.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: h.ref, SourceID: "G"})
	require.ErrorContains(t, err, "Storage does not exist")
	h.copies(t, "G", []byte("more"))
	files, err := h.iconik.Files.Files(t.Context(), h.item(t, "G").AssetID, h.item(t, "G").VersionID)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Equal(t, second, files[0].StorageID)
}
