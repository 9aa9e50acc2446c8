package review

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
)

// An upload whose answer was lost is deleted, and nothing else: neither what a person or another row with the same name
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
	assert.Equal(t, []string{"lost", "F"}, fio.deleted, "a review that was stopped meanwhile takes it back")

	adobe := file("lost", "a.mov", "196C1A5666BF4EB00A49411B@176719f5667c82b4494214.e", time.Time{})
	adobe.Uploader.Email = "Us@post.example"
	fio = &folder{files: []frameio.Asset{adobe}}
	require.NoError(t, testReview(t, fio, nil, mine).dropUnknown(t.Context(), ledger.ReviewAsset{N: 1, AssetID: "1", Name: "a.mov"}))
	assert.Equal(t, []string{"lost"}, fio.deleted, "V4 may name its users by Adobe's ids, and the token's user by another")
}

// What Frame.io still shows of the review at its end is deleted again: a file that it briefly did not find, and a lost upload that it
// listed too late or renamed. What people put there stays.
func TestWhatIsStillShownIsDeletedAgain(t *testing.T) {
	file := func(id, name, uploader string, size int64, at time.Time) frameio.Asset {
		return frameio.Asset{ID: id, Kind: frameio.KindFile, Name: name, Size: size, UploadedAt: at, Uploader: frameio.User{ID: uploader}}
	}
	mine := ledger.ReviewAsset{AssetID: "1", Name: "a.mov", Size: 7, FileID: "F1", State: ledger.AssetDeleted}
	now := time.Now()
	for name, tt := range map[string]struct {
		left frameio.Asset
		gone bool
	}{
		"our file":              {file("F1", "a.mov", "us", 7, now), true},
		"a lost upload":         {file("x", "a.mov", "us", 0, time.Time{}), true},
		"a renamed one":         {file("x", "a (1).mov", "us", 7, time.Time{}), true},
		"one of another size":   {file("x", "a (1).mov", "us", 8, time.Time{}), false},
		"one of another name":   {file("x", "b.mov", "us", 7, time.Time{}), false},
		"a person's upload":     {file("x", "a (1).mov", "rita", 7, time.Time{}), false},
		"what a person has put": {file("x", "a.mov", "us", 7, now), false},
	} {
		t.Run(name, func(t *testing.T) {
			fio := &folder{files: []frameio.Asset{tt.left}}
			err := testReview(t, fio, nil, mine).deleteMedia(t.Context())
			if !tt.gone {
				require.NoError(t, err)
				assert.Empty(t, fio.deleted)
				return
			}
			require.ErrorContains(t, err, "still shows")
			assert.Equal(t, []string{tt.left.ID}, fio.deleted)
		})
	}
}

// An attempt that was presumed dead neither marks as done what another one has taken back, nor leaves it undone.
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
		r.steps.uploads.Store("T"+uploadToken(it), frameio.Upload{FileID: "F1"})
		require.NoError(t, r.sent(t.Context(), it, res))
		_, kept := r.steps.uploads.Load("T" + uploadToken(it))
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
