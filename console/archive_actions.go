package console

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
)

// confirmation says what an action will do, before the button that does it.
type confirmation struct {
	Heading, Button string
	Says            []string
	Action          string // target of the form
	Back            string
	Danger          bool
	Role            config.Role // required by the action; "" means operator
	Field           *formField  // something to fill in
	Boxes           []formBox
	BoxesSay        string
}

// formField is a field to fill in before an action.
type formField struct{ Name, Label, Type, Value, Max string }

// formBox is a box to check before an action.
type formBox struct{ Name, Value, Label string }

func (c *console) confirm(w http.ResponseWriter, r *http.Request, v visit, section string, b confirmation) {
	c.needs(cmp.Or(b.Role, config.RoleOperator), func(w http.ResponseWriter, r *http.Request, v visit) {
		p := c.in(r, v, section, b.Heading)
		p.Body = b
		c.show(w, r, http.StatusOK, "confirm", p)
	})(w, r, v)
}

// confirmArchive says what an action on an archive will do.
func (c *console) confirmArchive(w http.ResponseWriter, r *http.Request, v visit) {
	now, err := c.archiveFigures(r.Context(), v.ledger, r.PathValue("id"))
	if err != nil {
		c.failed(w, r, err)
		return
	}
	row, t := now.row, now.totals
	here := Root + v.tenant.ID + "/archives/" + url.PathEscape(row.ID)
	b := confirmation{Action: here + "/do/" + r.PathValue("verb"), Back: here}
	switch verb := r.PathValue("verb"); {
	case row.ID == "":
		c.problem(w, r, http.StatusNotFound, "There is no such archive.")
		return
	case verb == "cancel" && !row.Status.Ended():
		b.Heading, b.Button, b.Danger = "Cancel “"+nameOf(row)+"”?", "Cancel the archive", true
		b.Says = cancelSays(row, t, now.figures.Counting)
	case verb == "retry" && row.Status == ledger.Waiting:
		b.Heading, b.Button = "Check for originals of “"+nameOf(row)+"” now?", "Check now"
		b.Says = []string{"Framebridge asks Frame.io now whether the missing originals are back, instead of waiting for its next check.",
			"Originals that are back are copied. Otherwise the archive keeps waiting."}
	case verb == "retry" && row.Status.Ended():
		b.Heading, b.Button = "Retry “"+nameOf(row)+"”?", "Retry the archive"
		b.Says = c.retrySays(r, v, row, t)
	default:
		c.problem(w, r, http.StatusUnprocessableEntity, "This is not possible while the archive's status is “"+page.Labeled(archiveBadges, row.Status).Text+"”.")
		return
	}
	c.confirm(w, r, v, "archives", b)
}

func cancelSays(row ledger.Archive, t ledger.Totals, counting bool) []string {
	if row.Status == ledger.Queued {
		return []string{"The archive leaves the queue. Those behind it move up.", "Nothing is deleted. You can start it again at any time."}
	}
	says := []string{"Framebridge stops copying. What is in iconik stays there."}
	if !counting {
		says[0] = "Framebridge stops copying. What is in iconik stays there: " + english.Count(t.Copied+t.Verified, "file") + ", " + report.Size(t.BytesDone) + "."
	}
	if rest := t.Pending + t.Copying; rest > 0 {
		says = append(says, english.Count(rest, "file")+" "+english.Has(rest)+" not been copied.")
	}
	return append(says, "A later retry continues from there: nothing is copied twice.", "Frame.io is not changed.")
}

func (c *console) retrySays(r *http.Request, v visit, row ledger.Archive, t ledger.Totals) []string {
	says := []string{"Framebridge reads the project again and copies what is new, changed, missing or failed."}
	if t.Failed > 0 {
		says = append(says, english.Count(t.Failed, "file")+" that failed "+english.Is(t.Failed)+" tried again.")
	}
	says = append(says, "What is already in iconik is compared again and not copied twice.")
	if position, err := v.ledger.NextPosition(r.Context(), row.ID); err == nil && position > 0 {
		says = append(says, "First it waits in the queue, in position "+strconv.Itoa(position)+": another archive of "+v.tenant.Name+" is running.")
	}
	return says
}

// controlArchive retries or cancels an archive.
func (c *console) controlArchive(r *http.Request, v visit) (to, done string, err error) {
	id := r.PathValue("id")
	to = "archives/" + url.PathEscape(id)
	defer c.totals.forget(v.tenant.ID, id)
	ctx := r.Context()
	row, known, err := v.ledger.Archive(id).Get(ctx)
	switch verb := r.PathValue("verb"); {
	case err != nil:
		return to, "", err
	case !known:
		return to, "", &Refused{"there is no such archive"}
	case verb == "cancel":
		return to, "cancelled", c.Actions.CancelArchive(ctx, v.tenant, id)
	case verb == "retry" && row.Status == ledger.Waiting:
		return to, "checks", c.Actions.RetryArchive(ctx, v.tenant, id)
	case verb == "retry":
		return to, "retried", c.Actions.RetryArchive(ctx, v.tenant, id)
	}
	return to, "", &Refused{"there is no such action"}
}

func (c *console) retryItem(r *http.Request, v visit) (to, done string, err error) {
	id := r.PathValue("id")
	defer c.totals.forget(v.tenant.ID, id)
	return "archives/" + url.PathEscape(id), "item", c.Actions.RetryItem(r.Context(), v.tenant, id, r.PathValue("item"))
}

// otherPlace returns the new position of something that waits in a queue: up, down or first. Positions start at 1.
func otherPlace(where string, place int) (int, error) {
	switch where {
	case "up":
		return max(place-1, 1), nil
	case "down":
		return place + 1, nil
	case "first":
		return 1, nil
	}
	return 0, &Refused{"there is no such action"}
}

// moveArchive moves an archive to another position in the queue: up, down or first.
func (c *console) moveArchive(r *http.Request, v visit) (to, done string, err error) {
	id := r.PathValue("id")
	row, known, err := v.ledger.Archive(id).Get(r.Context())
	switch {
	case err != nil:
		return "archives", "", err
	case !known || row.Status != ledger.Queued:
		return "archives", "", &Refused{"the archive is no longer in the queue"}
	}
	position, err := otherPlace(r.PathValue("where"), row.QueuePosition)
	if err != nil {
		return "archives", "", err
	}
	return "archives", "moved", c.Actions.MoveArchive(r.Context(), v.tenant, id, position)
}

func (c *console) startArchive(r *http.Request, v visit) (to, done string, err error) {
	project := r.PathValue("project")
	return "archives/" + url.PathEscape(project), "started", c.Actions.StartArchive(r.Context(), v.tenant, project, v.person.Email)
}
