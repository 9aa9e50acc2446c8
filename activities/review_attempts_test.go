package activities

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// folder is a Frame.io that knows one folder of files.
type folder struct {
	frameio.Platform
	files   []frameio.Asset
	deleted []string
	listed  func() // once, after a listing
	locked  error  // for links
}

func (f *folder) Generation() frameio.Generation     { return frameio.V4 }
func (f *folder) Capabilities() frameio.Capabilities { return frameio.Capabilities{} }
func (f *folder) Me(context.Context) (frameio.User, error) {
	return frameio.User{ID: "us"}, nil
}
func (f *folder) Children(context.Context, string, string) (frameio.Page[frameio.Asset], error) {
	page := frameio.Page[frameio.Asset]{Items: f.files}
	if f.listed != nil {
		f.listed()
		f.listed = nil
	}
	return page, nil
}
func (f *folder) Asset(_ context.Context, id string) (frameio.Asset, error) {
	for _, a := range f.files {
		if a.ID == id {
			return a, nil
		}
	}
	return frameio.Asset{}, &rest.Error{Vendor: "Frame.io", Class: rest.NotFound}
}
func (f *folder) Delete(_ context.Context, a frameio.Asset) error {
	f.deleted = append(f.deleted, a.ID)
	return nil
}
func (f *folder) UpdateShare(context.Context, string, frameio.ShareChange) error { return f.locked }

// testReview is a review with rows, an iconik that answers by path, and a Frame.io of one folder.
func testReview(t *testing.T, fio *folder, answers map[string]string, rows ...ledger.ReviewAsset) *review {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			body = `{"errors":["not found"]}`
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	ick, err := iconik.New(config.Iconik{BaseURL: srv.URL, AppID: "a", AuthToken: "t"})
	require.NoError(t, err)
	acts := &Activities{Config: &config.Config{}, Ledger: book, Log: slog.New(slog.DiscardHandler), tenants: map[string]*tenant{}}
	acts.tenants["T"] = &tenant{Activities: acts, cfg: &config.Tenant{ID: "T"}, frameio: fio, iconik: ick, views: map[string]string{}, users: map[string]userAt{}}
	now := time.Now().UTC()
	_, _, err = book.RequestReview(t.Context(), ledger.Review{Tenant: "T", ID: "R0000000", Click: "R0000000", Status: ledger.ReviewSending, FolderID: "F", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, time.Second)
	require.NoError(t, err)
	_, err = book.AddReviewAssets(t.Context(), "T", "R0000000", func([]ledger.ReviewAsset) []ledger.ReviewAsset { return rows })
	require.NoError(t, err)
	r, err := acts.review(t.Context(), workflows.ReviewRef{Tenant: "T", Review: "R0000000"})
	require.NoError(t, err)
	return r
}

func (r *review) asset(t *testing.T, n int) ledger.ReviewAsset {
	t.Helper()
	it, ok, err := r.Ledger.ReviewAsset(t.Context(), "T", "R0000000", n)
	require.NoError(t, err)
	require.True(t, ok)
	return it
}

// A click on what another review shows is handed over once, whatever the attempts; one that the other review cannot send
// any more becomes this one's own.
func TestARetriedClickIsHandedOverOnce(t *testing.T) {
	asset := func(id string) string { return fmt.Sprintf(`{"id":%q,"title":%q,"versions":[{"id":"v"}]}`, id, id) }
	r := testReview(t, &folder{}, map[string]string{"/API/assets/v1/assets/a1/": asset("a1")})
	now := time.Now().UTC()
	_, _, err := r.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: "T", ID: "R1", Click: "R1", Status: ledger.ReviewOpen, CreatedAt: now.Add(-time.Hour), ExpiresAt: now.Add(time.Hour)}, time.Second)
	require.NoError(t, err)
	_, err = r.Ledger.AddReviewAssets(t.Context(), "T", "R1", func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: "a1", State: ledger.AssetReady}}
	})
	require.NoError(t, err)
	r.row.ClickedAssets, r.row.Reviewers = []string{"a1"}, []string{"rita@client.example"}
	for range 2 {
		handed, err := r.chooseAssets(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"R1"}, handed)
		_, err = r.Ledger.UpdateReviewAsset(t.Context(), "T", "R1", 2, func(row *ledger.ReviewAsset) { row.State = ledger.AssetReady }) // sent in between
		require.NoError(t, err)
	}
	rows, err := r.Ledger.ReviewAssets(t.Context(), "T", "R1")
	require.NoError(t, err)
	assert.Len(t, rows, 2)
	other, err := r.Ledger.UpdateReview(t.Context(), "T", "R1", func(row *ledger.Review) { row.EndedAt = now })
	require.NoError(t, err)
	assert.Equal(t, []string{"rita@client.example"}, other.Reviewers)

	r.ref.Review = "R2"
	r.row.ID = "R2"
	_, _, err = r.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: "T", ID: "R2", Click: "R2", CreatedAt: now}, time.Second)
	require.NoError(t, err)
	handed, err := r.chooseAssets(t.Context())
	require.NoError(t, err)
	assert.Empty(t, handed)
	rows, err = r.assets(t.Context())
	require.NoError(t, err)
	assert.Len(t, rows, 1)
}

// What a collection still lists and is not there any more is left out and named; what was clicked itself is refused.
func TestACollectionsDeletedAssetsAreLeftOut(t *testing.T) {
	answers := map[string]string{
		"/API/assets/v1/collections/C/contents/": `{"objects":[{"id":"a1","object_type":"assets"},{"id":"a2","object_type":"assets"},{"id":"a3","object_type":"assets"},{"id":"a4","object_type":"assets"}],"page":1,"pages":1}`,
		"/API/assets/v1/assets/a1/":              `{"id":"a1","title":"One","status":"ACTIVE","versions":[{"id":"v"}]}`,
		"/API/assets/v1/assets/a2/":              `{"id":"a2","title":"Two","status":"DELETED","versions":[{"id":"v"}]}`,
		"/API/assets/v1/assets/a4/":              `{"id":"a4","title":"Four","versions":[]}`,
	}
	r := testReview(t, &folder{}, answers)
	r.row.ClickedCollections = []string{"C"}
	_, err := r.chooseAssets(t.Context())
	require.NoError(t, err)
	rows, err := r.assets(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, "a1", rows[0].AssetID)
	assert.Equal(t, []string{`Left out of the collection: Asset "Two" is deleted in iconik.`, `Left out of the collection: Asset a3 is not in iconik any more.`,
		`Left out of the collection: Asset "Four" has no version that could be sent.`}, r.row.Notes)

	for id, says := range map[string]string{"a2": `Asset "Two" is deleted`, "a3": "Asset a3 is not in iconik any more", "a4": "no version that could be sent"} {
		r := testReview(t, &folder{}, answers)
		r.row.ClickedAssets, r.row.ClickedCollections = []string{id}, []string{"C"}
		_, err := r.chooseAssets(t.Context())
		assert.ErrorContains(t, err, says)
	}
	answers["/API/assets/v1/collections/C/contents/"] = `{"objects":[{"id":"a2","object_type":"assets"}],"page":1,"pages":1}`
	r = testReview(t, &folder{}, answers)
	r.row.ClickedCollections = []string{"C"}
	_, err = r.chooseAssets(t.Context())
	assert.ErrorContains(t, err, "no asset in what was clicked that could be sent")
}

// Of an original on several storages the copy is sent that iconik gives a download of.
func TestAnOriginalThatCanBeDownloadedIsSent(t *testing.T) {
	const closed, archived, other = `{"id":"1","status":"CLOSED","format_id":"o","name":"far.mov","url":null}`, `{"id":"2","status":"ARCHIVED","format_id":"o","name":"old.mov","url":"https://x/2"}`, `{"id":"3","status":"CLOSED","format_id":"e","name":"edit.mov","url":"https://x/3"}`
	const near = `{"id":"4","status":"CLOSED","format_id":"o","name":"near.mov","size":7,"url":"https://x/4"}`
	for name, tt := range map[string]struct{ files, want, says string }{
		"behind one that gives none": {closed + "," + archived + "," + other + "," + near, "near.mov", ""},
		"before one that gives none": {near + "," + closed, "near.mov", ""},
		"none gives one":             {closed + "," + other, "", "archived or on a storage"},
		"none is there":              {archived + "," + other, "", "has no original"},
	} {
		t.Run(name, func(t *testing.T) {
			r := testReview(t, &folder{}, map[string]string{
				"/API/files/v1/assets/A/versions/V/formats/": `{"objects":[{"id":"o","name":"ORIGINAL"},{"id":"e","name":"EDIT"}]}`,
				"/API/files/v1/assets/A/versions/V/files/":   `{"objects":[` + tt.files + `]}`,
			})
			f, err := r.originalFile(t.Context(), ledger.ReviewAsset{AssetID: "A", VersionID: "V", Title: "Take"})
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, f.name)
		})
	}
}

// An upload whose answer was lost is deleted, and nothing else: neither what a person or another row of the same name
// uploads, nor what has arrived.
func TestOnlyALostUploadIsDeleted(t *testing.T) {
	began := time.Now()
	file := func(id, name, uploader string, at time.Time) frameio.Asset {
		return frameio.Asset{ID: id, Kind: frameio.KindFile, Name: name, UploadedAt: at, Uploader: frameio.User{ID: uploader}}
	}
	files := []frameio.Asset{file("lost", "a.mov", "us", time.Time{}), file("unsigned", "a.mov", "", time.Time{}), file("person", "a.mov", "rita", time.Time{}),
		file("arrived", "a.mov", "us", began), file("else", "b.mov", "us", time.Time{}), file("row 2", "a.mov", "us", time.Time{})}
	mine := ledger.ReviewAsset{AssetID: "1", Name: "a.mov", State: ledger.AssetUploading, BeganUpload: began}
	for name, tt := range map[string]struct {
		second ledger.ReviewAsset
		late   bool // the second begins, with its file, right before the listing
		want   []string
	}{
		"the other is known":   {second: ledger.ReviewAsset{AssetID: "2", Name: "a.mov", FileID: "row 2", State: ledger.AssetUploading}, want: []string{"lost", "unsigned"}},
		"the other has begun":  {second: ledger.ReviewAsset{AssetID: "2", Name: "a.mov", State: ledger.AssetUploading, BeganUpload: began}},
		"the other begins now": {second: ledger.ReviewAsset{AssetID: "2", Name: "a.mov", State: ledger.AssetUploading}, late: true},
	} {
		t.Run(name, func(t *testing.T) {
			fio := &folder{files: files}
			r := testReview(t, fio, nil, mine, tt.second)
			if tt.late {
				fio.listed = func() {
					_, err := r.updateAsset(t.Context(), 2, func(row *ledger.ReviewAsset) { row.BeganUpload = began })
					require.NoError(t, err)
				}
			}
			require.NoError(t, r.dropUnknown(t.Context(), r.asset(t, 1)))
			assert.Equal(t, tt.want, fio.deleted)
		})
	}
	fio := &folder{files: files[:1]}
	r := testReview(t, fio, nil, mine)
	require.NoError(t, r.deleteMedia(t.Context()))
	assert.Equal(t, []string{"lost"}, fio.deleted, "a review that was stopped meanwhile takes it back")
}

// An attempt that was thought dead neither calls done what another one has taken back, nor leaves that undone.
func TestALateAttemptDoesNotEndAnAsset(t *testing.T) {
	res := transfer.Result{Bytes: 7, XXH64: "x"}
	late := ledger.ReviewAsset{AssetID: "1", Name: "a.mov", State: ledger.AssetUploading, FileID: "F1"}
	t.Run("after the other took it back", func(t *testing.T) {
		r := testReview(t, &folder{}, nil, late)
		require.NoError(t, r.dropUpload(t.Context(), r.asset(t, 1)))
		it := late
		it.N = 1
		require.Error(t, r.sent(t.Context(), it, res))
		assert.Equal(t, ledger.AssetUploading, r.asset(t, 1).State)
	})
	t.Run("before the other takes it back", func(t *testing.T) {
		r := testReview(t, &folder{}, nil, late)
		it := r.asset(t, 1)
		uploadURLs.Store("T"+uploadToken(it), frameio.Upload{FileID: "F1"})
		require.NoError(t, r.sent(t.Context(), it, res))
		_, kept := uploadURLs.Load("T" + uploadToken(it))
		assert.False(t, kept, "nobody needs its URLs any more")
		require.NoError(t, r.sent(t.Context(), it, res), "an answer was lost")
		assert.Equal(t, ledger.AssetProcessing, r.asset(t, 1).State)
		require.NoError(t, r.dropUpload(t.Context(), it))
		now := r.asset(t, 1)
		assert.Equal(t, ledger.AssetUploading, now.State)
		assert.Empty(t, now.FileID)
	})
	t.Run("what is sent anew stays", func(t *testing.T) {
		anew := late
		anew.FileID = "F2"
		r := testReview(t, &folder{}, nil, anew)
		it := late
		it.N = 1
		require.NoError(t, r.dropUpload(t.Context(), it))
		assert.Equal(t, "F2", r.asset(t, 1).FileID)
	})
	t.Run("one that failed stays so", func(t *testing.T) {
		failed := late
		failed.State = ledger.AssetFailed
		r := testReview(t, &folder{}, nil, failed)
		require.NoError(t, r.dropUpload(t.Context(), r.asset(t, 1)))
		assert.Equal(t, ledger.AssetFailed, r.asset(t, 1).State)
	})
}

// The end of a review says that its link is off only where it is.
func TestAFailedReviewSaysWhetherItsLinkIsOff(t *testing.T) {
	for says, locked := range map[string]error{
		"The link is switched off.":        nil,
		"switch it off there, to be sure.": &rest.Error{Vendor: "Frame.io", Operation: "share", Status: 401, Class: rest.Unauthorized},
	} {
		fio, box := &folder{locked: locked}, make(postbox, 1)
		r := testReview(t, fio, nil)
		r.mailer = box
		require.NoError(t, r.update(t.Context(), func(row *ledger.Review) {
			row.OpenedAt, row.ShareID, row.RequestedBy = time.Now(), "S", ledger.Person{Email: "ed@post.example"}
		}))
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.RegisterActivity(r.FailReview)
		_, err := env.ExecuteActivity(r.FailReview, workflows.FailReviewInput{ReviewRef: r.ref, Status: "failed", Reason: "why"})
		assert.Equal(t, locked != nil, err != nil, "tried again until it is off: %v", err)
		require.Len(t, box, 1)
		assert.Contains(t, (<-box).Text, says)
	}
}

// Frame.io may take hours for a file, and not for ever.
func TestAFileThatIsNeverReadyIsGivenUp(t *testing.T) {
	var app *temporal.ApplicationError
	require.ErrorAs(t, notReady("Take", workflows.ReadyPatience-time.Hour), &app)
	assert.False(t, app.NonRetryable())
	require.ErrorAs(t, notReady("Take", workflows.ReadyPatience+time.Hour), &app)
	assert.True(t, app.NonRetryable())
	assert.Equal(t, `Frame.io has not made "Take" ready in 12 hours.`, app.Message())
}

// iconik may answer the first page of an empty collection with a 404.
func TestAnEmptyCollectionHasNoAssets(t *testing.T) {
	asset := `{"id":"a1","title":"a1","versions":[{"id":"v"}]}`
	r := testReview(t, &folder{}, map[string]string{"/API/assets/v1/assets/a1/": asset})
	r.row.ClickedCollections = []string{"empty"}
	_, err := r.chooseAssets(t.Context())
	require.ErrorContains(t, err, "There is no asset in what was clicked.")
	r.row.ClickedAssets = []string{"a1"}
	_, err = r.chooseAssets(t.Context())
	require.NoError(t, err)
}
