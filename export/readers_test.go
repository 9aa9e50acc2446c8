package export

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The readers here are independent of the writers. Each follows the description of its format, strictly.

// splitLines splits a text wherever any reader could: at line feeds, carriage returns, vertical tabs, form feeds, the ASCII
// separators, and the Unicode line ends.
func splitLines(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029", r) })
}

type cmxEvent struct {
	recordIn, recordOut, note, color, name string
	length                                 int64
}

var (
	cmxTimecode  = `\d\d:\d\d:\d\d[:;]\d\d`
	cmxLine      = regexp.MustCompile(`^(\d{3,})\s+(\S+)\s+(V|A|B|NONE)\s+(C)\s+(` + cmxTimecode + `) (` + cmxTimecode + `) (` + cmxTimecode + `) (` + cmxTimecode + `)$`)
	cmxStatement = regexp.MustCompile(`^(FCM:|TITLE:|SPLIT|M2\b|\*|>>>|AUD\b|EFFECTS|FINAL CUT|BLK\b)`)
	cmxTags      = regexp.MustCompile(`^(.*) \|C:(\w+) \|M:([^|]*) \|D:(\d+)$`)
)

// readCMX reads a CMX 3600 list of Resolve's markers: a title, a count mode, and for each marker an event and one line with its
// tags. A line that begins with a digit is an event.
func readCMX(list string) (title string, events []cmxEvent, err error) {
	lines := splitLines(list)
	for i, line := range lines {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case i == 0:
			var ok bool
			if title, ok = strings.CutPrefix(line, "TITLE:"); !ok {
				return "", nil, fmt.Errorf("no title but %q", line)
			}
		case i == 1:
			if line != "FCM: DROP FRAME" && line != "FCM: NON-DROP FRAME" {
				return "", nil, fmt.Errorf("no count mode but %q", line)
			}
		case line[0] >= '0' && line[0] <= '9':
			m := cmxLine.FindStringSubmatch(line)
			if m == nil {
				return "", nil, fmt.Errorf("a broken event: %q", line)
			}
			if n, _ := strconv.Atoi(m[1]); n != len(events)+1 {
				return "", nil, fmt.Errorf("event %s after %d", m[1], len(events))
			}
			events = append(events, cmxEvent{recordIn: m[7], recordOut: m[8], length: -1})
		case cmxStatement.MatchString(line):
			return "", nil, fmt.Errorf("a statement: %q", line)
		default:
			m := cmxTags.FindStringSubmatch(line)
			if m == nil || len(events) == 0 || events[len(events)-1].length >= 0 {
				return "", nil, fmt.Errorf("not one line of tags after an event: %q", line)
			}
			e := &events[len(events)-1]
			e.note, e.color, e.name = m[1], m[2], m[3]
			e.length, _ = strconv.ParseInt(m[4], 10, 64)
		}
	}
	for _, e := range events {
		if e.length < 1 {
			return "", nil, fmt.Errorf("the event at %s has no marker", e.recordIn)
		}
	}
	return strings.TrimSpace(title), events, nil
}

// readAvid reads Media Composer's marker text: six columns separated by tabs.
func readAvid(text string) (rows [][]string, err error) {
	for _, line := range splitLines(text) {
		cols := strings.Split(line, "\t")
		if len(cols) != 6 {
			return nil, fmt.Errorf("%d columns: %q", len(cols), line)
		}
		if !regexp.MustCompile(`^`+cmxTimecode+`$`).MatchString(cols[1]) || !regexp.MustCompile(`^[VA]\d$`).MatchString(cols[2]) ||
			!slices.Contains([]string{"red", "green", "blue", "cyan", "magenta", "yellow", "black", "white"}, cols[3]) {
			return nil, fmt.Errorf("not a marker: %q", line)
		}
		rows = append(rows, cols)
	}
	return rows, nil
}

// readRFC4180 reads a CSV by the grammar of RFC 4180; records end in CRLF or LF.
func readRFC4180(text string) (rows [][]string, err error) {
	var row []string
	for i := 0; i < len(text); {
		field := ""
		if text[i] == '"' {
			for i++; ; i++ {
				if i >= len(text) {
					return nil, errors.New("a quote is not closed")
				}
				if text[i] == '"' {
					if i+1 < len(text) && text[i+1] == '"' {
						i++
					} else {
						break
					}
				}
				field += text[i : i+1]
			}
			i++
		} else {
			n := strings.IndexAny(text[i:], ",\"\r\n")
			if n < 0 {
				n = len(text) - i
			}
			field, i = text[i:i+n], i+n
		}
		row = append(row, field)
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, ","):
			i++
			if i == len(text) || text[i] == '\n' {
				row = append(row, "")
			}
			continue
		case strings.HasPrefix(rest, "\r\n"):
			i += 2
		case strings.HasPrefix(rest, "\n"):
			i++
		default:
			return nil, fmt.Errorf("a field ends in %q", rest)
		}
		if rows = append(rows, row); len(row) != len(rows[0]) {
			return nil, fmt.Errorf("%d fields among %d", len(row), len(rows[0]))
		}
		row = nil
	}
	return rows, nil
}

// element is what a document type says about an element: its content as a pattern over the children's names, and its attributes,
// with a star after the required ones.
type element struct {
	content string
	attrs   string
}

// fcpxmlDTD is the part of FCPXML 1.10's document type that clips with markers need.
var fcpxmlDTD = map[string]element{
	"fcpxml":     {`(resources )?(library )`, "version*"},
	"resources":  {`((asset|format) )*`, ""},
	"format":     {``, "id* name frameDuration fieldOrder width height"},
	"asset":      {`(media-rep )+(metadata )?`, "id* name uid start duration hasVideo format hasAudio videoSources audioSources audioChannels audioRate"},
	"media-rep":  {`(bookmark )?`, "kind sig src* suggestedFilename"},
	"library":    {`(event )*`, "location colorProcessing"},
	"event":      {`((clip|asset-clip|project) )*`, "name uid"},
	"project":    {`sequence `, "name uid id modDate"},
	"sequence":   {`(note )?spine (metadata )?`, "format* duration tcStart tcFormat audioLayout audioRate renderFormat keywords"},
	"spine":      {`((asset-clip|clip|gap) )*`, "lane offset name format"},
	"asset-clip": {`(note )?(marker )*(metadata )?`, "ref* lane offset name start duration enabled srcEnable audioStart audioDuration format tcStart tcFormat audioRole videoRole modDate"},
	"marker":     {``, "start* duration value* completed note"},
}

// xmemlDTD is the part of xmeml 5's document type that sequences with markers need. Its children have no order.
var xmemlDTD = map[string]element{
	"xmeml": {`(project |sequence )+`, "version*"}, "project": {`(name |children )*`, ""}, "children": {`(sequence )*`, ""},
	"sequence": {`(name |duration |rate |timecode |media |marker )*`, "id"}, "rate": {`(timebase |ntsc )*`, ""},
	"timecode": {`(rate |string |frame |displayformat )*`, ""}, "media": {`(video |audio )*`, ""}, "video": {`(track )*`, ""}, "audio": {`(track )*`, ""},
	"track": {`(clipitem )*`, ""}, "clipitem": {`(name |enabled |duration |rate |start |end |in |out |file )*`, "id*"},
	"file": {`(name |pathurl |rate |duration |timecode |media )*`, "id*"}, "marker": {`(name |comment |in |out )*`, ""},
	"name": {``, ""}, "duration": {``, ""}, "timebase": {``, ""}, "ntsc": {``, ""}, "string": {``, ""}, "frame": {``, ""}, "displayformat": {``, ""}, "enabled": {``, ""},
	"start": {``, ""}, "end": {``, ""}, "in": {``, ""}, "out": {``, ""}, "pathurl": {``, ""}, "comment": {``, ""},
}

// node is an element that was read.
type node struct {
	name, text string
	attrs      map[string]string
	children   []*node
}

func (n *node) all(name string) (out []*node) {
	if n.name == name {
		out = append(out, n)
	}
	for _, c := range n.children {
		out = append(out, c.all(name)...)
	}
	return out
}

func (n *node) child(name string) string {
	for _, c := range n.children {
		if c.name == name {
			return c.text
		}
	}
	return ""
}

// readXML reads a document and validates it against a document type. IDs must be unique, and references must resolve.
func readXML(doc []byte, dtd map[string]element) (*node, error) {
	if !utf8.Valid(doc) {
		return nil, errors.New("not UTF-8")
	}
	dec := xml.NewDecoder(bytes.NewReader(doc))
	root := &node{}
	stack := []*node{root}
	ids, refs := map[string]bool{}, []string{}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			n := &node{name: tok.Name.Local, attrs: map[string]string{}}
			for _, a := range tok.Attr {
				n.attrs[a.Name.Local] = a.Value
				switch a.Name.Local {
				case "id":
					if ids[a.Value] {
						return nil, fmt.Errorf("the id %s stands twice", a.Value)
					}
					ids[a.Value] = true
				case "ref", "format":
					refs = append(refs, a.Value)
				}
			}
			top.children = append(top.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			if err := top.check(dtd); err != nil {
				return nil, err
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(tok)
		}
	}
	for _, r := range refs {
		if !ids[r] {
			return nil, fmt.Errorf("nothing has the id %s", r)
		}
	}
	if len(root.children) != 1 {
		return nil, errors.New("not one document")
	}
	return root.children[0], nil
}

func (n *node) check(dtd map[string]element) error {
	e, known := dtd[n.name]
	if !known {
		return fmt.Errorf("the element %s is not known", n.name)
	}
	names := ""
	for _, c := range n.children {
		names += c.name + " "
	}
	if !regexp.MustCompile(`^(?:` + e.content + `)$`).MatchString(names) {
		return fmt.Errorf("%s holds %q, not %s", n.name, names, e.content)
	}
	allowed := strings.Fields(e.attrs)
	for name := range n.attrs {
		if !slices.Contains(allowed, name) && !slices.Contains(allowed, name+"*") {
			return fmt.Errorf("%s has the attribute %s", n.name, name)
		}
	}
	for _, name := range allowed {
		if name, required := strings.CutSuffix(name, "*"); required && n.attrs[name] == "" {
			return fmt.Errorf("%s has no %s", n.name, name)
		}
	}
	return nil
}

// fcpSeconds parses an FCPXML time such as 1001/30000s.
func fcpSeconds(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(strings.TrimSuffix(text, "s"))
	if !ok || !strings.HasSuffix(text, "s") {
		panic("not a time: " + text)
	}
	return r
}

// readFCPXML validates a document against its type, and every marker against its clip.
func readFCPXML(doc []byte) (*node, error) {
	root, err := readXML(doc, fcpxmlDTD)
	if err != nil {
		return nil, err
	}
	for _, clip := range root.all("asset-clip") {
		from := fcpSeconds(clip.attrs["start"])
		to := new(big.Rat).Add(from, fcpSeconds(clip.attrs["duration"]))
		seen := map[string]bool{}
		for _, m := range clip.all("marker") {
			at := fcpSeconds(m.attrs["start"])
			if at.Cmp(from) < 0 || at.Cmp(to) >= 0 {
				return nil, fmt.Errorf("the marker %q lies outside of its clip", m.attrs["value"])
			}
			if end := new(big.Rat).Add(at, fcpSeconds(m.attrs["duration"])); end.Cmp(to) > 0 {
				return nil, fmt.Errorf("the marker %q ends outside of its clip", m.attrs["value"])
			}
			if seen[at.String()] {
				return nil, fmt.Errorf("two markers at %s", at)
			}
			seen[at.String()] = true
		}
	}
	return root, nil
}

// otioSchemas are OpenTimelineIO's schemas, with the fields that each must have.
var otioSchemas = map[string][]string{
	"Timeline.1": {"name", "global_start_time", "tracks", "metadata"}, "Stack.1": {"name", "source_range", "effects", "markers", "children", "metadata"},
	"Track.1": {"name", "kind", "source_range", "effects", "markers", "children", "metadata"}, "Clip.2": {"name", "source_range", "media_references", "active_media_reference_key", "effects", "markers", "metadata"},
	"MissingReference.1": {"name", "available_range", "metadata"}, "Marker.2": {"name", "color", "marked_range", "metadata", "comment"},
	"TimeRange.1": {"start_time", "duration"}, "RationalTime.1": {"rate", "value"},
}

// readOTIO reads a timeline and returns its clips.
func readOTIO(doc []byte) (clips []map[string]any, err error) {
	var root map[string]any
	if err := json.Unmarshal(doc, &root); err != nil {
		return nil, err
	}
	if root["OTIO_SCHEMA"] != "Timeline.1" {
		return nil, errors.New("not a timeline")
	}
	var walk func(v any) error
	walk = func(v any) error {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				if err := walk(e); err != nil {
					return err
				}
			}
		case map[string]any:
			if schema, ok := v["OTIO_SCHEMA"].(string); ok {
				fields, known := otioSchemas[schema]
				if !known {
					return fmt.Errorf("the schema %s is not known", schema)
				}
				for _, f := range fields {
					if _, has := v[f]; !has {
						return fmt.Errorf("%s has no %s", schema, f)
					}
				}
				if schema == "Clip.2" {
					clips = append(clips, v)
				}
			}
			for _, e := range v {
				if err := walk(e); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return clips, walk(root)
}
