package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

// Every place of *Access* says where it is in Frame.io and in iconik, except that Frame.io has no report and the archive
// has no URL of a collection there.
func TestEachPlaceOfAccessHasItsIDsAndPages(t *testing.T) {
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	tenant := l.Tenant("0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0")
	h := tenant.Archive("P")
	_, _, err = h.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = h.Update(t.Context(), func(a *ledger.Archive) { a.ProjectURL, a.CollectionID = "https://next.frame.io/project/P", "CP" })
	require.NoError(t, err)
	scan, err := h.BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, h.PutFolders(t.Context(), []ledger.Folder{{SourceID: "F", ParentID: "root", Name: "Legal", Path: "Legal", Depth: 1, Scan: scan,
		Details: `{"fields":{"framebridge_source_url":"https://next.frame.io/project/P/view/F"}}`}}))
	require.NoError(t, h.SetFolderCollection(t.Context(), "F", "CF"))
	for source, kind := range map[string]ledger.LinkKind{"S": ledger.LinkShare, "C": "collection", "P": ledger.LinkReport} {
		_, _, err := tenant.Intend(t.Context(), ledger.Link{Kind: kind, SourceID: source, Archive: "P", IntendedAt: time.Now()})
		require.NoError(t, err)
		require.NoError(t, tenant.Complete(t.Context(), kind, source, "C"+source, ""))
	}
	for _, r := range []access.Rule{{Source: "P", Kind: access.KindProject, Place: "Pier"}, {Source: "F", Kind: access.KindFolder, Place: "Legal"}, {Source: "C", Kind: access.KindCollection, Place: "Mine"},
		{Source: "S", Kind: access.KindShare, Place: "Presentations/Showcase", URL: "https://f.io/s"}, {Source: "report:P", Kind: access.KindReport, Place: "Report"}} {
		doc, err := json.Marshal(r)
		require.NoError(t, err)
		require.NoError(t, h.PutAccess(t.Context(), r.Source, ledger.AccessRule, 0, string(doc)))
	}
	r, err := Open(t.Context(), h, Source{IconikURL: "https://app.iconik.io"})
	require.NoError(t, err)
	got := map[string][4]string{}
	for _, p := range r.Access.Places {
		got[p.Kind] = [4]string{p.Source, p.URL, p.IconikID, p.IconikURL}
	}
	assert.Equal(t, map[string][4]string{
		access.KindProject:    {"P", "https://next.frame.io/project/P", "CP", "https://app.iconik.io/collection/CP"},
		access.KindFolder:     {"F", "https://next.frame.io/project/P/view/F", "CF", "https://app.iconik.io/collection/CF"},
		access.KindCollection: {"C", "", "CC", "https://app.iconik.io/collection/CC"},
		access.KindShare:      {"S", "https://f.io/s", "CS", "https://app.iconik.io/collection/CS"},
		access.KindReport:     {"", "", "CP", "https://app.iconik.io/asset/CP"},
	}, got)
}

// A served report has pictures of what everybody with iconik's default access may see. A stored one has none.
func TestPicturesAreOfWhatEverybodyMaySee(t *testing.T) {
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	h := l.Tenant("0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0").Archive("P")
	_, _, err = h.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	scan, err := h.BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, h.PutFolders(t.Context(), []ledger.Folder{{SourceID: "root", Scan: scan}, {SourceID: "legal", ParentID: "root", Name: "Legal", Path: "Legal", Depth: 1, Scan: scan}}))
	item := func(id, folder string) ledger.Item {
		return ledger.Item{SourceID: id, AssetKey: id, FolderID: folder, Version: 1, Versions: 1, Path: id + ".mov", State: ledger.ItemVerified, AssetID: "as-" + id, VersionID: "ve-" + id, Scan: scan}
	}
	require.NoError(t, h.PageListed(t.Context(), "root", scan, "", nil, []ledger.Item{item("cut", "root")}, true))
	require.NoError(t, h.PageListed(t.Context(), "legal", scan, "", nil, []ledger.Item{item("contract", "legal")}, true))
	require.NoError(t, h.FinishScan(t.Context(), scan))
	shown := func(pictures bool) []string {
		r, err := Open(t.Context(), h, Source{Pictures: pictures})
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, HTML(&b, r))
		return regexp.MustCompile(`<img src="[^"]*"`).FindAllString(b.String(), -1)
	}
	assert.ElementsMatch(t, []string{`<img src="thumbs/cut"`, `<img src="thumbs/contract"`}, shown(true), "nothing is restricted")
	require.NoError(t, h.PutAccess(t.Context(), "P", ledger.AccessRule, 0, `{"source":"P","kind":"project","place":"P","open":true}`))
	require.NoError(t, h.PutAccess(t.Context(), "legal", ledger.AccessRule, 0, `{"source":"legal","kind":"folder","place":"Legal"}`))
	require.NoError(t, h.SetFolderAccess(t.Context(), "legal", "legal"))
	assert.Equal(t, []string{`<img src="thumbs/cut"`}, shown(true))
	assert.Empty(t, shown(false))
	require.NoError(t, h.DropAccess(t.Context(), "P", ledger.AccessRule))
	assert.Empty(t, shown(true), "nothing is known of the project")
}
