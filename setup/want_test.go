package setup

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFieldsAreListedOnceAndFormsApart(t *testing.T) {
	fields, formOnly := Fields()
	seen := map[string]bool{}
	for _, f := range fields {
		assert.False(t, seen[f.Name], f.Name)
		seen[f.Name] = true
	}
	assert.True(t, formOnly["framebridge_reviewers"])
	assert.True(t, formOnly["framebridge_expires"], "two forms use it")
	assert.False(t, formOnly["framebridge_review_link"])
	assert.False(t, formOnly["framebridge_source_id"])
}

func TestURL(t *testing.T) {
	assert.Equal(t, "https://host/api/x?tenant-id=0419", URL("https://host/api/", "/x", "0419"))
}

func TestPick(t *testing.T) {
	all := []Option{{"1", "Harbour Films"}, {"2", "Post"}, {"3", "post"}}
	got, err := pick("workspace", []string{"harbour films", "2", "1"}, all)
	assert.NoError(t, err)
	assert.Equal(t, []Option{all[0], all[1]}, got)
	_, err = pick("workspace", []string{"Post"}, all)
	assert.ErrorIs(t, err, ErrChoice, "two are called so")
	_, err = pick("workspace", []string{"Harbor"}, all)
	assert.ErrorContains(t, err, "Harbour Films (1)")
}
