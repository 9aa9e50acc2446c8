package review

import (
	"context"
	"encoding/json"
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
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

type noMailServer struct{ asked int }

func (s *noMailServer) Send(context.Context, mail.Message) error {
	s.asked++
	return &mail.SendError{Cause: errors.New("connection refused")}
}

// A step of a review keeps trying to send its mail for a while, and then continues without it.
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

// Fields that iconik refused because somebody had deleted their view are written once the view exists again.
func TestFieldsOfADeletedViewAreWrittenLater(t *testing.T) {
	var fields []iconik.ViewField
	for _, f := range mapping.ReviewFields {
		fields = append(fields, iconik.ViewField{Name: f.Name})
	}
	views, err := json.Marshal(map[string]any{"objects": []iconik.View{{ID: "V", Name: mapping.ReviewView, ViewFields: fields}}})
	require.NoError(t, err)
	answers := map[string]string{"/API/metadata/v1/views/": string(views), "/API/assets/v1/assets/A/": `{"id":"A","versions":[{"id":"W"}]}`}
	r := testReview(t, &folder{}, answers, ledger.ReviewAsset{AssetID: "A", VersionID: "W", Title: "Take", State: ledger.AssetReady})
	require.NoError(t, r.publish(t.Context()))
	require.Empty(t, r.asset(t, 1).WrittenHash)
	answers["/API/metadata/v1/assets/A/views/V/"] = `{"metadata_values":{}}`
	require.NoError(t, r.publish(t.Context()))
	require.NotEmpty(t, r.asset(t, 1).WrittenHash)
}
