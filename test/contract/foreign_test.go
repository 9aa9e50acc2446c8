package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/workflows"
)

var (
	utcTime      = regexp.MustCompile(`(\d\d:\d\d:\d\d\.\d+)Z"`)
	anyTime      = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	listsReplies = regexp.MustCompile(`/files/[^/]+/comments$`)
)

// foreign answers as V4's document allows and our simulator does not: in small pages with whole links, without the limits' headers, with
// times that have an offset, more members than are documented, none where there is nothing, and replies by themselves, too.
func foreign(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("page_size") != "" && !strings.Contains(r.URL.Path, "/version_stacks/") {
			q.Set("page_size", "3")
			r.URL.RawQuery = q.Encode()
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		for name := range w.Header() {
			if strings.HasPrefix(name, "X-Ratelimit") {
				w.Header().Del(name)
			}
		}
		body := rec.Body.Bytes()
		var said map[string]any
		if strings.HasPrefix(r.URL.Path, "/v4/") && json.Unmarshal(body, &said) == nil {
			abroad(said, r)
			body, _ = json.Marshal(said)
			body = utcTime.ReplaceAll(body, []byte(`$1+00:00"`))
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(rec.Code)
		_, _ = bytes.NewReader(body).WriteTo(w)
	})
}

func abroad(said map[string]any, r *http.Request) {
	rows, isList := said["data"].([]any)
	if isList && r.Method == http.MethodGet {
		if listsReplies.MatchString(r.URL.Path) {
			for _, row := range slices.Clone(rows) {
				replies, _ := row.(map[string]any)["replies"].([]any)
				rows = append(rows, replies...)
			}
		} else {
			slices.Reverse(rows)
		}
		said["data"], said["total_count"] = rows, 12345
	}
	if links, ok := said["links"].(map[string]any); ok && links["next"] != nil {
		to, _ := url.Parse(fmt.Sprint(links["next"]))
		q := r.URL.Query()
		q.Set("after", to.Query().Get("after"))
		links["next"] = "https://api.frame.io" + to.Path + "?" + q.Encode()
	}
	var strange func(v any)
	strange = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				strange(each)
			}
		case map[string]any:
			for name, each := range v {
				if list, empty := each.([]any); empty && len(list) == 0 && name != "data" || each == nil && name != "value" {
					delete(v, name)
				}
				strange(each)
			}
			v["not_documented"] = map[string]any{"at": []any{1, nil}}
		}
	}
	strange(said["data"])
}

// in is all that iconik has of a project, by what people see, without what is kept as it was sent.
func (b *harness) in() (all []string) {
	seen := func(values map[string]string) map[string]string {
		values = maps.Clone(values)
		for _, asSent := range []string{"framebridge_fields", "framebridge_stack", "framebridge_markup", "framebridge_settings"} {
			delete(values, asSent)
		}
		return values
	}
	text := map[string]string{}
	for _, s := range b.iconik.Docs("segments") {
		text[str(s["id"])] = str(s["segment_text"])
	}
	for _, a := range b.iconik.Docs("assets") {
		id := str(a["id"])
		if strings.HasPrefix(str(a["external_id"]), "frameio:report:") {
			continue
		}
		all = append(all, fmt.Sprint("asset ", a["title"], seen(b.iconik.Values("assets", id))))
		for i, v := range b.iconik.ActiveVersions(id) {
			all = append(all, fmt.Sprint("version ", i, b.iconik.VersionValues(id, v)["framebridge_source_id"]))
		}
		for _, s := range b.iconik.Segments(id) {
			all = append(all, fmt.Sprint("comment ", s["segment_text"], s["time_start_milliseconds"], s["time_end_milliseconds"], s["segment_checked"], s["drawing"], " on ", text[str(s["parent_id"])],
				seen(b.iconik.Values("segments", str(s["id"])))))
		}
	}
	for _, c := range b.iconik.Docs("collections") {
		all = append(all, fmt.Sprint("collection ", c["title"], b.iconik.Values("collections", str(c["id"]))["framebridge_source_id"], len(b.iconik.CollectionsOf(str(c["id"])))))
	}
	for i, s := range all {
		all[i] = anyTime.ReplaceAllString(s, "(a time)") // each simulator's project is of another second
	}
	slices.Sort(all)
	return all
}

// What another simulator makes of V4's document is read alike.
func TestAnotherFrameioIsReadAlike(t *testing.T) {
	t.Parallel()
	set := harnessOptions{generation: "v4", storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw), frameio: plain, iconik: plain, objects: plain}
	home := set.open(t)
	want := home.archive(t)
	set.frameio = foreign
	b := set.open(t)
	got := b.archive(t)
	assert.Equal(t, want.Status, got.Status, got.Reason)
	assert.Equal(t, want.Reason, got.Reason)
	assert.Equal(t, home.in(), b.in())
	assert.False(t, b.again(t).Changed)
}

// A reply that is listed beside its thread, too, stays a reply.
func TestAReplyThatIsListedTwiceStaysOne(t *testing.T) {
	t.Parallel()
	c, ref := harnessOptions{generation: "v4", storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw), frameio: foreign, iconik: plain, objects: plain}.open(t).openReview(t, 0)
	over := c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "a thread"})
	c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, ParentID: over.ID, Text: "its reply"})
	for range 2 {
		require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
	}
	segments := c.iconik.Segments(c.asset)
	require.Len(t, segments, 2)
	for _, s := range segments {
		assert.Equal(t, strings.HasSuffix(str(s["segment_text"]), "its reply"), s["parent_id"] != nil && s["parent_id"] != "", "%v", s["segment_text"])
	}
}
