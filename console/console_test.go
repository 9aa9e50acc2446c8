package console

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

const (
	acme  = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	other = "7a0b6f36-5d5c-4ef2-9d6c-1f5d2f0c9b11"
)

var today = time.Date(2026, time.November, 29, 12, 0, 0, 0, time.UTC)

// recorder records the actions that the pages request.
type recorder struct {
	mu       sync.Mutex
	asked    []string
	refuse   error
	temporal error
	projects []Project
	plan     func(context.Context) (workflows.Plan, error)
	step     string
	sides    Sides
	sidesErr error
	pictures int
	poster   []byte // a file's picture; empty: the smallest
	checks   []doctor.Check

	accountRecorder
}

// onePixel is the smallest PNG.
var onePixel, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

func (a *recorder) note(parts ...any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, strings.TrimSpace(fmt.Sprintln(parts...)))
	return a.refuse
}

func (a *recorder) StartArchive(_ context.Context, _ *config.Tenant, project, by string) error {
	return a.note("start", project, by)
}
func (a *recorder) RetryArchive(_ context.Context, _ *config.Tenant, id string) error {
	return a.note("retry", id)
}
func (a *recorder) RetryItem(_ context.Context, _ *config.Tenant, id, item string) error {
	return a.note("item", id, item)
}
func (a *recorder) CancelArchive(_ context.Context, _ *config.Tenant, id string) error {
	return a.note("cancel", id)
}
func (a *recorder) MoveArchive(_ context.Context, _ *config.Tenant, id string, position int) error {
	return a.note("move", id, position)
}
func (a *recorder) ExtendReview(_ context.Context, _ *config.Tenant, id, expires string) error {
	return a.note("extend", id, expires)
}
func (a *recorder) StopReview(_ context.Context, _ *config.Tenant, id string) error {
	return a.note("stop", id)
}
func (a *recorder) SyncReview(_ context.Context, _ *config.Tenant, id string) error {
	return a.note("sync", id)
}
func (a *recorder) ResendReview(_ context.Context, _ *config.Tenant, id string) error {
	return a.note("resend", id)
}
func (a *recorder) BothSides(context.Context, *config.Tenant, string) (Sides, error) {
	return a.sides, a.sidesErr
}
func (a *recorder) Thumbnail(_ context.Context, _ *config.Tenant, _ string, n int) (File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pictures++; n != 1 {
		return File{}, errors.New("no picture at https://bucket.s3.amazonaws.com/p.jpg?X-Amz-Signature=deadbeef")
	}
	return File{MediaType: "image/png", Body: onePixel}, nil
}
func (a *recorder) ItemThumbnail(_ context.Context, _ *config.Tenant, it ledger.Item) (File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pictures++; it.AssetID != "as-1" {
		return File{}, errors.New("no picture at https://bucket.s3.amazonaws.com/p.jpg?X-Amz-Signature=deadbeef")
	}
	return File{MediaType: "image/png", Body: []byte(cmp.Or(string(a.poster), string(onePixel)))}, nil
}
func (a *recorder) Export(_ context.Context, _ *config.Tenant, id, format, asset string) (File, error) {
	return File{Name: "cut." + format, MediaType: "text/plain", Body: []byte("markers")}, a.note("export", id, format, asset)
}
func (a *recorder) Projects(context.Context, *config.Tenant) ([]Project, error) {
	return a.projects, nil
}
func (a *recorder) Plan(ctx context.Context, _ *config.Tenant, _ string) (workflows.Plan, error) {
	if a.plan == nil {
		return workflows.Plan{}, errors.New("no plan")
	}
	return a.plan(ctx)
}
func (a *recorder) Doctor(context.Context, *config.Tenant) doctor.Report {
	if a.checks != nil {
		return doctor.Report{Checks: a.checks}
	}
	return doctor.Report{Checks: []doctor.Check{{ID: "iconik.storage", Status: doctor.Fail, Seen: "no storage <b> " + leaky, Meaning: "files cannot be stored", Do: "create a storage"}, {ID: "ledger", Status: doctor.OK, Seen: "reachable"}}}
}
func (a *recorder) SignedIn(context.Context, *config.Tenant) (time.Time, bool) {
	return today.Add(-3 * time.Hour), true
}
func (a *recorder) Step(context.Context, *config.Tenant, string) (string, error) { return a.step, nil }
func (a *recorder) AsItStands(_ context.Context, row ledger.Archive) ledger.Archive {
	return row
}
func (a *recorder) TemporalReady(context.Context) error { return a.temporal }

// now starts a minute before today and advances by a second with each request, so that pages do not share cached data,
// unless the test is about that.
func (h *harness) now() time.Time {
	if asked := h.onNow.Load(); asked != nil {
		(*asked)()
	}
	if h.steady.Load() {
		return today.Add(time.Since(h.began))
	}
	return today.Add(-time.Minute + time.Duration(h.asked.Load())*time.Second + time.Since(h.began))
}

type harness struct {
	asked   atomic.Int64
	onNow   atomic.Pointer[func()]
	steady  atomic.Bool // use the real clock: pages requested at the same moment share what was read
	began   time.Time
	ledger  *ledger.Ledger
	actions *recorder
	server  *httptest.Server
	cfg     *config.Config
	refused []string
	person  signin.Person
	role    config.Role
}

// serve serves the console for one person.
func serve(t testing.TB, role config.Role) *harness {
	t.Helper()
	return serveLedger(t, role, emptyledger.DSN(t))
}

func openLedger(t testing.TB, dsn string) *ledger.Ledger {
	t.Helper()
	book, err := ledger.Open(t.Context(), dsn, ledger.WithKey("a secret of sixteen and more"))
	require.NoError(t, err)
	return book
}

func serveLedger(t testing.TB, role config.Role, dsn string) *harness {
	t.Helper()
	book := openLedger(t, dsn)
	t.Cleanup(book.Close)
	h := &harness{began: time.Now(), ledger: book, actions: &recorder{}, role: role, person: signin.Person{Name: "Pat <Producer>", Email: "pat@acme.example"}}
	h.cfg = &config.Config{HTTP: config.HTTP{PublicURL: "http://127.0.0.1:8080"}, Temporal: config.Temporal{UIURL: "http://127.0.0.1:8233", Namespace: "default"}, Tenants: map[string]*config.Tenant{
		acme:  {ID: acme, Name: "Acme", Iconik: config.Iconik{BaseURL: "https://app.iconik.io"}, Frameio: config.Frameio{Generation: "v4", IMS: config.IMS{ClientID: "client"}}, Review: config.Review{Longest: 90 * 24 * time.Hour, Retention: 720 * time.Hour}},
		other: {ID: other, Name: "Secret Competitor"},
	}}
	stop, cancel := context.WithCancel(context.Background())
	handler := Handler(Deps{Config: func() *config.Config { return h.cfg }, Ledger: book, Actions: h.actions, Log: slog.New(slog.DiscardHandler), Refused: func(_ context.Context, p signin.Person, tenants []string, page, why string) {
		h.refused = append(h.refused, fmt.Sprint(p.Email, tenants, page, " ", why))
	}, Stop: stop, Now: h.now})
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		who := h.person
		who.Roles = map[string]config.Role{acme: h.role}
		ctx := signin.With(r.Context(), who)
		if h.role == "nobody" {
			ctx = r.Context()
		}
		handler.ServeHTTP(w, r.WithContext(signin.WithFormToken(ctx, "token-1")))
	}))
	t.Cleanup(func() { cancel(); h.server.Close() })
	return h
}

func (h *harness) do(t testing.TB, method, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/ui/" + acme + "/" + path
	}
	req, err := http.NewRequestWithContext(t.Context(), method, h.server.URL+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func (h *harness) get(t testing.TB, path string) (*http.Response, string) {
	t.Helper()
	return h.do(t, http.MethodGet, path, nil)
}

// archive writes an archive to the ledger as a run would have.
func (h *harness) archive(t testing.TB, id string, change func(*ledger.Archive)) {
	t.Helper()
	_, _, err := h.ledger.Tenant(acme).Archive(id).Request(t.Context(), "", today.Add(-time.Hour))
	require.NoError(t, err)
	_, err = h.ledger.Tenant(acme).Archive(id).Update(t.Context(), func(a *ledger.Archive) { a.Name = "Project " + id; change(a) })
	require.NoError(t, err)
}

// items writes a scan's items to the ledger, and then changes them.
func (h *harness) items(t testing.TB, archive string, items ...ledger.Item) {
	t.Helper()
	l := h.ledger.Tenant(acme).Archive(archive)
	scan, err := l.BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, l.PutFolders(t.Context(), []ledger.Folder{{SourceID: "root", Scan: scan}}))
	for i := range items {
		items[i].AssetKey, items[i].FolderID, items[i].Version, items[i].Versions, items[i].Scan = items[i].SourceID, "root", 1, 1, scan
	}
	require.NoError(t, l.PageListed(t.Context(), "root", scan, "", nil, items, true))
	require.NoError(t, l.FinishScan(t.Context(), scan))
}

const hostile = `<script>alert(1)</script>"'&{{.}}` + "\u202e"

// leaky is a reason with secrets that no page may show.
const leaky = hostile + ` at https://bucket.s3.amazonaws.com/a.mov?X-Amz-Signature=deadbeef with Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzYW0ifQ.c2VjcmV0LXNpZ25hdHVyZQ`

func (h *harness) review(t testing.TB, r ledger.Review) {
	t.Helper()
	r.Tenant, r.Click, r.CreatedAt = acme, r.ID, cmp.Or(r.CreatedAt, today.Add(-time.Hour))
	_, _, err := h.ledger.RequestReview(t.Context(), r, 0)
	require.NoError(t, err)
}

// filled has everything that the pages can show, with names that try to break out of the page.
func filled(t testing.TB, role config.Role) *harness {
	t.Helper()
	h := serveLedger(t, role, emptyledger.Copy(t, filledLedger(t)))
	h.showVendors()
	return h
}

var rowsOnce struct {
	sync.Once
	file []byte
}

// filledLedger returns the file of a ledger with all rows of filled, which take far longer to write than most tests.
func filledLedger(t testing.TB) []byte {
	t.Helper()
	rowsOnce.Do(func() {
		dsn := emptyledger.DSN(t)
		h := &harness{ledger: openLedger(t, dsn)}
		h.writeRows(t)
		h.accountRows(t)
		h.ledger.Close()
		file, err := os.ReadFile(strings.TrimPrefix(dsn, "sqlite:"))
		require.NoError(t, err)
		rowsOnce.file = file
	})
	require.NotEmpty(t, rowsOnce.file, "the first test could not write the rows")
	return rowsOnce.file
}

func (h *harness) writeRows(t testing.TB) {
	t.Helper()
	h.archive(t, "running", func(a *ledger.Archive) {
		a.Name, a.TeamName, a.Status, a.StartedAt, a.CopyingSince = hostile, hostile, ledger.Running, today.Add(-30*time.Minute), today.Add(-20*time.Minute)
		a.SetStuck(ledger.Stuck{Key: "k", Since: today.Add(-time.Hour), What: hostile, Reason: leaky})
	})
	h.items(t, "running", ledger.Item{SourceID: "f1", Path: hostile, Name: "a.mov", Size: 1 << 30, State: ledger.ItemFailed, Reason: leaky, Fault: "content", Fields: []byte(`{"framebridge_source_url":"javascript:alert(1)"}`)},
		ledger.Item{SourceID: "f2", Path: "Day 1/b.mov", Size: 1 << 30, State: ledger.Copied, BytesDone: 1 << 30, Checksum: "0123456789abcdef", AssetID: "as-2", CommentCount: 3, CommentsDone: 2})
	h.archive(t, "queued-1", func(a *ledger.Archive) { a.QueuePosition = 1 })
	h.archive(t, "queued-2", func(a *ledger.Archive) { a.QueuePosition = 2 })
	h.archive(t, "waiting", func(a *ledger.Archive) { a.Status, a.Reason = ledger.Waiting, "2 files have no original" })
	h.archive(t, "ended", func(a *ledger.Archive) {
		a.Name, a.Status, a.Reason, a.StartedAt, a.FinishedAt = "Harbour Lights", ledger.Incomplete, "1 file failed: "+leaky, today.Add(-50*time.Minute), today.Add(-10*time.Minute)
		a.CollectionID, a.ProjectURL = "co-1", "https://app.frame.io/projects/ended"
	})
	h.items(t, "ended", ledger.Item{SourceID: "g1", Path: "Cut/" + hostile, Size: 5, State: ledger.ItemFailed, Reason: "iconik refused it", Fault: "system"}, ledger.Item{SourceID: "g2", Path: "Cut/ok.mov", Size: 5, State: ledger.ItemVerified, BytesDone: 5})
	l := h.ledger.Tenant(acme).Archive("ended")
	require.NoError(t, l.PutFailure(t.Context(), ledger.Failure{Kind: ledger.FailedShare, SourceID: "s", Place: hostile, Reason: leaky, At: today}))
	require.NoError(t, l.SetDifferences(t.Context(), "g2", "comments", 1, []ledger.Difference{{Kind: ledger.DifferenceChanged, Property: "text", Name: hostile, Place: "Cut/ok.mov", Frameio: hostile, Iconik: hostile}}))
	require.NoError(t, l.SetNotCarried(t.Context(), "g2", "fields", []ledger.NotCarried{{Kind: "attachment", Name: hostile, Place: "Cut/ok.mov", Reason: leaky}}))
	_, err := h.ledger.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: acme, Action: "retry", ObjectKind: "archive", ObjectID: "ended", Archive: "ended", Actor: ledger.Actor{Kind: ledger.ActorConsole, Name: hostile, Address: "192.0.2.9"}, Reason: leaky, Detail: ledger.AuditText(leaky)})
	require.NoError(t, err)
	_, err = h.ledger.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: other, Action: "retry", ObjectKind: "archive", ObjectID: "theirs", Archive: "theirs", Reason: "Secret Competitor"})
	require.NoError(t, err)
	h.review(t, ledger.Review{ID: "open", Title: hostile, Status: ledger.ReviewOpen, ShareURL: "https://f.io/abc", ExpiresAt: today.Add(20 * time.Hour), OpenComments: 1, Reviewers: []string{hostile}, Message: hostile, Notes: []string{leaky}, Trouble: leaky, Reason: leaky, RequestedBy: ledger.Person{Name: hostile}})
	_, err = h.ledger.Tenant(acme).Review("open").AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: "as-9", Title: hostile, State: ledger.AssetReady, Reason: leaky, FrameNum: 24, FrameDen: 1, FileID: "fi", Decision: "approved", NoWatermark: leaky},
			{AssetID: "as-10", Title: "Trailer", State: ledger.AssetFailed, Reason: leaky}}
	})
	require.NoError(t, err)
	frame := int64(48)
	require.NoError(t, h.ledger.Tenant(acme).PutReviewComments(t.Context(), ledger.ReviewComment{Review: "open", ID: "c1", N: 1, FrameioID: "fc", Author: hostile, Text: hostile, Frame: &frame, Origin: ledger.FromFrameio, CreatedAt: today, Refused: leaky},
		ledger.ReviewComment{Review: "open", ID: "c2", N: 1, ParentID: "c1", FrameioID: "fc2", IconikID: "ic2", Author: "Ellen", Text: "a reply", Origin: ledger.FromIconik, CreatedAt: today}))
	h.review(t, ledger.Review{ID: "later", Title: "Later", Status: ledger.ReviewOpen, ExpiresAt: today.Add(200 * time.Hour)})
	h.review(t, ledger.Review{ID: "gone", Title: "Old cut", Status: ledger.ReviewStopped, EndedAt: today.Add(-24 * time.Hour)})
	require.NoError(t, h.ledger.Tenant(acme).NoteReceived(t.Context(), ledger.Received{At: today, Source: "frameio", Kind: hostile, Object: "ob-1", Status: 200, Result: "ignored: " + leaky}))
	require.NoError(t, h.ledger.Tenant(acme).NoteReceived(t.Context(), ledger.Received{At: today.Add(time.Second), Source: "iconik", Kind: "send", Object: "as-9", Status: 422, Result: hostile}))
}

// showVendors is what the pages ask the vendors and Temporal for.
func (h *harness) showVendors() {
	frame := int64(48)
	h.actions.sides = Sides{Listed: true, LinkSeen: today.Add(-2 * time.Hour), MoreAssets: 1, Reviewers: []Reviewer{{Name: hostile, Email: "rita@client.example", Invited: true, Comments: 2, LastAt: today.Add(-time.Hour)}, {Email: "sam@client.example", Invited: true}},
		Assets: []AssetSides{{N: 1, Title: hostile, Label: "approved", More: 3, Pairs: []Pair{
			{Frame: &frame, Frameio: Side{ID: "f", Who: hostile, Text: hostile + leaky, At: today}, Iconik: Side{ID: "i", Who: hostile, Text: "another text", Done: true, At: today}, Differ: true},
			{Frameio: Side{ID: "f2", Text: "only there", At: today}}, {Iconik: Side{ID: "i2", Who: "Ed", Text: "only here", At: today}}}}, {N: 2, Title: "Trailer", Problem: leaky}}}
	h.actions.projects = []Project{{ID: "p1", Name: hostile, Team: hostile, Bytes: 5 << 30, State: "active"}, {ID: "p2", Name: "Harbour Lights", Bytes: -1, State: "archived", Archive: "verified"}}
	h.actions.plan = func(context.Context) (workflows.Plan, error) {
		return workflows.Plan{Project: hostile, Items: 3, Assets: 2, Bytes: 5 << 30, ByType: []workflows.PlanType{{MediaType: hostile, Count: 3, Bytes: 5}}, APISeconds: 61, TransferSeconds: 7200,
			Blockers: []workflows.Blocker{{Path: hostile, Why: leaky, Outcome: leaky}}, Access: &workflows.PlanAccess{Places: []workflows.PlanPlace{{Place: hostile, Readers: []string{hostile}}}, Unmapped: []string{hostile}}}, nil
	}
	h.showAccount()
}

// TestEverybodySeesWhatIsWrongWithTheSetUp checks who may see, who may check and who may change.
func TestEverybodySeesWhatIsWrongWithTheSetUp(t *testing.T) {
	h := filled(t, config.RoleViewer)
	h.cfg.Tenants[acme].Notify.SlackURL = "https://hooks.slack.example/x"
	seen := func(role config.Role) string {
		h.role = role
		_, body := h.get(t, "setup")
		return body
	}
	assert.Contains(t, seen(config.RoleViewer), "No check has run in the last 15 minutes.")
	require.Eventually(t, func() bool { return strings.Contains(seen(config.RoleOperator), "Checked") }, 5*time.Second, 10*time.Millisecond)
	for role, may := range map[config.Role][4]bool{config.RoleViewer: {}, config.RoleEditor: {}, config.RoleOperator: {true, true, false, false}, config.RoleAdmin: {true, true, true, true}} {
		body := seen(role)
		for _, want := range []string{"Create a storage", "Vendors' limits", "40 of 50 calls", "renewed ", "Latest requests from Frame.io and iconik", "ob-1", "Framebridge version"} {
			assert.Contains(t, html.UnescapeString(body), want, role)
		}
		for i, part := range []string{"Check again", "<h2>Notifications</h2>", "setup/sign-in", `href="/ui/people"`} {
			assert.Equal(t, may[i], strings.Contains(body, part), "%s: %s", role, part)
		}
	}
}

// pagePaths are all pages that can be read.
var pagePaths = []string{"archives", "archives?status=failed", "archives?q=harbour", "archives?status=verified&q=none", "archives/running", "archives/queued-1", "archives/waiting", "archives/ended", "archives/ended?state=exceptions&q=cut",
	"archives/ended/do/retry", "archives/running/do/cancel", "archives/waiting/do/retry", "archives/queued-1/do/cancel", "reviews", "reviews?status=stopped", "reviews/open", "reviews/gone", "reviews/open?q=reply", "reviews/open/do/extend",
	"reviews/open/do/stop", "reviews/open/do/sync", "reviews/open/do/resend", "reviews/open/sides", "start", "start?q=harbour", "start/p1", "setup", "setup/sign-in", "audit", "audit?q=retry&who=192.0.2.9&since=2026-01-01&until=2099-01-01", "audit?since=nonsense", "/ui/nothing",
	"account", "account/new", "account/plan", "account/plan?name=%5B", "account/plan?name=x&canary=2", "account/migrations/mig", "account/migrations/mig?state=queued", "account/migrations/mig?q=none", "account/migrations/mig-old", "account/migrations/mig/do/pause",
	"account/migrations/mig/do/cancel", "account/mirrors/new", "account/mirrors/nightly/do/run", "account/mirrors/nightly/do/stop", "archives/proven", "archives/proven/reclaim", "archives/ended/reclaim", "archives/ended/reclaim/do/delete", "archives/proven/reclaim/do/approve"}

func TestNoPageLetsANameOut(t *testing.T) {
	h := filled(t, config.RoleAdmin)
	for _, path := range []string{"start", "start/p1", "setup", "reviews/open/sides"} { // what is read in the background
		h.get(t, path)
	}
	require.Eventually(t, func() bool { _, body := h.get(t, "reviews/open/sides"); return strings.Contains(body, "only there") }, 5*time.Second, 10*time.Millisecond)
	h.planned(t)
	require.Eventually(t, func() bool {
		_, body := h.get(t, "start/p1")
		return strings.Contains(body, "What an archive would do")
	}, 5*time.Second, 10*time.Millisecond)
	for _, path := range pagePaths {
		resp, body := h.get(t, path)
		assert.NotEqual(t, http.StatusInternalServerError, resp.StatusCode, path)
		assert.NotContains(t, body, "<script>alert", path)
		assert.NotContains(t, body, "javascript:", path)
		assert.NotContains(t, body, " style=", path)
		assert.NotContains(t, body, " onclick=", path)
		assert.NotContains(t, body, "Secret Competitor", path)
		assert.NotContains(t, body, "ZgotmplZ", path)
		assert.NotContains(t, body, "deadbeef", path)
		assert.NotContains(t, body, "eyJ", path)
		assert.NotContains(t, body, "\u202e", path)
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "script-src 'self'", path)
		assert.Less(t, len(body), 100<<10, path)
	}
}

func TestTheArchivesSayWhyTheyWait(t *testing.T) {
	h := filled(t, config.RoleOperator)
	h.archive(t, "running", func(a *ledger.Archive) { a.Name = "Alpha" })
	require.Eventually(t, func() bool { _, body := h.get(t, "archives"); return !strings.Contains(body, "Adding up") }, 5*time.Second, time.Millisecond)
	_, body := h.get(t, "archives")
	for _, want := range []string{"Next: starts when “Alpha” ends.", "Waiting for “Alpha” and 1 archive ahead of it.", "2 files have no original.", "Copying", "Waiting for originals", "1 of 2 files", "1.0 GiB of 2.0 GiB", "Stuck",
		"Harbour Lights", "Incomplete", "took 40 minutes", `aria-label="Up: Project queued-2"`, `action="/ui/` + acme + `/archives/queued-2/queue/first"`, `name="form_token" value="token-1"`} {
		assert.Contains(t, body, want)
	}
	assert.NotContains(t, body, `archives/queued-1/queue/up`, "the first one cannot go up")
	_, body = h.get(t, "archives?status=failed")
	assert.Contains(t, body, "Harbour Lights")
	assert.NotContains(t, body, "queued-1")
	_, body = h.get(t, "archives/ended")
	for _, want := range []string{"An operator must look", "iconik refused it.", "https://app.iconik.io/collection/co-1", "https://app.frame.io/projects/ended", "1 attachment", "report.mhl", "Retry this file", "http://127.0.0.1:8233", "ended run 1: Incomplete"} {
		assert.Contains(t, body, want)
	}
	assert.Less(t, strings.Index(body, "Exceptions"), strings.Index(body, "Overview"), "what is wrong comes first")
}

func TestAReviewShowsBothSides(t *testing.T) {
	h := filled(t, config.RoleOperator)
	_, body := h.get(t, "reviews")
	assert.Less(t, strings.Index(body, "Ending within 48 hours"), strings.Index(body, "Later"))
	assert.Contains(t, body, "Old cut")
	_, body = h.get(t, "reviews/open")
	for _, want := range []string{"00:00:02:00", "a reply", "Refused", "Approved", "in 20 hours", "Sync now", "Extend", "Stop", "https://f.io/abc", "comments.fcpxml", "comments.otio"} {
		assert.Contains(t, body, want)
	}
	_, body = h.get(t, "reviews/open/do/stop")
	for _, want := range []string{"The link is switched off now.", "30 days from now", "Stop the review"} {
		assert.Contains(t, body, want)
	}
}

// What both vendors show is read in the background, once for all visitors, and again on request.
func TestBothSidesAreReadAtTheVendors(t *testing.T) {
	h := filled(t, config.RoleEditor)
	body := ""
	read := func() bool {
		_, body = h.get(t, "reviews/open/sides")
		return strings.Contains(body, "Read both sides again")
	}
	require.Eventually(t, read, 5*time.Second, 10*time.Millisecond)
	for _, want := range []string{"rita@client.example", "2 comments, the last one", "sam@client.example", "no comment yet", "The link was last opened on November 29, 2026", "Different", "Not in iconik yet", "Not in Frame.io yet",
		"only there", "another text", "00:00:02:00", "approved", "1 more asset", "And 3 more"} {
		assert.Contains(t, body, want)
	}
	h.actions.sides, h.actions.sidesErr = Sides{}, &Refused{"there is no such review"}
	_, body = h.get(t, "reviews/open/sides")
	assert.Contains(t, body, "only there", "it is not read for each who looks")
	resp, _ := h.do(t, http.MethodPost, "reviews/open/sides", url.Values{})
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	require.Eventually(t, func() bool { return read() && strings.Contains(body, "There is no such review.") }, 5*time.Second, 10*time.Millisecond)
	assert.NotContains(t, body, "only there")
}

// Pictures are passed on, and read once no matter how many people look. No page contains iconik's signed URL.
func TestPicturesAreHandedOn(t *testing.T) {
	h := filled(t, config.RoleViewer)
	_, body := h.get(t, "reviews/open")
	require.Contains(t, body, `src="/ui/`+acme+`/reviews/open/thumbs/1"`)
	for range 3 {
		resp, body := h.get(t, "reviews/open/thumbs/1")
		assert.Equal(t, "image/png", resp.Header.Get("Content-Type"))
		assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
		assert.Equal(t, string(onePixel), body)
		resp, body = h.get(t, "reviews/open/thumbs/2")
		assert.Equal(t, http.StatusNotFound, resp.StatusCode)
		assert.NotContains(t, body, "deadbeef")
	}
	assert.Equal(t, 2, h.actions.pictures)
	for _, path := range []string{"reviews/none/thumbs/1", "reviews/open/thumbs/0", "reviews/open/thumbs/x"} {
		resp, _ := h.get(t, path)
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
	assert.Equal(t, 2, h.actions.pictures)
}

// The report has pictures of what everybody may see in iconik, and none of what only some may see.
func TestTheReportHasPictures(t *testing.T) {
	h := serve(t, config.RoleViewer)
	h.archive(t, "p", func(a *ledger.Archive) { a.Status = ledger.Verified })
	h.items(t, "p", ledger.Item{SourceID: "f1", Path: "a.mov", State: ledger.ItemVerified, AssetID: "as-1", VersionID: "ve-1"},
		ledger.Item{SourceID: "f2", Path: "notes.txt", State: ledger.ItemVerified, AssetID: "as-2", VersionID: "ve-2"},
		ledger.Item{SourceID: "f3", Path: "gone.mov", State: ledger.Skipped, AssetID: "as-3", VersionID: "ve-3"})
	resp, body := h.get(t, "archives/p/report.html")
	assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "img-src 'self'")
	assert.Contains(t, body, `<img src="thumbs/f1" alt="" loading="lazy">`)
	assert.NotContains(t, body, "thumbs/f3")
	for range 2 {
		resp, body = h.get(t, "archives/p/thumbs/f1")
		assert.Equal(t, "image/png", resp.Header.Get("Content-Type"))
		assert.Equal(t, string(onePixel), body)
		for _, none := range []string{"f2", "f3", "f4"} { // iconik has none, is not asked, does not know it
			resp, body = h.get(t, "archives/p/thumbs/"+none)
			assert.Equal(t, http.StatusNotFound, resp.StatusCode, none)
			assert.NotContains(t, body, "deadbeef")
		}
	}
	assert.Equal(t, 2, h.actions.pictures)
	require.NoError(t, h.ledger.Tenant(acme).Archive("p").PutAccess(t.Context(), "p", ledger.AccessRule, 0, `{"source":"p","kind":"project","place":"P"}`))
	_, body = h.get(t, "archives/p/report.html")
	assert.NotContains(t, body, "<img")
	resp, _ = h.get(t, "archives/p/thumbs/f1")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode, "also one that was shown before")
}

func TestRolesDecideWhatIsSeenAndDone(t *testing.T) {
	for _, tt := range []asRole{
		{"nobody", "GET", "archives", 401},
		{"nobody", "GET", "/ui/", 401},
		{config.RoleViewer, "GET", "archives", 200},
		{config.RoleViewer, "GET", "/ui/", 303},
		{config.RoleViewer, "GET", "", 303},
		{config.RoleViewer, "GET", "/ui/" + other + "/archives", 404},
		{config.RoleViewer, "GET", "/ui/no-tenant/archives", 404},
		{config.RoleViewer, "GET", "archives/none", 404},
		{config.RoleViewer, "GET", "archives/ended/report.html", 200},
		{config.RoleViewer, "GET", "archives/ended/report.exe", 404},
		{config.RoleViewer, "GET", "archives/none/report.html", 404},
		{config.RoleViewer, "GET", "archives/ended/do/retry", 403},
		{config.RoleViewer, "POST", "archives/ended/do/retry", 403},
		{config.RoleViewer, "POST", "archives/ended/items/g1", 403},
		{config.RoleViewer, "POST", "archives/queued-2/queue/up", 403},
		{config.RoleViewer, "POST", "reviews/open/do/stop", 403},
		{config.RoleViewer, "POST", "start/p1", 403},
		{config.RoleViewer, "GET", "start/p1", 403},
		{config.RoleViewer, "GET", "reviews/open/comments.edl", 403},
		{config.RoleEditor, "GET", "reviews/open/comments.edl", 200},
		{config.RoleViewer, "GET", "reviews/open/sides", 403},
		{config.RoleViewer, "POST", "reviews/open/sides", 403},
		{config.RoleEditor, "GET", "reviews/open/sides", 200},
		{config.RoleEditor, "GET", "reviews/none/sides", 404},
		{config.RoleEditor, "POST", "reviews/none/sides", 422},
		{config.RoleEditor, "POST", "reviews/open/do/resend", 403},
		{config.RoleOperator, "GET", "reviews/later/do/resend", 422},
		{config.RoleOperator, "GET", "reviews/gone/do/resend", 422},
		{config.RoleEditor, "POST", "archives/ended/do/retry", 403},
		{config.RoleOperator, "POST", "archives/ended/do/retry", 303},
		{config.RoleOperator, "POST", "archives/ended/do/explode", 422},
		{config.RoleOperator, "POST", "archives/none/do/retry", 422},
		{config.RoleOperator, "GET", "archives/ended/do/cancel", 422},
		{config.RoleOperator, "GET", "reviews/gone/do/extend", 422},
		{config.RoleOperator, "GET", "audit", 403},
		{config.RoleOperator, "GET", "audit/audit.csv", 403},
		{config.RoleViewer, "GET", "setup", 200},
		{config.RoleViewer, "POST", "setup", 403},
		{config.RoleEditor, "POST", "setup", 403},
		{config.RoleOperator, "GET", "setup", 200},
		{config.RoleOperator, "POST", "setup", 303},
		{config.RoleOperator, "GET", "setup/sign-in", 403},
		{config.RoleOperator, "POST", "setup/sign-in", 403},
		{config.RoleAdmin, "GET", "audit", 200},
		{config.RoleAdmin, "GET", "audit/audit.csv", 200},
		{config.RoleAdmin, "GET", "setup", 200},
		{config.RoleAdmin, "GET", "events?topic=nonsense", 404},
	} {
		tt.play(t)
	}
}

// asRole is a request by a person with a role, and the expected status.
type asRole struct {
	role         config.Role
	method, path string
	want         int
}

// play sends the request. If it is refused, nothing happens, and the audit log says so if the role is the reason.
func (a asRole) play(t *testing.T) {
	t.Run(fmt.Sprint(a.role, " ", a.method, " ", a.path), func(t *testing.T) {
		h := filled(t, a.role)
		resp, body := h.do(t, a.method, a.path, url.Values{})
		assert.Equal(t, a.want, resp.StatusCode, body)
		if a.want >= 400 {
			assert.Empty(t, h.actions.asked)
		}
		if a.want == http.StatusForbidden {
			assert.Len(t, h.refused, 1, "the audit has it")
		}
	})
}

func TestButtonsDoWhatTheySay(t *testing.T) {
	h := filled(t, config.RoleOperator)
	for _, tt := range []struct {
		path string
		form url.Values
		want string
		to   string
	}{
		{"archives/ended/do/retry", nil, "retry ended", "archives/ended?done=retried"},
		{"archives/waiting/do/retry", nil, "retry waiting", "archives/waiting?done=checks"},
		{"archives/running/do/cancel", nil, "cancel running", "archives/running?done=cancelled"},
		{"archives/ended/items/g1", nil, "item ended g1", "archives/ended?done=item"},
		{"archives/queued-2/queue/up", nil, "move queued-2 1", "archives?done=moved"},
		{"archives/queued-1/queue/up", nil, "move queued-1 1", "archives?done=moved"},
		{"archives/queued-1/queue/down", nil, "move queued-1 2", "archives?done=moved"},
		{"reviews/open/do/extend", url.Values{"expires": {"2026-12-24"}}, "extend open 2026-12-24", "reviews/open?done=extended"},
		{"reviews/open/do/stop", nil, "stop open", "reviews/open?done=stopped"},
		{"reviews/open/do/sync", nil, "sync open", "reviews/open?done=synced"},
		{"reviews/open/do/resend", nil, "resend open", "reviews/open?done=resent"},
		{"start/p1", nil, "start p1 pat@acme.example", "archives/p1?done=started"},
	} {
		h.actions.asked = nil
		if tt.form == nil {
			tt.form = url.Values{}
		}
		resp, body := h.do(t, http.MethodPost, tt.path, tt.form)
		require.Equal(t, http.StatusSeeOther, resp.StatusCode, "%s: %s", tt.path, body)
		assert.Equal(t, []string{tt.want}, h.actions.asked, tt.path)
		assert.Equal(t, "/ui/"+acme+"/"+tt.to, resp.Header.Get("Location"))
	}
	h.actions.refuse = &Refused{"the review has ended"}
	resp, body := h.do(t, http.MethodPost, "reviews/open/do/stop", url.Values{})
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, body, "The review has ended.")
	h.actions.refuse = errors.New("dial tcp 10.0.0.3: refused")
	resp, body = h.do(t, http.MethodPost, "reviews/open/do/stop", url.Values{})
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	assert.NotContains(t, body, "10.0.0.3")
}

func TestWithoutTemporalThePagesStillShowTheLedger(t *testing.T) {
	h := filled(t, config.RoleAdmin)
	h.actions.temporal = errors.New("down")
	for _, path := range []string{"archives", "archives/running", "reviews/open", "audit", "account", "account/migrations/mig", "account/new", "archives/proven/reclaim", "setup"} {
		resp, body := h.get(t, path)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Contains(t, body, "Temporal is not responding.", path)
	}
}

func TestEmptyPagesSayWhatToDo(t *testing.T) {
	h := serve(t, config.RoleAdmin)
	for path, want := range map[string]string{"archives": "No archive has ended yet.", "reviews": "No review is open. To start one, send assets", "audit": "Nothing has been recorded yet.", "archives?after=1~x": "There are no more archives.", "archives?q=%00": "The queue is empty."} {
		resp, body := h.get(t, path)
		assert.Equal(t, http.StatusOK, resp.StatusCode, path)
		assert.Contains(t, body, want, path)
	}
	require.Eventually(t, func() bool {
		_, body := h.get(t, "start")
		return strings.Contains(body, "sign-in has no access to any project.")
	}, 5*time.Second, 10*time.Millisecond)
	resp, body := h.get(t, "archives?after=nonsense")
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode, body)
}

func TestAPlanIsMadeInTheBackground(t *testing.T) {
	h := filled(t, config.RoleOperator)
	release := make(chan struct{})
	made := h.actions.plan
	h.actions.plan = func(ctx context.Context) (workflows.Plan, error) { <-release; return made(ctx) }
	_, body := h.get(t, "start/p2")
	assert.Contains(t, body, "Reading the project from Frame.io")
	assert.NotContains(t, body, "Start the archive", "not before it is known what will happen")
	close(release)
	require.Eventually(t, func() bool { _, body = h.get(t, "start/p2"); return strings.Contains(body, "Start the archive") }, 5*time.Second, 10*time.Millisecond)
	for _, want := range []string{"3 files in 2 assets", "5.0 GiB", "about 2 hours", "at least 1 minute 1 second", "Who will see it in iconik"} {
		assert.Contains(t, body, want)
	}
	h.actions.plan = nil
	h.get(t, "start/p2?again=1")
	require.Eventually(t, func() bool {
		_, body = h.get(t, "start/p2")
		return strings.Contains(body, "Planning failed")
	}, 5*time.Second, 10*time.Millisecond)
}

func TestAssetsMayBeKept(t *testing.T) {
	h := serve(t, config.RoleViewer)
	for _, file := range []string{"style.css", "live.js", "icon.svg"} {
		resp, body := h.get(t, page.Load().Assets.URL(file))
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Contains(t, resp.Header.Get("Cache-Control"), "immutable")
		assert.NotEmpty(t, body)
		assert.NotContains(t, body, "http://fonts", "nothing is loaded from elsewhere")
	}
	resp, _ := h.get(t, "/ui/-/assets/style.css")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestTheAuditIsExported(t *testing.T) {
	h := filled(t, config.RoleAdmin)
	for i := range auditPageRows + 3 {
		_, err := h.ledger.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: acme, Action: "sync", Review: "open", Reason: fmt.Sprintf("=cmd %d", i)})
		require.NoError(t, err)
	}
	_, body := h.get(t, "audit/audit.jsonl?action=sync")
	assert.Equal(t, auditPageRows+3, strings.Count(body, "\n"))
	assert.Contains(t, body, `"hash"`)
	_, body = h.get(t, "audit/audit.csv?action=sync")
	assert.Equal(t, auditPageRows+4, strings.Count(body, "\n"))
	assert.NotContains(t, body, ",=cmd", "a spreadsheet runs no formula")
	_, body = h.get(t, "audit?action=retry")
	assert.Contains(t, body, "archive of “Harbour Lights”", "nobody knows an ID by heart")
	_, body = h.get(t, "audit?action=sync")
	assert.Contains(t, body, "Older entries")
}

func TestSentences(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "two files failed": "Two files failed.", "“Archive” is missing": "“Archive” is missing.", "http://127.0.0.1 is here": "http://127.0.0.1 is here.", "überall!": "überall!", "übrig bleibt eins": "Übrig bleibt eins.",
		"iconik refused it": "iconik refused it.", "a.mov is missing": "a.mov is missing.", "missing: x": "Missing: x.", " done.": "Done.", "done. then": "Done. then.",
	} {
		assert.Equal(t, want, page.Sentence(text))
	}
}
