package workflows

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ReviewStatus answers the status query and every update.
type ReviewStatus struct {
	Phase     string    `json:"phase"`
	Title     string    `json:"title"`
	ShareURL  string    `json:"share_url"`
	ExpiresAt time.Time `json:"expires_at"`
	DeleteAt  time.Time `json:"delete_at"`
	NextSync  time.Time `json:"next_sync"`
	ToIconik  int       `json:"to_iconik"`
	ToFrameio int       `json:"to_frameio"`
	Open      int       `json:"open"`
	Note      string    `json:"note,omitempty"`
}

func (r *review) status() ReviewStatus {
	return ReviewStatus{Phase: r.state.Phase, Title: r.state.Prepared.Title, ShareURL: r.state.ShareURL, ExpiresAt: r.state.ExpiresAt, DeleteAt: r.state.DeleteAt,
		NextSync: r.state.NextSync, ToIconik: r.state.Last.ToIconik, ToFrameio: r.state.Last.ToFrameio, Open: r.state.Last.Open, Note: r.state.Note}
}

// show writes what a person reads in Temporal's UI.
func (r *review) show(ctx workflow.Context) {
	if r.hasSearchAttributes {
		set := []temporal.SearchAttributeUpdate{AttributeStatus.ValueSet(r.state.Phase)}
		if first := r.state.Prepared.FirstAsset; first != "" {
			set = append(set, AttributeAsset.ValueSet(first))
		}
		if at := r.state.ExpiresAt; !at.IsZero() { // replay only checks whether attributes were set, so this needs no marker
			set = append(set, AttributeExpires.ValueSet(at.UTC()))
		}
		if err := workflow.UpsertTypedSearchAttributes(ctx, set...); err != nil {
			workflow.GetLogger(ctx).Warn("search attributes not set", "error", err)
		}
	}
	var b strings.Builder
	b.WriteString(fmt.Sprintf("**%s** — %s\n\n| | |\n|---|---|\n", r.state.Phase, cmp.Or(r.state.Prepared.Title, r.ref.Review)))
	row := func(name, value string) {
		if value != "" {
			b.WriteString(fmt.Sprintf("| %s | %s |\n", name, value))
		}
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	row("link", r.state.ShareURL)
	row("assets", strconv.Itoa(r.state.Prepared.Assets))
	row("comments to iconik", strconv.Itoa(r.state.Last.ToIconik))
	row("comments to Frame.io", strconv.Itoa(r.state.Last.ToFrameio))
	row("open comments", strconv.Itoa(r.state.Last.Open))
	row("expires", at(r.state.ExpiresAt))
	row("next poll", at(r.state.NextSync))
	row("media deletion", at(r.state.DeleteAt))
	if r.state.Note != "" {
		b.WriteString(fmt.Sprintf("\n%s\n", r.state.Note))
	}
	workflow.SetCurrentDetails(ctx, b.String())
}
