package workflows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnArchivesLabel(t *testing.T) {
	ref := Ref{Tenant: "t", Archive: "p"}
	for name, c := range map[string]struct {
		project   string
		encrypted bool
		summary   string
		named     bool
	}{
		"its project is known":     {"Harbour Lights", false, "Archive of Harbour Lights", true},
		"nobody knows its project": {"", false, "Archive of Frame.io project p", false},
		"histories are encrypted":  {"Harbour Lights", true, "Archive of Harbour Lights", false}, // the summary is encrypted, too
	} {
		t.Run(name, func(t *testing.T) {
			l := LabelArchive(ref, "Acme", c.project, c.encrypted)
			assert.Equal(t, c.summary, l.Summary)
			assert.Equal(t, "Acme", l.Memo["tenant"])
			set := TypedSearchAttributes(l.Tags)
			tenant, _ := set.GetKeyword(AttributeTenant)
			project, _ := set.GetKeyword(AttributeProject)
			status, _ := set.GetKeyword(AttributeStatus)
			called, named := set.GetKeyword(AttributeName)
			assert.Equal(t, []string{"t", "p", "queued"}, []string{tenant, project, status})
			assert.Equal(t, c.named, named)
			if named {
				assert.Equal(t, c.project, called)
			}
		})
	}
	assert.LessOrEqual(t, len(LabelArchive(ref, "Acme", strings.Repeat("ä", 300), false).Summary), 200, "bytes that Temporal takes")
}
