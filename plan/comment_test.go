package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/mapping"
)

// A comment whose date cannot be read does not affect other comments, and is reported.
func TestACommentWithoutADateIsNamed(t *testing.T) {
	kinds := func(c frameio.Comment) (kinds []string) {
		for _, n := range NotCarried([]frameio.Comment{c}, mapping.DrawingFrame{}) {
			kinds = append(kinds, n.Kind)
		}
		return kinds
	}
	assert.Equal(t, []string{"date"}, kinds(frameio.Comment{Text: "when?"}))
	assert.Empty(t, kinds(frameio.Comment{Text: "then", CreatedAt: time.Now()}))
}
