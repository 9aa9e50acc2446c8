package v4

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
)

// A vendor's response with millions of slashes once ended the process: a stack overflow cannot be caught.
func TestAFigureIsReadHoweverManySlashesFollow(t *testing.T) {
	assert.InDelta(t, 23.976, number("24000/1001"), 0.001)
	assert.InDelta(t, 25.0, number(" 25 fps"), 0)
	assert.InDelta(t, 23.976, number("23,976"), 0)
	assert.InDelta(t, 1.0, number(strings.Repeat("1/", 6_000_000)), 0)
}

// One invalid size used to fail the whole page of a listing.
func TestAnOddSizeCostsNoPage(t *testing.T) {
	for text, want := range map[string]int64{`123`: 123, `1e3`: 1000, `"12"`: 12, `1.5`: 1, `-5`: 0, `null`: 0, `{}`: 0, `1e300`: mostBytes, `"x"`: 0, `9007199254740993`: 9007199254740992} {
		var a asset
		require.NoError(t, json.Unmarshal([]byte(`{"file_size":`+text+`}`), &a), text)
		assert.Equal(t, min(want, mostBytes), int64(a.Size), text)
	}
}

// What cannot be decoded of a project or a collection does not affect other members, least of all who may see it.
func TestAnUnreadableTimeLeavesARestrictedProjectRestricted(t *testing.T) {
	for _, raw := range []string{
		`{"created_at":"yesterday","id":"p","restricted":true,"root_folder_id":"r","private":true}`,
		`{"updated_at":17,"id":"p","restricted":"true","root_folder_id":"r","private":"true"}`,
		`{"created_at":null,"id":"p","restricted":true,"root_folder_id":"r","private":true}`,
	} {
		p, c := readProject(json.RawMessage(raw)), readCollection(json.RawMessage(raw))
		assert.True(t, p.Restricted && p.ID == "p" && p.RootID == "r" && p.CreatedAt.IsZero(), "%s: %+v", raw, p)
		assert.True(t, c.Private && c.RootID == "r", "%s: %+v", raw, c)
	}
}

// One invalid time used to fail the whole page of a folder or of a file's comments, on every attempt.
func TestAnOddTimeCostsNoPage(t *testing.T) {
	made := time.Date(2024, 2, 7, 16, 44, 41, 986478000, time.UTC)
	for raw, want := range map[string]time.Time{`"2024-02-07T16:44:41.986478Z"`: made, `"2024-02-07T17:44:41.986478+01:00"`: made, `"2024-02-07 16:44:41.986478Z"`: made,
		`"2024-02-07T16:44:41.986478"`: made, `null`: {}, `""`: {}, `"yesterday"`: {}, `17`: {}, `{}`: {}} {
		var a asset
		require.NoError(t, json.Unmarshal([]byte(`{"created_at":`+raw+`,"updated_at":`+raw+`,"id":"a","type":"file","status":"uploaded"}`), &a), raw)
		d := a.domain(true, nil)
		assert.True(t, d.ID == "a" && d.CreatedAt.Equal(want) && d.UpdatedAt.Equal(want), "%s: %v", raw, d.CreatedAt)
		var c comment
		require.NoError(t, json.Unmarshal([]byte(`{"created_at":`+raw+`,"completed_at":`+raw+`,"text_edited_at":`+raw+`,"attachments":[{"created_at":`+raw+`}],"id":"c"}`), &c), raw)
		said := c.domain("f", "", reading{})
		assert.True(t, said.ID == "c" && said.CreatedAt.Equal(want) && said.EditedAt.Equal(want), "%s: %v", raw, said.CreatedAt)
		assert.Equal(t, raw != `null` && raw != `""`, said.Completed, "it is completed at whatever time that is: %s", raw)
		s := readShare(json.RawMessage(`{"created_at":` + raw + `,"expiration":` + raw + `,"id":"s","access":"secure","enabled":"false","watermark_enabled":"true"}`))
		assert.True(t, s.ID == "s" && s.Access == frameio.AccessSecure && !s.Active && s.Watermark == frameio.WatermarkOn && s.ExpiresAt.Equal(want), "%s: %+v", raw, s)
	}
}
