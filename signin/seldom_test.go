package signin

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTheSamePassesOnceAMinute(t *testing.T) {
	var s Seldom
	now := time.Now()
	assert.True(t, s.Pass("a", now))
	assert.False(t, s.Pass("a", now.Add(seldomEvery-1)))
	assert.True(t, s.Pass("b", now))
	assert.True(t, s.Pass("a", now.Add(seldomEvery)))
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var s Seldom
	now := time.Now()
	for i := range seldomMost {
		assert.True(t, s.Pass(strconv.Itoa(i), now))
	}
	assert.False(t, s.Pass("one more", now))
	assert.True(t, s.Pass("one more", now.Add(seldomEvery)))
	assert.Len(t, s.last, 1)
}
