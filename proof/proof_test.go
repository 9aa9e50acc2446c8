package proof

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/mapping"
)

func of(title, place string) Object { return Object{{"title", title}, {"place", place}} }

func TestCompare(t *testing.T) {
	wrote := Write(of("a", "x"), of("a", "x"))
	wrong := Write(of("a", "x"), of("A", "x"))
	title := func(k Kind, now, found string) []Difference { return []Difference{{k, "title", now, found}} }
	for _, c := range []struct {
		name       string
		now, found Object
		written    Written
		changed    bool
		want       []Difference
	}{
		{"as written", of("a", "x"), of("a", "x"), wrote, false, nil},
		{"changed in iconik", of("a", "x"), of("b", "x"), wrote, false, title(Changed, "a", "b")},
		{"changed in Frame.io", of("b", "x"), of("a", "x"), wrote, true, title(Source, "b", "a")},
		{"changed on both sides", of("b", "x"), of("c", "x"), wrote, true, title(Changed, "b", "c")},
		{"changed alike", of("b", "x"), of("b", "x"), wrote, true, nil},
		{"not kept", of("a", "x"), of("A", "x"), wrong, false, title(Differ, "a", "A")},
		{"not kept, and changed since", of("a", "x"), of("b", "x"), wrong, false, title(Changed, "a", "b")},
		{"taken over", of("a", "x"), of("b", "x"), Accept(of("b", "x")), false, nil},
		{"written before this was remembered", of("a", "x"), of("b", "x"), Written{}, false, title(Changed, "a", "b")},
		{"the same, and changed in Frame.io", of("a", "x"), of("b", "x"), Written{}, true, title(Source, "a", "b")},
		{"a field that was empty, and is filled in", Object{{Field("x"), ""}}, Object{{Field("x"), "1"}}, Write(Object{{Field("x"), ""}}, Object{{Field("x"), ""}}), true, []Difference{{Changed, Field("x"), "", "1"}}},
		{"a field that was filled in, and is empty", Object{{Field("x"), "1"}}, Object{{Field("x"), ""}}, Write(Object{{Field("x"), "1"}}, Object{{Field("x"), "1"}}), true, []Difference{{Changed, Field("x"), "1", ""}}},
		{"a field that Frame.io filled in", Object{{Field("x"), "1"}}, Object{{Field("x"), ""}}, Write(Object{{Field("x"), ""}}, Object{{Field("x"), ""}}), true, []Difference{{Source, Field("x"), "1", ""}}},
		{"left as it was changed", of("b", "y"), of("c", "y"), Write(of("b", "y"), of("c", "y")).Keeping(wrote, []string{"title"}), false, title(Changed, "b", "c")},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, Compare(c.now, c.found, ReadWritten(c.written.String()), c.changed))
		})
	}
}

// Fewer digits, line endings and the case of colors are not differences. Anything visible is.
func TestCommentsInWords(t *testing.T) {
	shape := func(x, width float64, color string) Segment {
		return Segment{Text: "a\nb", Shapes: []mapping.Shape{{Type: "LINE", Color: color, Width: width, Points: [][2]float64{{x, -0.00001}, {1, 1}}}}}
	}
	first := shape(1.0/3, 4, "#FF0000")
	same := shape(0.33333, 4, "#ff0000")
	same.Text = "a\r\nb "
	assert.Equal(t, first.Object(), same.Object())
	for _, other := range []Segment{shape(0.334, 4, "#ff0000"), shape(1.0/3, 5, "#ff0000"), shape(1.0/3, 4, "#ff0001"), {Text: "a\nb"}} {
		assert.NotEqual(t, first.Object(), other.Object())
	}
	at, end := int64(0), int64(40)
	assert.NotEqual(t, Segment{}.Object(), Segment{StartMS: &at, EndMS: &at}.Object(), "no time is not the first frame")
	assert.NotEqual(t, Segment{StartMS: &at}.Object(), Segment{StartMS: &at, EndMS: &end}.Object())
	assert.Equal(t, Segment{StartMS: &at}.Object(), Segment{StartMS: &at, EndMS: &at}.Object())
}
