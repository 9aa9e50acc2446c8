// Package notify formats events for the channels. Its functions are pure and send nothing.
package notify

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/events"
)

// Slack's limits, in characters. Slack rejects messages that exceed them.
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
	// slackPiece is a button, or a text in a context block.
	slackPiece struct {
		Type     string `json:"type"`
		Text     any    `json:"text"`
		URL      string `json:"url,omitempty"`
		ActionID string `json:"action_id,omitempty"`
	}
	slackMessage struct {
		Text        string       `json:"text"` // for phone notifications, and programs that do not show blocks
		Blocks      []slackBlock `json:"blocks"`
		Markdown    bool         `json:"mrkdwn"`
		UnfurlLinks bool         `json:"unfurl_links"`
		UnfurlMedia bool         `json:"unfurl_media"`
	}
)

// Slack returns the body for a Slack incoming webhook. tenant is the tenant's name for people.
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

// slackPlain returns text without Markdown, so that a file named my_file_v2 is shown as it is.
func slackPlain(text string, most int) *slackText {
	off := false
	return &slackText{Type: "plain_text", Text: slackEscape(cut(text, most)), Emoji: &off}
}

// slackEscape escapes Slack's control characters, with which <!channel> would notify everybody, and defuses the
// plain @ mentions of everybody.
func slackEscape(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	return mention.ReplaceAllString(text, "@\u2060$1")
}

// cut shortens a text to at most that many characters, without surrounding spaces.
func cut(text string, most int) string {
	return english.Shorten(strings.TrimSpace(text), most)
}

// footer says whose event it is, and which.
func footer(e events.Event, tenant string) string {
	return "Framebridge · " + tenant + " · " + string(e.Type) + " · " + e.Created.UTC().Format("January 2, 2006, 15:04 UTC")
}
