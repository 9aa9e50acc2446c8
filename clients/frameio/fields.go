package frameio

import (
	"encoding/json"
	"time"
)

// FieldType is the type of a Frame.io metadata field.
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
	FieldEmpty  FieldState = "empty" // an empty text or list
	FieldNull   FieldState = "null"  // never filled in, or cleared
)

// FieldValue is the value of a metadata field of a file, folder or stack.
type FieldValue struct {
	ID      string // of the definition, which belongs to the account
	Name    string // of the definition; not unique
	Type    FieldType
	BuiltIn bool // Frame.io fills it in itself
	State   FieldState
	// Values is the value in words, with several entries for a multiple choice: options by name, dates as RFC 3339 or
	// YYYY-MM-DD, people by e-mail address, groups by name.
	Values []string
	// Options are the names of all options of a select.
	Options []string
	// Unresolved holds the IDs of people or groups that Frame.io does not identify.
	Unresolved []string
	Source     json.RawMessage // the value as Frame.io sent it
}

// Attachment is a file on a comment. Frame.io's API has no URL to download it.
type Attachment struct {
	ID, Name, MediaType string
	Size                int64 // bytes
	CreatedAt           time.Time
}

// TextLink is a range of a comment's text that links somewhere. Start and End count characters. They are Frame.io's, and may
// lie outside the text.
type TextLink struct {
	Start, End int
	Text, URL  string
}

// Mention is a range of a comment's text that names a person.
type Mention struct {
	Start, End int
	Text       string
	User       User // only ID is set if Frame.io does not say who that is
}

// TextMarkup is a comment's edit to a range of a document's text.
type TextMarkup struct {
	Kind      string // highlight, insert, remove or replace
	Selection string
	Suggested string
	Source    json.RawMessage
}

// Point is a position in a picture, from 0 to 1, measured from the upper left.
type Point struct{ X, Y float64 }

// Collection is a set of a project's assets that is independent of its folders. Frame.io's API does not always tell what it contains.
type Collection struct {
	ID, ProjectID string
	Name          string
	Description   string
	Private       bool // only its creator sees it
	Dynamic       bool // filled by a rule that the API does not expose
	// OfShare means that Frame.io created it to hold what a share shows.
	OfShare   bool
	RootID    string // the folder it is based on, if any
	ShareIDs  []string
	Creator   User
	CreatedAt time.Time
	UpdatedAt time.Time
	Source    json.RawMessage // as Frame.io sent it, without passphrases
}
