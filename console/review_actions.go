package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

// confirmReview says what an action on a review will do.
func (c *console) confirmReview(w http.ResponseWriter, r *http.Request, v visit) {
	row, ok, err := v.ledger.Review(r.PathValue("id")).Get(r.Context())
	if err != nil {
		c.failed(w, r, err)
		return
	}
	here := Root + v.tenant.ID + "/reviews/" + url.PathEscape(row.ID)
	b := confirmation{Action: here + "/do/" + r.PathValue("verb"), Back: here}
	name := "“" + titleOf(row) + "”"
	switch verb := r.PathValue("verb"); {
	case !ok:
		c.problem(w, r, http.StatusNotFound, "There is no such review.")
		return
	case verb == "extend" && row.Status.Running():
		b.Heading, b.Button = "Change the expiry of "+name, "Set the new expiry"
		b.Field = &formField{Name: "expires", Label: "New expiry (end of that day, UTC)", Type: "date", Value: row.ExpiresAt.UTC().Format("2006-01-02"),
			Max: c.Now().Add(v.tenant.Review.Longest).UTC().Format("2006-01-02")}
		b.Says = []string{"The link currently expires on " + c.moment(row.ExpiresAt).Text + ".",
			"The review stays open until the end of the new day, UTC. The link stays the same, and reviewers keep their comments.",
			"The media in Frame.io is deleted " + english.Duration(v.tenant.Review.Retention) + " after the new expiry."}
	case verb == "stop" && row.Status.Running():
		b.Heading, b.Button, b.Danger = "Stop "+name+"?", "Stop the review", true
		b.Says = []string{"The link is switched off now. Reviewers can no longer open it.", "Comments are synced once more, and the result is sent by e-mail.",
			"The media in Frame.io is deleted " + english.Duration(v.tenant.Review.Retention) + " from now.", "This cannot be undone: to review again, send the assets again."}
	case verb == "sync" && row.Status == ledger.ReviewOpen:
		b.Heading, b.Button = "Sync "+name+" now?", "Sync now"
		b.Says = []string{"Framebridge compares the comments and decisions of both sides now, instead of waiting for the next sync."}
	case verb == "resend" && row.Status == ledger.ReviewOpen:
		assets, err := v.ledger.Review(row.ID).Assets(r.Context())
		if err != nil {
			c.failed(w, r, err)
			return
		}
		assets = slices.DeleteFunc(assets, func(a ledger.ReviewAsset) bool { return !failedToSend(a) })
		if len(assets) == 0 {
			c.problem(w, r, http.StatusUnprocessableEntity, "This is not possible: nothing in this review has failed.")
			return
		}
		b.Heading, b.Button = "Send the failed assets of "+name+" again?", "Send again"
		b.Says = []string{english.Count(int64(len(assets)), "asset") + " could not be sent. Framebridge tries each of them again, with the version that is current in iconik now.",
			"What is in the review stays there, with its comments. Comments wait while assets are being sent."}
	default:
		c.problem(w, r, http.StatusUnprocessableEntity, "This is not possible: the review's status is “"+page.Labeled(reviewBadges, row.Status).Text+"”.")
		return
	}
	c.confirm(w, r, v, "reviews", b)
}

func (c *console) controlReview(r *http.Request, v visit) (to, done string, err error) {
	id := r.PathValue("id")
	to = "reviews/" + url.PathEscape(id)
	if _, known, err := v.ledger.Review(id).Get(r.Context()); err != nil || !known {
		if err == nil {
			err = &Refused{"there is no such review"}
		}
		return to, "", err
	}
	switch r.PathValue("verb") {
	case "extend":
		expires := strings.TrimSpace(r.PostFormValue("expires"))
		if expires == "" {
			return to, "", &Refused{"enter a new expiry date"}
		}
		return to, "extended", c.Actions.ExtendReview(r.Context(), v.tenant, id, expires)
	case "stop":
		return to, "stopped", c.Actions.StopReview(r.Context(), v.tenant, id)
	case "resend":
		return to, "resent", c.Actions.ResendReview(r.Context(), v.tenant, id)
	case "sync":
		return to, "synced", c.Actions.SyncReview(r.Context(), v.tenant, id)
	}
	return to, "", &Refused{"there is no such action"}
}
