package review

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

type outbox chan mail.Message

func (p outbox) Send(_ context.Context, m mail.Message) error { p <- m; return nil }

// folder is a Frame.io that knows one folder of files.
type folder struct {
	frameio.Platform
	files   []frameio.Asset
	deleted []string
	listed  func() // once, after a listing
	locked  error  // for links
	share   frameio.Share
	shown   func() // once, after the link was read
	changed func() // once, after the link was changed
}

func (f *folder) Generation() frameio.Generation { return frameio.V4 }

func (f *folder) Capabilities() frameio.Capabilities { return frameio.Capabilities{} }

func (f *folder) Me(context.Context) (frameio.User, error) {
	return frameio.User{ID: "us", Email: "us@post.example"}, nil
}

func (f *folder) Children(context.Context, string, string) (frameio.Page[frameio.Asset], error) {
	page := frameio.Page[frameio.Asset]{Items: f.files}
	if f.listed != nil {
		f.listed()
		f.listed = nil
	}
	return page, nil
}

func (f *folder) Asset(_ context.Context, id string) (frameio.Asset, error) {
	for _, a := range f.files {
		if a.ID == id {
			return a, nil
		}
	}
	return frameio.Asset{}, &rest.Error{Vendor: "Frame.io", Class: rest.NotFound}
}

func (f *folder) Versions(_ context.Context, stack frameio.Asset) (versions []frameio.Asset, err error) {
	for _, a := range f.files {
		if a.ParentID == stack.ID {
			versions = append(versions, a)
		}
	}
	return versions, nil
}

func (f *folder) Delete(_ context.Context, a frameio.Asset) error {
	f.deleted = append(f.deleted, a.ID)
	f.files = slices.DeleteFunc(slices.Clone(f.files), func(had frameio.Asset) bool { return had.ID == a.ID })
	return nil
}

func (f *folder) UpdateShare(_ context.Context, _ string, change frameio.ShareChange) error {
	if f.locked == nil && change.ExpiresAt != nil {
		f.share.ExpiresAt = *change.ExpiresAt
	}
	if f.locked == nil && change.Active != nil {
		f.share.Active = *change.Active
	}
	once(&f.changed)
	return f.locked
}

func (f *folder) ShareByID(context.Context, string) (frameio.Share, error) {
	defer once(&f.shown)
	return f.share, nil
}

func once(f *func()) {
	if do := *f; do != nil {
		*f = nil
		do()
	}
}

// testReview returns a review with rows, an iconik that answers by path, and a Frame.io with one folder.
func testReview(t *testing.T, fio *folder, answers map[string]string, rows ...ledger.ReviewAsset) *review {
	t.Helper()
	return mailingReview(t, fio, nil, answers, rows...)
}

// forbidden is the body of a 403 response.
const forbidden = `{"errors":["Permission denied"]}`

// mailingReview is a testReview whose mail goes to sender.
func mailingReview(t *testing.T, fio *folder, sender tenant.Sender, answers map[string]string, rows ...ledger.ReviewAsset) *review {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.Path]
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			body = `{"errors":["not found"]}`
		case body == forbidden:
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	ick, err := iconik.New(config.Iconik{BaseURL: srv.URL, AppID: "a", AuthToken: "t"})
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	one := tenant.New(&config.Tenant{ID: "T"}, book, fio, ick, sender, log)
	steps := New(Options{Config: config.Hold(&config.Config{}), Ledger: book, Log: log, WorkflowURL: func(string) string { return "" },
		Tenant: func(string) (*tenant.Tenant, frameio.Platform, error) { return one, fio, nil }})
	now := time.Now().UTC()
	_, _, err = book.RequestReview(t.Context(), ledger.Review{Tenant: "T", ID: "R0000000", Click: "R0000000", Status: ledger.ReviewSending, FolderID: "F", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, time.Second)
	require.NoError(t, err)
	_, err = book.Tenant("T").Review("R0000000").AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset { return rows })
	require.NoError(t, err)
	r, err := steps.review(t.Context(), workflows.ReviewRef{Tenant: "T", Review: "R0000000"})
	require.NoError(t, err)
	return r
}

func (r *review) asset(t *testing.T, n int) ledger.ReviewAsset {
	t.Helper()
	it, ok, err := r.ledger.Asset(t.Context(), n)
	require.NoError(t, err)
	require.True(t, ok)
	return it
}
