package notify

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/events"
)

var update = flag.Bool("update", false, "write the golden files anew")

func changed(b bool) *bool { return &b }

// samples are events as Framebridge creates them, and one with malicious names.
var samples = map[string]events.Event{
	"incomplete": {ID: "evt_0123456789abcdef0123456789abcdef", Type: events.ArchiveIncomplete, Created: time.Date(2026, 11, 29, 4, 5, 6, 0, time.UTC), Tenant: "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0",
		Data: events.Data{Title: `Action needed: archive of "Harbour Lights" is incomplete`, Text: "2 files failed. The report names each file and the reason.", Urgent: true, Object: "archive", ObjectID: "p-1",
			Name: "Harbour Lights", Status: "incomplete", Changed: changed(true), Counts: map[string]int64{"items": 120, "failed": 2},
			Facts: []events.Fact{{Name: "Files", Value: "118 of 120"}, {Name: "Bytes", Value: "1.2 TiB"}},
			Links: []events.Link{{Name: "Open in Framebridge", URL: "https://bridge.example.com/ui/archives/p-1"}, {Name: "Open in Frame.io", URL: "https://next.frame.io/project/p-1"}}}},
	"attack": {ID: "evt_ffffffffffffffffffffffffffffffff", Type: events.ReviewFailed, Created: time.Date(2026, 11, 29, 4, 5, 6, 0, time.UTC), Tenant: "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0",
		Data: events.Data{Title: `Review failed: "<!channel> & <@U123> @here *bold* my_file_v2"`, Text: "<https://evil.example|click> @everyone `code` ~no~ " + strings.Repeat("long ", 2000), Object: "review", ObjectID: "r",
			Name: "<!channel>", Facts: []events.Fact{{Name: "Asset", Value: "<at>Everyone</at> [x](https://evil.example) @channel"}}}},
}

func TestPayloads(t *testing.T) {
	for name, e := range samples {
		for channel, compose := range map[string]func() ([]byte, error){
			"slack":   func() ([]byte, error) { return Slack(e, "Acme & Sons") },
			"teams":   func() ([]byte, error) { return Teams(e, "Acme & Sons") },
			"webhook": func() ([]byte, error) { return Webhook(e) },
		} {
			body, err := compose()
			require.NoError(t, err)
			var shown bytes.Buffer
			require.NoError(t, json.Indent(&shown, body, "", "  "))
			shown.WriteByte('\n')
			file := filepath.Join("testdata", name+"."+channel+".json")
			if *update {
				require.NoError(t, os.WriteFile(file, shown.Bytes(), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), shown.String(), file)
		}
	}
}

// What Slack rejects as a whole, or interprets as more than text.
func TestSlackTakesWhatAnybodyNames(t *testing.T) {
	for name, e := range samples {
		body, err := Slack(e, "Acme")
		require.NoError(t, err)
		var m slackMessage
		require.NoError(t, json.Unmarshal(body, &m))
		require.NotEmpty(t, m.Text)
		assert.LessOrEqual(t, len(m.Blocks), 50)
		everything := m.Text
		for _, b := range m.Blocks {
			if b.Text != nil {
				most := 3000
				if b.Type == "header" {
					most = 150
					assert.Equal(t, "plain_text", b.Text.Type)
				}
				assert.LessOrEqual(t, len([]rune(strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(b.Text.Text))), most, name)
				everything += b.Text.Text
			}
			assert.LessOrEqual(t, len(b.Fields), 10)
			for _, f := range b.Fields {
				everything += f.Text
			}
			if b.Type == "actions" {
				assert.NotEmpty(t, b.Elements)
			}
		}
		assert.NotContains(t, everything, "<")
		for _, call := range []string{"@channel", "@here", "@everyone"} {
			assert.NotContains(t, everything, call)
		}
		assert.NotContains(t, strings.ReplaceAll(everything, "&amp;", ""), "& ")
	}
}

func TestTeamsIsSmallEnough(t *testing.T) {
	e := samples["attack"]
	for range 30 {
		e.Data.Facts = append(e.Data.Facts, events.Fact{Name: strings.Repeat("n", 500), Value: strings.Repeat("v", 5000)})
		e.Data.Links = append(e.Data.Links, events.Link{Name: "x", URL: "https://x.example"})
	}
	body, err := Teams(e, "Acme")
	require.NoError(t, err)
	assert.Less(t, len(body), 28<<10)
	assert.NotContains(t, string(body), `"TextBlock"`, "its text would be Markdown")
}

func TestASignatureIsOfTimeAndBody(t *testing.T) {
	at := time.Unix(1764392706, 0)
	// Computed with: printf '1764392706.{"id":"evt_1"}' | openssl dgst -sha256 -hmac 'a secret that signs events'
	const want = "t=1764392706,v1=5b7938d9f597e51cfcc9a6343f04e7b945009be8f4fc9e2d0af315ccaab1ea25,v1=66ff61841050097b4a361f5dcc44cb21032b684bcdedea4efd283fcd28072c35"
	got := Sign([]byte(`{"id":"evt_1"}`), []string{"a secret that signs events", "the one of last month"}, at)
	assert.Equal(t, want, got)
	assert.NotEqual(t, got, Sign([]byte(`{"id":"evt_1"}`), []string{"a secret that signs events", "the one of last month"}, at.Add(time.Second)))
}
