package storesim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// What else the vendors' own clients need: Framebridge starts a session by a signed URL and a large file through iconik, but
// these clients have an account.

// ForClient returns the store with the part of Google's JSON API that starts a resumable session.
func (g *GCS) ForClient() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, "/upload/storage/v1/b/")
		if !ok || r.URL.Query().Get("uploadType") != "resumable" {
			g.ServeHTTP(w, r)
			return
		}
		bucket, _, _ := strings.Cut(rest, "/")
		name := r.URL.Query().Get("name")
		if name == "" {
			var in struct{ Name string }
			_ = json.NewDecoder(r.Body).Decode(&in)
			name = in.Name
		}
		start, err := http.NewRequestWithContext(r.Context(), http.MethodPost, g.StartURL(bucket+"/"+name, time.Minute), http.NoBody)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		start.Header.Set("X-Goog-Resumable", "start")
		begun := &answerAlone{header: w.Header()}
		g.ServeHTTP(begun, start)
		if begun.status == http.StatusCreated { // the JSON API answers 200, the XML API 201
			begun.status = http.StatusOK
		}
		w.WriteHeader(begun.status)
	})
}

// answerAlone keeps an answer's status and drops its body.
type answerAlone struct {
	header http.Header
	status int
}

func (a *answerAlone) Header() http.Header         { return a.header }
func (a *answerAlone) WriteHeader(status int)      { a.status = status }
func (a *answerAlone) Write(b []byte) (int, error) { return len(b), nil }

// ForClient returns the store with the part of Backblaze's native API that uploads files.
func (b *B2) ForClient() http.Handler {
	say := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		_ = json.NewDecoder(r.Body).Decode(&in)
		switch call {
		case "b2_authorize_account":
			say(w, map[string]any{"accountId": "a", "authorizationToken": "t", "apiInfo": map[string]any{"storageApi": map[string]any{
				"apiUrl": b.base, "downloadUrl": b.base, "absoluteMinimumPartSize": leastB2Part, "recommendedPartSize": leastB2Part, "capabilities": []string{"writeFiles"}}}})
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
	})
}
