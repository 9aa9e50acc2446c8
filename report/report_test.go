package report

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/framebridge/framebridge/ledger"
)

func sample() *Report {
	items := []ledger.Item{
		{SourceID: "f1", Path: "Takes ∕ alternates/A & B <1>.mov", Version: 1, Versions: 2, Title: "Trailer", State: ledger.ItemVerified, Rendition: "original", Size: 10, StoredSize: 10,
			Checksum: "ef46db3751d8e999", SourceChecksum: "ef46db3751d8e999", CommentCount: 2, CommentsDone: 2},
		{SourceID: "f2", Path: "Takes ∕ alternates/A & B <1>.mov", Version: 2, Versions: 2, Title: "Trailer", State: ledger.ItemVerified, Rendition: "original", Size: 11, StoredSize: 11, Checksum: "00000000000000aa", Note: "times are assumed"},
		{SourceID: "f3", Path: "=HYPERLINK(\"x\").mov", Version: 1, Versions: 1, State: ledger.Skipped, Reason: "no original, \"really\"\nnone"},
		{SourceID: "f4", Path: "proxy.mov", Version: 1, Versions: 1, State: ledger.ItemVerified, Rendition: "proxy", Size: 5, StoredSize: 3, Checksum: "00000000000000bb"},
		{SourceID: "f5", Path: "lost.mov", Version: 1, Versions: 1, State: ledger.ItemFailed, Reason: "missing: iconik has no file", Fault: "system"},
	}
	return &Report{
		Archive: ledger.Archive{ID: "p", Tenant: "t", Name: "Summer <b>", TeamName: "Team", Status: ledger.VerifiedWithExceptions, Run: 1,
			StartedAt: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), FinishedAt: time.Date(2026, 11, 1, 0, 1, 0, 0, time.UTC)},
		Totals: ledger.Totals{Items: 5, Verified: 3, Skipped: 1, Failed: 1, Bytes: 26}, Tenant: "Marketing", GeneratedAt: time.Date(2026, 11, 1, 0, 1, 0, 0, time.UTC),
		Links: Links{Iconik: "https://app.iconik.io/collection/c"},
		Items: func(yield func(ledger.Item, error) bool) {
			for _, it := range items {
				if !yield(it, nil) {
					return
				}
			}
		},
	}
}

func TestJSONNamesEveryItemWithItsComparison(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, JSON(&b, sample()))
	var got struct {
		Status string
		Items  []struct{ Path, Comparison, Checksum, Reason string }
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.Equal(t, "verified_with_exceptions", got.Status)
	var words []string
	for _, it := range got.Items {
		words = append(words, it.Comparison)
	}
	assert.Equal(t, []string{Match, Match, Missing, Match, Missing}, words)
	assert.Equal(t, "xxh64:ef46db3751d8e999", got.Items[0].Checksum)
}

func TestCSVRunsNoFormula(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, CSV(&b, sample()))
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b.Bytes(), []byte("\xef\xbb\xbf")))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 6)
	for _, row := range rows[1:] {
		for _, cell := range row {
			assert.False(t, strings.HasPrefix(cell, "="), cell)
		}
	}
	assert.Contains(t, b.String(), "HYPERLINK")
}

func TestMHLListsOriginalsOnlyAndEachVersionOnce(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, MHL(&b, sample()))
	var list struct {
		Version string `xml:"version,attr"`
		Hashes  []struct {
			Path struct {
				Size int64  `xml:"size,attr"`
				Text string `xml:",chardata"`
			} `xml:"path"`
			XXH64 struct {
				Action string `xml:"action,attr"`
				Text   string `xml:",chardata"`
			} `xml:"xxh64"`
		} `xml:"hashes>hash"`
	}
	require.NoError(t, xml.Unmarshal(b.Bytes(), &list))
	assert.Equal(t, "2.0", list.Version)
	require.Len(t, list.Hashes, 2, "neither the proxy nor what is not there")
	assert.NotEqual(t, list.Hashes[0].Path.Text, list.Hashes[1].Path.Text)
	assert.Equal(t, "original", list.Hashes[0].XXH64.Action, "of a first generation, whatever it was compared with")
	assert.Equal(t, "original", list.Hashes[1].XXH64.Action)
	assert.EqualValues(t, 10, list.Hashes[0].Path.Size)
}

func TestHTMLShowsExceptionsAndEscapesNames(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, HTML(&b, sample()))
	text := b.String()
	assert.Contains(t, text, "with exceptions")
	assert.Contains(t, text, "Summer &lt;b&gt;")
	assert.NotContains(t, text, "<1>")
	assert.Contains(t, text, "no original")
	assert.Contains(t, text, "times are assumed")
}

func TestAReportThatCannotBeReadIsNotHalfWritten(t *testing.T) {
	r := sample()
	r.Items = func(yield func(ledger.Item, error) bool) { yield(ledger.Item{}, io.ErrUnexpectedEOF) }
	for name, write := range map[string]func(io.Writer, *Report) error{"json": JSON, "csv": CSV, "mhl": MHL, "html": HTML} {
		assert.ErrorIs(t, write(io.Discard, r), io.ErrUnexpectedEOF, name)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 50 << 30: "50.0 GiB"} {
		assert.Equal(t, want, Size(n))
	}
}

// hashlist is what a reader of ASC MHL sees.
type hashlist struct {
	XMLName xml.Name `xml:"urn:ASC:MHL:v2.0 hashlist"`
	Hashes  []struct {
		Path  string `xml:"path"`
		XXH64 struct {
			Action string `xml:"action,attr"`
			Text   string `xml:",chardata"`
		} `xml:"xxh64"`
	} `xml:"hashes>hash"`
}

func listOf(items ...ledger.Item) *Report {
	r := sample()
	r.Items = func(yield func(ledger.Item, error) bool) {
		for _, it := range items {
			it.State, it.Rendition = cmp.Or(it.State, ledger.ItemVerified), "original"
			if !yield(it, nil) {
				return
			}
		}
	}
	return r
}

func readMHL(t *testing.T, r *Report) (hashlist, []byte) {
	var b bytes.Buffer
	require.NoError(t, MHL(&b, r))
	var list hashlist
	require.NoError(t, xml.Unmarshal(b.Bytes(), &list))
	return list, b.Bytes()
}

// The list of the reference case: neighbors with the same name, two stacks with the same name, a folder named like a version.
func TestMHLPathsAreTheirOwn(t *testing.T) {
	paths := []string{"Clips/A001.mov", "Clips/A001.mov", "Clips/A001.MOV", "Clips/Caf\u00e9.mov", "Clips/Cafe\u0301.mov", "Clips", "a\nb", "a b", "Clips/A.mov.v1/A.mov"}
	var items []ledger.Item
	for i, p := range paths {
		items = append(items, ledger.Item{Path: p, Versions: 1, Version: 1, Checksum: fmt.Sprintf("%016x", i)})
	}
	for i := range 2 {
		items = append(items, ledger.Item{Path: "Clips/A.mov", Title: "A.mov", Version: i + 1, Versions: 2, Checksum: "1"}, ledger.Item{Path: "Clips/B v1.mov", Title: "B", Version: 1, Versions: 2, Checksum: "2"})
	}
	for _, id := range []string{"", "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0", "same"} {
		for i := range items {
			items[i].SourceID = id
			if id != "same" && id != "" {
				items[i].SourceID = fmt.Sprintf("%08d%s", i, id)
			}
		}
		list, _ := readMHL(t, listOf(items...))
		require.Len(t, list.Hashes, len(items))
		seen := map[string]bool{}
		for _, h := range list.Hashes {
			key := strings.ToLower(norm.NFC.String(h.Path))
			assert.False(t, seen[key], "%q twice", h.Path)
			seen[key] = true
		}
		for key := range seen {
			for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
				assert.False(t, seen[dir], "%q is a file and a folder", dir)
			}
		}
	}
}

func TestMHLPathsStayFromRunToRun(t *testing.T) {
	first := ledger.Item{SourceID: "b", Path: "A.mov", Versions: 1, FirstRun: 1, Checksum: "1"}
	second := ledger.Item{SourceID: "a", Path: "a.MOV", Versions: 1, FirstRun: 2, Checksum: "2"}
	list, _ := readMHL(t, listOf(second, first))
	assert.Equal(t, []string{"a (a).MOV", "A.mov"}, []string{list.Hashes[0].Path, list.Hashes[1].Path})
}

func TestMHLGenerations(t *testing.T) {
	old := ledger.Item{SourceID: "1", Path: "A001.mov", Versions: 1, FirstRun: 1, Checksum: "42a70d1abf84bf32", SourceChecksum: "42a70d1abf84bf32"}
	bad := ledger.Item{SourceID: "2", Path: "A002.mov", Versions: 1, FirstRun: 1, Checksum: "7e5beccf79929533"}
	never := ledger.Item{SourceID: "3", Path: "A003.mov", Versions: 1, FirstRun: 1, Checksum: "0000000000000000", State: ledger.ItemFailed}
	r := listOf(old, bad, never)
	list, body := readMHL(t, r)
	require.Len(t, list.Hashes, 2, "what failed vouches for nothing in a first generation")
	for _, h := range list.Hashes {
		assert.Equal(t, "original", h.XXH64.Action)
	}
	g := r.Keep(body)
	assert.Equal(t, "0001_Summer b_2026-11-01_000100Z.mhl", strings.NewReplacer("<", "", ">", "").Replace(g.File))
	_, again := readMHL(t, r)
	assert.Equal(t, body, again, "what is served is what is kept")

	later := ledger.Item{SourceID: "4", Path: "A004.mov", Versions: 1, FirstRun: 2, Checksum: "1111111111111111"}
	bad.State = ledger.ItemFailed
	kept, ok := ParseGeneration(g.String(), 1)
	require.True(t, ok)
	r = listOf(old, bad, later)
	r.Archive.Run, r.GeneratedAt, r.Generations = 2, r.GeneratedAt.Add(time.Hour), []Generation{kept}
	list, body = readMHL(t, r)
	var actions []string
	for _, h := range list.Hashes {
		actions = append(actions, h.XXH64.Action)
	}
	assert.Equal(t, []string{"verified", "failed", "original"}, actions)
	r.Keep(body)

	var chain bytes.Buffer
	require.NoError(t, Chain(&chain, r))
	var read struct {
		XMLName xml.Name `xml:"urn:ASC:MHL:DIRECTORY:v2.0 ascmhldirectory"`
		Lists   []struct {
			N    int    `xml:"sequencenr,attr"`
			Path string `xml:"path"`
			C4   string `xml:"c4"`
		} `xml:"hashlist"`
	}
	require.NoError(t, xml.Unmarshal(chain.Bytes(), &read))
	require.Len(t, read.Lists, 2)
	assert.Equal(t, kept.C4, read.Lists[0].C4)
	assert.Equal(t, C4(body), read.Lists[1].C4)
	assert.Equal(t, []int{1, 2}, []int{read.Lists[0].N, read.Lists[1].N})
	assert.ErrorIs(t, Chain(io.Discard, sample()), ErrNoGeneration)
}

// A run that has changed nothing writes no list. The last one is still served, under its name in the chain.
func TestAListStandsWhileNothingChanges(t *testing.T) {
	form, _ := FormOf("report.mhl")
	item := ledger.Item{SourceID: "1", Path: "A001.mov", Versions: 1, FirstRun: 1, Checksum: "42a70d1abf84bf32"}
	first := listOf(item)
	_, body := readMHL(t, first)
	kept := first.Keep(body)
	for name, tt := range map[string]struct {
		change func(*Report, *ledger.Item)
		stands bool
	}{
		"verified again":   {func(*Report, *ledger.Item) {}, true},
		"still running":    {func(r *Report, _ *ledger.Item) { r.Archive.Status = ledger.Running }, false},
		"changed":          {func(r *Report, _ *ledger.Item) { r.Archive.Changed = true }, false},
		"a file differs":   {func(_ *Report, it *ledger.Item) { it.State = ledger.ItemFailed }, false},
		"another checksum": {func(_ *Report, it *ledger.Item) { it.Checksum = "7e5beccf79929533" }, false},
	} {
		now := item
		r := listOf()
		r.Archive.Status, r.Archive.Run, r.GeneratedAt, r.Generations = ledger.Verified, 2, first.GeneratedAt.Add(time.Hour), []Generation{kept}
		tt.change(r, &now)
		r.Items = listOf(now).Items
		file, err := form.Name(r)
		require.NoError(t, err, name)
		_, again := readMHL(t, r)
		assert.Equal(t, tt.stands, file == kept.File, name)
		assert.Equal(t, tt.stands, bytes.Equal(body, again), name)
		assert.Equal(t, tt.stands, C4(again) == kept.C4, name)
		if tt.stands {
			var page strings.Builder
			require.NoError(t, HTML(&page, r), name)
			assert.Contains(t, page.String(), "generation 1 of", name)
		}
	}
}

// The C4 ID of an empty text is the standard's own example.
func TestC4(t *testing.T) {
	assert.Equal(t, "c459dsjfscH38cYeXXYogktxf4Cd9ibshE3BHUo6a58hBXmRQdZrAkZzsWcbWtDg5oQstpDuni4Hirj75GEmTc1sFT", C4(nil))
	assert.Len(t, C4([]byte("x")), c4Length)
}

func TestHTMLTellsWhenWhoAndWhere(t *testing.T) {
	r := sample()
	r.Zone = time.FixedZone("CET", 3600)
	r.Archive.RequestedBy, r.Archive.AlsoAsked, r.Archive.Generation = "ann@example.com", []string{"bob@example.com"}, "v4"
	r.Totals.BytesDone, r.Totals.BytesSkipped, r.Links.IconikAssets = 26, 5<<20, "https://app.iconik.io/asset/"
	size := int64(1 << 20)
	r.NotCarried = []NotCarried{{Kind: "attachment", Name: "notes<1>.pdf", Place: "Clips/A.mov", Size: &size, Reason: "Frame.io has no address for it", Object: "file-of-the-notes"}}
	r.Access = &Access{Mode: "source", Places: []AccessRule{{Kind: "folder", Place: "Clips", Readers: []string{"ann@example.com"},
		Source: "fo-1", URL: "https://next.frame.io/project/p/view/fo-1", IconikID: "co-1", IconikURL: "https://app.iconik.io/collection/co-1"}, {Kind: "folder", Place: "Secret"}}, Unmapped: []string{"Editors"}}
	items := r.Items
	r.Items = func(yield func(ledger.Item, error) bool) {
		for it, err := range items {
			it.AssetID, it.VersionID, it.Fields = "as-1", "ve-1", []byte(`{"framebridge_source_url":"https://app.frame.io/x","framebridge_source_id":"f"}`)
			if !yield(it, err) {
				return
			}
		}
	}
	var b bytes.Buffer
	require.NoError(t, HTML(&b, r))
	for _, text := range []string{"November 1, 2026, 00:00:00 UTC", "November 1, 2026, 01:00:00 CET", "ann@example.com, bob@example.com", "Frame.io API v4", "iconik API v1", "26 B of 26 B", "5.0 MiB",
		`href="https://app.iconik.io/asset/as-1"`, `href="https://app.frame.io/x"`, "ve-1", "Not carried", "notes&lt;1&gt;.pdf", "file-of-the-notes", "1.0 MiB", "Access", "administrators only", "Editors",
		`<a href="https://next.frame.io/project/p/view/fo-1">Frame.io</a> <code>fo-1</code>`, `<a href="https://app.iconik.io/collection/co-1">iconik</a> <code>co-1</code>`, "source stream, same as Frame.io"} {
		assert.Contains(t, b.String(), text)
	}
	assert.Less(t, strings.Index(b.String(), "<h2>Exceptions"), strings.Index(b.String(), "<h2>Files"))
	b.Reset()
	require.NoError(t, HTML(&b, sample()))
	assert.NotContains(t, b.String(), "Not carried")
	assert.NotContains(t, b.String(), "<h2>Access")
	b.Reset()
	require.NoError(t, JSON(&b, r))
	var got map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.Contains(t, got, "not_carried")
	assert.Contains(t, got, "access")
}

func TestTheReportSaysWhatAskedForTheRun(t *testing.T) {
	for want, a := range map[string]ledger.Archive{
		"the API key edit-suite":                      {TriggeredBy: ledger.TriggerOf(ledger.Actor{Kind: ledger.ActorAPI, Key: "edit-suite", Name: "kim"})},
		"the API key edit-suite, for ann@example.com": {TriggeredBy: ledger.Trigger{Kind: ledger.ActorAPI, Name: "edit-suite"}, RequestedBy: "ann@example.com"},
		"the migration m-1":                           {TriggeredBy: ledger.Trigger{Kind: ledger.TriggerMigration, Name: "m-1"}},
		"the mirror nightly":                          {TriggeredBy: ledger.Trigger{Kind: ledger.TriggerMirror, Name: "nightly"}},
		"a mirror":                                    {TriggeredBy: ledger.Trigger{Kind: ledger.TriggerMirror}},
		"a change or a click in Frame.io":             {TriggeredBy: ledger.Trigger{Kind: ledger.ActorFrameio}},
		"ann@example.com, bob@example.com":            {RequestedBy: "ann@example.com", AlsoAsked: []string{"bob@example.com"}},
		"not recorded":                                {},
	} {
		r := sample()
		r.Archive.TriggeredBy, r.Archive.RequestedBy, r.Archive.AlsoAsked = a.TriggeredBy, a.RequestedBy, a.AlsoAsked
		var b bytes.Buffer
		require.NoError(t, HTML(&b, r))
		assert.Contains(t, b.String(), "<dt>Requested by</dt><dd>"+want+"</dd>")
		b.Reset()
		require.NoError(t, JSON(&b, r))
		var got struct {
			TriggeredBy ledger.Trigger `json:"triggered_by"`
		}
		require.NoError(t, json.Unmarshal(b.Bytes(), &got))
		assert.Equal(t, a.TriggeredBy, got.TriggeredBy)
	}
}

// The page and the JSON show both values of a difference. Values of many thousand characters are complete only in the JSON.
func TestDifferencesShowBothValues(t *testing.T) {
	r := sample()
	long := strings.Repeat("long ", 1000)
	r.Differences = []ledger.Difference{
		{Object: "f", Kind: ledger.DifferenceChanged, Property: "text", Name: "a little…", Place: "Clips/A.mov", Frameio: "a <little> darker", Iconik: "much darker", URL: "https://app.iconik.io/asset/as-1"},
		{Object: "f", Kind: ledger.DifferenceExtra, Property: "comment", Place: "Clips/A.mov", Frameio: "deleted", Iconik: long}}
	var b bytes.Buffer
	require.NoError(t, HTML(&b, r))
	for _, text := range []string{"<h2>Differences", "changed in iconik", "a &lt;little&gt; darker", "much darker", `<a href="https://app.iconik.io/asset/as-1">Clips/A.mov</a>`, "long …"} {
		assert.Contains(t, b.String(), text)
	}
	assert.NotContains(t, b.String(), long)
	b.Reset()
	require.NoError(t, JSON(&b, r))
	var got struct{ Differences []map[string]string }
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	require.Len(t, got.Differences, 2)
	assert.Equal(t, map[string]string{"source_id": "f", "kind": "changed in iconik", "property": "text", "name": "a little…", "place": "Clips/A.mov",
		"frameio": "a <little> darker", "iconik": "much darker", "url": "https://app.iconik.io/asset/as-1"}, got.Differences[0])
	assert.Equal(t, long, got.Differences[1]["iconik"])
	b.Reset()
	require.NoError(t, HTML(&b, sample()))
	assert.NotContains(t, b.String(), "<h2>Differences")
}

func FuzzReport(f *testing.F) {
	f.Add("=1+1", "a\r\nb", "x")
	f.Add(" =1", "]]>", "\xff\u2028")
	f.Fuzz(func(t *testing.T, name, reason, id string) {
		r := listOf(ledger.Item{SourceID: id, Path: name, Versions: 1, Checksum: "1", Reason: reason}, ledger.Item{SourceID: id, Path: name, Title: reason, Version: 2, Versions: 2, Checksum: "2"})
		list, _ := readMHL(t, r)
		if len(list.Hashes) != 2 || list.Hashes[0].Path == list.Hashes[1].Path {
			t.Fatalf("%q", list.Hashes)
		}
		var b bytes.Buffer
		require.NoError(t, CSV(&b, r))
		rows, err := csv.NewReader(&b).ReadAll()
		require.NoError(t, err)
		for _, cell := range rows[1] {
			if c := strings.TrimSpace(cell); c != "" && strings.ContainsRune("=+-@", rune(c[0])) {
				t.Fatalf("a formula: %q", cell)
			}
		}
		b.Reset()
		require.NoError(t, JSON(&b, r))
		require.True(t, json.Valid(b.Bytes()))
	})
}
