package doctor

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/setup"
)

// readRecord returns what setup has created for the tenant.
func (x *exam) readRecord() setup.Record {
	r, _ := x.record.get(x.base, x.Timeout, func(ctx context.Context) (setup.Record, error) {
		if x.Ledger == nil {
			return setup.Record{}, nil
		}
		return setup.Load(ctx, x.Ledger.Tenant(x.tenant.ID))
	})
	return r
}

// places returns the workspaces that should have webhooks: those chosen in setup, or else the one for reviews, or else all.
func (x *exam) places() []frameio.Team {
	all, _ := x.readWorkspaces()
	chosen := x.readRecord().Workspaces
	var out []frameio.Team
	for _, w := range all {
		if slices.Contains(chosen, w.ID) {
			out = append(out, w)
		}
	}
	for _, w := range all {
		if want := x.tenant.Frameio.Workspace; len(out) == 0 && want != "" && (w.ID == want || w.Name == want) {
			return []frameio.Team{w}
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

func (x *exam) readHooks() ([]frameio.Webhook, error) {
	return x.hooks.get(x.base, x.Timeout, func(ctx context.Context) ([]frameio.Webhook, error) {
		var all []frameio.Webhook
		for _, w := range x.places() {
			hooks, err := x.frameio.Webhooks(ctx, w.ID)
			if err != nil {
				return nil, err
			}
			all = append(all, hooks...)
		}
		return all, nil
	})
}

func (x *exam) readActions() ([]frameio.Action, error) {
	return x.actions.get(x.base, x.Timeout, func(ctx context.Context) ([]frameio.Action, error) {
		var all []frameio.Action
		for _, w := range x.places() {
			actions, err := x.frameio.Actions(ctx, w.ID)
			if err != nil {
				return nil, err
			}
			all = append(all, actions...)
		}
		return all, nil
	})
}

// calls reports whether a URL leads to a route of this tenant, on any host.
func (x *exam) calls(address, route string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasSuffix(u.Path, route) && strings.EqualFold(u.Query().Get("tenant-id"), x.tenant.ID)
}

// placed is a wanted webhook in a workspace and the existing one. A webhook with our address takes precedence over others, then one
// that is switched on over one that is off.
type placed struct {
	where frameio.Team
	want  setup.Hook
	there *frameio.Webhook
}

func (x *exam) placed() []placed {
	hooks, _ := x.readHooks()
	var out []placed
	for _, w := range x.places() {
		for _, want := range setup.Hooks {
			p := placed{where: w, want: want}
			ours := setup.URL(x.Base, want.Route, x.tenant.ID)
			best := -1
			for _, h := range hooks {
				if h.WorkspaceID != w.ID || !x.calls(h.URL, want.Route) {
					continue
				}
				score := 0
				if h.URL == ours {
					score += 2
				}
				if h.Active {
					score++
				}
				if score > best {
					best, p.there = score, &h
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// each lists what is wrong with the existing webhooks.
func (x *exam) each(wrong func(placed) string) []string {
	var out []string
	for _, p := range x.placed() {
		if p.there == nil {
			continue
		}
		if why := wrong(p); why != "" {
			out = append(out, fmt.Sprintf("%s in %s: %s", p.want.Name, p.where.Name, why))
		}
	}
	return out
}

func all(wrong []string, fine string) finding {
	if len(wrong) > 0 {
		return fail("%s", strings.Join(wrong, "; "))
	}
	return ok("%s", fine)
}

const mendBySetup = "Run `starter setup` to fix it."

func webhookChecks() []Definition {
	aspect := func(fine string, wrong func(x *exam, p placed) string) func(context.Context, *exam) finding {
		return func(_ context.Context, x *exam) finding {
			if _, err := x.readHooks(); err != nil {
				return skip("skipped: it depends on frameio.webhooks.archive")
			}
			return all(x.each(func(p placed) string { return wrong(x, p) }), fine)
		}
	}
	present := func(key string) func(context.Context, *exam) finding {
		return func(_ context.Context, x *exam) finding {
			if _, err := x.readHooks(); err != nil {
				return fail("cannot list them: %v", err)
			}
			var missing []string
			for _, p := range x.placed() {
				if p.want.Key == key && p.there == nil {
					missing = append(missing, p.where.Name)
				}
			}
			if len(missing) > 0 {
				return fail("missing in %s", strings.Join(missing, ", "))
			}
			return ok("present in %s", teamNames(x.places()))
		}
	}
	return []Definition{
		{ID: "frameio.webhooks.archive", Meaning: "Renaming a project does not start an archive.", Do: mendBySetup, needs: []string{"frameio.workspaces"}, run: present("archive")},
		{ID: "frameio.webhooks.comments", Meaning: "Comments from Frame.io arrive by polling only, minutes later.", Do: mendBySetup, needs: []string{"frameio.workspaces"}, run: present("comments")},
		{ID: "frameio.webhooks.enabled", Meaning: "Frame.io sends nothing. An account migration to V4 turns webhooks off.", Do: mendBySetup, needs: []string{"frameio.workspaces"},
			run: aspect("all are turned on", func(_ *exam, p placed) string {
				if !p.there.Active {
					return "it is turned off"
				}
				return ""
			})},
		{ID: "frameio.webhooks.url", Meaning: "Frame.io's webhooks go to a different address than this installation's.", Do: "Check http.public_url, then run `starter setup`.", needs: []string{"frameio.workspaces"},
			run: aspect("all point here", func(x *exam, p placed) string {
				if want := setup.URL(x.Base, p.want.Route, x.tenant.ID); p.there.URL != want {
					return "it points to " + host(p.there.URL) + ", not to " + host(want)
				}
				return ""
			})},
		{ID: "frameio.webhooks.events", Meaning: "Frame.io does not send all events that Framebridge needs.", Do: mendBySetup, needs: []string{"frameio.workspaces"},
			run: aspect("they send all the events needed", func(x *exam, p placed) string {
				want := p.want.Events
				if want == nil {
					want = x.frameio.InstallCapabilities().ReviewEvents
				}
				var missing []string
				for _, e := range want {
					if !slices.Contains(p.there.Events, e) {
						missing = append(missing, e)
					}
				}
				if len(missing) > 0 {
					return "not sent: " + strings.Join(missing, ", ")
				}
				return ""
			})},
		{ID: "frameio.webhooks.secret", Meaning: "Framebridge refuses Frame.io's webhooks, because it does not know their secret.", Do: "Put the webhook's secret into frameio.webhook_secrets, or let `starter setup` create a new webhook.", needs: []string{"frameio.workspaces", "ledger.key_fits"},
			run: aspect("all secrets are known", func(x *exam, p placed) string {
				if shown := p.there.Secret; shown != "" { // the legacy API shows it
					if !slices.Contains(x.readRecord().FrameioSecrets(), shown) && !slices.Contains(x.tenant.Frameio.WebhookSecrets, config.Secret(shown)) {
						return "its secret is different"
					}
					return ""
				}
				if !x.known(setup.FrameioWebhook, p.there.ID) && len(x.tenant.Frameio.WebhookSecrets) == 0 {
					return "its secret is unknown"
				}
				return ""
			})},
	}
}

func actionChecks() []Definition {
	return []Definition{
		{ID: "frameio.action", Meaning: "“Archive to iconik” is not in Frame.io's menu; renaming the project still archives it.", Do: "Run `starter setup` with a user who is Content Admin or owner.", needs: []string{"frameio.workspaces"}, run: frameioAction},
		{ID: "frameio.action.secret", Meaning: "Clicks on “Archive to iconik” are refused.", Do: "Put the action's secret into frameio.webhook_secrets, or let `starter setup` create a new action.", needs: []string{"frameio.action", "ledger.key_fits"},
			run: func(_ context.Context, x *exam) finding {
				actions, _ := x.readActions()
				for _, a := range actions {
					if x.calls(a.URL, setup.FrameioButton.Route) && !x.known(setup.FrameioAction, a.ID) && len(x.tenant.Frameio.WebhookSecrets) == 0 {
						return fail("the secret of action %s is unknown", a.ID)
					}
				}
				return ok("all secrets are known")
			}},
	}
}

// known reports whether setup has stored the secret of an object.
func (x *exam) known(kind setup.Kind, id string) bool {
	return slices.ContainsFunc(x.readRecord().Objects, func(o setup.Object) bool { return o.Kind == kind && o.ID == id && o.Secret != "" })
}

// host returns a URL without its path and query, which may contain confidential data.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "no address"
	}
	return u.Scheme + "://" + u.Host
}

func frameioAction(_ context.Context, x *exam) finding {
	if !x.frameio.InstallCapabilities().Actions {
		return skip("custom actions are set up on V4 only")
	}
	actions, err := x.readActions()
	if err != nil {
		return warn("cannot list them: %v", err)
	}
	var wrong []string
	for _, w := range x.places() {
		at := slices.IndexFunc(actions, func(a frameio.Action) bool {
			return a.WorkspaceID == w.ID && x.calls(a.URL, setup.FrameioButton.Route)
		})
		switch {
		case at < 0:
			wrong = append(wrong, "missing in "+w.Name)
		case !actions[at].Active:
			wrong = append(wrong, "off in "+w.Name)
		case actions[at].URL != setup.URL(x.Base, setup.FrameioButton.Route, x.tenant.ID):
			wrong = append(wrong, "leads to "+host(actions[at].URL)+" in "+w.Name)
		}
	}
	if len(wrong) > 0 {
		return warn("%s", strings.Join(wrong, "; "))
	}
	return ok("present in %s", teamNames(x.places()))
}

func reviewChecks() []Definition {
	return []Definition{
		{ID: "frameio.review_workspace", Meaning: "Nobody can send assets to review: it is unclear which workspace to use.", Do: "Set frameio.workspace to the ID or name of the workspace for reviews.",
			needs: []string{"frameio.workspaces"}, run: func(ctx context.Context, x *exam) finding {
				w, err := x.frameio.Workspace(ctx, x.tenant.Frameio.Workspace)
				if err != nil {
					workspaces, _ := x.readWorkspaces()
					return fail("frameio.workspace is %q, and the token can see %d: %s", x.tenant.Frameio.Workspace, len(workspaces), teamNames(workspaces))
				}
				return ok("%s", w.Name)
			}},
		{ID: "frameio.review_project", Meaning: "Framebridge cannot upload reviews to the right project.", Do: "Give the token's user full access to the workspace, or correct review.project.",
			needs: []string{"frameio.review_workspace"}, run: func(_ context.Context, x *exam) finding {
				p, err := x.reviewProject()
				switch {
				case err != nil:
					return fail("%v", err)
				case p == nil:
					return ok("the first review creates %q", x.tenant.Review.Project)
				}
				return ok("%q exists", x.tenant.Review.Project)
			}},
		{ID: "review.watermark", Meaning: "Reviewers may see media without a watermark.", Do: "Set review.watermark: required, and have the account or team force a watermark. On servers that do not show a share's watermark, review.watermark_attested: true confirms that it does.",
			needs: []string{"frameio.review_project"}, run: watermark},
		{ID: "review.share_policy", Meaning: "If the account requires secure shares, Frame.io rejects a review that anyone with the link can open.", Do: "Leave review.access at auto, which creates a secure link where a public one is rejected, or set it to secure.",
			needs: []string{"frameio.review_project"}, run: func(context.Context, *exam) finding {
				return skip("Frame.io's API does not show the policy; the first review shows whether Frame.io accepts its share")
			}},
		{ID: "review.asset_lifecycle", Meaning: "Frame.io's asset lifecycle may delete the media of a review before the review ends.", Do: "Compare the workspace's setting (30, 60 or 90 days after the upload) with review.longest and review.retention.",
			needs: []string{"frameio.review_project"}, run: func(_ context.Context, x *exam) finding {
				return skip("Frame.io's API does not show it; a review's media must be kept for %s", english.Duration(x.tenant.Review.Longest+x.tenant.Review.Retention))
			}},
	}
}

func (x *exam) reviewProject() (*frameio.Project, error) {
	return x.review.get(x.base, x.Timeout, func(ctx context.Context) (*frameio.Project, error) {
		w, err := x.frameio.Workspace(ctx, x.tenant.Frameio.Workspace)
		if err != nil {
			return nil, err
		}
		for p, err := range frameio.RowsOf(ctx, "list projects", x.frameio.ProjectsOf, w.ID) {
			if err != nil {
				return nil, err
			}
			if p.Name == x.tenant.Review.Project {
				return &p, nil
			}
		}
		return nil, nil //nolint:nilnil // there is none yet
	})
}

// watermark looks at what is already shared: what has no watermark now will not have one tomorrow.
func watermark(ctx context.Context, x *exam) finding {
	if x.tenant.Review.Watermark != "required" {
		return warn("review.watermark is %s", x.tenant.Review.Watermark)
	}
	p, err := x.reviewProject()
	if err != nil || p == nil {
		return skip("nothing has been shared yet: the first review will show whether it is on")
	}
	if x.frameio.Capabilities().WatermarkOnFiles {
		return skip("this API shows it on each file, and each review checks its own files")
	}
	page, err := x.frameio.Shares(ctx, p.ID, "")
	if err != nil {
		return warn("cannot read shares: %v", err)
	}
	for _, s := range page.Items {
		if s.Active && s.Watermark == frameio.WatermarkUnknown && !x.tenant.Review.Attested {
			return fail("Frame.io does not say whether its shares are watermarked, and review.watermark_attested is not set: Framebridge shares nothing")
		}
	}
	return ok("required, and checked on each share")
}
