package mapping

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var rates = map[string]Rate{
	"23.976": {24000, 1001}, "24": {24, 1}, "25": {25, 1}, "29.97": {30000, 1001}, "30": {30, 1}, "47.952": {48000, 1001},
	"48": {48, 1}, "50": {50, 1}, "59.94": {60000, 1001}, "60": {60, 1}, "100": {100, 1}, "119.88": {120000, 1001}, "120": {120, 1},
}

func TestEveryFrameOfADayComesBack(t *testing.T) {
	for name, r := range rates {
		frames := 24 * 3600 * r.Num / r.Den
		last := int64(-1)
		for f := int64(0); f < frames; f++ {
			ms := FrameToMS(f, r)
			if MSToFrame(ms, r) != f || ms <= last {
				t.Fatalf("%s fps: frame %d is %d ms, which is frame %d", name, f, ms, MSToFrame(ms, r))
			}
			if ms > 0 && MSToFrame(ms-1, r) != f-1 {
				t.Fatalf("%s fps: frame %d is on screen before %d ms", name, f, ms)
			}
			last = ms
		}
	}
}

// TestTimecodeOfADaysFramesComesBack tests every frame of the first 11 minutes (a full pattern of dropped numbers), the frames at
// every minute of the day, and a stride that hits each second at a different frame.
func TestTimecodeOfADaysFramesComesBack(t *testing.T) {
	t.Parallel()
	const (
		pattern = 11 // minutes
		minutes = 24 * 60
	)
	for name, r := range rates {
		for _, drop := range []bool{false, true} {
			dropped := int64(0)
			if drop {
				dropped = r.dropped()
			}
			start := func(minute int64) int64 { return minute*60*r.nominal() - dropped*(minute-minute/10) }
			try := func(f int64) {
				tc := Timecode(f, r, drop)
				back, wasDrop, err := ParseTimecode(tc, r)
				if err != nil || back != f || wasDrop != (dropped > 0) {
					t.Fatalf("%s fps: frame %d is %s, which is frame %d (%v)", name, f, tc, back, err)
				}
			}
			for f := range start(pattern) {
				try(f)
			}
			for f := start(pattern); f < start(minutes); f += r.nominal() - 1 {
				try(f)
			}
			for minute := int64(1); minute <= minutes; minute++ {
				first := start(minute)
				if !strings.Contains(Timecode(first-1, r, drop), ":59") {
					t.Fatalf("%s fps: minute %d does not begin at frame %d", name, minute, first)
				}
				for f := first - 4; f < min(first+4, start(minutes)); f++ {
					try(f)
				}
			}
		}
	}
}

func TestDropFrameLeavesOutNumbers(t *testing.T) {
	r := rates["29.97"]
	require.Equal(t, "00:00:59;29", Timecode(1799, r, true))
	require.Equal(t, "00:01:00;02", Timecode(1800, r, true))
	require.Equal(t, "00:10:00;00", Timecode(17982, r, true))
	require.Equal(t, "01:00:00;00", Timecode(107892, r, true))
	_, _, err := ParseTimecode("00:01:00;00", r)
	require.ErrorIs(t, err, ErrTimecode)
	for _, bad := range []string{"", "1:2:3", "24:00:00:00", "00:60:00:00", "00:00:00:30", "aa:00:00:00"} {
		_, _, err := ParseTimecode(bad, r)
		require.ErrorIs(t, err, ErrTimecode, bad)
	}
}

func TestCommentTimes(t *testing.T) {
	frame := int64(48)
	for _, c := range []struct {
		frames     int64
		start, end int64
	}{{0, 2002, 2002}, {1, 2002, 2002}, {24, 2002, 2962}} {
		start, end := CommentTimes(&frame, c.frames, rates["23.976"])
		require.Equal(t, c.start, *start)
		require.Equal(t, c.end, *end)
		require.Equal(t, frame, MSToFrame(*start, rates["23.976"]))
		require.Equal(t, frame+max(c.frames, 1)-1, MSToFrame(*end, rates["23.976"]))
	}
	start, end := CommentTimes(nil, 0, rates["24"])
	require.Nil(t, start)
	require.Nil(t, end)
}

func TestProjectTitle(t *testing.T) {
	for name, want := range map[string]struct {
		title string
		has   bool
	}{
		"Summer Campaign - Archived":   {"Summer Campaign", true},
		"Summer Campaign Archived":     {"Summer Campaign", true},
		"Summer – Archived ":           {"Summer", true},
		"Summer—Archived":              {"Summer", true},
		"Summer_Archived":              {"Summer", true},
		"Summer: Archived":             {"Summer", true},
		"Summer (Archived)":            {"Summer", true},
		"Summer [Archived]":            {"Summer", true},
		"Archived":                     {"Archived", true},
		"- Archived":                   {"- Archived", true},
		"Summer - archived":            {"Summer - archived", false},
		"Summer Unarchived":            {"Summer Unarchived", false},
		"SummerArchived":               {"SummerArchived", false},
		"Archived footage":             {"Archived footage", false},
		"Été 2026 - Archived":          {"Été 2026", true},
		"2 Archived":                   {"2", true},
		"Summer - Archived - Archived": {"Summer - Archived", true},
		"":                             {"", false},
	} {
		require.Equal(t, want.has, HasSuffix(name, "Archived"), "%q", name)
		require.Equal(t, want.title, ProjectTitle(name, "Archived"), "%q", name)
	}
}

func TestSuffixInAnyUnicodeForm(t *testing.T) {
	for _, c := range []struct {
		name, suffix, title string
		has                 bool
	}{
		{"Film Archive\u0301", "Archiv\u00e9", "Film", true},
		{"Film Archiv\u00e9", "Archive\u0301", "Film", true},
		{"Cafe\u0301 - Archived", "Archived", "Caf\u00e9", true},
		{"Cafe\u0301Archived", "Archived", "Cafe\u0301Archived", false},
		{"फिल्मीArchived", "Archived", "फिल्मीArchived", false},
		{"फिल्मी Archived", "Archived", "फिल्मी", true},
		{"Film (Archive\u0301)", "Archiv\u00e9", "Film", true},
		{"Film Archive\u0301", "Archive", "Film Archive\u0301", false},
	} {
		require.Equal(t, c.has, HasSuffix(c.name, c.suffix), "%q", c.name)
		require.Equal(t, c.title, ProjectTitle(c.name, c.suffix), "%q", c.name)
	}
}

func TestStorageKeysFitTheirStores(t *testing.T) {
	const id = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	name := SafeFileName(strings.Repeat("镜", 60) + ".mov")
	for _, folder := range []string{"a", "A001 dailies", strings.Repeat("第一次剪辑审阅素材", 4), strings.Repeat("हिन्दी ", 30), strings.Repeat("x", 255), strings.Repeat("🎬", 80)} {
		for depth := range 40 {
			for _, project := range []string{"Harbour Lights - Archived", strings.Repeat("项目", 60)} {
				folders := strings.TrimSuffix(strings.Repeat(folder+"/", depth), "/")
				dir := StorageDir([]string{"Frame.io", project, project}, folders, id)
				require.LessOrEqual(t, len(dir)+1+len(name), 900)
				require.True(t, utf8.ValidString(dir))
				require.True(t, strings.HasPrefix(dir, "Frame.io/") && strings.HasSuffix(dir, "/"+id), dir)
				if whole := "Frame.io/" + SafeFileName(project) + "/" + SafeFileName(project) + "/" + SafePath(folders) + "/" + id; depth > 0 && len(whole) <= maxStorageDir {
					require.Equal(t, whole, dir)
				} else if depth > 0 {
					require.Contains(t, dir, "/"+folder[:1], "the first folder is named")
				}
			}
		}
	}
	require.Equal(t, "Frame.io/T/P/"+id, StorageDir([]string{"Frame.io", "T", "P"}, "", id))
	long := strings.Repeat("y", 180)
	require.Equal(t, "Frame.io/T/P/1/"+long+"/"+long+"/…/"+long+"/9/"+id, StorageDir([]string{"Frame.io", "T", "P"}, "1/"+long+"/"+long+"/"+long+"/"+long+"/"+long+"/9", id))
}

func TestANameLeadsNowhereElse(t *testing.T) {
	for name, want := range map[string]string{"": "Untitled", ".": "．", "..": "．．", "../etc": "..∕etc", "...": "...", "a": "a"} {
		require.Equal(t, want, PathName(name))
	}
}

func TestSafeFileName(t *testing.T) {
	for in, want := range map[string]string{
		"a/b.mov": "a_b.mov", `a\b`: "a_b", "..": "unnamed", "": "unnamed", ".": "unnamed", "é 日本.mov": "é 日本.mov", "a\x00\n.txt": "a.txt",
	} {
		require.Equal(t, want, SafeFileName(in), "%q", in)
	}
	long := SafeFileName(strings.Repeat("日", 300) + ".mov")
	require.LessOrEqual(t, len(long), maxFileName)
	require.True(t, utf8.ValidString(long))
	require.True(t, strings.HasSuffix(long, ".mov"))
	require.Equal(t, "a∕b/c", SafePath("a∕b/c"))
}

func TestColorsAreFrameios(t *testing.T) {
	for given, want := range map[string]string{"#e74a3c": "#e74a3c", "#0f0": "#00FF00", "#0f08": "#00FF00", "#11223344": "#112233", "112233": "#112233", "Red": "#FF0000",
		"rgb(1, 2,255)": "#0102FF", "rgba(1,2,3,0.5)": "#010203", "rgb(1,2)": plainColor, "": plainColor, "#12345": plainColor, "chartreuse?": plainColor} {
		require.Equal(t, want, hexColor(given), given)
	}
}

func TestBoxesBeginAtTheUpperLeft(t *testing.T) {
	require.JSONEq(t, `[{"tool":"rect","color":"#112233","size":2,"x":0.25,"y":0.25,"w":0.25,"h":0.5,"radius":0}]`,
		Annotation([]Shape{{"RECTANGLE", "#112233", [][2]float64{{0.5, 0.75}, {0.25, 0.25}}, 2, ""}}, DrawingFrame{}))
}

func TestDrawing(t *testing.T) {
	for name, c := range map[string]struct {
		annotation string
		shapes     []Shape
		unknown    int
	}{
		"line":              {`[{"tool":"line","color":"#E74A3C","size":3,"x1":0.25,"y1":0,"x2":1.5,"y2":-1}]`, []Shape{{"LINE", "#E74A3C", [][2]float64{{0.25, 0}, {1, 0}}, 3, ""}}, 0},
		"a line with a box": {`[{"tool":"line","x":0.5,"y":0.5,"w":-0.25,"h":0.25,"size":3}]`, []Shape{{"LINE", "", [][2]float64{{0.5, 0.5}, {0.25, 0.75}}, 3, ""}}, 0},
		"rect":              {`[{"tool":"rect","x":0.5,"y":0.5,"w":-0.25,"h":0.25,"size":4}]`, []Shape{{"RECTANGLE", "", [][2]float64{{0.25, 0.5}, {0.5, 0.75}}, 4, ""}}, 0},
		"arrow":             {`{"tool":"arrow","x":0.5,"y":0.5,"w":-0.25,"h":-0.5}`, []Shape{{"ARROW", "", [][2]float64{{0.5, 0.5}, {0.25, 0}}, 0, ""}}, 0},
		"pen":               {`[{"tool":"pen","xs":[0.5,0.25],"ys":[0.5,0.75,1]}]`, []Shape{{"PENCIL", "", [][2]float64{{0.5, 0.5}, {0.25, 0.75}}, 0, ""}}, 0},
		"ellipse":           {`[{"tool":"oval","x":0,"y":0,"w":0.5,"h":0.5}]`, []Shape{{"ELLIPSE", "", [][2]float64{{0, 0}, {0.5, 0.5}}, 0, ""}}, 0},
		"unknown":           {`[{"tool":"stamp"},{"tool":"pen"},{"tool":"line","points":[[0,0],[1,1]]},7]`, nil, 4},
		"rubbish":           {`not JSON`, nil, 1},
		"nothing":           {``, nil, 0},
	} {
		shapes, unknown := Drawing(c.annotation, DrawingFrame{Kind: "normalised"})
		require.Equal(t, c.shapes, shapes, name)
		require.Equal(t, c.unknown, unknown, name)
		again, _ := Drawing(Annotation(shapes, DrawingFrame{}), DrawingFrame{})
		for i := range shapes { // Frame.io requires both
			if shapes[i].Color == "" {
				shapes[i].Color = plainColor
			}
			if shapes[i].Width == 0 {
				shapes[i].Width = plainWidth
			}
		}
		require.Equal(t, shapes, again, "%s comes back", name)
	}
	shapes, _ := Drawing(`[{"tool":"line","x1":0.5,"y1":0.5,"x2":1,"y2":1}]`, DrawingFrame{Kind: "pixels", Width: 1920, Height: 1080})
	require.Equal(t, [][2]float64{{960, 540}, {1920, 1080}}, shapes[0].Points)
}

func FuzzDrawing(f *testing.F) {
	f.Add(`[{"tool":"rect","x":1e308,"y":-1,"w":1e308}]`)
	f.Fuzz(func(t *testing.T, annotation string) {
		shapes, _ := Drawing(annotation, DrawingFrame{})
		for _, s := range shapes {
			for _, p := range s.Points {
				if p[0] < 0 || p[0] > 1 || p[1] < 0 || p[1] > 1 {
					t.Fatalf("%v lies outside the picture", p)
				}
			}
		}
		Annotation(shapes, DrawingFrame{})
	})
}

func TestSegmentKeepsTheAuthor(t *testing.T) {
	page := 3
	for name, c := range map[string]struct {
		in   CommentInput
		text string
	}{
		"iconik user": {CommentInput{Text: "nice", AuthorName: "Ann", AuthorEmail: "a@x.io", IconikUserID: "u"}, "nice"},
		"other user":  {CommentInput{Text: "nice", AuthorName: "Ann", AuthorEmail: "a@x.io"}, "Ann <a@x.io>: nice"},
		"guest":       {CommentInput{Text: "nice", AuthorName: "Gus", AuthorEmail: "g@x.io", Guest: true}, "Gus <g@x.io> (Frame.io guest): nice"},
		"unknown":     {CommentInput{Text: "nice", AuthorUnknown: true}, "Frame.io user: nice"},
	} {
		require.Equal(t, c.text, Segment(c.in).Text, name)
	}
	d := Segment(CommentInput{Text: "x", IconikUserID: "u", Page: &page, Annotation: `[{"tool":"stamp"}]`})
	require.Equal(t, map[string]string{"framebridge_page": "3", "framebridge_annotation": `[{"tool":"stamp"}]`}, d.Fields)
	require.Equal(t, 1, d.UnknownTools)
	require.Empty(t, Segment(CommentInput{Text: "x", IconikUserID: "u"}).Fields)
}

func TestEveryFieldOfAViewIsNamed(t *testing.T) {
	got := WithCleared(CommentFields, map[string]string{"framebridge_page": "3"})
	require.Len(t, got, len(CommentFields))
	for name, value := range got {
		require.Equal(t, map[bool]string{true: "3"}[name == "framebridge_page"], value, name)
	}
}

func TestTimecodeOfRatesThatNoFormatHas(t *testing.T) {
	for _, c := range []struct {
		frame int64
		r     Rate
		want  string
	}{{30, Rate{1501, 50}, "00:00:01:00"}, {18012, Rate{1501, 50}, "00:10:00:12"}, {14403, Rate{12003, 500}, "00:10:00:03"}, {60, Rate{6003, 100}, "00:00:01:00"}, {25, Rate{1251, 50}, "00:00:01:00"},
		{24, Rate{2397, 100}, "00:00:01:00"}, {60, Rate{5999, 100}, "00:00:01:00"}, {7, Rate{1, 3}, "00:00:07:00"}} {
		require.Equal(t, c.want, Timecode(c.frame, c.r, false), "frame %d at %v", c.frame, c.r)
		back, _, err := ParseTimecode(c.want, c.r)
		require.NoError(t, err)
		require.Equal(t, c.frame, back)
	}
}

func TestConvertKeepsTheTime(t *testing.T) {
	require.EqualValues(t, 24, Convert(60, Rate{60, 1}, Rate{24, 1}))
	require.EqualValues(t, 4, Convert(11, Rate{60, 1}, Rate{24, 1}))
	require.EqualValues(t, 100, Convert(100, Rate{}, Rate{24, 1}))
	require.EqualValues(t, 2592000, Convert(2592000, rates["29.97"], rates["29.97"]))
	require.EqualValues(t, 30, Convert(24, rates["23.976"], rates["29.97"]))
}
