package api

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
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/untrusted"
	"github.com/framebridge/framebridge/workflows"
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
	AuthToken      string                     `json:"auth_token"` // the user's own; used immediately and never stored
}

// wrongID returns the name of the first field that contains something other than iconik IDs, or "".
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

// readClick decodes a click and checks which iconik domain it comes from. If it returns false, it has responded.
func (s *Server) readClick(c *gin.Context) (click, bool) {
	var in click
	if err := json.Unmarshal(bodyOf(c), &in); err != nil {
		notIconik(c, err)
		return in, false
	}
	if field := in.wrongID(); field != "" {
		fail(c, http.StatusBadRequest, field, "not an iconik ID: iconik's IDs are UUIDs")
		return in, false
	}
	received(c, "iconik", c.Request.URL.Path[strings.LastIndexByte(c.Request.URL.Path, '/')+1:], strings.Join(append(slices.Clone(in.AssetIDs), in.CollectionIDs...), " "))
	t := tenantIn(c)
	want, err := s.Domain(c.Request.Context(), t)
	if err != nil {
		s.Log.WarnContext(c, "could not check the click's iconik domain: iconik does not report the token's domain", "tenant", t.ID, "error", err)
	}
	if want != "" && in.SystemDomainID != "" && !strings.EqualFold(in.SystemDomainID, want) {
		fail(c, http.StatusUnprocessableEntity, "system_domain_id", "the click comes from a different iconik domain than this tenant's")
		return in, false
	}
	return in, true
}

// notIconik rejects a body that does not look like iconik's. If a field has the wrong type, it names the field.
func notIconik(c *gin.Context, err error) {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		fail(c, http.StatusBadRequest, kind.Field, kind.Field+" cannot be of the type "+kind.Value)
		return
	}
	fail(c, http.StatusBadRequest, "", "the body is not valid JSON from iconik")
}

// clickedBy returns who clicked, by the user's own token or else by the ID in the click.
func (s *Server) clickedBy(ctx context.Context, t *config.Tenant, in click) ledger.Person {
	ctx, cancel := context.WithTimeout(ctx, control.AskTimeout)
	defer cancel()
	if in.AuthToken != "" {
		own := t.Iconik
		own.AuthToken, own.Credentials = config.Secret(in.AuthToken), nil
		if c, err := iconik.New(own); err == nil {
			if u, err := c.Users.Current(ctx); err == nil && (u.ID == in.UserID || in.UserID == "") {
				return ledger.Person{ID: u.ID, Name: u.FullName(), Email: u.Email}
			}
		}
	}
	if c, err := s.Iconik(t); err == nil && in.UserID != "" {
		if u, err := c.Users.Get(ctx, in.UserID); err == nil {
			return ledger.Person{ID: u.ID, Name: u.FullName(), Email: u.Email}
		}
	}
	return ledger.Person{ID: in.UserID}
}

// form converts the action's values to the form that mapping reads. It accepts any scalar.
func (in click) form() map[string][]string {
	out := map[string][]string{}
	for name, raw := range in.Values {
		var v struct {
			Values []struct {
				Value json.RawMessage `json:"value"`
			} `json:"field_values"`
		}
		if json.Unmarshal(raw, &v) != nil {
			continue
		}
		for _, f := range v.Values {
			if len(f.Value) > 0 && string(f.Value) != "null" {
				out[name] = append(out[name], iconik.Scalar(f.Value))
			}
		}
	}
	return out
}

// clickLag is how long a click may be in transit, and how far iconik's clock may be off from ours.
const clickLag = time.Hour

// at returns when somebody clicked, by iconik's clock, which also dates the comments. Comments from before that time stay in
// iconik. A time that is too far off is replaced by now, because one long past would send old comments.
func (in click) at(now time.Time) time.Time {
	at := iconik.ParseTime(in.DateCreated)
	if at.IsZero() || now.Sub(at).Abs() > clickLag {
		return now
	}
	return at
}

// content returns a hash that distinguishes clicks: by who, on what, with which values.
func (in click) content() string {
	assets, collections, form := slices.Clone(in.AssetIDs), slices.Clone(in.CollectionIDs), in.form()
	sort.Strings(assets)
	sort.Strings(collections)
	raw, _ := json.Marshal([]any{in.UserID, assets, collections, form})
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// sendAction starts a review of what was clicked. A mistake in the form is also shown in iconik, as a failed job.
func (s *Server) sendAction(c *gin.Context) {
	in, ok := s.readClick(c)
	if !ok {
		return
	}
	t := tenantIn(c)
	now := time.Now().UTC()
	form, mistake := parseForm(in.form(), formRules{Now: now, Default: t.Review.Lasts, Longest: t.Review.Longest, Forensic: t.Review.ForensicWatermark, DRM: t.Review.DRM})
	switch {
	case len(in.AssetIDs)+len(in.CollectionIDs) == 0:
		mistake = &control.FieldError{Field: "asset_ids", Problem: "Choose at least one asset or collection."}
	case len(in.AssetIDs) > workflows.MaxReviewAssets:
		mistake = &control.FieldError{Field: "asset_ids", Problem: fmt.Sprintf("You selected %d assets, but a review can have at most %d: select fewer.", len(in.AssetIDs), workflows.MaxReviewAssets)}
	case mistake == nil && form.Passphrase != "" && !s.Ledger.CanKeepTokens():
		mistake = &control.FieldError{Field: "framebridge_passphrase", Problem: "Framebridge cannot store a passphrase: ask your administrator to set ledger.encryption_key."}
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
	row.ClickedAt = in.at(now)
	if in.DateCreated != "" { // the very same click, no matter how late it is repeated
		row.ID = uuid.NewSHA1(uuid.NameSpaceURL, []byte(t.ID+content+in.DateCreated)).String()
	}
	out, err := s.StartReview(c.Request.Context(), t, row, form.Passphrase)
	if err != nil {
		s.showMistake(c.Request.Context(), t, in, "Framebridge could not start the review. Try again in a minute.")
		s.failWith(c, err, "")
		return
	}
	c.Set("workflow_id", out.WorkflowID)
	c.JSON(http.StatusAccepted, out)
}

// showMistake leaves a failed job where the user clicked. It gives up after AskTimeout.
func (s *Server) showMistake(ctx context.Context, t *config.Tenant, in click, problem string) {
	ctx, cancel := context.WithTimeout(ctx, control.AskTimeout)
	defer cancel()
	ick, err := s.Iconik(t)
	if err == nil {
		title, terr := ick.Clicked(ctx, in.AssetIDs, in.CollectionIDs)
		if terr != nil {
			s.Log.InfoContext(ctx, "a form error is shown without the asset's title", "tenant", t.ID, "error", terr)
		}
		_, err = ick.Jobs.Create(ctx, iconik.EndedJob(workflows.ReviewJobType, title, in.AssetIDs, in.CollectionIDs, "FAILED", problem))
	}
	if err != nil {
		s.Log.WarnContext(ctx, "could not show a form error in iconik", "tenant", t.ID, "error", err)
	}
}

// controlAction acts on the reviews of the clicked assets.
func (s *Server) controlAction(verb string) gin.HandlerFunc {
	return func(c *gin.Context) {
		in, ok := s.readClick(c)
		if !ok {
			return
		}
		t := tenantIn(c)
		ids, err := s.reviewsOf(c.Request.Context(), t, in)
		if err != nil {
			s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
			return
		}
		if len(ids) == 0 {
			problem := "None of the selected assets is in a review that can be changed."
			s.showMistake(c.Request.Context(), t, in, problem)
			fail(c, http.StatusUnprocessableEntity, "asset_ids", problem)
			return
		}
		var until time.Time
		if verb == control.VerbExtend {
			text := strings.Join(in.form()["framebridge_expires"], " ")
			if strings.TrimSpace(text) == "" {
				s.mistake(c, t, in, "framebridge_expires", "Enter a new expiry date.")
				return
			}
			var wrong *control.FieldError
			if until, wrong = control.ParseExpiry(text, time.Now(), 0, t.Review.Longest); wrong != nil {
				s.mistake(c, t, in, wrong.Field, wrong.Problem)
				return
			}
		}
		var done control.Accepted
		var refused *control.Refusal
		ctx := control.WithPerson(c.Request.Context(), s.clickedBy(c.Request.Context(), t, in))
		for _, id := range ids {
			out, err := s.ControlReview(ctx, t, id, verb, until)
			switch {
			case err == nil:
				done = out
			case !errors.As(err, &refused):
				s.failWith(c, err, "asset_ids")
				return
			}
		}
		if done.ID == "" { // none accepted it
			s.mistake(c, t, in, "asset_ids", refused.Why)
			return
		}
		c.JSON(http.StatusAccepted, done)
	}
}

func (s *Server) mistake(c *gin.Context, t *config.Tenant, in click, field, problem string) {
	s.showMistake(c.Request.Context(), t, in, problem)
	fail(c, http.StatusUnprocessableEntity, field, problem)
}

// reviewsOf returns the reviews of what was clicked, including the contents of collections: for each asset the running ones,
// or else the one that ended last.
func (s *Server) reviewsOf(ctx context.Context, t *config.Tenant, in click) ([]string, error) {
	assets := slices.Clone(in.AssetIDs)
	if len(in.CollectionIDs) > 0 {
		ctx, cancel := context.WithTimeout(ctx, control.StartTimeout)
		defer cancel()
		ick, err := s.Iconik(t)
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
		rows, err := s.Ledger.Tenant(t.ID).ReviewsOfAsset(ctx, a)
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
