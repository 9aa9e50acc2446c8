package activities

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

type noMailServer struct{ asked int }

func (s *noMailServer) Send(context.Context, mail.Message) error {
	s.asked++
	return &mail.SendError{Cause: errors.New("connection refused")}
}

// A step of a review is tried again for a while when its mail cannot be sent, and goes on without it afterwards.
func TestAReviewGoesOnWithoutItsMail(t *testing.T) {
	book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	client, err := iconik.New(config.Iconik{BaseURL: "http://127.0.0.1:1", AppID: "app", AuthToken: "token"})
	require.NoError(t, err)
	server := &noMailServer{}
	acts := &Activities{Config: &config.Config{}, Ledger: book, Log: slog.New(slog.DiscardHandler), mailer: server}
	r := &review{tenant: &tenant{Activities: acts, cfg: &config.Tenant{ID: "T"}, iconik: client}, ref: workflows.ReviewRef{Tenant: "T", Review: "R"},
		row: ledger.Review{Tenant: "T", ID: "R", RequestedBy: ledger.Person{Email: "ed@post.example"}}}
	send := func() error {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		act := func(ctx context.Context) error { return r.mail(ctx, "ended", "It has ended", "") }
		env.RegisterActivity(act)
		_, err := env.ExecuteActivity(act)
		return err
	}
	require.Error(t, send())
	defer func(before time.Duration) { mailPatience = before }(mailPatience)
	mailPatience = -time.Hour
	require.NoError(t, send())
	require.Equal(t, 2, server.asked)
}
