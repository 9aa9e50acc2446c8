package iconik_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
)

// The endpoint for another stream of parts may come without the upload's ID, and Backblaze's errors come in a response with
// status 200. Neither is taken for an endpoint without a URL.
func TestPlacesToUploadToOnB2(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		upload, answer string
		want           iconik.B2Upload
		err            string
	}{
		"the first":     {"", `{"upload_file_id":"u","upload_url":"https://b2/1","authorization_token":"t"}`, iconik.B2Upload{ID: "u", URL: "https://b2/1", Token: "t"}, ""},
		"another":       {"u", `{"upload_url":"https://b2/2","authorization_token":"t2"}`, iconik.B2Upload{ID: "u", URL: "https://b2/2", Token: "t2"}, ""},
		"none":          {"u", `{"upload_file_id":"u","upload_url":null}`, iconik.B2Upload{}, "no place"},
		"an error":      {"u", `{"status":"error","error":"no tomes available","error_code":"service_unavailable"}`, iconik.B2Upload{}, "service_unavailable no tomes available"},
		"at first, too": {"", `{"upload_file_id":null,"error":"no tomes available"}`, iconik.B2Upload{}, "no tomes available"},
	} {
		c := against(t, map[string]http.HandlerFunc{"POST /API/files/v1/assets/a/files/f/multipart/b2/start/": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(v.answer))
		}})
		got, err := c.Files.StartB2(t.Context(), "a", "f", v.upload)
		switch {
		case v.err != "" && (rest.ClassOf(err) != rest.Retryable || !strings.Contains(err.Error(), v.err)):
			t.Errorf("%s: %v", name, err)
		case v.err == "" && (err != nil || *got != v.want):
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
