// Package drawings converts drawings on the simulator's page into annotations as Frame.io stores them, and back.
package drawings

import (
	"encoding/json"

	"github.com/framebridge/framebridge/sandbox/ui"
)

// shape is one shape of an annotation.
type shape struct {
	Tool  string    `json:"tool"`
	Color string    `json:"color"`
	Size  float64   `json:"size"`
	X1    *float64  `json:"x1,omitempty"`
	Y1    *float64  `json:"y1,omitempty"`
	X2    *float64  `json:"x2,omitempty"`
	Y2    *float64  `json:"y2,omitempty"`
	X     *float64  `json:"x,omitempty"`
	Y     *float64  `json:"y,omitempty"`
	W     *float64  `json:"w,omitempty"`
	H     *float64  `json:"h,omitempty"`
	XS    []float64 `json:"xs,omitempty"`
	YS    []float64 `json:"ys,omitempty"`
}

// Annotation returns a drawing on the page as Frame.io stores it, or "" if there is none.
func Annotation(drawn []ui.Mark) string {
	var out []shape
	for _, m := range drawn {
		if len(m.Points) < 2 {
			continue
		}
		sh := shape{Tool: m.Kind, Color: "#E74A3C", Size: 4}
		a, b := m.Points[0], m.Points[1]
		switch m.Kind {
		case "pen":
			for _, p := range m.Points {
				sh.XS, sh.YS = append(sh.XS, p[0]), append(sh.YS, p[1])
			}
		case "line":
			sh.X1, sh.Y1, sh.X2, sh.Y2 = &a[0], &a[1], &b[0], &b[1]
		case "rect", "arrow":
			w, h := b[0]-a[0], b[1]-a[1]
			sh.X, sh.Y, sh.W, sh.H = &a[0], &a[1], &w, &h
		default:
			continue
		}
		out = append(out, sh)
	}
	raw, err := json.Marshal(out)
	if err != nil || len(out) == 0 {
		return ""
	}
	return string(raw)
}

// Marks returns an annotation as the page draws it. It returns nil if it cannot be parsed.
func Marks(annotation string) []ui.Mark {
	var list []shape
	if json.Unmarshal([]byte(annotation), &list) != nil {
		return nil
	}
	n := func(v *float64) float64 {
		if v == nil {
			return 0
		}
		return *v
	}
	var out []ui.Mark
	for _, sh := range list {
		m := ui.Mark{Kind: sh.Tool, Color: sh.Color}
		switch sh.Tool {
		case "pen", "path", "freehand":
			m.Kind = "pen"
			for i := range min(len(sh.XS), len(sh.YS)) {
				m.Points = append(m.Points, [2]float64{sh.XS[i], sh.YS[i]})
			}
		case "line":
			m.Points = [][2]float64{{n(sh.X1), n(sh.Y1)}, {n(sh.X2), n(sh.Y2)}}
		default:
			m.Points = [][2]float64{{n(sh.X), n(sh.Y)}, {n(sh.X) + n(sh.W), n(sh.Y) + n(sh.H)}}
		}
		out = append(out, m)
	}
	return out
}
