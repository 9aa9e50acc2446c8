package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/untrusted"
	"github.com/framebridge/framebridge/workflows"
)

const (
	clickTimeout = 2 * time.Second  // of each question to iconik while somebody waits
	sameClick    = 10 * time.Second // two of one content within this are one click
)

// click is what iconik posts when somebody uses a custom action.
type click struct {
	UserID         string                     `json:"user_id"`
	SystemDomainID string                     `json:"system_domain_id"`
	Context        string                     `json:"context"`
	ActionID       string                     `json:"action_id"`
	AssetIDs       []string                   `json:"asset_ids"`
	CollectionIDs  []string                   `json:"collection_ids"`
	Values         map[string]json.RawMessage `json:"metadata_values"`
	DateCreated    string                     `json:"date_created"`
	AuthToken      string                     `json:"auth_token"` // the user's own; used at once and never kept
}

// wrongID names the first field that holds something else than ids of iconik.
func (in click) wrongID() string {
	for _, f := range []struct {
		name string
		ids  []string
	}{{"asset_ids", in.AssetIDs}, {"collection_ids", in.CollectionIDs}} {
		for _, id := range f.ids {
			if untrusted.ID(f.name, id, "") != nil {
				return f.name
			}
		}
	}
	if in.UserID != "" && untrusted.ID("user_id", in.UserID, "") != nil {
		return "user_id"
	}
	return ""
}

// readClick decodes a click and checks from which iconik domain it comes.
func (s *service) readClick(c *gin.Context) (click, bool) {
	var in click
	if err := json.Unmarshal(bodyOf(c), &in); err != nil {
		fail(c, http.StatusBadRequest, "", "the body is not valid JSON from iconik")
		return in, false
	}
	if field := in.wrongID(); field != "" {
		fail(c, http.StatusBadRequest, field, "not an iconik ID: iconik's IDs are UUIDs")
		return in, false
	}
	t := tenantIn(c)
	want, err := s.domain(c.Request.Context(), t)
	if err != nil {
		s.log.WarnContext(c, "could not check the click's iconik domain: iconik does not report the token's domain", "tenant", t.ID, "error", err)
	}
	if want != "" && in.SystemDomainID != "" && !strings.EqualFold(in.SystemDomainID, want) {
		fail(c, http.StatusUnprocessableEntity, "system_domain_id", "the click comes from a different iconik domain than this tenant's")
		return in, false
	}
	return in, true
}

// domain asks iconik once which domain the tenant's token is for.
func (s *service) domain(ctx context.Context, t *config.Tenant) (string, error) {
	if id, ok := s.domains.Load(t); ok {
		return id.(string), nil
	}
	ctx, cancel := context.WithTimeout(ctx, clickTimeout)
	defer cancel()
	ick, err := s.iconik(t)
	if err != nil {
		return "", err
	}
	id, err := ick.Users.SystemDomain(ctx)
	if err == nil && id != "" {
		s.domains.Store(t, id)
	}
	return id, err
}

func (s *service) iconik(t *config.Tenant) (*iconik.Client, error) {
	if c, ok := s.iconiks.Load(t); ok {
		return c.(*iconik.Client), nil
	}
	c, err := iconik.New(t.Iconik)
	if err == nil {
		s.iconiks.Store(t, c)
	}
	return c, err
}

// clickedBy resolves who clicked, by the user's own token, and else by the id that iconik names.
func (s *service) clickedBy(ctx context.Context, t *config.Tenant, in click) ledger.Person {
	ctx, cancel := context.WithTimeout(ctx, clickTimeout)
	defer cancel()
	if in.AuthToken != "" {
		own := t.Iconik
		own.AuthToken = config.Secret(in.AuthToken)
		if c, err := iconik.New(own); err == nil {
			if u, err := c.Users.Current(ctx); err == nil && (u.ID == in.UserID || in.UserID == "") {
				return ledger.Person{ID: u.ID, Name: u.FullName(), Email: u.Email}
			}
		}
	}
	if c, err := s.iconik(t); err == nil && in.UserID != "" {
		if u, err := c.Users.Get(ctx, in.UserID); err == nil {
			return ledger.Person{ID: u.ID, Name: u.FullName(), Email: u.Email}
		}
	}
	return ledger.Person{ID: in.UserID}
}

// form gives the action's values the shape that mapping reads; any scalar will do.
func (in click) form() map[string][]string {
	out := map[string][]string{}
	for name, raw := range in.Values {
		var v struct {
			Values []struct {
				Value any `json:"value"`
			} `json:"field_values"`
		}
		if json.Unmarshal(raw, &v) != nil {
			continue
		}
		for _, f := range v.Values {
			if f.Value != nil {
				out[name] = append(out[name], fmt.Sprint(f.Value))
			}
		}
	}
	return out
}

// content tells one click from another: who, on what, with which values.
func (in click) content() string {
	assets, collections, form := slices.Clone(in.AssetIDs), slices.Clone(in.CollectionIDs), in.form()
	sort.Strings(assets)
	sort.Strings(collections)
	raw, _ := json.Marshal([]any{in.UserID, assets, collections, form})
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// sendAction starts a review of what was clicked. A mistake in the form is shown in iconik as a failed job, too.
func (s *service) sendAction(c *gin.Context) {
	in, ok := s.readClick(c)
	if !ok {
		return
	}
	t := tenantIn(c)
	now := time.Now().UTC()
	form, mistake := parseForm(in.form(), formRules{Now: now, Default: t.Review.Lasts, Longest: t.Review.Longest, Forensic: t.Review.ForensicWatermark, DRM: t.Review.DRM})
	switch {
	case len(in.AssetIDs)+len(in.CollectionIDs) == 0:
		mistake = &formError{Field: "asset_ids", Problem: "Choose at least one asset or collection."}
	case len(in.AssetIDs) > workflows.MaxReviewAssets:
		mistake = &formError{Field: "asset_ids", Problem: fmt.Sprintf("You selected %d assets, but a review can have at most %d: select fewer.", len(in.AssetIDs), workflows.MaxReviewAssets)}
	case mistake == nil && form.Passphrase != "" && !s.ledger.CanKeepTokens():
		mistake = &formError{Field: "framebridge_passphrase", Problem: "Framebridge cannot store a passphrase: ask your administrator to set ledger.encryption_key."}
	}
	if mistake != nil {
		s.showMistake(c.Request.Context(), t, in, mistake.Problem)
		fail(c, http.StatusUnprocessableEntity, mistake.Field, mistake.Problem)
		return
	}
	content := in.content()
	row := ledger.Review{
		Tenant: t.ID, ID: uuid.NewString(), Status: ledger.ReviewSending, Title: form.Title, Message: form.Message, Quality: form.Quality, Download: form.Download, Forensic: form.Forensic, DRM: form.DRM,
		Passphrase: form.Passphrase != "", Reviewers: form.Reviewers, RequestedBy: s.clickedBy(c.Request.Context(), t, in), Click: content,
		ClickedAssets: in.AssetIDs, ClickedCollections: in.CollectionIDs, ExpiresAt: form.Expires, CreatedAt: now,
	}
	row.ClickedAt = now
	if at, err := time.Parse("2006-01-02T15:04:05.999999999", strings.TrimSuffix(in.DateCreated, "Z")); err == nil && at.Before(now) {
		row.ClickedAt = at // by iconik's own clock, which also dates the comments
	}
	if in.DateCreated != "" { // the very same click, however late it comes again
		row.ID = uuid.NewSHA1(uuid.NameSpaceURL, []byte(t.ID+content+in.DateCreated)).String()
	}
	out, err := s.startReview(c.Request.Context(), t, row, form.Passphrase)
	if err != nil {
		s.showMistake(c.Request.Context(), t, in, "Framebridge could not start the review. Try again in a minute.")
		s.failWith(c, err, "")
		return
	}
	c.Set("workflow_id", out.WorkflowID)
	c.JSON(http.StatusAccepted, out)
}

// showMistake leaves a failed job where the user clicked; nobody waits for it longer than a moment.
func (s *service) showMistake(ctx context.Context, t *config.Tenant, in click, problem string) {
	ctx, cancel := context.WithTimeout(ctx, clickTimeout)
	defer cancel()
	ick, err := s.iconik(t)
	if err == nil {
		title, terr := ick.Clicked(ctx, in.AssetIDs, in.CollectionIDs)
		if terr != nil {
			s.log.InfoContext(ctx, "a form error is shown without the asset's title", "tenant", t.ID, "error", terr)
		}
		_, err = ick.Jobs.Create(ctx, iconik.EndedJob(workflows.ReviewJobType, title, in.AssetIDs, in.CollectionIDs, "FAILED", problem))
	}
	if err != nil {
		s.log.WarnContext(ctx, "could not show a form error in iconik", "tenant", t.ID, "error", err)
	}
}

// controlAction acts on the reviews of the clicked assets.
func (s *service) controlAction(verb string) gin.HandlerFunc {
	return func(c *gin.Context) {
		in, ok := s.readClick(c)
		if !ok {
			return
		}
		t := tenantIn(c)
		ids, err := s.reviewsOf(c.Request.Context(), t, in)
		if err != nil {
			s.failWith(c, errors.Join(errUnavailable, err), "")
			return
		}
		if len(ids) == 0 {
			problem := "None of the selected assets is in a review that can be changed."
			s.showMistake(c.Request.Context(), t, in, problem)
			fail(c, http.StatusUnprocessableEntity, "asset_ids", problem)
			return
		}
		var until time.Time
		if verb == verbExtend {
			text := strings.Join(in.form()["framebridge_expires"], " ")
			if strings.TrimSpace(text) == "" {
				s.mistake(c, t, in, "framebridge_expires", "Enter a new expiry date.")
				return
			}
			var wrong *formError
			if until, wrong = parseExpiry(text, formRules{Now: time.Now(), Longest: t.Review.Longest}); wrong != nil {
				s.mistake(c, t, in, wrong.Field, wrong.Problem)
				return
			}
		}
		var done accepted
		var refused *refusal
		ctx := clickedByUser(c.Request.Context(), s.clickedBy(c.Request.Context(), t, in))
		for _, id := range ids {
			out, err := s.controlReview(ctx, t, id, verb, until)
			switch {
			case err == nil:
				done = out
			case !errors.As(err, &refused):
				s.failWith(c, err, "asset_ids")
				return
			}
		}
		if done.ID == "" { // none took it
			s.mistake(c, t, in, "asset_ids", refused.why)
			return
		}
		c.JSON(http.StatusAccepted, done)
	}
}

func (s *service) mistake(c *gin.Context, t *config.Tenant, in click, field, problem string) {
	s.showMistake(c.Request.Context(), t, in, problem)
	fail(c, http.StatusUnprocessableEntity, field, problem)
}

// reviewsOf finds the reviews of what was clicked: of each asset those that run, or else the one that ended last.
// Collections are looked into.
func (s *service) reviewsOf(ctx context.Context, t *config.Tenant, in click) ([]string, error) {
	assets := slices.Clone(in.AssetIDs)
	if len(in.CollectionIDs) > 0 {
		ctx, cancel := context.WithTimeout(ctx, startTimeout)
		defer cancel()
		ick, err := s.iconik(t)
		if err != nil {
			return nil, err
		}
		open := slices.Clone(in.CollectionIDs)
		for i := 0; i < len(open) && len(assets) < 10*workflows.MaxReviewAssets; i++ {
			for o, err := range ick.Collections.AllContents(ctx, open[i], "assets,collections") {
				switch {
				case err != nil:
					return nil, err
				case o.ObjectType != "collections":
					assets = append(assets, o.ID)
				case !slices.Contains(open, o.ID):
					open = append(open, o.ID)
				}
			}
		}
	}
	var out []string
	for _, a := range assets {
		rows, err := s.ledger.Tenant(t.ID).ReviewsOfAsset(ctx, a)
		if err != nil {
			return nil, err
		}
		running := slices.ContainsFunc(rows, func(r ledger.Review) bool { return r.Status.Running() })
		for i, r := range rows {
			if (r.Status.Running() || !running && i == 0) && !slices.Contains(out, r.ID) {
				out = append(out, r.ID)
			}
		}
	}
	return out, nil
}
