package v4

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A vendor's answer of millions of slashes ended the process: the stack cannot be caught.
func TestAFigureIsReadHoweverManySlashesFollow(t *testing.T) {
	assert.InDelta(t, 23.976, number("24000/1001"), 0.001)
	assert.InDelta(t, 25.0, number(" 25 fps"), 0)
	assert.InDelta(t, 23.976, number("23,976"), 0)
	assert.InDelta(t, 1.0, number(strings.Repeat("1/", 6_000_000)), 0)
}
