package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/test/postgres"
)

var postgresDSN string

func TestMain(m *testing.M) {
	db, err := postgres.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "NOT TESTED: the ledger on PostgreSQL:", err)
		if postgres.Required() {
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	postgresDSN = db.DSN
	code := m.Run()
	db.Stop()
	os.Exit(code)
}

// each runs a test on every database, with its own tenant.
// schemaOnly is the file of an unused ledger, because the migrations take longer than most tests.
var schemaOnly = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "ledger-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	l, err := Open(context.Background(), "sqlite:"+filepath.Join(dir, "l.db"))
	if err != nil {
		return nil, err
	}
	l.Close()
	return os.ReadFile(filepath.Join(dir, "l.db"))
})

func emptySQLite(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	empty, err := schemaOnly()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, empty, 0o600))
	return "sqlite:" + file
}

func each(t *testing.T, test func(t *testing.T, l *Ledger, tenant string)) {
	dsns := map[string]string{"sqlite": emptySQLite(t)}
	if postgresDSN != "" {
		dsns["postgres"] = postgresDSN
	}
	for name, dsn := range dsns {
		t.Run(name, func(t *testing.T) {
			l, err := Open(t.Context(), dsn, WithKey("a secret of sixteen and more"))
			require.NoError(t, err)
			t.Cleanup(l.Close)
			test(t, l, t.Name())
		})
	}
}

const project = "a-project"

func begin(t *testing.T, l *Ledger, tenant string) {
	t.Helper()
	_, _, err := l.Tenant(tenant).Archive(project).Request(t.Context(), "sam@example.com", time.Now())
	require.NoError(t, err)
}

func TestAnArchiveIsRequestedOnce(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		a, joined, err := l.Tenant(tenant).Archive(project).Request(t.Context(), "sam@example.com", time.Now())
		require.NoError(t, err)
		assert.False(t, joined)
		assert.Equal(t, Queued, a.Status)
		assert.Equal(t, 1, a.Run)
		_, joined, err = l.Tenant(tenant).Archive(project).Request(t.Context(), "", time.Now())
		require.NoError(t, err)
		assert.True(t, joined, "it is open")
		_, err = l.Tenant(tenant).Archive(project).Update(t.Context(), func(a *Archive) { a.Status, a.Name = Verified, "Überblick" })
		require.NoError(t, err)
		a, joined, err = l.Tenant(tenant).Archive(project).Request(t.Context(), "", time.Now())
		require.NoError(t, err)
		assert.False(t, joined)
		assert.Equal(t, 2, a.Run)
		assert.Equal(t, "Überblick", a.Name, "what is known stays")
		_, ok, err := l.Tenant(tenant + "-other").Archive(project).Get(t.Context())
		require.NoError(t, err)
		assert.False(t, ok, "tenants do not see each other")
	})
}

func TestWhoAskedForAnArchiveIsRemembered(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ask := func(by string) Archive {
			_, _, err := l.Tenant(tenant).Archive(project).Request(t.Context(), by, time.Now())
			require.NoError(t, err)
			a, _, err := l.Tenant(tenant).Archive(project).Get(t.Context())
			require.NoError(t, err)
			return a
		}
		end := func() {
			_, err := l.Tenant(tenant).Archive(project).Update(t.Context(), func(a *Archive) { a.Status = Incomplete })
			require.NoError(t, err)
		}
		assert.Empty(t, ask("").RequestedBy)
		assert.Equal(t, "sam@example.com", ask("sam@example.com").RequestedBy, "the webhook's run is joined by somebody")
		ask("kim@example.com")
		ask("")
		a := ask("kim@example.com")
		assert.Equal(t, "sam@example.com", a.RequestedBy)
		assert.Equal(t, []string{"kim@example.com"}, a.AlsoAsked)
		end()
		a = ask("")
		assert.Equal(t, 2, a.Run)
		assert.Equal(t, "sam@example.com", a.RequestedBy, "of a retry, too")
		assert.Equal(t, []string{"kim@example.com"}, a.AlsoAsked)
		end()
		a = ask("lee@example.com")
		assert.Equal(t, "lee@example.com", a.RequestedBy)
		assert.Empty(t, a.AlsoAsked)
	})
}

func TestAScanGoesOnWhereItBroke(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		begin(t, l, tenant)
		scan, err := l.Tenant(tenant).Archive(project).BeginScan(ctx)
		require.NoError(t, err)
		require.NoError(t, l.Tenant(tenant).Archive(project).PutFolders(ctx, []Folder{{SourceID: "root", Scan: scan}}))
		require.NoError(t, l.Tenant(tenant).Archive(project).PageListed(ctx, "root", scan, "2", []Folder{{SourceID: "sub", ParentID: "root", Depth: 1, Scan: scan}},
			[]Item{{SourceID: "b", AssetKey: "b", Version: 1, Versions: 1, Path: "b.mov", Scan: scan}}, false))
		again, err := l.Tenant(tenant).Archive(project).BeginScan(ctx)
		require.NoError(t, err)
		assert.Equal(t, scan, again, "the same scan goes on")
		f, err := l.Tenant(tenant).Archive(project).NextFolder(ctx, scan)
		require.NoError(t, err)
		assert.Equal(t, "root", f.SourceID)
		assert.Equal(t, "2", f.Cursor)
		require.NoError(t, l.Tenant(tenant).Archive(project).PageListed(ctx, "root", scan, "", nil, []Item{
			{SourceID: "s2", AssetKey: "stack", Version: 2, Versions: 2, Path: "a.mov", Scan: scan},
			{SourceID: "s1", AssetKey: "stack", Version: 1, Versions: 2, Path: "z.mov", Scan: scan}}, true))
		f, err = l.Tenant(tenant).Archive(project).NextFolder(ctx, scan)
		require.NoError(t, err)
		assert.Equal(t, "sub", f.SourceID)
		require.NoError(t, l.Tenant(tenant).Archive(project).PageListed(ctx, "sub", scan, "", nil, nil, true))
		f, err = l.Tenant(tenant).Archive(project).NextFolder(ctx, scan)
		require.NoError(t, err)
		assert.Nil(t, f)
		require.NoError(t, l.Tenant(tenant).Archive(project).FinishScan(ctx, scan))
		items, _, err := l.Tenant(tenant).Archive(project).ItemsPage(ctx, 0, 10)
		require.NoError(t, err)
		var order []string
		for i, it := range items {
			assert.EqualValues(t, i+1, it.Seq)
			order = append(order, it.SourceID)
		}
		assert.Equal(t, []string{"s1", "s2", "b"}, order, "by path, the versions of an asset together, oldest first")
		next, err := l.Tenant(tenant).Archive(project).BeginScan(ctx)
		require.NoError(t, err)
		assert.Greater(t, next, scan)

		_, joined, err := l.Tenant(tenant).Archive(project).Request(ctx, "", time.Now())
		require.NoError(t, err)
		require.True(t, joined)
		again, err = l.Tenant(tenant).Archive(project).BeginScan(ctx)
		require.NoError(t, err)
		assert.Equal(t, next, again, "of the run that is open")
		_, err = l.Tenant(tenant).Archive(project).Update(ctx, func(a *Archive) { a.Status = Cancelled })
		require.NoError(t, err)
		_, _, err = l.Tenant(tenant).Archive(project).Request(ctx, "", time.Now())
		require.NoError(t, err)
		again, err = l.Tenant(tenant).Archive(project).BeginScan(ctx)
		require.NoError(t, err)
		assert.Greater(t, again, next, "another run reads the tree anew")
	})
}

// A worker that counted as dead may still try to write what it read for a scan that another one has since finished.
func TestAScanThatHasEndedWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		fill(t, l, tenant, []Item{{SourceID: "a", AssetKey: "a", Version: 1, Versions: 1, Path: "a.mov"}})
		scan, err := l.Tenant(tenant).Archive(project).BeginScan(ctx)
		require.NoError(t, err)
		require.NoError(t, l.Tenant(tenant).Archive(project).PutFolders(ctx, []Folder{{SourceID: "root", Scan: scan}}))
		item := Item{SourceID: "a", AssetKey: "a", Version: 1, Versions: 1, Path: "a.mov", Scan: scan}
		require.NoError(t, l.Tenant(tenant).Archive(project).PageListed(ctx, "root", scan, "", nil, []Item{item}, true))
		late := func() {
			t.Helper()
			item.Scan = scan - 1
			require.ErrorIs(t, l.Tenant(tenant).Archive(project).PutFolders(ctx, []Folder{{SourceID: "root", Scan: scan - 1}}), ErrScan)
			require.ErrorIs(t, l.Tenant(tenant).Archive(project).PageListed(ctx, "root", scan-1, "", []Folder{{SourceID: "root", Scan: scan - 1}}, []Item{item}, true), ErrScan)
			require.ErrorIs(t, l.Tenant(tenant).Archive(project).FinishScan(ctx, scan-1), ErrScan)
		}
		late()
		require.NoError(t, l.Tenant(tenant).Archive(project).FinishScan(ctx, scan))
		late()
		items, _, err := l.Tenant(tenant).Archive(project).ItemsPage(ctx, 0, 10)
		require.NoError(t, err)
		require.Len(t, items, 1)
		require.EqualValues(t, 1, items[0].Seq)
		folders, _, err := l.Tenant(tenant).Archive(project).Folders(ctx, "", 10)
		require.NoError(t, err)
		require.Len(t, folders, 1)
	})
}

func fill(t *testing.T, l *Ledger, tenant string, items []Item) {
	t.Helper()
	ctx := t.Context()
	begin(t, l, tenant)
	scan, err := l.Tenant(tenant).Archive(project).BeginScan(ctx)
	require.NoError(t, err)
	require.NoError(t, l.Tenant(tenant).Archive(project).PutFolders(ctx, []Folder{{SourceID: "root", Scan: scan}}))
	for i := range items {
		items[i].Scan = scan
	}
	require.NoError(t, l.Tenant(tenant).Archive(project).PageListed(ctx, "root", scan, "", nil, items, true))
	require.NoError(t, l.Tenant(tenant).Archive(project).FinishScan(ctx, scan))
}

// Large files do not queue up behind each other. Small ones fill a range.
func TestARangeEndsWithItsBytes(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		var items []Item
		for n, size := range []int64{10, 10, 10, 90, 10, 200, 10, 10} {
			items = append(items, Item{SourceID: fmt.Sprintf("f%02d", n), AssetKey: fmt.Sprintf("a%02d", n), Version: 1, Versions: 1, Path: fmt.Sprintf("%02d", n), State: Pending, Size: size})
		}
		fill(t, l, tenant, items)
		h := l.Tenant(tenant).Archive(project)
		ranges, err := h.NextRanges(t.Context(), PhaseCopy, 0, RangeLimits{Items: 40, Bytes: 100, Most: 10})
		require.NoError(t, err)
		assert.Equal(t, []Range{{From: 1, To: 3}, {From: 4, To: 5}, {From: 6, To: 6}, {From: 7, To: 8}}, ranges)
		ranges, err = h.NextRanges(t.Context(), PhaseCopy, 0, RangeLimits{Items: 40, Most: 10})
		require.NoError(t, err)
		assert.Equal(t, []Range{{From: 1, To: 8}}, ranges, "0 is 2 GiB")
	})
}

func TestRangesNeverSplitAnAsset(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		var items []Item
		for n := range 30 {
			asset := n / 3
			items = append(items, Item{SourceID: fmt.Sprintf("f%02d", n), AssetKey: fmt.Sprintf("a%02d", asset), Version: n%3 + 1, Versions: 3, Path: fmt.Sprintf("%02d", asset), State: Pending, Size: 10})
		}
		fill(t, l, tenant, items)
		for size := 1; size <= 7; size++ {
			after := int64(0)
			for after < 30 {
				ranges, err := l.Tenant(tenant).Archive(project).NextRanges(t.Context(), PhaseCopy, after, RangeLimits{Items: size, Most: 4})
				require.NoError(t, err)
				require.NotEmpty(t, ranges)
				for _, r := range ranges {
					require.Equal(t, after+1, r.From, "nothing is left out (size %d)", size)
					require.Zero(t, r.To%3, "an asset's versions stay together (size %d)", size)
					after = r.To
				}
			}
			rest, err := l.Tenant(tenant).Archive(project).NextRanges(t.Context(), PhaseCopy, after, RangeLimits{Items: size, Most: 4})
			require.NoError(t, err)
			assert.Empty(t, rest)
		}
	})
}

func TestLinksAreIntendedAndMade(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		k := Link{Kind: "comment", SourceID: "c1", Archive: project, Parent: "asset", IntendedAt: time.Now()}
		_, isNew, err := l.Tenant(tenant).Intend(ctx, k)
		require.NoError(t, err)
		assert.True(t, isNew)
		had, isNew, err := l.Tenant(tenant).Intend(ctx, k)
		require.NoError(t, err)
		assert.False(t, isNew, "a POST may have taken effect")
		assert.Empty(t, had.TargetID)
		require.NoError(t, l.Tenant(tenant).Complete(ctx, "comment", "c1", "seg1", "hash"))
		got, ok, err := l.Tenant(tenant).LinkByTarget(ctx, "comment", "seg1")
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, "c1", got.SourceID)
		assert.Equal(t, "hash", got.Hash)
		require.NoError(t, l.Tenant(tenant).Delete(ctx, "comment", "c1"))
		_, ok, err = l.Tenant(tenant).Link(ctx, "comment", "c1")
		require.NoError(t, err)
		assert.False(t, ok)
	})
}

func TestTheFirstAttemptToMakeItHolds(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		_, _, err := l.Tenant(tenant).Intend(ctx, Link{Kind: "asset", SourceID: "a", Archive: project, IntendedAt: time.Now()})
		require.NoError(t, err)
		for _, id := range []string{"first", "second", "first"} {
			holds, err := l.Tenant(tenant).Claim(ctx, "asset", "a", id, "hash")
			require.NoError(t, err)
			assert.Equal(t, "first", holds)
		}
		require.NoError(t, l.Tenant(tenant).Cancel(ctx, "asset", "a"))
		_, ok, err := l.Tenant(tenant).Link(ctx, "asset", "a")
		require.NoError(t, err)
		assert.True(t, ok, "what was made is not given up")
		_, _, err = l.Tenant(tenant).Intend(ctx, Link{Kind: "asset", SourceID: "b", Archive: project, IntendedAt: time.Now()})
		require.NoError(t, err)
		require.NoError(t, l.Tenant(tenant).Cancel(ctx, "asset", "b"))
		_, ok, err = l.Tenant(tenant).Link(ctx, "asset", "b")
		require.NoError(t, err)
		assert.False(t, ok)
	})
}

func TestOnlyOneOfManyIntends(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		var wg sync.WaitGroup
		firsts := make(chan bool, 20)
		for range 20 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				_, isNew, err := l.Tenant(tenant).Intend(context.Background(), Link{Kind: "asset", SourceID: "x", Archive: project, IntendedAt: time.Now()})
				assert.NoError(t, err)
				if isNew {
					firsts <- true
				}
			}()
		}
		wg.Wait()
		assert.Len(t, firsts, 1)
	})
}

func TestConcurrentChangesAllCount(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		fill(t, l, tenant, []Item{{SourceID: "x", AssetKey: "x", Version: 1, Versions: 1, Path: "x"}})
		var wg sync.WaitGroup
		for range 20 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				_, err := l.Tenant(tenant).Archive(project).UpdateItem(context.Background(), "x", func(i *Item) { i.BytesDone++ })
				assert.NoError(t, err)
			}()
		}
		wg.Wait()
		it, _, err := l.Tenant(tenant).Archive(project).Item(t.Context(), "x")
		require.NoError(t, err)
		assert.EqualValues(t, 20, it.BytesDone)
	})
}

func TestDeliveriesAreRememberedForADay(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		now := time.Now()
		seen, err := l.Tenant(tenant).Delivered(t.Context(), "v0=abc")
		require.NoError(t, err)
		assert.False(t, seen)
		for i, want := range []bool{true, false} {
			first, err := l.Tenant(tenant).NoteDelivery(t.Context(), "v0=abc", now)
			require.NoError(t, err)
			assert.Equal(t, want, first, i)
		}
		seen, err = l.Tenant(tenant).Delivered(t.Context(), "v0=abc")
		require.NoError(t, err)
		assert.True(t, seen)
		first, err := l.Tenant(tenant).NoteDelivery(t.Context(), "v0=abc", now.Add(25*time.Hour))
		require.NoError(t, err)
		assert.True(t, first)
	})
}

func TestTokensAreKeptEncrypted(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		require.NoError(t, l.Tenant(tenant).PutToken(t.Context(), "refresh", []byte("very secret")))
		got, ok, err := l.Tenant(tenant).Token(t.Context(), "refresh")
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, "very secret", string(got))
		_, ok, err = l.Tenant(tenant+"x").Token(t.Context(), "refresh")
		require.NoError(t, err)
		assert.False(t, ok)
	})
}

// One at a time across all processes, each with what the previous one left, and nobody else waits.
func TestTokensAreExchangedOneAtATime(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		var all sync.WaitGroup
		for range 5 {
			all.Add(1)
			go func() {
				defer all.Done()
				assert.NoError(t, l.Tenant(tenant).ExchangeToken(t.Context(), "sign-in", func(ctx context.Context, present []byte) ([]byte, error) {
					short, cancel := context.WithTimeout(ctx, 5*time.Second)
					defer cancel()
					_, err := l.AppendAudit(short, AuditEntry{Tenant: tenant, Action: "c"})
					assert.NoError(t, err, "the ledger is free meanwhile")
					return append(bytes.Clone(present), 'x'), nil
				}))
			}()
		}
		all.Wait()
		got, _, err := l.Tenant(tenant).Token(t.Context(), "sign-in")
		require.NoError(t, err)
		assert.Equal(t, "xxxxx", string(got))
		require.Error(t, l.Tenant(tenant).ExchangeToken(t.Context(), "sign-in", func(context.Context, []byte) ([]byte, error) { return nil, errors.New("refused") }))
		got, _, err = l.Tenant(tenant).Token(t.Context(), "sign-in")
		require.NoError(t, err)
		assert.Equal(t, "xxxxx", string(got))
	})
}

func TestAWrongKeyOpensNothing(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "l.db")
	l, err := Open(t.Context(), dsn, WithKey("a secret of sixteen and more"))
	require.NoError(t, err)
	require.NoError(t, l.Tenant("t").PutToken(t.Context(), "refresh", []byte("very secret")))
	l.Close()
	raw, err := os.ReadFile(dsn[len("sqlite:"):])
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "very secret")
	l, err = Open(t.Context(), dsn, WithKey("another secret of sixteen"))
	require.NoError(t, err)
	defer l.Close()
	_, _, err = l.Tenant("t").Token(t.Context(), "refresh")
	assert.Error(t, err)
}

func TestErrorsDoNotTellTheDSN(t *testing.T) {
	_, err := Open(t.Context(), "postgres://user:hunter2@127.0.0.1:1/db?connect_timeout=1")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestAnAssetsFieldsTellOfItsRunningReview(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		at := time.Now().UTC().Add(-time.Hour)
		for i, status := range []ReviewStatus{ReviewExpired, ReviewOpen, ReviewFailed} {
			id := "r" + string(rune('1'+i))
			_, _, err := l.RequestReview(t.Context(), Review{Tenant: tenant, ID: id, Click: id, Status: status, CreatedAt: at.Add(time.Duration(i) * time.Minute)}, time.Second)
			require.NoError(t, err)
			_, err = l.Tenant(tenant).Review(id).AddAssets(t.Context(), func([]ReviewAsset) []ReviewAsset { return []ReviewAsset{{AssetID: "a"}} })
			require.NoError(t, err)
		}
		shown, err := l.Tenant(tenant).ReviewShownOn(t.Context(), "a", "")
		require.NoError(t, err)
		assert.Equal(t, "r2", shown, "the running one, whatever came later")
		shown, err = l.Tenant(tenant).ReviewShownOn(t.Context(), "a", "r2")
		require.NoError(t, err)
		assert.Equal(t, "r3", shown, "one that is ending does not run any more")
		_, err = l.Tenant(tenant).Review("r2").Update(t.Context(), func(r *Review) { r.Status = ReviewDeleted })
		require.NoError(t, err)
		shown, err = l.Tenant(tenant).ReviewShownOn(t.Context(), "a", "")
		require.NoError(t, err)
		assert.Equal(t, "r3", shown, "or else the newest")
	})
}

// However often a click is handed over, its asset is sent once. A review that is ending takes nothing.
func TestAClickIsHandedOverOnce(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		now := time.Now().UTC()
		begun := 0
		review := func() string {
			begun++
			id := fmt.Sprintf("r%d", begun)
			_, _, err := l.RequestReview(t.Context(), Review{Tenant: tenant, ID: id, Click: id, Status: ReviewOpen, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, time.Second)
			require.NoError(t, err)
			_, err = l.Tenant(tenant).Review(id).AddAssets(t.Context(), func([]ReviewAsset) []ReviewAsset { return []ReviewAsset{{AssetID: "a", State: AssetReady}} })
			require.NoError(t, err)
			return id
		}
		hand := func(to, from string) bool {
			taken, err := l.Tenant(tenant).Review(to).HandOver(t.Context(), from, ReviewAsset{AssetID: "a", State: AssetPending}, now)
			require.NoError(t, err)
			return taken
		}
		files := func(id string) int {
			rows, err := l.Tenant(tenant).Review(id).Assets(t.Context())
			require.NoError(t, err)
			return len(rows)
		}
		sent := func(id string) {
			_, err := l.Tenant(tenant).Review(id).UpdateAsset(t.Context(), 2, func(row *ReviewAsset) { row.State = AssetReady })
			require.NoError(t, err)
		}
		end := func(id string) {
			_, err := l.Tenant(tenant).Review(id).Update(t.Context(), func(row *Review) { row.EndedAt = now })
			require.NoError(t, err)
		}

		id := review()
		assert.True(t, hand(id, "click 1"))
		assert.True(t, hand(id, "click 1"))
		assert.True(t, hand(id, "click 2"), "one waiting file serves both")
		assert.Equal(t, 2, files(id))
		sent(id)
		assert.True(t, hand(id, "click 1"), "sent since")
		assert.True(t, hand(id, "click 2"))
		assert.Equal(t, 2, files(id))
		assert.True(t, hand(id, "click 3"))
		assert.Equal(t, 3, files(id), "another click is another version")
		end(id)
		assert.True(t, hand(id, "click 1"), "it was sent before the end")
		assert.False(t, hand(id, "click 3"), "nobody sends it any more")
		assert.False(t, hand(id, "click 4"))
		assert.Equal(t, 3, files(id))

		id = review()
		_, err := l.Tenant(tenant).Review(id).Update(t.Context(), func(row *Review) { row.ExpiresAt = now })
		require.NoError(t, err)
		assert.False(t, hand(id, "click 1"), "it has expired, and is about to end")
		assert.False(t, hand("unknown", "click 1"))
	})
}

// A folder's name may contain characters that are special in a URL.
func TestALedgerLiesWhereItsNameSays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a#b?c%20d e.db")
	l, err := Open(t.Context(), "sqlite:"+file)
	require.NoError(t, err)
	_, _, err = l.Tenant("t").Archive("p").Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	l.Close()
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Positive(t, info.Size())
}
