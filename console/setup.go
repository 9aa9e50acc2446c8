package console

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/version"
)

const (
	setupTopic    = "setup"
	receivedShown = 30
)

var checkBadges = map[doctor.Status]page.Badge{doctor.OK: page.Good("OK"), doctor.Warn: page.Fair("Warning"), doctor.Fail: page.Bad("Problem"), doctor.Skipped: page.Off("Skipped")}

type checkLine struct {
	ID, Seen, Meaning, Do string
	Badge                 page.Badge
}

type setupBody struct {
	Running bool
	Took    string
	Read    page.Moment
	Wrong   []checkLine
	Rest    []checkLine
	Known   bool
	Facts   []fact
	Told    []deliveryLine
	Tells   bool // a channel is configured, and the person may see what was sent there

	Received []receivedLine
	Budgets  []budgetLine
	SignsIn  bool // the tenant signs in to Adobe
}

// receivedLine is something that a vendor has sent.
type receivedLine struct {
	When                       page.Moment
	From, Kind, Object, Result string
	Badge                      page.Badge
}

// setupPage shows what the doctor found, and what the ledger knows about the connections to both vendors. Everybody may see what is
// wrong. As in the API, only operators may run a check, which uses the vendors' budgets, or see the notifications.
func (c *console) setupPage(w http.ResponseWriter, r *http.Request, v visit) {
	p := c.in(r, v, "setup", "Setup")
	t := live.About(v.tenant.ID, setupTopic)
	have, ok := c.tasks.Get(t)
	if !ok && p.Act {
		have, ok = c.examineNow(v), true //nolint:contextcheck // it goes on without its page
	}
	b := setupBody{Running: ok && have.Running(), Took: english.Duration(c.Now().Sub(have.Began))}
	if found, ok := have.Result.(doctor.Report); ok {
		b.Known, b.Read = true, c.moment(have.Ended)
		for _, check := range found.Checks {
			if check.Tenant != "" && check.Tenant != v.tenant.ID && check.Tenant != v.tenant.Name {
				continue
			}
			line := checkLine{check.ID, redact.Scrub(check.Seen), redact.Scrub(check.Meaning), redact.Scrub(check.Do), page.Labeled(checkBadges, check.Status)}
			if check.Status == doctor.Fail || check.Status == doctor.Warn {
				b.Wrong = append(b.Wrong, line)
			} else {
				b.Rest = append(b.Rest, line)
			}
		}
	}
	facts, err := c.connections(r.Context(), v)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	b.Facts, b.SignsIn = facts, signsIn(v.tenant)
	if b.Budgets, err = c.budgetsOf(r.Context(), v.tenant); err != nil {
		c.failed(w, r, err)
		return
	}
	if !ok { // an outdated result is shown to people who may not check again, and nobody waits for a new one
		have = live.Task{}
	}
	p.Topic, p.Version = setupTopic, setupVersion(have.Version(), b.Budgets)
	sent, err := v.ledger.LastReceived(r.Context(), receivedShown)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	for _, s := range sent {
		b.Received = append(b.Received, c.receivedLine(s))
	}
	if p.Act {
		if b.Told, err = c.deliveries(r.Context(), v); err != nil {
			c.failed(w, r, err)
			return
		}
		b.Tells = len(v.tenant.Notify.Channels()) > 0
	}
	p.Body = b
	c.show(w, r, http.StatusOK, "setup", p)
}

// signsIn reports whether a person or a service account signs in to Adobe for the tenant.
func signsIn(t *config.Tenant) bool {
	return t.Frameio.IMS.ClientID != ""
}

// connections lists what the ledger knows about the connections to and from both vendors.
func (c *console) connections(ctx context.Context, v visit) ([]fact, error) {
	out := []fact{{"Frame.io API", v.tenant.Frameio.Generation}}
	switch at, ok := c.Actions.SignedIn(ctx, v.tenant); {
	case ok:
		out = append(out, fact{"Sign-in to Frame.io", "renewed " + c.moment(at).Ago + "; it ends after 14 days without use"})
	case signsIn(v.tenant):
		out = append(out, fact{"Sign-in to Frame.io", "none stored; a service account does not need one"})
	}
	last, n, err := v.ledger.LastDelivery(ctx)
	switch {
	case err != nil:
		return nil, err
	case last.IsZero():
		out = append(out, fact{"Webhooks", "none in the last 24 hours. Framebridge also polls, so nothing is lost, but it reacts more slowly."})
	default:
		out = append(out, fact{"Webhooks", english.Count(n, "delivery") + " in the last 24 hours, the last one " + c.moment(last).Ago})
	}
	return append(out, fact{"Framebridge version", version.Get().String()}), nil
}

// setupVersion changes when a check begins or ends, and when a limit is used up, paused or free again.
func setupVersion(task string, budgets []budgetLine) string {
	var states []string
	for _, b := range budgets {
		states = append(states, b.Vendor, b.Name, b.Badge.Text)
	}
	return live.VersionOf(task, states)
}

func (c *console) setupState(ctx context.Context, t live.Topic) (live.State, error) {
	tenant, ok := c.Config().Tenant(t.Tenant)
	if !ok {
		return live.State{}, nil
	}
	budgets, err := c.budgetsOf(ctx, tenant)
	return live.State{Version: setupVersion(c.tasks.State(t).Version, budgets)}, err
}

func (c *console) receivedLine(r ledger.Received) receivedLine {
	out := receivedLine{When: c.moment(r.At), From: cmp.Or(map[string]string{"frameio": "Frame.io"}[r.Source], r.Source), Kind: redact.Scrub(r.Kind),
		Object: redact.Scrub(r.Object), Result: page.Sentence(r.Result), Badge: page.Good("Accepted")}
	switch {
	case r.Status >= http.StatusInternalServerError:
		out.Badge = page.Bad("Failed")
	case r.Status >= http.StatusBadRequest:
		out.Badge = page.Fair("Refused")
	case strings.HasPrefix(r.Result, "ignored"):
		out.Badge = page.Off("Ignored")
	}
	return out
}

func (c *console) examineNow(v visit) live.Task {
	return c.tasks.Begin(live.About(v.tenant.ID, setupTopic), func(ctx context.Context) (any, error) { return c.Actions.Doctor(ctx, v.tenant), nil })
}

func (c *console) examine(_ *http.Request, v visit) (to, done string, err error) {
	c.examineNow(v)
	return "setup", "examining", nil
}
