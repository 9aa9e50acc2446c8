package mapping

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var formNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

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

// FrameRange inverts CommentTimes at every common rate.
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
