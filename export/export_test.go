package export

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/mapping"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func clips() []Clip {
	at := func(f int64) *int64 { return &f }
	return []Clip{{Name: "A001.mov", AssetID: "a1", Rate: mapping.Rate{Num: 30000, Den: 1001}, StartTimecode: "00:59:59;28", Frames: 3600, Comments: []Comment{
		{ID: "1", Author: "Rita", Email: "rita@client.example", Text: "Too | dark", Frame: at(1800), Frames: 30, CreatedAt: now},
		{ID: "2", Parent: "1", Author: "Ed", Text: "Fixed", CreatedAt: now.Add(time.Minute)},
		{ID: "3", Author: "Rob", Text: "=Nice work", Completed: true, CreatedAt: now},
		{ID: "4", Author: "Rob", Text: "First frame", Frame: at(0), CreatedAt: now},
	}}}
}

func TestEDL(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, EDL(&b, "Spot 30", clips()))
	assert.Equal(t, `TITLE: Spot 30
FCM: DROP FRAME

001  001      V     C        00:59:59;28 00:59:59;29 00:59:59;28 00:59:59;29
[whole clip] =Nice work / First frame |C:ResolveColorBlue |M:Rob |D:1

002  001      V     C        01:00:59;28 01:01:01;00 01:00:59;28 01:01:01;00
Too ¦ dark / ↳ Ed: Fixed |C:ResolveColorBlue |M:Rita |D:30

`, b.String())
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, CSV(&b, clips()))
	lines := strings.Split(b.String(), "\n")
	assert.Contains(t, lines[1], "'=Nice work", "no spreadsheet takes it for a formula")
	assert.Equal(t, "A001.mov,01:00:59;28,01:01:00;29,1800,30,,Rita,rita@client.example,Too | dark,,no,no,2026-11-24T12:00:00Z,1", lines[3])
}

func TestFCPXML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, FCPXML(&b, "Spot & Co", clips()))
	assert.NoError(t, xml.Unmarshal(b.Bytes(), new(fcpxml)))
	first, _, err := mapping.ParseTimecode("00:59:59;28", mapping.Rate{Num: 30000, Den: 1001})
	require.NoError(t, err)
	assert.Contains(t, b.String(), `frameDuration="1001/30000s"`)
	assert.Contains(t, b.String(), `tcFormat="DF"`)
	assert.Contains(t, b.String(), `<marker start="`+seconds(first+1800, mapping.Rate{Num: 30000, Den: 1001})+`" duration="30030/30000s" value="Too | dark" completed="0" note="Rita">`)
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, JSON(&b, clips()))
	assert.Contains(t, b.String(), `"timecode_in": "01:00:59;28"`)
	assert.Contains(t, b.String(), `"milliseconds": 60060`)
}
