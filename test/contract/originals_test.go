package contract

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
)

// One file whose original cannot be asked for costs that file; the others go on.
func TestARefusedOriginalCostsThatFile(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, "v4")
	b.config.Tenants[tenantID].Archive.MissingOriginal = "wait"
	file := b.file(t, "A001C001.mov")
	b.frameio.HideOriginal(file)
	require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*/files/" + file + "$", Status: 403}))
	fin := b.archive(t)
	assert.Equal(t, "incomplete", fin.Status, fin.Reason)
	failed := b.failedItems(t)
	require.Len(t, failed, 1)
	for _, why := range failed {
		assert.Contains(t, why, "asking for its original")
	}
	assert.Positive(t, fin.Counts.Verified)
}

func (b *harness) file(t *testing.T, name string) string {
	t.Helper()
	for _, a := range b.frameio.AssetsOf(b.project.ID) {
		if a.Name == name {
			return a.ID
		}
	}
	require.Fail(t, "no such file", name)
	return ""
}

// Where the legacy API serves a watermarked file under the original's name, its bytes tell, and no archive takes it for the
// original, whatever its length; the next one does not try again for nothing.
func TestAWatermarkedStreamIsNoOriginal(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]struct {
		state     ledger.ItemState
		rendition string
	}{"wait": {ledger.Skipped, ""}, "proxy": {ledger.ItemVerified, "proxy"}, "fail": {ledger.ItemFailed, ""}} {
		for name, longer := range map[string]int{"longer": 7, "as long": 0} {
			if !wholeTables && (longer > 0) == (policy == "wait") {
				continue
			}
			t.Run(policy+", "+name, func(t *testing.T) {
				b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
				b.config.Tenants[tenantID].Archive.MissingOriginal = policy
				require.NoError(t, b.frameio.StreamWatermarked(longer))
				file := b.file(t, "Screener.mov")
				var calls, projects int
				for range 2 {
					b.archive(t)
					it, ok, err := b.book.Tenant(tenantID).Archive(b.project.ID).Item(t.Context(), file)
					require.NoError(t, err)
					require.True(t, ok)
					assert.Equal(t, want.state, it.State, it.Reason)
					assert.True(t, policy == "fail" || it.Rendition == want.rendition, it.Rendition)
					if want.state != ledger.ItemVerified {
						assert.Contains(t, it.Reason, "watermarked stream")
					}
					calls, projects = b.frameio.Calls()["GET /v2/assets/{id}"], b.frameio.Calls()["GET /v2/projects/{id}"]
					_, _, err = b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
					require.NoError(t, err)
				}
				b.archive(t)
				if policy != "fail" {
					assert.LessOrEqual(t, b.frameio.Calls()["GET /v2/assets/{id}"]-calls, b.frameio.Calls()["GET /v2/projects/{id}"]-projects, "nothing is asked for again but the projects' roots")
				}
			})
		}
	}
}

// An original whose project is not archived, and to which there is no link, may be on its way back: it is waited for, and
// not for ever.
func TestAMissingOriginalIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
			b.config.Tenants[tenantID].Archive.MissingOriginal = "wait"
			file := b.file(t, "A001C001.mov")
			b.frameio.HideOriginal(file)
			item := func() ledger.Item {
				it, ok, err := b.book.Tenant(tenantID).Archive(b.project.ID).Item(t.Context(), file)
				require.NoError(t, err)
				require.True(t, ok)
				return it
			}
			looks, told := 0, ""
			require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*/(assets|files)/" + file + "$", Do: func() {
				if it := item(); it.State != ledger.Pending {
					return
				}
				if looks++; looks == 2 { // a day passes
					row, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Get(t.Context())
					require.NoError(t, err)
					told = row.Reason
					_, err = b.book.Tenant(tenantID).Archive(b.project.ID).UpdateItem(t.Context(), file, func(i *ledger.Item) {
						assert.WithinDuration(t, time.Now(), i.MissingSince, time.Minute)
						i.MissingSince = i.MissingSince.Add(-25 * time.Hour)
					})
					require.NoError(t, err)
				}
			}}))
			fin := b.archive(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Contains(t, told, "waits up to a day")
			assert.NotContains(t, told, "unarchive")
			assert.Equal(t, ledger.Skipped, item().State, item().Reason)
			assert.Contains(t, item().Reason, "within a day")
			seen := looks
			_, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
			require.NoError(t, err)
			b.archive(t)
			assert.Equal(t, ledger.Skipped, item().State)
			assert.Equal(t, seen, looks, "it is not waited for again")
		})
	}
}

// A file that fails because its original is missing, as the tenant has chosen, is checked again by each run, but its placeholder is not
// written again: a mirror would have a new report each night. Changes to its details still follow.
func TestAnotherLookForAnOriginalWritesNothing(t *testing.T) {
	t.Parallel()
	s := openStacks(t, "v4")
	s.config.Tenants[tenantID].Archive.MissingOriginal = "fail"
	f := s.file(s.root, "a.mov")
	v := s.file(s.root, "v1.mov")
	s.frameio.AddStack(v, s.file(s.root, "v2.mov"))
	s.frameio.HideOriginal(f.ID)
	s.frameio.HideOriginal(v.ID)
	require.Equal(t, "incomplete", s.again(t).Status)
	fin := s.again(t)
	assert.Equal(t, "incomplete", fin.Status, fin.Reason)
	assert.False(t, fin.Changed)
	assert.Len(t, s.failedItems(t), 2)
	s.frameio.Label(f.ID, "approved")
	assert.True(t, s.again(t).Changed)
	assert.Equal(t, "approved", s.iconik.Values("assets", s.item(t, "a.mov").AssetID)["framebridge_status"])
	s.config.Tenants[tenantID].Archive.MissingOriginal = "proxy"
	fin = s.again(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	assert.Equal(t, "proxy", s.iconik.Values("assets", s.item(t, "a.mov").AssetID)["framebridge_rendition"])
}
