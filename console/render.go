package console

import (
	"cmp"
	"net/http"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/signin"
)

// done maps the code in a page's address to a sentence about the action that was just taken.
var done = map[string]string{
	"started":   "The archive was started. If another archive of this tenant is running, it waits in the queue.",
	"retried":   "The archive continues with what is missing.",
	"checks":    "Framebridge is checking whether the originals are back.",
	"cancelled": "The archive is being canceled. What is in iconik stays there.",
	"moved":     "The order of the queue was changed.",
	"item":      "Framebridge is trying the file again.",
	"extended":  "The review's expiry was changed.",
	"stopped":   "The review was stopped. Its link is off.",
	"synced":    "A sync was started. New comments appear here when it is done.",
	"resent":    "What could not be sent is being sent again.",
	"reading":   "Both sides are being read again.",
	"revoked":   "The links in earlier e-mails no longer open.",
	"examining": "The check was started.",
	"listing":   "The list of projects is being read again.",
	"signed-in": "You are signed in to Frame.io. The setup is being checked again.",

	"migrating":           "The migration was started.",
	"paused":              "The migration is paused. Its archives pause within seconds.",
	"resumed":             "The migration continues.",
	"projects-added":      "Framebridge is reading Frame.io again. New projects are added at the end of the list.",
	"migration-cancelled": "The migration is being canceled. What is in iconik stays there.",
	"ordered":             "The order of the projects was changed.",
	"mirrored":            "The mirror is on.",
	"mirror-runs":         "A run of the mirror was started.",
	"mirror-paused":       "The mirror is paused.",
	"mirror-resumed":      "The mirror is on again.",
	"mirror-removed":      "The mirror was removed.",

	"reclaim-examined": "The examination was started. Nothing is deleted.",
	"reclaim-asked":    "The deletion was requested. Another administrator has to approve it.",
	"reclaim-begun":    "Every file is now being compared and proven. Then the deletion begins.",
	"reclaim-approved": "The deletion was approved. Every file is compared and proven first.",
	"reclaim-pause":    "The deletion is paused.",
	"reclaim-resume":   "The deletion continues.",
	"reclaim-cancel":   "The deletion was canceled.",
}

// in returns a page within a tenant.
func (c *console) in(r *http.Request, v visit, section, title string) page.Page {
	p := page.Page{Title: title, Section: section, Path: Root + v.tenant.ID + "/", Tenant: v.tenant.Name, Tenants: c.tenantsOf(v.person),
		Admin: v.may(config.RoleAdmin), Act: v.may(config.RoleOperator), Export: v.may(config.RoleEditor), Done: done[r.URL.Query().Get("done")]}
	if !c.temporal.Ready(r.Context()) {
		p.Warning = "Temporal is not responding. This page shows the last known state. Nothing moves and no button works until Temporal is back."
	}
	return p
}

// show writes a complete page, or an error.
func (c *console) show(w http.ResponseWriter, r *http.Request, status int, name string, p page.Page) {
	if person, ok := signin.From(r.Context()); ok {
		p.Person = cmp.Or(person.Name, person.Email)
	}
	p.Field, p.Token = signin.FormField, signin.FormToken(r.Context())
	text, err := c.pages.Render(name, p)
	if err != nil {
		c.Log.ErrorContext(r.Context(), "a page of the console could not be rendered", "error", err)
		http.Error(w, "This page could not be rendered; the log has the details.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// problem shows why there is no page.
func (c *console) problem(w http.ResponseWriter, r *http.Request, status int, text string) {
	p := page.Page{Title: http.StatusText(status), Body: redact.Scrub(text)}
	if person, ok := signin.From(r.Context()); ok {
		if t, known := c.Config().Tenant(r.PathValue("tenant")); known && person.Allows(t.ID, config.RoleViewer) {
			p.Path, p.Tenant, p.Admin, p.Act = Root+t.ID+"/", t.Name, person.Allows(t.ID, config.RoleAdmin), person.Allows(t.ID, config.RoleOperator)
		}
	}
	c.show(w, r, status, "problem", p)
}

func (c *console) moment(t time.Time) page.Moment { return page.At(t, c.Now()) }
