package console

import (
	"context"
	"net/http"

	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/version"
)

const setupTopic = "setup"

var checkBadges = map[doctor.Status]badge{doctor.OK: {"OK", "good"}, doctor.Warn: {"Warning", "fair"}, doctor.Fail: {"Problem", "bad"}, doctor.Skipped: {"Skipped", "off"}}

type checkLine struct {
	ID, Seen, Meaning, Do string
	Badge                 badge
}

type setupBody struct {
	Running bool
	Took    string
	Read    moment
	Wrong   []checkLine
	Rest    []checkLine
	Known   bool
	Facts   []fact
}

// setupPage shows what the doctor found, and what the ledger knows of the connections to both vendors.
func (c *console) setupPage(w http.ResponseWriter, r *http.Request, v visit) {
	p := c.in(r, v, "setup", "Set-up")
	t := topic{v.tenant.ID, setupTopic}
	have, ok := c.tasks.get(t)
	if !ok {
		have = c.examineNow(v) //nolint:contextcheck // it goes on without its page
	}
	p.Topic, p.Version = setupTopic, c.tasks.version(t)
	b := setupBody{Running: have.running(), Took: english.Duration(c.Now().Sub(have.Began))}
	if found, ok := have.Result.(doctor.Report); ok {
		b.Known, b.Read = true, c.moment(have.Ended)
		for _, check := range found.Checks {
			if check.Tenant != "" && check.Tenant != v.tenant.ID && check.Tenant != v.tenant.Name {
				continue
			}
			line := checkLine{check.ID, redact.Scrub(check.Seen), redact.Scrub(check.Meaning), redact.Scrub(check.Do), labeled(checkBadges, check.Status)}
			if check.Status == doctor.Fail || check.Status == doctor.Warn {
				b.Wrong = append(b.Wrong, line)
			} else {
				b.Rest = append(b.Rest, line)
			}
		}
	}
	last, n, err := v.ledger.LastDelivery(r.Context())
	if err != nil {
		c.failed(w, r, err)
		return
	}
	b.Facts = append(b.Facts, fact{"Frame.io API", v.tenant.Frameio.Generation})
	if at, ok := c.Actions.SignedIn(r.Context(), v.tenant); ok {
		b.Facts = append(b.Facts, fact{"Sign-in to Frame.io", "renewed " + c.moment(at).Ago})
	}
	if last.IsZero() {
		b.Facts = append(b.Facts, fact{"Webhooks", "none in the last 24 hours. Framebridge also polls, so nothing is lost, but it reacts later."})
	} else {
		b.Facts = append(b.Facts, fact{"Webhooks", english.Count(n, "delivery") + " in the last 24 hours, the last one " + c.moment(last).Ago})
	}
	b.Facts = append(b.Facts, fact{"This program", version.Get().String()})
	p.Body = b
	c.show(w, r, http.StatusOK, "setup", p)
}

func (c *console) examineNow(v visit) task {
	return c.tasks.begin(topic{v.tenant.ID, setupTopic}, func(ctx context.Context) (any, error) { return c.Actions.Doctor(ctx, v.tenant), nil })
}

func (c *console) examine(_ *http.Request, v visit) (to, done string, err error) {
	c.examineNow(v)
	return "setup", "examining", nil
}
