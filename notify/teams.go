package notify

import (
	"encoding/json"

	"github.com/framebridge/framebridge/events"
)

// teamsLong is the maximum length of a text. Teams rejects messages over 28 KB.
const teamsLong = 5000

type (
	// teamsMessage is what the trigger "When a Teams webhook request is received" accepts.
	teamsMessage struct {
		Type        string            `json:"type"`
		Summary     string            `json:"summary"`
		Attachments []teamsAttachment `json:"attachments"`
	}
	teamsAttachment struct {
		ContentType string    `json:"contentType"`
		ContentURL  *string   `json:"contentUrl"`
		Content     teamsCard `json:"content"`
	}
	teamsCard struct {
		Schema  string         `json:"$schema"`
		Type    string         `json:"type"`
		Version string         `json:"version"`
		Body    []teamsBlock   `json:"body"`
		Actions []teamsAction  `json:"actions,omitempty"`
		Teams   map[string]any `json:"msteams"`
	}
	// teamsBlock is a RichTextBlock. Unlike in a TextBlock, its text is not Markdown, so names are shown as they are.
	teamsBlock struct {
		Type    string     `json:"type"`
		Spacing string     `json:"spacing,omitempty"`
		Inlines []teamsRun `json:"inlines"`
	}
	teamsRun struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Size   string `json:"size,omitempty"`
		Weight string `json:"weight,omitempty"`
		Color  string `json:"color,omitempty"`
		Subtle bool   `json:"isSubtle,omitempty"`
	}
	teamsAction struct {
		Type  string `json:"type"`
		Title string `json:"title"`
		URL   string `json:"url"`
	}
)

// Teams returns the body for a Teams workflow that posts an Adaptive Card. tenant is the tenant's name for people.
func Teams(e events.Event, tenant string) ([]byte, error) {
	d := e.Data
	block := func(spacing string, runs ...teamsRun) teamsBlock {
		for i := range runs {
			runs[i].Type = "TextRun"
		}
		return teamsBlock{Type: "RichTextBlock", Spacing: spacing, Inlines: runs}
	}
	color := ""
	if d.Urgent {
		color = "Attention"
	}
	card := teamsCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", Teams: map[string]any{"width": "Full"},
		Body: []teamsBlock{block("", teamsRun{Text: cut(d.Title, teamsLong), Size: "Medium", Weight: "Bolder", Color: color})}}
	if d.Text != "" {
		card.Body = append(card.Body, block("Small", teamsRun{Text: cut(d.Text, teamsLong)}))
	}
	for i, f := range d.Facts {
		if i < slackFields {
			card.Body = append(card.Body, block("Small", teamsRun{Text: cut(f.Name, slackButton) + ": ", Weight: "Bolder"}, teamsRun{Text: cut(f.Value, slackField)}))
		}
	}
	card.Body = append(card.Body, block("Medium", teamsRun{Text: footer(e, tenant), Size: "Small", Subtle: true}))
	for i, l := range d.Links {
		if i < mostLinks {
			card.Actions = append(card.Actions, teamsAction{Type: "Action.OpenUrl", Title: cut(l.Name, slackButton), URL: l.URL})
		}
	}
	return json.Marshal(teamsMessage{Type: "message", Summary: cut(d.Title, slackHeader),
		Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}})
}
