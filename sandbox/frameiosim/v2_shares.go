package frameiosim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

type linkBody struct {
	Name      *string `json:"name"`
	Password  *string `json:"password"`
	ExpiresAt *string `json:"expires_at"`
	Active    *bool   `json:"is_active"`
	Downloads *bool   `json:"enable_downloading"`
	Control   *struct {
		InviteOnly bool `json:"invite_only"`
	} `json:"access_control"`
}

func (in linkBody) apply(w http.ResponseWriter, sh *Share) bool {
	if in.Name != nil {
		sh.Name = *in.Name
	}
	if in.Password != nil {
		sh.Password = *in.Password
	}
	if in.ExpiresAt != nil {
		at, err := time.Parse(time.RFC3339Nano, *in.ExpiresAt)
		if err != nil {
			fail(w, http.StatusUnprocessableEntity, "expires_at is not a time")
			return false
		}
		sh.ExpiresAt = &at
	}
	if in.Active != nil {
		sh.Inactive = !*in.Active
	}
	if in.Downloads != nil {
		sh.Downloads = *in.Downloads
	}
	if in.Control != nil {
		sh.Secure = in.Control.InviteOnly
	}
	return true
}

func (s *Sim) createLink(w http.ResponseWriter, r *http.Request) {
	var in linkBody
	if !decode(w, r, &in) {
		return
	}
	s.mu.RLock()
	p, ok := s.s.Projects[r.PathValue("id")]
	s.mu.RUnlock()
	if !ok {
		notFound(w)
		return
	}
	if in.Name == nil || *in.Name == "" {
		fail(w, http.StatusUnprocessableEntity, "name is required")
		return
	}
	sh := Share{Kind: "review_link", ProjectID: p.ID}
	if !in.apply(w, &sh) {
		return
	}
	made := s.AddShare(sh)
	s.mu.RLock()
	v := s.shareJSON(made)
	s.mu.RUnlock()
	answer(w, 200, v)
	s.fire("reviewlink.created", "reviewlink", made.ID, p.ID)
}

// link returns a request's review link or answers 404. The caller must hold the lock.
func (s *Sim) link(w http.ResponseWriter, r *http.Request) (*Share, bool) {
	sh, ok := s.s.Shares[r.PathValue("id")]
	if !ok || sh.Kind != "review_link" || sh.Deleted != nil {
		notFound(w)
		return nil, false
	}
	return sh, true
}

func (s *Sim) getLink(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if sh, ok := s.link(w, r); ok {
		answer(w, 200, s.shareJSON(sh))
	}
}

func (s *Sim) putLink(w http.ResponseWriter, r *http.Request) {
	var in linkBody
	if !decode(w, r, &in) {
		return
	}
	if in.Name == nil || *in.Name == "" {
		fail(w, http.StatusUnprocessableEntity, "name is required")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh, ok := s.link(w, r); ok && in.apply(w, sh) {
		s.touch()
		answer(w, 200, s.shareJSON(sh))
	}
}

func (s *Sim) deleteLink(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh, ok := s.link(w, r); ok {
		now := time.Now().UTC()
		sh.Deleted = &now
		s.touch()
		answer(w, 200, s.shareJSON(sh))
	}
}

func (s *Sim) linkAssets(replace bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			IDs []string `json:"asset_ids"`
		}
		if !decode(w, r, &in) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		sh, ok := s.link(w, r)
		if !ok {
			return
		}
		for _, id := range in.IDs {
			if a, ok := s.live(id); !ok || a.ProjectID != sh.ProjectID {
				fail(w, http.StatusUnprocessableEntity, "asset "+id+" is not in the link's project")
				return
			}
		}
		if replace {
			sh.Items = nil
		}
		sh.Items = append(sh.Items, in.IDs...)
		s.touch()
		answer(w, 200, s.shareJSON(sh))
	}
}

func (s *Sim) addReviewer(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email   string `json:"email"`
		Message string `json:"message"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, ok := s.link(w, r)
	if !ok {
		return
	}
	if !strings.Contains(in.Email, "@") {
		fail(w, http.StatusUnprocessableEntity, "email is required")
		return
	}
	if !slices.Contains(sh.Reviewers, in.Email) {
		sh.Reviewers = append(sh.Reviewers, in.Email)
	}
	s.s.Mails = append(s.s.Mails, Mail{Share: sh.ID, To: in.Email, Message: in.Message})
	s.touch()
	answer(w, 200, []any{})
}

func (s *Sim) listShares(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := values(s.s.Shares, func(sh *Share) string { return sh.Inserted.Format(time.RFC3339Nano) + sh.ID })
		rows = slices.DeleteFunc(rows, func(sh *Share) bool { return sh.Kind != kind || sh.ProjectID != r.PathValue("id") || sh.Deleted != nil })
		s.list(w, r, len(rows), func(i int) any { return s.shareJSON(rows[i]) })
	}
}

func (s *Sim) shareJSON(sh *Share) map[string]any {
	v := map[string]any{"_type": sh.Kind, "id": sh.ID, "name": sh.Name, "project_id": sh.ProjectID, "short_url": s.shortURL(sh), "has_password": sh.Password != "",
		"expires_at": stampOrNull(sh.ExpiresAt), "inserted_at": stamp(sh.Inserted), "owner": s.userJSON(s.s.User), "view_count": 0, "item_count": len(sh.Items)}
	if sh.Kind == "presentation" {
		v["title"], v["enabled"], v["can_download"], v["layout"] = sh.Name, true, sh.Downloads, "reel"
		v["presentation_items"] = s.shareItems(sh)
		return v
	}
	v["reviewer_count"] = len(sh.Reviewers)
	v["is_active"], v["enable_downloading"], v["enable_comments"], v["allow_approvals"], v["current_version_only"] = !sh.Inactive, sh.Downloads, true, true, false
	v["access_control"] = map[string]any{"invite_only": sh.Secure}
	return v
}

func (s *Sim) shareItems(sh *Share) []any {
	rows := []any{}
	for i, id := range sh.Items {
		if a := s.s.Assets[id]; a == nil || a.Deleted != nil {
			continue
		}
		rows = append(rows, map[string]any{"_type": "item", "index": i, "asset_id": id, "asset": s.assetJSON(s.s.Assets[id], false)})
	}
	return rows
}

func (s *Sim) listShared(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh, ok := s.s.Shares[r.PathValue("id")]
	if !ok || sh.Deleted != nil {
		notFound(w)
		return
	}
	rows := s.shareItems(sh)
	s.list(w, r, len(rows), func(i int) any { return rows[i] })
}
