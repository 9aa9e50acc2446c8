package iconik

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What cannot be read of a drawing costs neither the rest of it nor the comment, is named by its kind, and is written back as it was.
func TestDrawingsInOtherForms(t *testing.T) {
	t.Parallel()
	const line = `{"type":"LINE","color":"#ff0000","points":[{"x":0,"y":0.5},{"x":1,"y":1}]}`
	for name, tt := range map[string]struct {
		drawing string
		kinds   []string
	}{
		"none":                    {`null`, nil},
		"empty":                   {`{}`, nil},
		"known":                   {`{"version":2,"primitives":[` + line + `]}`, []string{"LINE"}},
		"a version of another":    {`{"version":"2.0","primitives":[` + line + `]}`, []string{"LINE"}},
		"points as text":          {`{"primitives":[{"type":"ARROW","points":[{"x":"0.5","y":"1"}]},` + line + `]}`, []string{"UNREADABLE ARROW", "LINE"}},
		"points as pairs":         {`{"primitives":[{"type":"PENCIL","points":[[0,0],[1,1]],"width":3}]}`, []string{"UNREADABLE PENCIL"}},
		"a kind that is a number": {`{"primitives":[{"type":7,"points":[]}]}`, []string{"UNREADABLE SHAPE"}},
		"no kind":                 {`{"primitives":[{"points":[{"x":0,"y":0}]},null]}`, []string{"UNREADABLE SHAPE", "UNREADABLE SHAPE"}},
		"of a new kind":           {`{"primitives":[{"type":"STAMP","points":[]}]}`, []string{"STAMP"}},
		"no list":                 {`{"primitives":{"0":` + line + `}}`, []string{"UNREADABLE DRAWING"}},
		"a picture":               {`"data:image/svg+xml;base64,AAAA"`, []string{"UNREADABLE DRAWING"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s Segment
			require.NoError(t, json.Unmarshal([]byte(`{"id":"s","segment_text":"Darker","drawing":`+tt.drawing+`}`), &s))
			assert.Equal(t, "Darker", s.Text)
			var kinds []string
			var read struct{ Primitives []json.RawMessage }
			if s.Drawing != nil {
				for _, p := range s.Drawing.Primitives {
					kinds = append(kinds, p.Type)
				}
				_ = json.Unmarshal([]byte(tt.drawing), &read)
			}
			assert.Equal(t, tt.kinds, kinds)
			for i, was := range read.Primitives {
				is, err := json.Marshal(s.Drawing.Primitives[i])
				require.NoError(t, err)
				assert.JSONEq(t, string(was), string(is))
			}
		})
	}
}
