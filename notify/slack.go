// Package notify writes an event as the channels want it: pure functions, which send nothing.
package notify

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/events"
)

// Slack's limits, in characters: what is longer is refused whole.
const (
	slackHeader  = 150
	slackSection = 2900
	slackField   = 900
	slackFields  = 10
	slackButton  = 75
	mostLinks    = 5
)

type (
	slackBlock struct {
		Type     string       `json:"type"`
		Text     *slackText   `json:"text,omitempty"`
		Fields   []slackText  `json:"fields,omitempty"`
		Elements []slackPiece `json:"elements,omitempty"`
	}
	slackText struct {
		Type  string `json:"type"`
		Text  string `json:"text"`
		Emoji *bool  `json:"emoji,omitempty"`
	}
	// slackPiece is a button, or a text of a context.
	slackPiece struct {
		Type     string `json:"type"`
		Text     any    `json:"text"`
		URL      string `json:"url,omitempty"`
		ActionID string `json:"action_id,omitempty"`
	}
	slackMessage struct {
		Text        string       `json:"text"` // for notifications on a phone, and programs that show no blocks
		Blocks      []slackBlock `json:"blocks"`
		Markdown    bool         `json:"mrkdwn"`
		UnfurlLinks bool         `json:"unfurl_links"`
		UnfurlMedia bool         `json:"unfurl_media"`
	}
)

// Slack is the body for an incoming webhook of Slack. tenant is its name for people.
func Slack(e events.Event, tenant string) ([]byte, error) {
	d := e.Data
	m := slackMessage{Text: slackEscape(cut(d.Title, slackSection)), Blocks: []slackBlock{{Type: "header", Text: slackPlain(d.Title, slackHeader)}}}
	if d.Text != "" {
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Text: slackPlain(d.Text, slackSection)})
	}
	var fields []slackText
	for _, f := range d.Facts {
		if len(fields) < slackFields {
			fields = append(fields, *slackPlain(f.Name+"\n"+f.Value, slackField))
		}
	}
	if len(fields) > 0 {
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Fields: fields})
	}
	var buttons []slackPiece
	for i, l := range d.Links {
		if i < mostLinks {
			buttons = append(buttons, slackPiece{Type: "button", Text: slackPlain(l.Name, slackButton), URL: l.URL, ActionID: "open_" + string(rune('a'+i))})
		}
	}
	if len(buttons) > 0 {
		m.Blocks = append(m.Blocks, slackBlock{Type: "actions", Elements: buttons})
	}
	m.Blocks = append(m.Blocks, slackBlock{Type: "context", Elements: []slackPiece{{Type: "plain_text", Text: slackEscape(cut(footer(e, tenant), slackField))}}})
	return json.Marshal(m)
}

var mention = regexp.MustCompile(`(?i)@(channel|here|everyone|group)\b`)

// slackPlain is text without Markdown: a file named my_file_v2 is shown as it is.
func slackPlain(text string, most int) *slackText {
	off := false
	return &slackText{Type: "plain_text", Text: slackEscape(cut(text, most)), Emoji: &off}
}

// slackEscape takes their meaning from Slack's control characters, with which <!channel> would call everybody, and from plain
// names of everybody.
func slackEscape(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	return mention.ReplaceAllString(text, "@\u2060$1")
}

// cut shortens a text to so many characters, without the spaces around it.
func cut(text string, most int) string {
	return english.Shorten(strings.TrimSpace(text), most)
}

// footer says whose event it is, and which.
func footer(e events.Event, tenant string) string {
	return "Framebridge · " + tenant + " · " + string(e.Type) + " · " + e.Created.UTC().Format("January 2, 2006, 15:04 UTC")
}
