package frameiosim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

func (s *Sim) shareV4(sh *Share) map[string]any {
	v := map[string]any{"id": sh.ID, "name": sh.Name, "access": map[bool]string{true: "secure", false: "public"}[sh.Secure], "short_url": s.shortURL(sh), "enabled": !sh.Inactive, "commenting_enabled": true, "downloading_enabled": sh.Downloads,
		"expiration": stampV4OrNull(sh.ExpiresAt), "passphrase": nullable(sh.Password), "description": nullable(sh.Description), "collection_id": s.collectionOf(sh), "last_viewed_at": stampV4OrNull(sh.LastViewed), "created_at": stampV4(sh.Inserted), "updated_at": stampV4(sh.Inserted)}
	if s.o.Shares != Shares202607 {
		v["watermark_enabled"] = sh.Watermark
		if s.o.Policy.Forensic {
			v["forensic_watermark_enabled"] = sh.Forensic
		}
		if s.o.Policy.DRM {
			v["drm_enabled"] = sh.DRM
		}
	}
	return v
}

// collectionOf returns the collection that a share shows: one that people made, or the one made for the share.
func (s *Sim) collectionOf(sh *Share) string {
	if c := s.ofCollection(sh); c != nil {
		return c.ID
	}
	return sh.ID
}

// shownBy lists a share's members and everything below them.
func (s *Sim) shownBy(sh *Share) []string {
	members := sh.Items
	if c := s.ofCollection(sh); c != nil {
		members = c.Items
	}
	var out []string
	var add func(ids []string)
	add = func(ids []string) {
		for _, id := range ids {
			if a := s.s.Assets[id]; a != nil && a.Deleted == nil && !slices.Contains(out, id) {
				out = append(out, id)
				add(s.kids[id])
			}
		}
	}
	add(members)
	return out
}

func (s *Sim) shareRoutesV4(on func(string, http.HandlerFunc)) {
	on("GET projects/{id}/shares", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := slices.DeleteFunc(values(s.s.Shares, func(sh *Share) string { return sh.Inserted.Format(time.RFC3339Nano) + sh.ID }), func(sh *Share) bool {
			return sh.ProjectID != r.PathValue("id") || sh.Deleted != nil
		})
		pageV4(w, r, 100, len(rows), func(i int) any { return s.shareV4(rows[i]) })
	})
	on("POST projects/{id}/shares", s.createShareV4)
	on("GET shares/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if sh, ok := s.liveShareV4(w, r); ok {
			data(w, 200, s.shareV4(sh))
		}
	})
	on("PATCH shares/{id}", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, s.shareFieldsV4()...)
		if !ok {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if detail, pointer := s.o.Policy.refuse(in); detail != "" {
			failV4(w, http.StatusUnprocessableEntity, detail, pointer)
			return
		}
		if sh, ok := s.liveShareV4(w, r); ok {
			s.takeShareV4(sh, in)
			s.touch()
			data(w, 200, s.shareV4(sh))
		}
	})
	on("DELETE shares/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if sh, ok := s.liveShareV4(w, r); ok {
			now := time.Now()
			sh.Deleted = &now
			s.touch()
			w.WriteHeader(http.StatusNoContent)
		}
	})
	on("GET shares/{id}/assets", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		sh, ok := s.liveShareV4(w, r)
		if !ok {
			return
		}
		ids := s.shownBy(sh)
		pageV4(w, r, 100, len(ids), func(i int) any { return s.assetV4(s.s.Assets[ids[i]], "") })
	})
	on("POST shares/{id}/assets", s.addToShareV4)
	on("GET shares/{id}/reviewers", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if sh, ok := s.liveShareV4(w, r); ok {
			who := sh.Reviewers
			if !sh.Secure { // people get a public share's link without becoming its reviewers
				who = nil
			}
			pageV4(w, r, 100, len(who), func(i int) any { return s.userV4(User{Email: who[i], Name: who[i]}) })
		}
	})
	on("POST shares/{id}/reviewers", s.inviteV4)
}

func (s *Sim) addToShareV4(w http.ResponseWriter, r *http.Request) {
	in, ok := bodyV4(w, r, "asset_id")
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, ok := s.liveShareV4(w, r)
	if !ok {
		return
	}
	if slices.Contains(s.shownBy(sh), fmt.Sprint(in["asset_id"])) {
		failV4(w, http.StatusConflict, "Conflict", "")
		return
	}
	sh.Items = append(sh.Items, fmt.Sprint(in["asset_id"]))
	s.touch()
	v := s.shareV4(sh)
	v["asset_added"] = in["asset_id"]
	data(w, 200, v)
}

func (s *Sim) inviteV4(w http.ResponseWriter, r *http.Request) {
	in, ok := bodyV4(w, r, "message", "reviewers")
	if !ok {
		return
	}
	who, _ := in["reviewers"].(map[string]any)
	emails, _ := who["emails"].([]any)
	if len(emails) < 1 || len(emails) > 10 || in["message"] == nil {
		failV4(w, http.StatusUnprocessableEntity, "1 to 10 reviewers and a message are required", "/data/reviewers")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, ok := s.liveShareV4(w, r)
	if !ok {
		return
	}
	for _, e := range emails {
		email := fmt.Sprint(e)
		if !slices.Contains(sh.Reviewers, email) {
			sh.Reviewers = append(sh.Reviewers, email)
		}
		s.s.Mails = append(s.s.Mails, Mail{Share: sh.ID, To: email, Message: fmt.Sprint(in["message"])})
	}
	s.touch()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) createShareV4(w http.ResponseWriter, r *http.Request) {
	in, ok := bodyV4(w, r, s.shareFieldsV4("type", "asset_ids")...)
	if !ok {
		return
	}
	ids, _ := in["asset_ids"].([]any)
	if in["type"] != "asset" || in["name"] == nil || in["access"] == nil || len(ids) > 100 {
		failV4(w, http.StatusUnprocessableEntity, "type, name and access are required", "/data")
		return
	}
	s.mu.RLock()
	policy := s.o.Policy
	s.mu.RUnlock()
	if detail, pointer := policy.refuse(in); detail != "" {
		failV4(w, http.StatusUnprocessableEntity, detail, pointer)
		return
	}
	sh := Share{Kind: "review_link", ProjectID: r.PathValue("id")}
	for _, id := range ids {
		sh.Items = append(sh.Items, fmt.Sprint(id))
	}
	s.takeShareV4(&sh, in)
	if policy.Passphrase && sh.Password == "" {
		sh.Password = "made-by-policy-" + s.newID()[:8]
	}
	made := s.AddShare(sh)
	s.mu.RLock()
	defer s.mu.RUnlock()
	data(w, 201, s.shareV4(made))
}

// shareFieldsV4 returns what a request for a share may contain in this profile.
func (s *Sim) shareFieldsV4(more ...string) []string {
	july := []string{"name", "access", "description", "downloading_enabled", "expiration", "passphrase"}
	september := []string{"enabled", "commenting_enabled", "watermark_enabled", "forensic_watermark_enabled", "drm_enabled", "show_all_asset_versions"}
	out := append(slices.Clone(july), more...)
	if s.o.Shares != Shares202607 {
		out = append(out, september...)
	}
	return out
}

// takeShareV4 applies a request to a share.
func (s *Sim) takeShareV4(sh *Share, in map[string]any) {
	if v, ok := in["name"].(string); ok {
		sh.Name = v
	}
	if v, ok := in["expiration"].(string); ok {
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			sh.ExpiresAt = &at
		}
	}
	if v, ok := in["description"].(string); ok {
		sh.Description = v
	}
	if v, ok := in["access"].(string); ok {
		sh.Secure = v == "secure"
	}
	if v, ok := in["passphrase"]; ok {
		sh.Password, _ = v.(string)
	}
	if v, ok := in["downloading_enabled"].(bool); ok {
		sh.Downloads = v && s.o.Policy.Downloads != "off"
	}
	if v, ok := in["enabled"].(bool); ok {
		sh.Inactive = !v
	}
	if v, ok := in["watermark_enabled"].(bool); ok {
		sh.Watermark = v && s.o.Watermark
	}
	if v, ok := in["forensic_watermark_enabled"].(bool); ok {
		sh.Forensic = v
	}
	if v, ok := in["drm_enabled"].(bool); ok {
		sh.DRM = v
	}
}

// liveShareV4 returns the share of a request's path, or answers that there is none. The caller must hold the lock.
func (s *Sim) liveShareV4(w http.ResponseWriter, r *http.Request) (*Share, bool) {
	sh, ok := s.s.Shares[r.PathValue("id")]
	if !ok || sh.Deleted != nil {
		notFoundV4(w)
		return nil, false
	}
	return sh, true
}
