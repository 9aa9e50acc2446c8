package iconiksim

import "net/http"

// kApproval is what one person has decided about one version.
const kApproval = "approvals"

func (s *Sim) approvalRoutes() {
	s.on("PUT assets/v1/assets/{id}/approvals", func(c *call) (int, any) {
		asset, ok := s.get(kAsset, c.id("id"))
		if !ok {
			return notFound("Asset")
		}
		if !oneOf(c.body, "status", "N/A", "REQUESTED", "APPROVED", "NOT_APPROVED", "MIXED") || text(c.body, "status") == "" {
			return invalid("status", "Must be one of: N/A, REQUESTED, APPROVED, NOT_APPROVED, MIXED")
		}
		return 200, s.decide(text(asset, "id"), currentVersion(asset), c.user, text(c.body, "status"))
	})
	s.on("GET assets/v1/assets/{id}/versions/{version}/approvals", func(c *call) (int, any) {
		asset, ok := s.get(kAsset, c.id("id"))
		if !ok || !hasVersion(asset, c.id("version")) {
			return notFound("Version")
		}
		var rows []doc
		for _, d := range s.stored(kApproval, c.id("id")) {
			if text(d, "version_id") == c.id("version") {
				rows = append(rows, d)
			}
		}
		return page(c, rows, 100, func(d doc) any {
			return doc{"user": d["user"], "external": nil, "object_type": "assets", "object_id": d["asset_id"], "version_id": d["version_id"], "status": d["status"], "change_date": d["change_date"]}
		})
	})
}

// decide stores a person's decision about a version in place of an earlier one. The asset shows the last one. The caller must hold the lock.
func (s *Sim) decide(asset, version, user, status string) doc {
	d := doc{"id": asset + "/" + version + "/" + user, "asset_id": asset, "version_id": version, "user": user, "status": status,
		"change_date": now()}
	if _, ok := s.get(kApproval, text(d, "id")); ok {
		s.set(kApproval, text(d, "id"), func(had doc) { take(had, d, "status", "change_date") })
	} else {
		s.put(kApproval, d)
	}
	s.set(kAsset, asset, func(d doc) { d["approval_status"] = status })
	return doc{"user": user, "external": nil, "status": status, "change_date": d["change_date"], "version_id": version}
}

// Decide sets a person's approval of an asset's current version, as on iconik's page. Withdraw takes it away.
func (s *Sim) Decide(asset, user, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.get(kAsset, asset); ok {
		s.decide(asset, currentVersion(d), user, status)
	}
}

// Withdraw deletes a person's approval of an asset's current version.
func (s *Sim) Withdraw(asset, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.get(kAsset, asset); ok {
		s.drop(kApproval, asset+"/"+currentVersion(d)+"/"+user)
	}
}

// Approval returns an asset's approval status.
func (s *Sim) Approval(asset string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, _ := s.get(kAsset, asset)
	return text(d, "approval_status")
}

func (s *Sim) approvalForm(w http.ResponseWriter, r *http.Request) {
	user := r.FormValue("user")
	if user == "" {
		user = s.service
	}
	s.Decide(r.FormValue("asset"), user, r.FormValue("status"))
	http.Redirect(w, r, "/asset/"+r.FormValue("asset"), http.StatusSeeOther)
}
