package review

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

// inviting is a Frame.io that only invites.
type inviting struct {
	frameio.Platform
	batch  int
	count  int // of the link's reviewers, as far as it tells
	told   [][]string
	invite func(ctx context.Context, emails []string, sending func(context.Context) error) error
}

func (p *inviting) Capabilities() frameio.Capabilities {
	return frameio.Capabilities{InviteBatch: p.batch}
}

func (p *inviting) Invite(ctx context.Context, _ string, emails []string, _ string, sending func(context.Context) error) error {
	p.told = append(p.told, emails)
	return p.invite(ctx, emails, sending)
}

func (p *inviting) Reviewers(context.Context, string) (frameio.Reviewers, error) {
	return frameio.Reviewers{Count: p.count}, nil
}

func inviter(t *testing.T, p *inviting, reviewers ...string) *review {
	t.Helper()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	row, _, err := book.RequestReview(t.Context(), ledger.Review{Tenant: "T", ID: "R", Status: ledger.ReviewSending, ShareID: "S", Reviewers: reviewers}, 0)
	require.NoError(t, err)
	return &review{ledger: book.Tenant("T").Review("R"), tenant: &tenant.Tenant{Ledger: book.Tenant("T")}, frameio: p, ref: workflows.ReviewRef{Tenant: "T", Review: "R"}, row: row}
}

func sent(ctx context.Context, _ []string, sending func(context.Context) error) error {
	return sending(ctx)
}

// Nobody counts as invited if no request went out, however an attempt ended.
func TestWhoWasNotInvitedIsInvited(t *testing.T) {
	throttled := &rest.Error{Vendor: "Frame.io", Operation: "invite", Class: rest.Throttled}
	for name, died := range map[string]func(cancel func()) func(context.Context, []string, func(context.Context) error) error{
		"it waits for its turn": func(cancel func()) func(context.Context, []string, func(context.Context) error) error {
			return func(ctx context.Context, _ []string, _ func(context.Context) error) error {
				cancel()
				return ctx.Err()
			}
		},
		"refused, the worker stops": func(cancel func()) func(context.Context, []string, func(context.Context) error) error {
			return func(ctx context.Context, _ []string, sending func(context.Context) error) error {
				require.NoError(t, sending(ctx))
				cancel()
				return throttled
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &inviting{batch: 10, count: -1}
			r := inviter(t, p, "rita@client.example", "Sam@client.example")
			ctx, cancel := context.WithCancel(t.Context())
			p.invite = died(cancel)
			require.Error(t, r.invite(ctx))
			p.told, p.invite = nil, sent
			require.NoError(t, r.invite(t.Context()))
			assert.Equal(t, [][]string{{"rita@client.example", "Sam@client.example"}}, p.told)
			assert.Empty(t, r.row.Notes)
			require.NoError(t, r.invite(t.Context()))
			assert.Len(t, p.told, 1, "once")
		})
	}
}

// The reviewers of a deleted link are not those of the link in its place.
func TestReviewersAreCountedByLink(t *testing.T) {
	p := &inviting{invite: sent}
	r := inviter(t, p, "rita@client.example", "sam@client.example")
	require.NoError(t, r.invite(t.Context()))
	r.row.Relinks++
	p.told = nil
	p.invite = func(ctx context.Context, _ []string, sending func(context.Context) error) error {
		require.NoError(t, sending(ctx))
		p.count++
		return &rest.Error{Vendor: "Frame.io", Operation: "invite", Class: rest.Retryable, Uncertain: true}
	}
	require.Error(t, r.invite(t.Context()))
	p.invite = sent
	require.NoError(t, r.invite(t.Context()))
	assert.Equal(t, [][]string{{"rita@client.example"}, {"sam@client.example"}}, p.told)
}
