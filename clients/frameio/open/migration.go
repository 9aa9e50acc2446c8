package open

import (
	"context"
	"fmt"
	"strings"
	"time"

	v4 "github.com/framebridge/framebridge/clients/frameio/v4"
	"github.com/framebridge/framebridge/config"
)

const probeTimeout = 5 * time.Second // to ask V4 whether the account is there

// MigrationNotice is what operators are told when the legacy API refuses a tenant's token: what it means and what to do.
// Where V4 takes the token, the account was migrated for certain.
func MigrationNotice(ctx context.Context, t *config.Tenant) (subject, text string) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	account, since, err := v4.MovedAt(ctx, t.Frameio)
	head := fmt.Sprintf("Frame.io's legacy API refuses the token of tenant %s (%s).", t.Name, t.ID)
	steps := []string{fmt.Sprintf("If the account is on V4 now, set tenants.%s.frameio.generation to v4 and fill in frameio.ims (or keep the developer token, where the account is not run from Adobe's Admin Console), then start worker and starter again.", t.ID)}
	if err == nil {
		when := ""
		if !since.IsZero() {
			when = " since " + since.Format("2 January 2006, 15:04 MST")
		}
		subject = fmt.Sprintf("The Frame.io account of %s was moved to V4: change its configuration", t.Name)
		head += fmt.Sprintf(" Its account %q is on V4%s, which takes this token.", account, when)
		steps = []string{fmt.Sprintf("Set tenants.%s.frameio.generation to v4, then start worker and starter again. The token works there for now; Adobe's sign-in (frameio.ims) is what stays.", t.ID)}
	} else {
		subject = fmt.Sprintf("Frame.io refuses the token of %s: was the account moved to V4?", t.Name)
		head += " It ends on 1 December 2026, and an account that was moved to V4 refuses legacy tokens at once."
	}
	steps = append(steps, "Make the webhooks again in the workspace: the move has switched the old ones off.")
	if err != nil {
		steps = append(steps, "If the account was not moved, the token was deleted: make a new one.")
	}
	var b strings.Builder
	b.WriteString(head + "\n\nWhat to do:\n")
	for i, s := range steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, s)
	}
	b.WriteString(`
Nothing is lost meanwhile: archives and reviews that run try again every minute, and go on by themselves once 1 is done. Where Frame.io gave a project another id, its archive ends as failed, and its mail names the id to start: that archive goes on where the old one stopped. Open reviews get a new link on V4, and their reviewers a new invitation.
`)
	return subject, b.String()
}
