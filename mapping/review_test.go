package mapping

import (
	"bytes"
	"encoding/xml"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var formNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestParseForm(t *testing.T) {
	rules := FormRules{Now: formNow, Default: 14 * 24 * time.Hour, Longest: 90 * 24 * time.Hour}
	f, err := ParseForm(map[string][]string{"framebridge_reviewers": {"a@b.example, c@d.example;e@f.example", "A@B.example g@h.example"},
		"framebridge_expires": {"2026-12-24"}, "framebridge_quality": {"Original"}, "framebridge_download": {"true"}, "framebridge_title": {" Cut 3 "}, "framebridge_message": {"Hello"}}, rules)
	require.Nil(t, err)
	assert.Equal(t, Form{Reviewers: []string{"a@b.example", "c@d.example", "e@f.example", "g@h.example"}, Message: "Hello", Quality: "original", Title: "Cut 3", Download: true,
		Expires: time.Date(2026, 12, 24, 23, 59, 59, 0, time.UTC)}, f)
	f, err = ParseForm(map[string][]string{"framebridge_reviewers": {"a@b.example"}}, rules)
	require.Nil(t, err)
	assert.Equal(t, "proxy", f.Quality)
	assert.Equal(t, formNow.AddDate(0, 0, 14), f.Expires)

	for name, c := range map[string]struct{ field, value, says string }{
		"nobody":        {"framebridge_reviewers", "", "at least one"},
		"no address":    {"framebridge_reviewers", "rita", `"rita" is not`},
		"no domain":     {"framebridge_reviewers", "rita@localhost", "is not"},
		"yesterday":     {"framebridge_expires", "2026-11-23", "in the past"},
		"next century":  {"framebridge_expires", "2126-01-01", "too late"},
		"not a date":    {"framebridge_expires", "24.12.2026", "not a date"},
		"quality":       {"framebridge_quality", "4k", "proxy or original"},
		"download":      {"framebridge_download", "perhaps", "neither yes nor no"},
		"a long title":  {"framebridge_title", strings.Repeat("x", 176), "longer than 175"},
		"a long secret": {"framebridge_passphrase", strings.Repeat("x", 256), "longer than 255"},
	} {
		values := map[string][]string{"framebridge_reviewers": {"a@b.example"}}
		values[c.field] = []string{c.value}
		_, err := ParseForm(values, rules)
		if assert.NotNil(t, err, name) {
			assert.Equal(t, c.field, err.Field, name)
			assert.Contains(t, err.Problem, c.says, name)
		}
	}
}

func TestExpiryTakesTheFormsThatIconikSends(t *testing.T) {
	for text, want := range map[string]string{
		"2026-12-01":                  "2026-12-01T23:59:59Z",
		"2026-12-01T18:00:00Z":        "2026-12-01T18:00:00Z",
		"2026-12-01T18:00:00+02:00":   "2026-12-01T16:00:00Z",
		"2026-12-01T18:00:00.000000":  "2026-12-01T18:00:00Z",
		"2026-12-01 18:00":            "2026-12-01T18:00:00Z",
		" 2026-11-24T12:00:01.5Z    ": "2026-11-24T12:00:01Z",
	} {
		at, err := ParseExpiry(text, FormRules{Now: formNow})
		require.Nil(t, err, text)
		assert.Equal(t, want, at.Truncate(time.Second).Format(time.RFC3339), text)
	}
}

func TestReconcile(t *testing.T) {
	base := [2]State{{Text: "a", Done: "false"}, {Text: "A", Done: "false"}}
	pair := Pair{Key: "k", IDs: [2]string{"f", "i"}, State: base}
	early, late := formNow, formNow.Add(time.Minute)
	fio := func(text, done string, at time.Time) []Seen {
		return []Seen{{ID: "f", State: State{Text: text, Done: done}, UpdatedAt: at}}
	}
	ick := func(text, done string, at time.Time) []Seen {
		return []Seen{{ID: "i", State: State{Text: text, Done: done}, UpdatedAt: at}}
	}
	for name, c := range map[string]struct {
		pair     Pair
		fio, ick []Seen
		want     []Op
	}{
		"nothing new":        {pair, fio("a", "false", early), ick("A", "false", early), nil},
		"edited in Frame.io": {pair, fio("b", "false", late), ick("A", "false", early), []Op{{OpEdit, Iconik, "k", "f", []Part{PartText}, nil}}},
		"checked in iconik":  {pair, fio("a", "false", early), ick("A", "true", late), []Op{{OpEdit, Frameio, "k", "i", []Part{PartDone}, nil}}},
		"different parts": {pair, fio("b", "false", early), ick("A", "true", late),
			[]Op{{OpEdit, Frameio, "k", "i", []Part{PartDone}, nil}, {OpEdit, Iconik, "k", "f", []Part{PartText}, nil}}},
		"the later edit wins":   {pair, fio("b", "false", early), ick("B", "false", late), []Op{{OpEdit, Frameio, "k", "i", []Part{PartText}, []Part{PartText}}}},
		"deleted in iconik":     {pair, fio("b", "false", late), nil, []Op{{OpDelete, Frameio, "k", "f", nil, nil}}},
		"deleted in Frame.io":   {pair, nil, ick("A", "false", early), []Op{{OpDelete, Iconik, "k", "i", nil, nil}}},
		"deleted on both":       {pair, nil, nil, []Op{{OpNote, 0, "k", "", nil, nil}}},
		"back from the dead":    {Pair{Key: "k", IDs: pair.IDs, Deleted: true}, nil, ick("A", "false", early), []Op{{OpDelete, Iconik, "k", "i", nil, nil}}},
		"begun and not made":    {Pair{Key: "k", Origin: Iconik, IDs: [2]string{"", "i"}}, nil, ick("A", "false", early), []Op{{OpCreate, Frameio, "k", "i", nil, nil}}},
		"older than the review": {Pair{Key: "k", Origin: Iconik, IDs: [2]string{"", "i"}, Ignored: true}, nil, ick("A", "false", early), nil},
	} {
		assert.Equal(t, c.want, Reconcile([]Pair{c.pair}, [2][]Seen{c.fio, c.ick}), name)
	}
}

func TestParentsComeBeforeTheirReplies(t *testing.T) {
	var rows []Seen
	for i := range 20 {
		s := Seen{ID: string(rune('a' + i))}
		if i > 0 {
			s.ParentID = string(rune('a' + rand.IntN(i)))
		}
		rows = append(rows, s)
	}
	parent := map[string]string{}
	for _, s := range rows {
		parent[s.ID] = s.ParentID
	}
	rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	done := map[string]bool{"": true}
	for _, op := range Reconcile(nil, [2][]Seen{rows, nil}) {
		assert.True(t, done[parent[op.From]], "%s before its parent", op.From)
		done[op.From] = true
	}
}

func TestTextsComeBackAsTheyWent(t *testing.T) {
	for _, text := range []string{"Fix the grade", "a: b: c", "  spaced  ", "Jane: really", "[also drawn]"} {
		before, body, after, _ := ToFrameio(text, "Jane Doe", []Shape{{Type: "TEXT", Text: "x"}, {Type: "ELLIPSE"}})
		assert.Equal(t, strings.TrimSpace(text), Bare(before+body+after, before, after))
		assert.Contains(t, after, `text "x", ellipse`)
	}
	before, body, after, drawable := ToFrameio("", "Jane", []Shape{{Type: "LINE", Points: [][2]float64{{0, 0}, {1, 1}}}})
	assert.Equal(t, "Jane: (drawing)", before+body+after)
	assert.Len(t, drawable, 1)
	assert.Empty(t, Bare("Jane: (drawing)", before, after))
}

func TestUnknownToolsSurviveAnEditInIconik(t *testing.T) {
	old := `[{"tool":"stamp","x":0.1},{"tool":"line","x1":0,"y1":0,"x2":1,"y2":1}]`
	assert.JSONEq(t, `[{"tool":"pen","xs":[0],"ys":[0]},{"tool":"stamp","x":0.1}]`, KeepUnknown(old, `[{"tool":"pen","xs":[0],"ys":[0]}]`))
	assert.Equal(t, `[]`, KeepUnknown(`[{"tool":"line","x1":0,"y1":0,"x2":1,"y2":1}]`, `[]`))
}

func TestStatesDoNotDependOnSpelling(t *testing.T) {
	f := int64(5)
	assert.Equal(t, FrameioState("a", &f, 1, nil, false, `[{"x":1,"tool":"rect"}]`), FrameioState(" a ", &f, 0, nil, false, `[ {"tool":"rect","x":1.0} ]`))
	assert.Equal(t, FrameioState("a", nil, 0, nil, false, ""), FrameioState("a", nil, 0, nil, false, "[]"))
	assert.NotEqual(t, FrameioState("a", &f, 2, nil, false, ""), FrameioState("a", &f, 3, nil, false, ""))
}

// FrameRange gives back what CommentTimes has made, at every common rate.
func TestRangesComeBackAsTheyWent(t *testing.T) {
	for _, r := range []Rate{{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {50, 1}, {60000, 1001}, {60, 1}, {120000, 1001}} {
		for range 2000 {
			f, n := rand.Int64N(24*3600*60), rand.Int64N(500)
			start, end := CommentTimes(&f, n, r)
			frame, frames := FrameRange(start, end, r)
			require.Equal(t, f, *frame)
			if n <= 1 {
				n = 0
			}
			require.Equal(t, n, frames, "%v", r)
		}
	}
}

func exportClips() []ExportClip {
	at := func(f int64) *int64 { return &f }
	return []ExportClip{{Name: "A001.mov", AssetID: "a1", Rate: Rate{30000, 1001}, StartTimecode: "00:59:59;28", Frames: 3600, Comments: []ExportComment{
		{ID: "1", Author: "Rita", Email: "rita@client.example", Text: "Too | dark", Frame: at(1800), Frames: 30, CreatedAt: formNow},
		{ID: "2", Parent: "1", Author: "Ed", Text: "Fixed", CreatedAt: formNow.Add(time.Minute)},
		{ID: "3", Author: "Rob", Text: "=Nice work", Completed: true, CreatedAt: formNow},
		{ID: "4", Author: "Rob", Text: "First frame", Frame: at(0), CreatedAt: formNow},
	}}}
}

func TestWriteEDL(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteEDL(&b, "Spot 30", exportClips()))
	assert.Equal(t, `TITLE: Spot 30
FCM: DROP FRAME

001  001      V     C        00:59:59;28 00:59:59;29 00:59:59;28 00:59:59;29
[whole clip] =Nice work / First frame |C:ResolveColorBlue |M:Rob |D:1

002  001      V     C        01:00:59;28 01:01:01;00 01:00:59;28 01:01:01;00
Too ¦ dark / ↳ Ed: Fixed |C:ResolveColorBlue |M:Rita |D:30

`, b.String())
}

func TestWriteCSV(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteCSV(&b, exportClips()))
	lines := strings.Split(b.String(), "\n")
	assert.Contains(t, lines[1], "'=Nice work", "no spreadsheet takes it for a formula")
	assert.Equal(t, "A001.mov,01:00:59;28,01:01:00;29,1800,30,,Rita,rita@client.example,Too | dark,,no,no,2026-11-24T12:00:00Z,1", lines[3])
}

func TestWriteFCPXML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteFCPXML(&b, "Spot & Co", exportClips()))
	assert.NoError(t, xml.Unmarshal(b.Bytes(), new(fcpxml)))
	first, _, err := ParseTimecode("00:59:59;28", Rate{30000, 1001})
	require.NoError(t, err)
	assert.Contains(t, b.String(), `frameDuration="1001/30000s"`)
	assert.Contains(t, b.String(), `tcFormat="DF"`)
	assert.Contains(t, b.String(), `<marker start="`+seconds(first+1800, Rate{30000, 1001})+`" duration="30030/30000s" value="Too | dark" completed="0" note="Rita">`)
}

func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, exportClips()))
	assert.Contains(t, b.String(), `"timecode_in": "01:00:59;28"`)
	assert.Contains(t, b.String(), `"milliseconds": 60060`)
}
