package mapping

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// DrawingFrame is the coordinate frame of iconik's drawings, which iconik does not document: "normalised" (0..1 of the picture)
// or "pixels" of a picture of Width by Height.
type DrawingFrame struct {
	Kind          string
	Width, Height int
}

func (f DrawingFrame) scale() (x, y float64) {
	if f.Kind == "pixels" && f.Width > 0 && f.Height > 0 {
		return float64(f.Width), float64(f.Height)
	}
	return 1, 1
}

// Shape is one shape of a drawing in iconik's terms. Width is the stroke width in pixels.
type Shape struct {
	Type   string // LINE, RECTANGLE, ARROW, ELLIPSE, PENCIL, or TEXT, which Frame.io does not have
	Color  string
	Points [][2]float64
	Width  float64
	Text   string `json:",omitempty"`
}

// frameioShape is one element of Frame.io's annotation JSON. Coordinates are 0..1 of the picture from its upper left corner.
type frameioShape struct {
	Tool  string    `json:"tool"`
	Color string    `json:"color"`
	Size  float64   `json:"size"`
	X1    float64   `json:"x1"`
	Y1    float64   `json:"y1"`
	X2    float64   `json:"x2"`
	Y2    float64   `json:"y2"`
	X     float64   `json:"x"`
	Y     float64   `json:"y"`
	W     float64   `json:"w"`
	H     float64   `json:"h"`
	XS    []float64 `json:"xs"`
	YS    []float64 `json:"ys"`
}

// Drawing parses Frame.io's annotation. It skips and counts unknown tools and unreadable shapes: a comment never fails because of
// its drawing.
func Drawing(annotation string, frame DrawingFrame) (shapes []Shape, unknown int) {
	if strings.TrimSpace(annotation) == "" {
		return nil, 0
	}
	var raw []json.RawMessage
	if json.Unmarshal([]byte(annotation), &raw) != nil {
		raw = []json.RawMessage{json.RawMessage(annotation)} // a single shape without a list
	}
	sx, sy := frame.scale()
	for _, r := range raw {
		var f frameioShape
		if json.Unmarshal(r, &f) != nil {
			unknown++
			continue
		}
		kind, points := f.points()
		if kind == "" {
			unknown++
			continue
		}
		for i, p := range points {
			points[i] = [2]float64{clamp(p[0]) * sx, clamp(p[1]) * sy}
			if frame.Kind == "pixels" { // until 2026, iconik accepted only whole numbers
				points[i] = [2]float64{math.Round(points[i][0]), math.Round(points[i][1])}
			}
		}
		shapes = append(shapes, Shape{Type: kind, Color: f.Color, Points: points, Width: f.Size})
	}
	return shapes, unknown
}

func (f frameioShape) points() (string, [][2]float64) {
	switch f.Tool {
	case "line": // documented with its end points; without them, it has the box of all other tools
		if f.X1 == 0 && f.Y1 == 0 && f.X2 == 0 && f.Y2 == 0 {
			if f.W == 0 && f.H == 0 {
				return "", nil
			}
			return "LINE", [][2]float64{{f.X, f.Y}, {f.X + f.W, f.Y + f.H}}
		}
		return "LINE", [][2]float64{{f.X1, f.Y1}, {f.X2, f.Y2}}
	case "rect":
		return "RECTANGLE", f.box()
	case "ellipse", "oval":
		return "ELLIPSE", f.box()
	case "arrow": // the vendor's table swaps w and h; names and players agree on x+w, y+h
		return "ARROW", [][2]float64{{f.X, f.Y}, {f.X + f.W, f.Y + f.H}}
	case "pen", "path", "freehand":
		var points [][2]float64
		for i := range min(len(f.XS), len(f.YS)) {
			points = append(points, [2]float64{f.XS[i], f.YS[i]})
		}
		if len(points) == 0 {
			return "", nil
		}
		return "PENCIL", points
	}
	return "", nil
}

// box returns two opposite corners, the upper left one first, whichever way the shape was drawn.
func (f frameioShape) box() [][2]float64 {
	return [][2]float64{{min(f.X, f.X+f.W), min(f.Y, f.Y+f.H)}, {max(f.X, f.X+f.W), max(f.Y, f.Y+f.H)}}
}

func clamp(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, 0), 1)
}

// Frame.io's own red and width, used if there is no readable value.
const (
	plainColor = "#E74A3C"
	plainWidth = 3 // pixels
)

var namedColors = map[string]string{"black": "#000000", "white": "#FFFFFF", "red": "#FF0000", "green": "#008000", "lime": "#00FF00", "blue": "#0000FF", "yellow": "#FFFF00",
	"orange": "#FFA500", "purple": "#800080", "magenta": "#FF00FF", "cyan": "#00FFFF", "pink": "#FFC0CB", "gray": "#808080", "grey": "#808080"}

// hexColor converts a CSS color to #RRGGBB, the only form that Frame.io documents. Opacity is lost.
func hexColor(given string) string {
	if len(given) == 7 && given[0] == '#' && strings.Trim(given[1:], "0123456789abcdefABCDEF") == "" {
		return given
	}
	color := strings.ToLower(strings.TrimSpace(given))
	if hex, ok := namedColors[color]; ok {
		return hex
	}
	var r, g, b int
	if rest, ok := strings.CutPrefix(color, "rgb"); ok {
		if _, err := fmt.Sscanf(strings.NewReplacer("a(", "", "(", "", ")", "", ",", " ").Replace(rest), "%d %d %d", &r, &g, &b); err == nil && max(r, g, b) <= 255 && min(r, g, b) >= 0 {
			return fmt.Sprintf("#%02X%02X%02X", r, g, b)
		}
		return plainColor
	}
	digits := strings.TrimPrefix(color, "#")
	if strings.Trim(digits, "0123456789abcdef") != "" {
		return plainColor
	}
	switch len(digits) {
	case 3, 4:
		return strings.ToUpper("#" + string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]}))
	case 6, 8:
		return "#" + digits[:6]
	}
	return plainColor
}

// Annotation returns shapes as Frame.io's annotation JSON, or "" if there are none.
func Annotation(shapes []Shape, frame DrawingFrame) string {
	sx, sy := frame.scale()
	var out []map[string]any
	for _, s := range shapes {
		at := func(i int) (float64, float64) { return clamp(s.Points[i][0] / sx), clamp(s.Points[i][1] / sy) }
		m := map[string]any{"color": hexColor(s.Color), "size": s.Width}
		if s.Width <= 0 {
			m["size"] = plainWidth
		}
		switch {
		case s.Type == "PENCIL" && len(s.Points) > 0:
			xs, ys := make([]float64, len(s.Points)), make([]float64, len(s.Points))
			for i := range s.Points {
				xs[i], ys[i] = at(i)
			}
			m["tool"], m["xs"], m["ys"] = "pen", xs, ys
		case len(s.Points) < 2:
			continue
		case s.Type == "LINE":
			m["tool"] = "line"
			m["x1"], m["y1"] = at(0)
			m["x2"], m["y2"] = at(1)
		case s.Type == "RECTANGLE", s.Type == "ELLIPSE", s.Type == "ARROW":
			x, y := at(0)
			x2, y2 := at(1)
			if s.Type != "ARROW" { // the x and y of boxes are always the upper left corner
				x, y, x2, y2 = min(x, x2), min(y, y2), max(x, x2), max(y, y2)
			}
			m["tool"], m["x"], m["y"], m["w"], m["h"] = map[string]string{"RECTANGLE": "rect", "ELLIPSE": "ellipse", "ARROW": "arrow"}[s.Type], x, y, x2-x, y2-y
			if s.Type == "RECTANGLE" {
				m["radius"] = 0
			}
		default:
			continue
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		return ""
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return ""
	}
	return string(encoded)
}
