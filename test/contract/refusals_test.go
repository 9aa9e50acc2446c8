package contract

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// spoil is one way in which a vendor or the store lets a call down.
type spoil struct {
	name   string
	status int
	body   string // of the answer; "" is the vendor's own form of an error
	raw    bool   // body is the wholeTables answer
	lose   bool   // the call takes effect and its answer is lost
	reset  bool   // the connection ends before anything happens
	times  int    // how often the object is met by it; 0 is always
	pause  string // the header Retry-After; "none" is without it, "date 1h" is the date in an hour, and "" is a moment
}

// passing says that the same call works in the end.
func (s spoil) passing() bool { return s.times > 0 }

// spoils are all ways that the table knows. What a vendor refuses for good it refuses until the faults end, and what may pass
// passes at the third time.
var spoils = []spoil{
	{name: "400", status: 400}, {name: "401", status: 401, times: 2}, {name: "403", status: 403}, {name: "404", status: 404},
	{name: "409", status: 409}, {name: "413", status: 413}, {name: "422", status: 422}, {name: "501", status: 501}, {name: "429", status: 429, times: 1}, {name: "500", status: 500, times: 2},
	{name: "reset", reset: true, times: 2}, {name: "lost answer", lose: true, times: 1},
	{name: "garbage", status: 200, body: "<html>Bad gateway", raw: true, times: 2}, {name: "empty body", status: 200, raw: true, times: 2},
}

// spoiler stands before both vendors and the store. It writes down each operation, and spoils the calls about one object of
// one operation: the one that is met after some calls.
type spoiler struct {
	mu     sync.Mutex
	seen   map[string]int // calls of each operation
	op     string         // to be spoiled; "" is none
	after  int            // calls of it that pass before
	spoil  spoil          //
	object string         // the object that it has met
	hits   int            // how often
}

var idsInPath = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

var (
	fieldsInPath = regexp.MustCompile(`/fields/[^/]+$`)
	times        = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	fieldNames   = regexp.MustCompile(`frameio_[0-9a-f]{32}`)
)

// shown is what iconik shows, without what differs between two runs of one test.
func (b *harness) shown() string {
	return fieldNames.ReplaceAllString(times.ReplaceAllString(b.places(), "a time"), "frameio_field")
}

// differs names the first line that is not as it should be.
func differs(want, have string) string {
	w, h := strings.Split(want, "\n"), strings.Split(have, "\n")
	for i := range max(len(w), len(h)) {
		a, b := "nothing", "nothing"
		if i < len(w) {
			a = w[i]
		}
		if i < len(h) {
			b = h[i]
		}
		if a != b {
			return fmt.Sprintf("%d lines, not %d\nwant %s\nhave %s", len(h), len(w), a, b)
		}
	}
	return ""
}

// operation names a call without what is of one object only.
func operation(side string, r *http.Request) string {
	path := fieldsInPath.ReplaceAllString(strings.TrimSuffix(idsInPath.ReplaceAllString(r.URL.Path, "{id}"), "/"), "/fields/{name}")
	if side == "store" {
		path = ""
		for _, key := range []string{"uploads", "uploadId", "partNumber"} {
			if r.URL.Query().Has(key) {
				path += " " + key
			}
		}
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "iconik-files") {
			path += " of iconik"
		}
	}
	return side + " " + r.Method + " " + path
}

// objectOf names what a call is about: its path, and for what is made the name or id in its body.
func objectOf(r *http.Request, body []byte) string {
	var said struct {
		ExternalID string `json:"external_id"`
		Name       string `json:"name"`
		Title      string `json:"title"`
	}
	_ = json.Unmarshal(body, &said)
	name := cmp.Or(said.ExternalID, said.Name, said.Title)
	if name == "" && r.Method == http.MethodPost {
		h := fnv.New64a()
		_, _ = h.Write(body)
		name = fmt.Sprint(h.Sum64())
	}
	return r.URL.Path + " " + r.URL.Query().Get("partNumber") + " " + name
}

func (s *spoiler) before(side string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/_sim") {
				h.ServeHTTP(w, r)
				return
			}
			var body []byte
			if side != "store" {
				body, _ = io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			op, object := operation(side, r), objectOf(r, body)
			s.mu.Lock()
			n := s.seen[op]
			s.seen[op]++
			if op == s.op && s.object == "" && n >= s.after {
				s.object = object
			}
			met := op == s.op && s.object == object && (s.spoil.times == 0 || s.hits < s.spoil.times)
			if met {
				s.hits++
			}
			how := s.spoil
			s.mu.Unlock()
			if !met {
				h.ServeHTTP(w, r)
				return
			}
			how.serve(side, h, w, r)
		})
	}
}

func (s spoil) serve(side string, h http.Handler, w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, io.LimitReader(http.MaxBytesReader(w, r.Body, 0), 0))
	switch {
	case s.lose:
		h.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case s.reset:
		panic(http.ErrAbortHandler)
	case s.raw && s.body == "" && r.Method != http.MethodGet: // nothing tells it from a vendor that says nothing
		h.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(s.status)
		return
	case s.raw:
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.body)
		return
	case side == "store":
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(s.status)
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>played</Message></Error>", strings.ReplaceAll(http.StatusText(s.status), " ", ""))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	by, date := strings.CutPrefix(s.pause, "date ")
	later, _ := time.ParseDuration(by)
	switch {
	case date:
		w.Header().Set("Retry-After", time.Now().Add(later).UTC().Format(http.TimeFormat))
	case s.pause != "none":
		w.Header().Set("Retry-After", cmp.Or(s.pause, "0.05"))
	}
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, `{"message":"played","errors":["played"]}`)
}

func (s *spoiler) end() (hits int, object string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.op = ""
	return s.hits, s.object
}

// tiny is a small project with a spoiler before everything.
func tiny(t *testing.T, generation string) (*harness, *spoiler) {
	t.Helper()
	s := &spoiler{seen: map[string]int{}}
	return harnessOptions{generation: generation, storage: "S3", settings: map[string]any{"bucket": "iconik-files", "path": "media"}, seed: samples.Tiny,
		frameio: s.before("frameio"), iconik: s.before("iconik"), objects: s.before("store")}.open(t), s
}

// setUp are the operations without which nothing can be archived: where one is refused, the archive fails with its words.
var setUp = regexp.MustCompile(`^(frameio GET /v[24]/(accounts/{id}/)?projects/{id}|frameio GET /v4/(me|accounts).*|iconik GET /API/files/v1/storages.*|iconik .* /API/metadata/v1/.*|iconik GET /API/users/v1/.*|iconik POST /API/search/v1/search)$`)

// setUpObjects are the collections that everything else is put into.
var setUpObjects = regexp.MustCompile(`^/API/assets/v1/collections/ .*frameio:(root|team|project):`)

// emptyView are operations whose 404 says, by iconik's description, that the object has no values in a view: the proof tells of them
// as of values that somebody took out.
var emptyView = regexp.MustCompile(`^iconik GET /API/metadata/v1/.*/views/{id}$`)

// once are rows that the whole table found at fault. The fast suite plays those of V4, too.
var once = map[string]string{
	"frameio GET /v2/teams/{id}": "422", "frameio GET /v4/accounts/{id}/workspaces/{id}": "422",
	"frameio GET /v4/accounts/{id}/shares/{id}/assets": "404", "frameio GET /v4/accounts/{id}/shares/{id}/reviewers": "403",
	"store GET  of iconik":                 "501",
	"frameio GET /v2/assets/{id}/comments": "404", "frameio GET /v4/accounts/{id}/files/{id}/comments": "404",
}

// An archive that meets a refusal of one object, whatever the operation, brings everything else over, names that object, and
// is verified by the run after the refusals have ended, with nothing missing and nothing twice.
func playRefusals(t *testing.T, choose func(generation, op string, n int) []spoil) {
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			b, seen := tiny(t, generation)
			fin := b.archive(t)
			require.True(t, strings.HasPrefix(fin.Status, "verified"), fin.Reason)
			want := b.shown()
			ops := slices.Sorted(maps.Keys(seen.seen))
			require.Greater(t, len(ops), 25, "%v", ops)
			for i, op := range ops {
				for _, how := range choose(generation, op, i) {
					t.Run(op+" "+how.name, func(t *testing.T) {
						t.Parallel()
						play(t, generation, op, how, min(seen.seen[op]-1, 1), fin, want)
					})
				}
			}
		})
	}
}

func play(t *testing.T, generation, op string, how spoil, after int, undisturbed workflows.FinishArchiveResult, want string) {
	b, s := tiny(t, generation)
	if how.status == http.StatusUnauthorized && strings.HasPrefix(op, "store") {
		how.times = 1 // an address that has expired; the next one is good
	}
	s.op, s.after, s.spoil = op, after, how
	env := b.run(t)
	hits, object := s.end()
	if hits == 0 && after > 0 { // what was read before a while ago is not always read again
		play(t, generation, op, how, 0, undisturbed, want)
		return
	}
	require.NotZero(t, hits, "nothing was refused")
	row, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Get(t.Context())
	require.NoError(t, err)
	failed := b.failedItems(t)
	others, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Failures(t.Context(), "", 100)
	require.NoError(t, err)
	told := fmt.Sprintf("%s of %s: %s, %s\nfiles: %v\nothers: %+v", how.name, object, row.Status, row.Reason, failed, others)
	switch {
	case row.Status == ledger.Failed:
		root := row.RootID != "" && op == "frameio GET /v2/assets/{id}" && strings.Contains(object, row.RootID) // which says who may see the project
		assert.True(t, root || setUp.MatchString(op) || setUpObjects.MatchString(object), told)
		assert.NotEmpty(t, row.Reason)
	case row.Status == ledger.Incomplete:
		assert.False(t, how.passing() && how.name != "garbage" && how.name != "empty body", "what passes costs nothing: %s", told)
		assert.NotEmpty(t, len(failed)+len(others), told)
		said := row.Reason + fmt.Sprint(failed)
		if !how.passing() && !strings.Contains(said, "refuses the download") {
			assert.Contains(t, said, how.name, told)
		}
	case emptyView.MatchString(op) && how.status == http.StatusNotFound && strings.Contains(row.Reason, "changed in iconik"):
		assert.Equal(t, ledger.VerifiedWithExceptions, row.Status, told)
		assert.Empty(t, differs(want, b.shown()), told)
	default:
		require.NoError(t, env.GetWorkflowError(), told)
		assert.Equal(t, undisturbed.Status, string(row.Status), told)
		if row.Reason == undisturbed.Reason || !strings.Contains(row.Reason, "not carried") { // or what is not there is named
			assert.Empty(t, differs(want, b.shown()), told)
		}
	}
	items, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).ItemsPage(t.Context(), 0, 1000)
	require.NoError(t, err)
	if row.Status == ledger.Incomplete {
		for _, it := range items {
			if failed[it.Path] == "" {
				assert.Contains(t, []ledger.ItemState{ledger.ItemVerified, ledger.Skipped}, it.State, "%s: %s", it.Path, told)
			}
		}
	}
	fin := b.again(t)
	assert.Equal(t, undisturbed.Status, fin.Status, "%s\nfirst %s", fin.Reason, told)
	assert.Empty(t, b.failedItems(t), told)
	assert.Empty(t, differs(want, b.shown()), told)
}

// TestARefusalOfAnyOperation plays every twelfth operation, each with the next way to fail. The slow steps play every operation, each
// with three ways, and TestEveryRefusalOfAnyOperation everything.
func TestARefusalOfAnyOperation(t *testing.T) {
	t.Parallel()
	playRefusals(t, func(generation, op string, n int) (out []spoil) {
		switch {
		case wholeTables:
			out = []spoil{spoils[n%len(spoils)], spoils[(n+5)%len(spoils)], spoils[(n+9)%len(spoils)]}
		case sampled(n, 12):
			out = []spoil{spoils[n/12%len(spoils)]}
		}
		i := slices.IndexFunc(spoils, func(s spoil) bool { return s.name == once[op] })
		if i >= 0 && !slices.Contains(out, spoils[i]) {
			out = append(out, spoils[i])
		}
		return out
	})
}
