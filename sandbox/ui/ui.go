// Package ui is what the sandbox's pages have in common: their style, drawing on a picture, showing drawings, and live
// updates.
package ui

import (
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"regexp"
	"strings"
	"unicode"
)

//go:embed style.css
var style string

//go:embed draw.js
var draw string

//go:embed live.js
var live string

// Funcs are the functions of the pages' templates: {{style}}, {{draw}} and {{live}} for inside a script, and texts for people.
var Funcs = template.FuncMap{
	"style": func() template.CSS { return template.CSS(style) },
	"draw":  func() template.JS { return template.JS(draw) },
	"live":  func() template.JS { return template.JS(live) },
	"face":  face,
	"count": count,
	"words": words,
}

// count returns a number of things, as people write it.
func count(n any, noun string) string {
	text := fmt.Sprint(n)
	if text != "1" {
		noun += "s"
	}
	return text + " " + noun
}

// words returns an API's state in words for people: FINISHED_WITH_WARNING is "Finished with warning".
func words(state any) string {
	text := strings.ToLower(strings.ReplaceAll(fmt.Sprint(state), "_", " "))
	if text == "" || state == nil {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Mark is one shape. Its points run from 0 to 1 across the picture. The JSON is what draw.js puts into a form.
type Mark struct {
	Kind   string       `json:"tool"` // line, rect, ellipse, arrow or pen
	Color  string       `json:"color"`
	Points [][2]float64 `json:"points"`
}

const (
	width, height = 160, 90
	barb          = 8 // length of an arrow's barbs
)

var color = regexp.MustCompile(`^#[0-9A-Fa-f]{3,8}$`)

// Media is what a picture is taken from: a file that a browser can show, at a time.
type Media struct {
	URL       string // stable, so that a reloaded page is the same; "" for none
	Type      string
	Seconds   float64
	Watermark string // "" for none
}

// Picture returns the frame of a file with its drawing and watermark, or "" if there is neither a time nor a drawing.
func Picture(m Media, timed bool, drawn []Mark) template.HTML {
	shapes := SVG(drawn)
	frame := ""
	switch kind, _, _ := strings.Cut(m.Type, "/"); {
	case m.URL == "":
	case kind == "video" && (timed || shapes != ""):
		frame = fmt.Sprintf(`<video src="%s#t=%.3f" muted playsinline preload="auto" aria-label="the frame"></video>`, template.HTMLEscapeString(m.URL), m.Seconds)
	case kind == "image" && shapes != "":
		frame = fmt.Sprintf(`<img src="%s" alt="the picture">`, template.HTMLEscapeString(m.URL))
	}
	if frame == "" && shapes == "" {
		return ""
	}
	if m.Watermark != "" {
		frame += `<span class="watermark">` + template.HTMLEscapeString(m.Watermark) + `</span>`
	}
	return template.HTML(`<span class="frame">` + frame + string(shapes) + `</span>`)
}

// face returns a person's initials in their own color.
func face(name string) template.HTML {
	initials, hue := "", 0
	for _, word := range strings.Fields(name) {
		if r := []rune(word)[0]; len(initials) < 4 && unicode.IsLetter(r) {
			initials += string(unicode.ToUpper(r))
		}
	}
	for _, r := range name {
		hue = (hue*31 + int(r)) % 360
	}
	return template.HTML(fmt.Sprintf(`<span class="face" aria-hidden="true" style="background:hsl(%d 55%% 35%%)">%s</span>`, hue, template.HTMLEscapeString(initials)))
}

// SVG returns a drawing of marks to put over a picture, or "" if none can be drawn.
func SVG(marks []Mark) template.HTML {
	var b strings.Builder
	var kinds []string
	for _, m := range marks {
		if m.Kind == "pen" && len(m.Points) == 0 || m.Kind != "pen" && len(m.Points) < 2 {
			continue
		}
		if !color.MatchString(m.Color) {
			m.Color = "#E74A3C"
		}
		at := func(i int) (float64, float64) { return m.Points[i][0] * width, m.Points[i][1] * height }
		x, y := at(0)
		var shape string
		switch m.Kind {
		case "rect":
			x2, y2 := at(1)
			shape = fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, min(x, x2), min(y, y2), math.Abs(x2-x), math.Abs(y2-y))
		case "ellipse":
			x2, y2 := at(1)
			shape = fmt.Sprintf(`<ellipse cx="%.1f" cy="%.1f" rx="%.1f" ry="%.1f"/>`, (x+x2)/2, (y+y2)/2, math.Abs(x2-x)/2, math.Abs(y2-y)/2)
		case "line", "arrow":
			x2, y2 := at(1)
			shape = fmt.Sprintf(`<path d="M%.1f %.1fL%.1f %.1f"/>`, x, y, x2, y2)
			if m.Kind == "arrow" {
				for _, turn := range []float64{2.6, -2.6} {
					a := math.Atan2(y2-y, x2-x) + turn
					shape += fmt.Sprintf(`<path d="M%.1f %.1fl%.1f %.1f"/>`, x2, y2, barb*math.Cos(a), barb*math.Sin(a))
				}
			}
		case "pen":
			shape = fmt.Sprintf(`<path d="M%.1f %.1f`, x, y)
			for i := range m.Points {
				x, y := at(i)
				shape += fmt.Sprintf(`L%.1f %.1f`, x, y)
			}
			shape += `"/>`
		default:
			continue
		}
		kinds = append(kinds, m.Kind)
		fmt.Fprintf(&b, `<g stroke="%s">%s</g>`, m.Color, shape)
	}
	if len(kinds) == 0 {
		return ""
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" width="%d" height="%d" fill="none" stroke-width="2" stroke-linecap="round" role="img" aria-label="drawing: %s">%s</svg>`,
		width, height, width, height, strings.Join(kinds, ", "), b.String()))
}
