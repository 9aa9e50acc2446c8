package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Metadata views of reviews.
const (
	SendView   = "Send to Frame.io"
	ReviewView = "Frame.io review"
)

// SendFields are the fields of the action's form.
var SendFields = []Field{
	{"framebridge_reviewers", "Reviewers (e-mail addresses)", "text"},
	{"framebridge_message", "Message", "text"},
	{"framebridge_expires", "Expires", "date"},
	{"framebridge_quality", "Quality", "drop_down"},
	{"framebridge_title", "Title", "string"},
	{"framebridge_passphrase", "Passphrase", "string"},
	{"framebridge_download", "Allow download", "boolean"},
}

// The form's fields for protections, if the configuration offers them.
var (
	ForensicField = Field{"framebridge_forensic_watermark", "Forensic watermark", "boolean"}
	DRMField      = Field{"framebridge_drm", "DRM", "boolean"}
)

// ReviewFields are the fields of the view on assets that are, or were, in review.
var ReviewFields = []Field{
	{"framebridge_review_link", "Review link", "url"},
	{"framebridge_review_status", "Review status", "string"},
	{"framebridge_review_expires", "Review expires", "datetime"},
	{"framebridge_review_reviewers", "Reviewers", "text"},
	{"framebridge_review_error", "What went wrong", "text"},
	{"framebridge_decision", "Decision", "string"},
}

// fingerprint tells one text from another without containing it.
func fingerprint(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

func optional(v *int64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatInt(*v, 10)
}

// FrameioState returns the state of a comment in Frame.io. A range of one frame is a point.
func FrameioState(text string, frame *int64, frames int64, page *int, completed bool, annotation string) State {
	f := State{Text: fingerprint(strings.TrimSpace(text)), Done: strconv.FormatBool(completed), Drawing: fingerprint(canonical(annotation))}
	if frame != nil {
		f.Time = optional(frame)
		if frames > 1 {
			f.Time += "+" + strconv.FormatInt(frames, 10)
		}
	}
	if page != nil {
		f.Time += " page " + strconv.Itoa(*page)
	}
	return f
}

// IconikState returns the state of a segment in iconik. drawing is JSON.
func IconikState(text string, startMS, endMS *int64, checked bool, drawing string) State {
	f := State{Text: fingerprint(strings.TrimSpace(text)), Done: strconv.FormatBool(checked), Drawing: fingerprint(canonical(drawing)), Time: optional(startMS)}
	if endMS != nil && (startMS == nil || *endMS != *startMS) {
		f.Time += "-" + optional(endMS)
	}
	return f
}

// canonical rewrites JSON so that equal values have equal text. An empty drawing becomes "".
func canonical(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		if len(v) == 0 {
			return ""
		}
	case map[string]any:
		if list, ok := v["primitives"].([]any); ok && len(list) == 0 {
			return ""
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(raw)
}

// FrameRange converts a segment's milliseconds to frames. A point has 0 frames, and without a start there is no frame at all.
func FrameRange(startMS, endMS *int64, r Rate) (frame *int64, frames int64) {
	if startMS == nil {
		return nil, 0
	}
	f := MSToFrame(max(*startMS, 0), r)
	if endMS != nil && *endMS > *startMS {
		if n := MSToFrame(*endMS, r) - f + 1; n > 1 {
			frames = n
		}
	}
	return &f, frames
}

// emptyText stands for a comment that has only a drawing, because Frame.io requires a text.
const emptyText = "(drawing)"

// ToFrameio prepares an iconik comment for Frame.io, where all comments belong to our user: before names the writer, and after
// names the shapes that cannot be drawn there.
func ToFrameio(text, writer string, shapes []Shape) (before, body, after string, drawable []Shape) {
	if writer != "" {
		before = writer + ": "
	}
	body = strings.TrimSpace(text)
	if body == "" {
		body = emptyText
	}
	var missing []string
	for _, s := range shapes {
		switch s.Type {
		case "LINE", "RECTANGLE", "ARROW", "PENCIL":
			drawable = append(drawable, s)
		case "TEXT":
			missing = append(missing, fmt.Sprintf("text %q", s.Text))
		default:
			missing = append(missing, strings.ToLower(s.Type))
		}
	}
	if len(missing) > 0 {
		after = " [also drawn in iconik: " + strings.Join(missing, ", ") + "]"
	}
	return before, body, after, drawable
}

// NotDrawn returns a note of how many shapes of a Frame.io annotation iconik cannot show, or "" if it shows all.
func NotDrawn(annotation string) string {
	_, unknown := Drawing(annotation, DrawingFrame{})
	if unknown == 0 {
		return ""
	}
	if unknown == 1 {
		return " [also drawn in Frame.io: 1 shape that iconik has not]"
	}
	return fmt.Sprintf(" [also drawn in Frame.io: %d shapes that iconik has not]", unknown)
}

// Bare removes what was added around a text when it was brought over, if it is still there.
func Bare(text, before, after string) string {
	text = strings.TrimSpace(text)
	text = strings.TrimPrefix(text, strings.TrimSpace(before))
	text = strings.TrimSuffix(text, strings.TrimSpace(after))
	if text = strings.TrimSpace(text); text == emptyText {
		return ""
	}
	return text
}

// Decision converts a Frame.io label to iconik's approval status and framebridge_decision. A reviewer who sets "needs_review"
// wants to see the file again: changes are requested.
//
// known is false for an option that the account has defined itself.
func Decision(label string) (approval, decision string, known bool) {
	switch label {
	case "approved":
		return "APPROVED", "approved", true
	case "needs_review":
		return "NOT_APPROVED", "changes requested", true
	case "in_progress":
		return "REQUESTED", "none", true
	case "", "none":
		return "N/A", "none", true
	}
	return "N/A", "none", false
}

const quoteLength = 80

// QuotedReply returns the prefix of a reply on a Frame.io that has no replies. It quotes the comment that is replied to.
func QuotedReply(author, text string) string {
	quote := []rune(strings.Join(strings.Fields(text), " "))
	if len(quote) > quoteLength {
		quote = append(quote[:quoteLength-1], '…')
	}
	if author == "" {
		author = "a comment"
	}
	return fmt.Sprintf("↪ reply to %s: “%s” — ", author, string(quote))
}

// KeepUnknown returns the new annotation plus the shapes of the old one that iconik could not show.
func KeepUnknown(old, annotation string) string {
	var had, out []json.RawMessage
	if json.Unmarshal([]byte(old), &had) != nil {
		return annotation
	}
	_ = json.Unmarshal([]byte(annotation), &out)
	kept := false
	for _, shape := range had {
		if _, unknown := Drawing(string(shape), DrawingFrame{}); unknown > 0 {
			out, kept = append(out, shape), true
		}
	}
	if !kept {
		return annotation
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return annotation
	}
	return string(raw)
}

// Plays reports whether a file may have frames. A file whose type does not tell may have them.
func Plays(mediaType string, r Rate) bool {
	kind, _, _ := strings.Cut(mediaType, "/")
	switch {
	case kind == "image":
		return false
	case kind == "video", kind == "audio", r.Valid():
		return true
	}
	switch mediaType {
	case "", "application/mxf", "application/octet-stream":
		return true
	}
	return false
}
