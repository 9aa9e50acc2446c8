package activities

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/workflows"
)

func aboutFiles(r *http.Request) bool { return strings.Contains(r.URL.Path, "/files/") }

// Nobody promises that S3 storages offer a single PUT.
func TestAnS3StorageWithoutASinglePutTakesParts(t *testing.T) {
	for name, body := range map[string][]byte{"small": []byte("bytes"), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{spoil: answers(aboutFiles, func(v map[string]any) {
				if _, ok := v["upload_url"]; ok {
					v["upload_url"] = nil
				}
			})})
			b.sees(t, file("F", "clip.mov", body))
			b.copies(t, "F", body)
			it := b.item(t, "F")
			require.Equal(t, ledger.Copied, it.State)
			problem, _, err := b.fileProblem(t.Context(), it)
			require.NoError(t, err)
			require.Empty(t, problem)
			require.Equal(t, 1, b.sim.Calls()["POST files/v1/assets/{id}/files"])
		})
	}
}

// A record whose single PUT has gone is not filled for ever: another one takes its place.
func TestARecordWhoseURLIsGoneIsMadeAnew(t *testing.T) {
	b := newBench(t, benchOptions{spoil: answers(func(r *http.Request) bool { return r.Method == http.MethodGet && aboutFiles(r) }, func(v map[string]any) {
		if _, ok := v["upload_url"]; ok {
			v["upload_url"], v["multipart_upload_url"] = nil, nil
		}
	})})
	body := []byte("bytes")
	b.sees(t, file("F", "clip.mov", body))
	require.Equal(t, workflows.DoTransfer, b.open(t, "F"))
	gone := b.item(t, "F")
	b.uploads.Clear() // another worker goes on
	_, err := b.updateItem(t.Context(), gone, func(i *ledger.Item) { i.State = ledger.Pending })
	require.NoError(t, err)
	b.copies(t, "F", body)
	require.NotEqual(t, gone.FileID, b.item(t, "F").FileID)
	require.Len(t, b.sim.Docs("files"), 1)
}

// The URL for parts may come with a record's creation only: an upload that could not be begun then is begun with
// another record.
func TestPartsAreBegunAgainWhereTheirURLComesOnce(t *testing.T) {
	var begun atomic.Int32
	b := newBench(t, benchOptions{
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
	body := bytes.Repeat([]byte("0123456789abcdef"), benchPart/16+1)
	b.sees(t, file("F", "clip.mov", body))
	_, err := b.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: b.ref, SourceID: "F"})
	require.ErrorContains(t, err, "SlowDown")
	b.copies(t, "F", body)
	problem, _, err := b.fileProblem(t.Context(), b.item(t, "F"))
	require.NoError(t, err)
	require.Empty(t, problem)
	require.Len(t, b.sim.Docs("files"), 1)
}

// A storage that takes large files only whole is said to, and not tried for ever.
func TestAFileThatCannotGoUpInPartsFails(t *testing.T) {
	b := newBench(t, benchOptions{spoil: answers(aboutFiles, func(v map[string]any) {
		if _, ok := v["multipart_upload_url"]; ok {
			v["multipart_upload_url"] = nil
		}
	})})
	b.sees(t, file("F", "clip.mov", make([]byte, benchPart+1)))
	_, err := b.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: b.ref, SourceID: "F"})
	require.ErrorContains(t, err, "iconik gives no upload URL for parts")
	require.ErrorContains(t, err, workflows.ErrorContent)
}

// A file that another worker moves is not remembered for the life of this one.
func TestUploadURLsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := &tenant{}
		one.rememberUpload(iconik.File{ID: "F", UploadURL: "https://store.example/put"})
		one.rememberUpload(iconik.File{ID: "G", MultipartUploadURL: "https://store.example/parts"})
		_, ok := one.uploads.Load("F")
		require.True(t, ok)
		time.Sleep(uploadURLLife + time.Second)
		one.uploads.Range(func(id, _ any) bool {
			t.Errorf("%s is still remembered", id)
			return true
		})
	})
}
