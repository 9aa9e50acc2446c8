package contract

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// values returns the values of the collection with a title.
func (c *cleared) values(title string) map[string]string {
	return c.iconik.Values("collections", c.collection(title, func(map[string]any) {}))
}

// The details of a share, a collection, a folder and the project follow in the run that sees them change, like their contents.
func TestSettingsThatChangeDuringARunFollow(t *testing.T) {
	t.Parallel()
	until := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		do           func(c *cleared)
		title, field string
		want         string
	}{
		"share": {do: func(c *cleared) { c.frameio.EditShare(c.share, func(s *frameiosim.Share) { s.ExpiresAt = &until }) }, title: "For Rita", field: "framebridge_settings", want: "2027-03-01"},
		"collection": {do: func(c *cleared) {
			c.frameio.EditCollection(c.coll, func(x *frameiosim.Collection) { x.Description = "Only the best" })
		}, title: "Selects", field: "framebridge_description", want: "Only the best"},
		"project": {do: func(c *cleared) { c.frameio.Rename(c.project.ID, "Other stacks - Archived") }, title: "Other stacks", field: "framebridge_source_id", want: "-"},
		"folder": {do: func(c *cleared) {
			c.frameio.SetField(c.day, c.frameio.AddField("Slate", "text"), "12A")
		}, title: "Day 1", field: "framebridge_fields", want: "12A"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCleared(t)
			c.beforeCompare = func() { tt.do(c) }
			fin := c.again(t)
			require.Equal(t, "verified", fin.Status, fin.Reason)
			assert.Contains(t, c.values(tt.title)[tt.field], tt.want, "%v", c.values(tt.title))
			assert.False(t, c.again(t).Changed)
		})
	}
}

// Somebody looking at a share does not change the project: a mirror would write a report each night.
func TestALookAtAShareIsNoChange(t *testing.T) {
	t.Parallel()
	c := openCleared(t)
	c.run()
	now := time.Now()
	c.frameio.EditShare(c.share, func(s *frameiosim.Share) { s.LastViewed = &now })
	assert.False(t, c.again(t).Changed)
	c.frameio.EditShare(c.share, func(s *frameiosim.Share) { s.Downloads = !s.Downloads })
	assert.True(t, c.again(t).Changed)
	assert.Contains(t, c.values("For Rita")["framebridge_settings"], "last_viewed_at")
}
