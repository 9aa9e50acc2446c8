package events

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFilterLetsThroughWhatItNames(t *testing.T) {
	for name, tt := range map[string]struct {
		filter []string
		kind   Kind
		want   bool
	}{
		"none":                    {nil, ArchiveQueued, true},
		"by name":                 {[]string{"archive.failed"}, ArchiveFailed, true},
		"another":                 {[]string{"archive.failed"}, ArchiveVerified, false},
		"pattern":                 {[]string{"review.*"}, ReviewOpen, true},
		"pattern of others":       {[]string{"review.*"}, ArchiveFailed, false},
		"all":                     {[]string{"*"}, VendorPause, true},
		"group":                   {[]string{"archive.finished"}, ArchiveExceptions, true},
		"group of reclaims":       {[]string{"reclaim.ended"}, ReclaimStopped, true},
		"group without":           {[]string{"archive.finished"}, ArchiveQueued, false},
		"urgent":                  {[]string{"urgent"}, SignInRefused, true},
		"not urgent":              {[]string{"urgent"}, ArchiveVerified, false},
		"half a name":             {[]string{"archive.f*"}, ArchiveFailed, false},
		"a test, whatever is set": {[]string{"archive.failed"}, Test, true},
	} {
		assert.Equal(t, tt.want, Wanted(tt.filter, tt.kind), name)
	}
	for _, name := range append(Names(), "*", "archive.*", "vendor.*") {
		assert.True(t, Known(name), name)
	}
	for _, name := range []string{"", "archive", "archive.", "archiv.*", "archive.done", "Archive.Failed"} {
		assert.False(t, Known(name), name)
	}
}

func TestProgressIsMailedOnlyWhereItIsNamed(t *testing.T) {
	assert.True(t, Mailed(nil, MigrationDone))
	assert.False(t, Mailed(nil, MigrationPaused))
	assert.True(t, Mailed([]string{"migration.*"}, MigrationPaused))
	assert.False(t, Mailed([]string{"archive.*"}, MigrationPaused))
	assert.True(t, Mailed([]string{"archive.*"}, Test))
}

func TestAnEventHasOneID(t *testing.T) {
	assert.Equal(t, ID("t", "k"), ID("t", "k"))
	assert.NotEqual(t, ID("t", "k"), ID("u", "k"))
	assert.NotEqual(t, ID("t", "k"), ID("t", "l"))
	assert.NotEqual(t, ID("a", "b"), ID("", "ab"))
	assert.True(t, strings.HasPrefix(ID("t", "k"), "evt_"))
}

func TestEveryKindIsDescribedOnce(t *testing.T) {
	seen := map[Kind]bool{}
	for _, e := range Catalog() {
		assert.NotEmpty(t, e.What)
		assert.False(t, seen[e.Kind], e.Kind)
		seen[e.Kind] = true
		assert.Equal(t, e, e.Kind.Entry())
	}
}

// The manual's table equals the catalog.
func TestTheManualListsEveryEvent(t *testing.T) {
	raw, err := os.ReadFile("../docs/notifications.md")
	require.NoError(t, err)
	_, got, found := strings.Cut(string(raw), "<!-- events -->\n")
	require.True(t, found)
	want := "| event | when | urgent |\n|---|---|---|\n"
	for _, e := range Catalog() {
		want += "| `" + string(e.Kind) + "` | " + e.What + " | " + map[bool]string{true: "yes"}[e.Urgent] + " |\n"
	}
	assert.Equal(t, want, got)
}
