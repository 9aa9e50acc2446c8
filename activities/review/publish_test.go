package review

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

type noMailServer struct{ asked int }

func (s *noMailServer) Send(context.Context, mail.Message) error {
	s.asked++
	return &mail.SendError{Cause: errors.New("connection refused")}
}

// A step of a review is tried again for a while when its mail cannot be sent, and goes on without it afterwards.
func TestAReviewGoesOnWithoutItsMail(t *testing.T) {
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	client, err := iconik.New(config.Iconik{BaseURL: "http://127.0.0.1:1", AppID: "app", AuthToken: "token"})
	require.NoError(t, err)
	server := &noMailServer{}
	log := slog.New(slog.DiscardHandler)
	steps := New(Options{Config: config.Hold(&config.Config{}), Ledger: book, Log: log, WorkflowURL: func(string) string { return "" }})
	ref := workflows.ReviewRef{Tenant: "T", Review: "R"}
	r := steps.of(tenant.New(&config.Tenant{ID: "T"}, book, nil, client, server, log), nil, ref, ledger.Review{Tenant: "T", ID: "R", RequestedBy: ledger.Person{Email: "ed@post.example"}})
	send := func() error { return r.tell(t.Context(), "ended", "It has ended", "") }
	require.Error(t, send())
	steps.mailPatience = -time.Hour
	require.NoError(t, send())
	require.Equal(t, 2, server.asked)
}
