package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// consolePages returns the console, for people who have signed in. ctx ends whatever outlives a request.
func (s *Server) consolePages(ctx context.Context) http.Handler {
	return console.Handler(console.Deps{Config: s.Config, Ledger: s.Ledger, Actions: consoleActions{s.Service}, Log: s.Log, Stop: ctx, Refused: s.desk.Refused, Thumbs: s.thumbs, Progress: s.Progress})
}

// stopping returns a context that is done when the server stops.
func (s *Server) stopping() context.Context {
	if s.stop == nil { // not serving, as in tests
		return context.Background()
	}
	return s.stop
}

// consoleActions does for the console what the routes do for API clients.
type consoleActions struct{ s *control.Service }

// refused turns errors that say why something is not possible now into the console's refusals.
func refused(err error) error {
	var no *control.Refusal
	var field *control.FieldError
	switch {
	case errors.As(err, &no):
		return &console.Refused{Why: no.Why}
	case errors.As(err, &field):
		return &console.Refused{Why: field.Problem}
	}
	return err
}

func (a consoleActions) StartArchive(ctx context.Context, t *config.Tenant, id, requestedBy string) error {
	p, err := a.s.Platform(t)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, clickTimeLimit)
	defer cancel()
	project, err := p.Project(asking, id)
	switch rest.ClassOf(err) {
	case rest.NotFound, rest.Permanent:
		return &console.Refused{Why: "no such project, or this tenant's Frame.io sign-in has no access to it"}
	case rest.Unauthorized, rest.Forbidden:
		return &console.Refused{Why: redact.Scrub(err.Error())}
	}
	if err != nil {
		return err
	}
	if !IsAddress(requestedBy) {
		requestedBy = "" // it is where mail goes
	}
	_, err = a.s.StartArchive(context.WithoutCancel(ctx), t, project, requestedBy)
	return refused(err)
}

func (a consoleActions) RetryArchive(ctx context.Context, t *config.Tenant, id string) error {
	_, err := a.s.RetryArchive(context.WithoutCancel(ctx), t, id)
	return refused(err)
}

func (a consoleActions) RetryItem(ctx context.Context, t *config.Tenant, id, item string) error {
	_, err := a.s.RetryItem(context.WithoutCancel(ctx), t, id, item)
	return refused(err)
}

func (a consoleActions) CancelArchive(ctx context.Context, t *config.Tenant, id string) error {
	_, err := a.s.CancelArchive(context.WithoutCancel(ctx), t, id)
	return refused(err)
}

func (a consoleActions) MoveArchive(ctx context.Context, t *config.Tenant, id string, position int) error {
	_, err := a.s.MoveArchive(context.WithoutCancel(ctx), t, id, position)
	return refused(err)
}

func (a consoleActions) ExtendReview(ctx context.Context, t *config.Tenant, id, expires string) error {
	until, wrong := control.ParseExpiry(expires, time.Now(), 0, t.Review.Longest)
	if wrong != nil {
		return refused(wrong)
	}
	_, err := a.s.ControlReview(context.WithoutCancel(ctx), t, id, control.VerbExtend, until)
	return refused(err)
}

func (a consoleActions) StopReview(ctx context.Context, t *config.Tenant, id string) error {
	_, err := a.s.ControlReview(context.WithoutCancel(ctx), t, id, control.VerbStop, time.Time{})
	return refused(err)
}

func (a consoleActions) SyncReview(ctx context.Context, t *config.Tenant, id string) error {
	_, err := a.s.ControlReview(context.WithoutCancel(ctx), t, id, control.VerbSync, time.Time{})
	return refused(err)
}

func (a consoleActions) ResendReview(ctx context.Context, t *config.Tenant, id string) error {
	return refused(a.s.ResendReview(context.WithoutCancel(ctx), t, id))
}

func (a consoleActions) BothSides(ctx context.Context, t *config.Tenant, id string) (console.Sides, error) {
	read, err := a.s.ReadBothSides(ctx, t, id)
	if errors.Is(err, control.ErrNoReview) {
		err = &console.Refused{Why: err.Error()}
	}
	out := console.Sides{Listed: read.Listed, LinkSeen: read.LinkSeen, MoreAssets: read.MoreAssets}
	for _, p := range read.Reviewers {
		out.Reviewers = append(out.Reviewers, console.Reviewer(p))
	}
	for _, s := range read.Assets {
		one := console.AssetSides{N: s.N, Title: s.Title, Label: s.Label, Problem: s.Problem, More: s.More}
		for _, p := range s.Pairs {
			one.Pairs = append(one.Pairs, console.Pair{Frame: p.Frame, Frameio: console.Side(p.Frameio), Iconik: console.Side(p.Iconik), Differ: p.Differ})
		}
		out.Assets = append(out.Assets, one)
	}
	return out, err
}

func (a consoleActions) Thumbnail(ctx context.Context, t *config.Tenant, id string, n int) (console.File, error) {
	picture, mediaType, err := a.s.Thumbnail(ctx, t, id, n)
	return console.File{MediaType: mediaType, Body: picture}, err
}

func (a consoleActions) ItemThumbnail(ctx context.Context, t *config.Tenant, it ledger.Item) (console.File, error) {
	picture, mediaType, err := a.s.ItemThumbnail(ctx, t, it)
	return console.File{MediaType: mediaType, Body: picture}, err
}

func (a consoleActions) Export(ctx context.Context, t *config.Tenant, id, format, asset string) (console.File, error) {
	row, ok, err := a.s.Ledger.Tenant(t.ID).Review(id).Get(ctx)
	if err != nil {
		return console.File{}, err
	}
	if !ok {
		return console.File{}, &console.Refused{Why: "there is no such review"}
	}
	f, err := a.s.Export(ctx, row, format, asset)
	if errors.Is(err, control.ErrNoFormat) || errors.Is(err, control.ErrNoAsset) || errors.Is(err, export.ErrTooLong) {
		err = &console.Refused{Why: err.Error()}
	}
	return console.File(f), err
}

func (a consoleActions) Projects(ctx context.Context, t *config.Tenant) ([]console.Project, error) {
	all, err := a.s.Projects(ctx, t)
	out := make([]console.Project, len(all))
	for i, p := range all {
		out[i] = console.Project{ID: p.ID, Name: p.Name, Team: p.Team, Bytes: -1, State: p.State(), Archive: p.Archive}
		if p.Bytes != nil {
			out[i].Bytes = *p.Bytes
		}
	}
	return out, err
}

func (a consoleActions) Plan(ctx context.Context, t *config.Tenant, project string) (workflows.Plan, error) {
	return a.s.Plan(ctx, t, project)
}

func (a consoleActions) Doctor(ctx context.Context, t *config.Tenant) doctor.Report {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeLimit)
	defer cancel()
	return a.s.Examine(ctx, t)
}

func (a consoleActions) SignedIn(ctx context.Context, t *config.Tenant) (time.Time, bool) {
	return control.SignedIn(a.s.Ledger)(ctx, t)
}

func (a consoleActions) SignInURL(t *config.Tenant, redirect, state string) (string, error) {
	to, err := a.s.SignInURL(t, redirect, state)
	return to, refused(err)
}

func (a consoleActions) SignIn(ctx context.Context, t *config.Tenant, code, redirect string) (string, error) {
	who, err := a.s.SignIn(context.WithoutCancel(ctx), t, code, redirect)
	return who, refused(err)
}

func (a consoleActions) Budgets(ctx context.Context, t *config.Tenant) ([]console.Budget, error) {
	all, err := a.s.Budgets(ctx, t)
	out := make([]console.Budget, len(all))
	for i, b := range all {
		out[i] = console.Budget{Vendor: b.Vendor, Name: b.Name, Left: b.Left, Of: b.Of, Window: b.Window, PausedUntil: b.PausedUntil, Refused: b.Refused.Count, RefusedAt: b.Refused.Last}
	}
	return out, err
}

func (a consoleActions) Step(ctx context.Context, t *config.Tenant, id string) (string, error) {
	return a.s.ArchiveStep(ctx, t, id)
}

func (a consoleActions) AsItStands(ctx context.Context, row ledger.Archive) ledger.Archive {
	return a.s.AsItStands(ctx, row)
}

func (a consoleActions) TemporalReady(ctx context.Context) error {
	return temporalclient.Ready(ctx, a.s.Temporal, a.s.Config().Temporal.Namespace)
}
