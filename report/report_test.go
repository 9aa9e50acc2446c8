package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	assert.Equal(t, "verified", list.Hashes[0].XXH64.Action)
	assert.Equal(t, "original", list.Hashes[1].XXH64.Action, "Frame.io had no checksum to compare with")
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
