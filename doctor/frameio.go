package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

// signInLasts is how long Adobe keeps an unused refresh token. The warning comes four days before that.
const (
	signInLasts = 14 * 24 * time.Hour
	signInWarn  = 10 * 24 * time.Hour
)

func tenantChecks() []Definition {
	return []Definition{
		{ID: "tenant.clients", Meaning: "None of this tenant's work can run.", Do: "Fix the key listed.",
			needs: []string{"config.valid"}, run: func(_ context.Context, x *exam) finding {
				if x.openErr != nil {
					return fail("%v", x.openErr)
				}
				return ok("Frame.io %s and iconik", x.tenant.Frameio.Generation)
			}},
		{ID: "tenant.api_key", Meaning: "The status and control routes refuse every request.", Do: "Set api_key if you use the API.",
			needs: []string{"config.valid"}, run: func(_ context.Context, x *exam) finding {
				if x.tenant.APIKey.Reveal() == "" {
					return warn("no api_key is set")
				}
				return ok("an api_key is set")
			}},
		{ID: "tenant.notify", Meaning: "Nobody gets e-mail when an archive needs attention or the Adobe sign-in expires.", Do: "Set archive.notify and review.notify to the addresses of the people in charge.",
			needs: []string{"config.valid"}, run: func(_ context.Context, x *exam) finding {
				if len(x.tenant.Archive.Notify) == 0 {
					return warn("archive.notify is empty")
				}
				return ok("%s", english.Count(len(x.tenant.Archive.Notify), "address"))
			}},
		{ID: "tenant.audit", Meaning: "Someone changed this tenant's audit log, or part of it is lost: nothing is proven from the entry named here onward.", Do: "Find out who can write to the ledger's database. Compare with its last backup, and keep both.",
			needs: []string{"ledger.schema"}, run: auditWhole},
		{ID: "frameio.generation", Meaning: "Frame.io removes its legacy API after December 1, 2026: from then on, none of this tenant's work runs.", Do: "Have Frame.io migrate the account to V4, set frameio.generation: v4 with a sign-in, and run `starter setup`.",
			needs: []string{"tenant.clients"}, run: func(_ context.Context, x *exam) finding {
				if ends := x.frameio.InstallCapabilities().Ends; !ends.IsZero() {
					return warn("%s, supported until %s", x.tenant.Frameio.Generation, ends.Format("January 2, 2006"))
				}
				return ok("%s", x.tenant.Frameio.Generation)
			}},
	}
}

// auditWhole verifies the tenant's whole audit log. A log that is too long for a check is not a fault.
func auditWhole(ctx context.Context, x *exam) finding {
	within, cancel := context.WithTimeout(ctx, x.Timeout*9/10)
	defer cancel()
	p, err := x.Ledger.Tenant(x.tenant.ID).ProveAudit(within)
	switch {
	case errors.Is(err, ledger.ErrChain):
		return fail("%v", err)
	case err != nil && within.Err() != nil:
		return skip("entries 1 to %d are unchanged; reading the rest takes longer than a check is allowed to", p.Entries)
	case err != nil:
		return warn("it could not be read: %v", err)
	}
	if len(p.Erased) > 0 {
		return ok("%s, all unchanged, except for personal data that was erased from %s", english.Count(p.Entries, "entry"), p.Erased)
	}
	return ok("%s, all unchanged", english.Count(p.Entries, "entry"))
}

// apiPath returns the URL of Frame.io's API for the current user, which responds only with a token.
func apiPath(x *exam) string {
	return x.tenant.Frameio.BaseURL + x.frameio.InstallCapabilities().Me
}

func (x *exam) readMe() (frameio.User, error) { return x.me.get(x.base, x.Timeout, x.frameio.Me) }

func (x *exam) readAccounts() ([]frameio.Account, error) {
	return x.accounts.get(x.base, x.Timeout, x.frameio.Accounts)
}

func (x *exam) readWorkspaces() ([]frameio.Team, error) {
	return x.workspaces.get(x.base, x.Timeout, x.frameio.Workspaces)
}

// adobe reports whether an error comes from signing in to Adobe, and whether the requested scopes caused it.
func adobe(err error) (of, scopes bool) {
	var e *rest.Error
	if !errors.As(err, &e) || e.Vendor != "Adobe" {
		return false, false
	}
	return true, strings.Contains(e.Detail, "invalid_scope")
}

func frameioChecks() []Definition {
	return []Definition{
		{ID: "frameio.reachable", Meaning: "Nothing is read from or written to Frame.io.", Do: "Check frameio.base_url, and whether this machine can reach it: DNS, firewall, HTTPS_PROXY.",
			needs: []string{"tenant.clients"}, run: func(ctx context.Context, x *exam) finding {
				if _, err := knock(ctx, x, apiPath(x)); err != nil {
					return fail("%s: %v", x.tenant.Frameio.BaseURL, err)
				}
				return ok("it responds at %s", x.tenant.Frameio.BaseURL)
			}},
		{ID: "frameio.clock", Meaning: "Framebridge rejects webhooks whose timestamp is more than 5 minutes off.", Do: "Synchronize this machine's clock with NTP.",
			needs: []string{"frameio.reachable"}, run: func(ctx context.Context, x *exam) finding { return skew(ctx, x, apiPath(x)) }},
		{ID: "frameio.sign_in", Meaning: "Adobe issues no access token: all of this tenant's work waits.", Do: "Check frameio.ims.client_id and client_secret. A person's sign-in expires after 14 days without use: run `starter login`.",
			needs: []string{"frameio.reachable"}, spoiledBy: "ledger.writable", run: func(_ context.Context, x *exam) finding {
				if x.tenant.Frameio.IMS.ClientID == "" {
					return skip("a developer token is used, not Adobe's sign-in")
				}
				_, err := x.readMe()
				if of, scopes := adobe(err); of && !scopes {
					return fail("%v", err)
				}
				return ok("Adobe issues an access token")
			}},
		{ID: "frameio.scopes", Meaning: "The credential lacks scopes that Frame.io needs.", Do: "Add the scopes to the credential in Adobe's Developer Console: openid, AdobeID and frame.s2s.all; for a person, openid, AdobeID, email, profile, offline_access and additional_info.roles. A legacy token needs the scopes listed in docs/legacy.md.",
			needs: []string{"frameio.reachable"}, spoiledBy: "ledger.writable", run: scopes},
		{ID: "frameio.token", Meaning: "Frame.io rejects the token: all of this tenant's work waits.", Do: "Create a new token, or sign in again (`starter login`). Once an account is migrated to V4, Frame.io rejects its legacy tokens: set frameio.generation: v4. V4 also rejects tokens without the scopes AdobeID and additional_info.roles.",
			needs: []string{"frameio.reachable"}, spoiledBy: "ledger.writable", run: func(_ context.Context, x *exam) finding {
				me, err := x.readMe()
				if of, scopes := adobe(err); of {
					needed := "frameio.sign_in"
					if scopes {
						needed = "frameio.scopes"
					}
					return skip("skipped: it depends on %s", needed)
				}
				if err != nil {
					return fail("%v", err)
				}
				return ok("acts as %s <%s>", me.Name, me.Email)
			}},
		{ID: "frameio.sign_in_age", Meaning: "A sign-in that is not renewed for 14 days expires, and a person must sign in again. The worker renews it twice a day.", Do: "Start the worker; if it is running, its log says why it does not renew the sign-in.",
			needs: []string{"frameio.token"}, run: func(ctx context.Context, x *exam) finding {
				if x.SignedIn == nil {
					return skip("no person's sign-in is stored")
				}
				at, kept := x.SignedIn(ctx, x.tenant)
				if !kept {
					return skip("no person's sign-in is stored")
				}
				if age := x.Now().Sub(at); age > signInWarn {
					return warn("last renewed %s ago; it expires after %s", english.Duration(age), english.Duration(signInLasts))
				}
				return ok("last renewed %s", at.UTC().Format(time.DateTime))
			}},
	}
}

// accountChecks check what the token has access to.
func accountChecks() []Definition {
	return []Definition{
		{ID: "frameio.product_profile", Meaning: "Frame.io accepts the token but shows no V4 account: the service account has no product profile.", Do: "Assign the Frame.io V4 product profile to the credential in Adobe's Admin Console; for a person, check the seat.",
			needs: []string{"frameio.token"}, run: func(_ context.Context, x *exam) finding {
				if _, err := x.readAccounts(); err != nil {
					return fail("%v", err)
				}
				return ok("the token can see an account")
			}},
		{ID: "frameio.account", Meaning: "It is unclear which account to use, or the configured one does not exist.", Do: "Set frameio.account_id to one of the accounts listed.",
			needs: []string{"frameio.product_profile"}, run: account},
		{ID: "frameio.account_role", Meaning: "Only owners and Content Admins can create custom actions; everything else works.", Do: "Make the user an admin of the account, or create the action “Archive to iconik” with another user.",
			needs: []string{"frameio.account"}, run: func(_ context.Context, x *exam) finding {
				a, _ := x.account()
				switch {
				case a.Roles == nil:
					return skip("this API does not show the role")
				case !slices.Contains(a.Roles, "owner") && !slices.Contains(a.Roles, "admin"):
					return warn("the token's user is %s of the account", strings.Join(a.Roles, ", "))
				}
				return ok("%s", strings.Join(a.Roles, ", "))
			}},
		{ID: "frameio.storage", Meaning: "An account over its quota is locked after a grace period, and reviews cannot be uploaded.", Do: "Free up space in Frame.io, or upgrade the plan.",
			needs: []string{"frameio.account"}, run: quota},
		{ID: "frameio.workspaces", Meaning: "Framebridge cannot find any project.", Do: "Give the token's user or service account access to the workspaces you archive.",
			needs: []string{"frameio.account"}, run: func(_ context.Context, x *exam) finding {
				all, err := x.readWorkspaces()
				switch {
				case err != nil:
					return fail("%v", err)
				case len(all) == 0:
					return fail("the token cannot see any workspace")
				}
				return ok("%d: %s", len(all), teamNames(all))
			}},
		{ID: "frameio.projects", Meaning: "Nothing can be archived: the token's user cannot see any project.", Do: "Give it full access to the projects you archive.",
			needs: []string{"frameio.workspaces"}, run: func(ctx context.Context, x *exam) finding {
				page, err := x.frameio.Projects(ctx, "")
				switch {
				case err != nil:
					return fail("%v", err)
				case len(page.Items) == 0 && page.Next == "":
					return warn("the token cannot see any project")
				}
				return ok("the token can see projects")
			}},
		{ID: "frameio.download", Meaning: "Framebridge cannot download originals: archives wait for them and finally skip them.", Do: "Give the token's user permission to download (full access), and allow downloads in the project's settings.",
			needs: []string{"frameio.projects"}, run: download},
	}
}

// scopes checks whether the credential may request what is needed. A legacy token shows its scopes only by what it may read.
func scopes(_ context.Context, x *exam) finding {
	me, err := x.readMe()
	if _, wrong := adobe(err); wrong {
		return fail("%v", err)
	}
	if err != nil {
		return skip("skipped: it depends on frameio.token")
	}
	if !x.frameio.InstallCapabilities().ScopesOnToken {
		return ok("Adobe granted them")
	}
	if _, err := x.readWorkspaces(); err != nil && rest.ClassOf(err) == rest.Forbidden {
		return fail("%s cannot list teams: the scope team.read is missing", me.Name)
	}
	return ok("account.read and team.read are there; other missing scopes show up when they are needed")
}

// account returns the account that the configuration means, or false if that is unclear.
func (x *exam) account() (frameio.Account, bool) {
	all, err := x.readAccounts()
	if err != nil {
		return frameio.Account{}, false
	}
	want := x.tenant.Frameio.AccountID
	for _, a := range all {
		if a.ID == want || want == "" && len(all) == 1 {
			return a, true
		}
	}
	return frameio.Account{}, false
}

func account(_ context.Context, x *exam) finding {
	all, err := x.readAccounts()
	if err != nil {
		return fail("%v", err)
	}
	var names []string
	for _, a := range all {
		names = append(names, fmt.Sprintf("%s (%s)", a.Name, a.ID))
	}
	if a, found := x.account(); found || !x.frameio.InstallCapabilities().PicksAccount {
		return ok("%s (%s)", a.Name, a.ID)
	}
	if want := x.tenant.Frameio.AccountID; want != "" {
		return fail("the token cannot see account %s; it can see %s: %s", want, english.Count(len(all), "other"), strings.Join(names, ", "))
	}
	return fail("the token can see %s: %s", english.Count(len(all), "account"), strings.Join(names, ", "))
}

func quota(_ context.Context, x *exam) finding {
	a, _ := x.account()
	if a.StorageLimit <= 0 {
		return skip("the account shows no limit")
	}
	percent := a.StorageUsed * 100 / a.StorageLimit
	switch {
	case percent >= 100:
		return fail("%d%% of the account's storage is used", percent)
	case percent >= 90:
		return warn("%d%% of the account's storage is used", percent)
	}
	return ok("%d%% of the account's storage is used", percent)
}

func teamNames(all []frameio.Team) string {
	var names []string
	for _, t := range all {
		names = append(names, t.Name)
	}
	return strings.Join(names, ", ")
}

const projectsLooked = 3 // projects searched for a file

// download checks the original of one file in the root folder of the first projects.
func download(ctx context.Context, x *exam) finding {
	page, err := x.frameio.Projects(ctx, "")
	if err != nil {
		return fail("%v", err)
	}
	for i, p := range page.Items {
		if i == projectsLooked {
			break
		}
		if p.Archived {
			continue
		}
		files, err := x.frameio.Children(ctx, p.RootID, "")
		if err != nil {
			return warn("project %s cannot be listed: %v", p.ID, err)
		}
		for _, f := range files.Items {
			switch {
			case f.Kind != frameio.KindFile:
			case f.Original == frameio.OriginalForbidden:
				return fail("the token cannot download the original of file %s", f.ID)
			case f.Original == frameio.OriginalAvailable:
				return ok("the token can download an original")
			}
		}
	}
	return skip("the top folders of the first projects contain no files")
}
