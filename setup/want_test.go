package setup

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/rest"
)

// Frame.io allows ten new webhooks per minute. Setting up many workspaces takes longer, but reports no failures.
func TestAChangeWaitsForAsLongAsTheVendorAsks(t *testing.T) {
	tries := 0
	p := &Plan{Changes: []Change{{Op: Create, do: func(context.Context) error {
		if tries++; tries < 3 {
			return &rest.Error{Class: rest.Throttled, RetryAfter: time.Millisecond}
		}
		return nil
	}}}}
	require.NoError(t, p.Apply(t.Context(), nil))
	assert.Equal(t, 3, tries)

	p = &Plan{Changes: []Change{{Op: Create, do: func(context.Context) error { tries++; return errors.New("no") }}}}
	require.Error(t, p.Apply(t.Context(), nil))
	assert.Equal(t, 4, tries, "what is refused is not tried again")
}

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
