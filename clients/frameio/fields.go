package frameio

import (
	"encoding/json"
	"time"
)

// FieldType is what a metadata field of Frame.io holds.
type FieldType string

// The ten types of V4's metadata fields.
const (
	FieldText        FieldType = "text"
	FieldLongText    FieldType = "long_text"
	FieldSelect      FieldType = "select"
	FieldSelectMulti FieldType = "select_multi"
	FieldNumber      FieldType = "number"
	FieldRating      FieldType = "rating"
	FieldToggle      FieldType = "toggle"
	FieldDate        FieldType = "date"
	FieldUserSingle  FieldType = "user_single"
	FieldUserMulti   FieldType = "user_multi"
)

// FieldState tells an empty field from one that was never filled in.
type FieldState string

// States of a field.
const (
	FieldFilled FieldState = "filled"
	FieldEmpty  FieldState = "empty" // a text of no characters, a list of nothing
	FieldNull   FieldState = "null"  // never filled in, or taken out again
)

// FieldValue is what one metadata field says of a file, folder or stack.
type FieldValue struct {
	ID      string // of the definition, which is the account's
	Name    string // of the definition: not unique
	Type    FieldType
	BuiltIn bool // Frame.io fills it in by itself
	State   FieldState
	// Values are the value in words, several of a multiple choice: options by name, dates as RFC 3339 or YYYY-MM-DD, people
	// by e-mail address, groups by name.
	Values []string
	// Options are the names of all options of a select.
	Options []string
	// Unresolved are ids of people or groups of which Frame.io does not say who they are.
	Unresolved []string
	Source     json.RawMessage // the value as Frame.io sent it
}

// Attachment is a file on a comment. Frame.io's API gives no address to download it from.
type Attachment struct {
	ID, Name, MediaType string
	Size                int64 // bytes
	CreatedAt           time.Time
}

// TextLink is a stretch of a comment's text that leads somewhere. Start and End count characters; they are Frame.io's and
// need not fit the text.
type TextLink struct {
	Start, End int
	Text, URL  string
}

// Mention is a stretch of a comment's text that names a person.
type Mention struct {
	Start, End int
	Text       string
	User       User // ID only where Frame.io does not say who that is
}

// TextMarkup is what a comment says of a stretch of a document's text.
type TextMarkup struct {
	Kind      string // highlight, insert, remove or replace
	Selection string
	Suggested string
	Source    json.RawMessage
}

// Point is a place in a picture, 0..1 from its upper left.
type Point struct{ X, Y float64 }

// Collection is a gathering of a project's assets beside its folders. Frame.io's API does not always say what is in one.
type Collection struct {
	ID, ProjectID string
	Name          string
	Description   string
	Private       bool // only its maker sees it
	Dynamic       bool // filled by a rule, which the API does not tell
	// OfShare: Frame.io made it to hold what a share shows.
	OfShare   bool
	RootID    string // the folder it stands on, if any
	ShareIDs  []string
	Creator   User
	CreatedAt time.Time
	UpdatedAt time.Time
	Source    json.RawMessage // as Frame.io sent it, without passphrases
}
