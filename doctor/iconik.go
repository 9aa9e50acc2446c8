package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
)

func (x *exam) readUser() (*iconik.Account, error) {
	return x.user.get(x.base, x.Timeout, x.iconik.Admin.Account)
}

func iconikAPI(x *exam) string { return x.tenant.Iconik.BaseURL + "/API/users/v1/users/current/" }

func iconikChecks() []Definition {
	return []Definition{
		{ID: "iconik.reachable", Meaning: "Nothing is read from or written to iconik.", Do: "Check iconik.base_url (app.iconik.io, eu.iconik.io, …), and whether this machine can reach it: DNS, firewall, HTTPS_PROXY.",
			needs: []string{"tenant.clients"}, run: func(ctx context.Context, x *exam) finding {
				if _, err := knock(ctx, x, iconikAPI(x)); err != nil {
					return fail("%s: %v", x.tenant.Iconik.BaseURL, err)
				}
				return ok("it responds at %s", x.tenant.Iconik.BaseURL)
			}},
		{ID: "iconik.clock", Meaning: "Review dates and waits for iconik's index are off by the same amount.", Do: "Synchronize this machine's clock with NTP.",
			needs: []string{"iconik.reachable"}, run: func(ctx context.Context, x *exam) finding { return skew(ctx, x, iconikAPI(x)) }},
		{ID: "iconik.token", Meaning: "iconik rejects the application token: all of this tenant's work waits.", Do: "Create a new token (Admin, Settings, Application tokens) and put it and its App-ID into iconik.auth_token and iconik.app_id. The base URL must match the domain's region.",
			needs: []string{"iconik.reachable"}, run: func(_ context.Context, x *exam) finding {
				u, err := x.readUser()
				if err != nil {
					return fail("%v", err)
				}
				return ok("acts as %s <%s>", u.FullName(), u.Email)
			}},
		{ID: "iconik.domain", Meaning: "iconik has restricted the whole domain.", Do: "Contact iconik support, or whoever pays for the account.",
			needs: []string{"iconik.token"}, run: func(ctx context.Context, x *exam) finding {
				status, words, err := x.iconik.Admin.DomainStatus(ctx)
				switch {
				case rest.IsNotFound(err) || err == nil && status == "":
					return skip("iconik does not show the domain's state")
				case err != nil:
					return warn("%v", err)
				case status == "WARNING":
					return warn("%s %s", status, words)
				case status != "ACTIVE":
					return fail("%s %s", status, words)
				}
				return ok("%s", status)
			}},
		{ID: "iconik.user_type", Meaning: "A user who is not of type Power cannot upload or transcode.", Do: "Change the token's user to type Power (Admin, Users).",
			needs: []string{"iconik.token"}, run: func(_ context.Context, x *exam) finding {
				u, _ := x.readUser()
				switch u.Type {
				case "":
					return skip("iconik does not show the user's type")
				case "POWER":
					return ok("%s", u.Type)
				}
				return fail("%s", u.Type)
			}},
		{ID: "iconik.groups", Meaning: "The groups in archive.groups get no access to what is archived from restricted projects: only their members do, individually.", Do: "Correct the names in archive.groups, create the groups in iconik (Admin, Groups), or add their members.",
			needs: []string{"iconik.token"}, run: checkGroups},
		{ID: "iconik.drawing", Meaning: "Drawings may be misplaced: iconik does not document their coordinates, and nobody has confirmed the ones in use.", Do: "Draw a rectangle in iconik's player and compare its coordinates as the developer's manual describes. Then set iconik.drawing.frame to normalised if they match, or to pixels with width and height.",
			needs: []string{"tenant.clients"}, run: func(_ context.Context, x *exam) finding {
				d := x.tenant.Iconik.Drawing
				switch {
				case d.Frame == "pixels" && (d.Width <= 0 || d.Height <= 0):
					return fail("pixels without width and height")
				case d.Frame == "pixels":
					return ok("pixels, %d × %d", d.Width, d.Height)
				}
				if x.Chosen != nil && x.Chosen("tenants."+x.tenant.ID+".iconik.drawing.frame") {
					return ok("%s, set in the configuration", d.Frame)
				}
				return warn("%s, the default: not calibrated", d.Frame)
			}},
	}
}

// checkGroups checks that iconik has the groups in archive.groups.
func checkGroups(ctx context.Context, x *exam) finding {
	names := x.tenant.Archive.Groups
	if len(names) == 0 {
		return ok("archive.groups is empty")
	}
	all, err := x.iconik.Admin.Groups(ctx)
	if err != nil {
		return fail("%v", err)
	}
	var missing []string
	for _, source := range slices.Sorted(maps.Keys(names)) {
		i := slices.IndexFunc(all, func(g iconik.Group) bool { return strings.TrimSpace(g.Name) == names[source] })
		if i < 0 {
			missing = append(missing, fmt.Sprintf("iconik has no group %q (for %q)", names[source], source))
			continue
		}
		members, err := x.iconik.Users.Members(ctx, all[i].ID)
		switch {
		case err != nil:
			missing = append(missing, err.Error())
		case len(members) == 0:
			missing = append(missing, fmt.Sprintf("iconik's group %q has no members", names[source]))
		}
	}
	if len(missing) > 0 {
		return fail("%s", strings.Join(missing, "; "))
	}
	return ok("%d", len(names))
}

// role is an iconik role that the token's user needs. probe is a harmless read that requires it, if there is one.
type role struct {
	name, what string
	probe      string
	optional   bool
}

var roles = []role{
	{"can_search", "find what is already archived", "", false},
	{"can_read_assets", "read assets", "assets/v1/assets", false},
	{"can_create_assets", "create assets", "", false},
	{"can_write_assets", "change assets", "", false},
	{"can_write_versions", "create versions", "", false},
	{"can_read_collections", "read collections", "assets/v1/collections", false},
	{"can_create_collections", "create collections", "", false},
	{"can_write_collections", "add assets to collections", "", false},
	{"can_read_storages", "find the storage for originals", "files/v1/storages", false},
	{"can_read_formats", "read formats", "", false},
	{"can_write_formats", "create formats and file sets", "", false},
	{"can_read_files", "read files", "", false},
	{"can_write_files", "upload originals", "", false},
	{"can_delete_files", "remove a file whose upload failed", "", false},
	{"can_create_transcode_jobs", "request proxies and keyframes", "", false},
	{"can_read_segments", "read comments", "", false},
	{"can_create_segments", "create comments", "", false},
	{"can_write_segments", "change comments", "", false},
	{"can_delete_segments", "delete comments that were deleted in Frame.io", "", false},
	{"can_read_jobs", "read the archive's job", "jobs/v1/jobs", false},
	{"can_write_jobs", "show progress as a job", "", false},
	{"can_read_metadata_fields", "read fields", "metadata/v1/fields", false},
	{"can_write_metadata_fields", "create fields", "", false},
	{"can_read_metadata_views", "read views", "metadata/v1/views", false},
	{"can_write_metadata_views", "create views", "", false},
	{"can_read_metadata_values", "read values", "", false},
	{"can_write_metadata_values", "write values", "", false},
	{"can_read_users", "find the authors of comments among iconik's users", "users/v1/users", false},
	{"can_read_proxies", "send proxies to review", "", false},
	{"can_write_approval_status", "write decisions back", "", false},
	{"can_delete_assets", "remove duplicates left by an interrupted write", "", true},
	{"can_delete_collections", "remove duplicates left by an interrupted write", "", true},
	{"can_delete_formats", "remove duplicates left by an interrupted write", "", true},
	{"can_delete_versions", "remove versions whose file is now archived elsewhere", "", true},
	{"can_read_custom_actions", "read custom actions", "assets/v1/custom_actions", true},
	{"can_write_custom_actions", "create custom actions in setup", "", true},
	{"can_read_webhooks", "read webhooks", "notifications/v1/webhooks", true},
	{"can_write_webhooks", "create the webhook in setup", "", true},
	{"can_read_acls", "check in setup who can see the custom actions", "", true},
	{"can_write_acls", "limit who can see custom actions and restricted projects", "", true},
	{"can_delete_acls", "revoke someone's access to a restricted project", "", true},
}

func (x *exam) readRoles() ([]string, error) {
	return x.roles.get(x.base, x.Timeout, x.iconik.Admin.Roles)
}

func roleChecks() []Definition {
	var out []Definition
	for _, r := range roles {
		out = append(out, Definition{ID: "iconik.role." + r.name, Meaning: "Without it Framebridge cannot " + r.what + ".", Do: "Give the token's user the role " + r.name + " (Admin, Users, Roles).",
			needs: []string{"iconik.token"}, run: func(ctx context.Context, x *exam) finding { return x.hasRole(ctx, r) }})
	}
	return out
}

// hasRole checks the user's list of roles. If iconik does not provide one, it tries a harmless read that requires the role.
func (x *exam) hasRole(ctx context.Context, r role) finding {
	u, _ := x.readUser()
	if u.IsAdmin || u.IsSuperAdmin {
		return ok("the token's user is an administrator")
	}
	missing := fail
	if r.optional {
		missing = warn
	}
	have, err := x.readRoles()
	if err == nil && len(have) > 0 {
		if !slices.Contains(have, r.name) {
			return missing("the token's user does not have it")
		}
		return ok("the token's user has it")
	}
	if r.probe == "" {
		return skip("iconik does not list roles, and this one cannot be tested without writing")
	}
	err = x.iconik.Admin.Probe(ctx, r.probe, url.Values{"per_page": {"1"}})
	switch {
	case err != nil && rest.ClassOf(err) == rest.Forbidden:
		return missing("%v", err)
	case err != nil && !rest.IsNotFound(err):
		return skip("%v", err)
	}
	return ok("a read that needs it works")
}

const (
	keyLimit  = 1024 // bytes of an object's key on S3
	keyOurs   = len("Frame.io/") + 36 + 1
	keyNeeded = 512 // for team, project, folders and name
)

func (x *exam) readStorage() (*iconik.Storage, error) {
	return x.storage.get(x.base, x.Timeout, func(ctx context.Context) (*iconik.Storage, error) {
		if id := x.tenant.Iconik.StorageID; id != "" {
			return x.iconik.Files.Storage(ctx, id)
		}
		return x.iconik.Files.MatchingStorage(ctx, "FILES")
	})
}

func storageChecks() []Definition {
	return []Definition{
		{ID: "iconik.storage", Meaning: "iconik has no storage for originals.", Do: "Set iconik.storage_id to a storage whose purpose is FILES, or create one in iconik (Admin, Storages).",
			needs: []string{"iconik.token"}, run: func(_ context.Context, x *exam) finding {
				st, err := x.readStorage()
				switch {
				case rest.IsNotFound(err) && x.tenant.Iconik.StorageID != "":
					return fail("iconik has no storage %s", x.tenant.Iconik.StorageID)
				case rest.IsNotFound(err):
					return fail("iconik has no matching storage for FILES")
				case err != nil:
					return fail("%v", err)
				}
				return ok("%s (%s)", st.Name, st.ID)
			}},
		{ID: "iconik.storage.kind", Meaning: "Originals cannot be uploaded: this type of storage does not accept uploads over the internet.", Do: "Set iconik.storage_id to a storage on S3, GCS, Azure or B2.",
			needs: []string{"iconik.storage"}, run: func(_ context.Context, x *exam) finding {
				st, _ := x.readStorage()
				if !st.TakesUploads() {
					return fail("%s is on %s", st.Name, st.Method)
				}
				return ok("%s", st.Method)
			}},
		{ID: "iconik.storage.writable", Meaning: "Uploads to the storage fail.", Do: "In iconik (Admin, Storages), check the storage's state, its key, and whether iconik may write to it.",
			needs: []string{"iconik.storage"}, run: func(_ context.Context, x *exam) finding {
				st, _ := x.readStorage()
				v := storageSettings(st)
				switch {
				case st.Status != "" && st.Status != "ACTIVE":
					return fail("%s is %s", st.Name, st.Status)
				case v.Write != nil && !*v.Write:
					return fail("%s is set to read only", st.Name)
				}
				return ok("%s is active", st.Name)
			}},
		{ID: "iconik.storage.key_room", Meaning: "Files with long names in deep folders fail, because their object keys get too long.", Do: "Shorten the path in the storage's settings.",
			needs: []string{"iconik.storage"}, run: func(_ context.Context, x *exam) finding {
				st, _ := x.readStorage()
				room := keyLimit - keyOurs - len(storageSettings(st).Path)
				if room < keyNeeded {
					return warn("%d of %d bytes remain for workspace, project, folders and name", room, keyLimit)
				}
				return ok("%d of %d bytes remain for workspace, project, folders and name", room, keyLimit)
			}},
	}
}

type settings struct {
	Path  string `json:"path"`
	Write *bool  `json:"write"`
}

func storageSettings(st *iconik.Storage) settings {
	var v settings
	_ = json.Unmarshal(st.Settings, &v) // absent settings restrict nothing
	return v
}

func quoted(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, fmt.Sprintf("%q", n))
	}
	return strings.Join(out, ", ")
}
