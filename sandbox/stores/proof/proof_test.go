package proof

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // Backblaze's checksum
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"github.com/Backblaze/blazer/base"
	"github.com/stretchr/testify/require"
	"google.golang.org/api/option"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/storesim"
	"github.com/framebridge/framebridge/test/sinktest"
)

// TestGoogleClient uploads with cloud.google.com/go/storage, in chunks, with requests refused on the way.
func TestGoogleClient(t *testing.T) {
	var g *storesim.GCS
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The JSON API's start of a session, which a signed URL replaces for us.
		if rest, ok := strings.CutPrefix(r.URL.Path, "/upload/storage/v1/b/"); ok && r.URL.Query().Get("uploadType") == "resumable" {
			bucket, _, _ := strings.Cut(rest, "/")
			name := r.URL.Query().Get("name")
			if name == "" {
				var in struct{ Name string }
				_ = json.NewDecoder(r.Body).Decode(&in)
				name = in.Name
			}
			req, _ := http.NewRequest(http.MethodPost, g.StartURL(bucket+"/"+name, time.Minute), nil)
			req.Header.Set("X-Goog-Resumable", "start")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusCreated {
				w.WriteHeader(resp.StatusCode)
				return
			}
			w.Header().Set("Location", resp.Header.Get("Location"))
			return
		}
		g.ServeHTTP(w, r)
	}))
	defer srv.Close()
	g = storesim.NewGCS(srv.URL)
	t.Setenv("STORAGE_EMULATOR_HOST", srv.URL)
	client, err := storage.NewClient(t.Context(), option.WithoutAuthentication(), storage.WithJSONReads())
	require.NoError(t, err)
	defer client.Close()

	file := sinktest.File(5*(1<<20) + 12345)
	var n atomic.Int64
	for name, fault := range map[string]storesim.Fault{
		"plain": nil,
		"503": func(*http.Request) *s3sim.Fault {
			if n.Add(1)%3 == 1 {
				return &s3sim.Fault{Status: 503, Code: "SlowDown"}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			g.SetFault(fault)
			defer g.SetFault(nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			object := client.Bucket("bucket").Object("file " + name + ".mov")
			w := object.Retryer(storage.WithPolicy(storage.RetryAlways)).NewWriter(ctx)
			w.ChunkSize = 256 << 10
			w.CRC32C, w.SendCRC32C = crc32.Checksum(file, crc32.MakeTable(crc32.Castagnoli)), true
			_, err := w.Write(file)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			got, ok := g.Object("bucket/file " + name + ".mov")
			require.True(t, ok)
			require.True(t, bytes.Equal(file, got))
			require.EqualValues(t, len(file), w.Attrs().Size)
		})
	}
}

// TestBackblazeClient uploads with Backblaze's client: a whole file, and a large one with the digest at the end.
func TestBackblazeClient(t *testing.T) {
	var b *storesim.B2
	say := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, ok := strings.CutPrefix(r.URL.Path, "/b2api/v3/")
		if !ok {
			b.ServeHTTP(w, r)
			return
		}
		var in struct {
			FileID   string   `json:"fileId"`
			FileName string   `json:"fileName"`
			SHA1s    []string `json:"partSha1Array"`
		}
		if r.Body != nil {
			_ = json.NewDecoder(r.Body).Decode(&in)
		}
		// What iconik does for us, with an account of its own.
		switch call {
		case "b2_authorize_account":
			say(w, map[string]any{"accountId": "a", "authorizationToken": "t", "apiInfo": map[string]any{"storageApi": map[string]any{
				"apiUrl": srv.URL, "downloadUrl": srv.URL, "absoluteMinimumPartSize": 5_000_000, "recommendedPartSize": 5_000_000, "capabilities": []string{"writeFiles"}}}})
		case "b2_create_bucket":
			say(w, map[string]any{"bucketId": "b", "bucketName": "bucket"})
		case "b2_get_upload_url":
			u, token := b.UploadURL("")
			say(w, map[string]any{"uploadUrl": u, "authorizationToken": token})
		case "b2_start_large_file":
			say(w, map[string]any{"fileId": b.Start(in.FileName)})
		case "b2_get_upload_part_url":
			u, token := b.UploadURL(in.FileID)
			say(w, map[string]any{"uploadUrl": u, "authorizationToken": token, "fileId": in.FileID})
		case "b2_finish_large_file":
			if err := b.Finish(in.FileID, in.SHA1s); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				say(w, map[string]any{"status": 400, "code": "bad_request", "message": err.Error()})
				return
			}
			say(w, map[string]any{"fileId": in.FileID, "action": "upload"})
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	b = storesim.NewB2(srv.URL)
	account, err := base.AuthorizeAccount(t.Context(), "id", "key", base.SetAPIBase(srv.URL))
	require.NoError(t, err)
	bucket, err := account.CreateBucket(t.Context(), "bucket", "", nil, nil)
	require.NoError(t, err)

	small := sinktest.File(1234)
	place, err := bucket.GetUploadURL(t.Context())
	require.NoError(t, err)
	_, err = place.UploadFile(t.Context(), bytes.NewReader(small), len(small), "folder/small ü.mov", "video/mp4", fmt.Sprintf("%x", sha1.Sum(small)), nil) //nolint:gosec
	require.NoError(t, err)
	got, _ := b.Object("folder/small ü.mov")
	require.Equal(t, small, got)

	file := sinktest.File(2*5_000_000 + 77)
	large, err := bucket.StartLargeFile(t.Context(), "large.mov", "video/mp4", nil)
	require.NoError(t, err)
	part, err := large.GetUploadPartURL(t.Context())
	require.NoError(t, err)
	for i := 0; i*5_000_000 < len(file); i++ {
		piece := file[i*5_000_000 : min((i+1)*5_000_000, len(file))]
		sum := fmt.Sprintf("%x", sha1.Sum(piece)) //nolint:gosec
		_, err := part.UploadPart(t.Context(), strings.NewReader(string(piece)+sum), "hex_digits_at_end", len(piece)+40, i+1)
		require.NoError(t, err)
	}
	_, err = large.FinishLargeFile(t.Context())
	require.NoError(t, err)
	got, _ = b.Object("large.mov")
	require.True(t, bytes.Equal(file, got))
	part, err = large.GetUploadPartURL(t.Context())
	require.NoError(t, err)
	_, err = part.UploadPart(t.Context(), strings.NewReader("late"), fmt.Sprintf("%x", sha1.Sum([]byte("late"))), 4, 9) //nolint:gosec
	require.Error(t, err, "it is finished")
}
