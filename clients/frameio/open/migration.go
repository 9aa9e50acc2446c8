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

// MigrationNotice returns what to tell operators when the legacy API rejects a tenant's token: what it means and what to do. If
// V4 accepts the token, the account was certainly migrated.
func MigrationNotice(ctx context.Context, t *config.Tenant) (subject, text string) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	account, since, err := v4.MovedAt(ctx, t.Frameio)
	head := fmt.Sprintf("Frame.io's legacy API refuses the token of tenant %s (%s).", t.Name, t.ID)
	steps := []string{fmt.Sprintf("If the account is on V4 now, set tenants.%s.frameio.generation to v4 and fill in frameio.ims (or keep the developer token if the account is not managed in Adobe's Admin Console).", t.ID)}
	if err == nil {
		when := "is on V4"
		if !since.IsZero() {
			when = "has been on V4 since " + since.Format("January 2, 2006, 15:04 MST")
		}
		subject = fmt.Sprintf("The Frame.io account of %s was migrated to V4: update the configuration", t.Name)
		head += fmt.Sprintf(" Its account %q %s, and V4 accepts this token.", account, when)
		steps = []string{fmt.Sprintf("Set tenants.%s.frameio.generation to v4. The token works on V4 for now; plan to switch to an Adobe sign-in (frameio.ims).", t.ID)}
	} else {
		subject = fmt.Sprintf("Frame.io refuses the token of %s: was the account migrated to V4?", t.Name)
		head += " Frame.io supports that API only until December 1, 2026, and a migrated account refuses legacy tokens immediately."
	}
	steps = append([]string{"First, ask Frame.io Support to restore team-only comments: V4 hides those from before the migration until Support brings them back, and an archive cannot see them. Also have projects in cold storage unarchived: V4 does not offer their originals until then."}, steps...)
	steps = append(steps, "Run starter setup: the account migration turned the webhooks off.")
	if err != nil {
		steps = append(steps, "If the account was not migrated, someone deleted the token: create a new one.")
	}
	var b strings.Builder
	b.WriteString(head + "\n\nWhat to do:\n")
	for i, s := range steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, s)
	}
	b.WriteString(`
Nothing is lost. Running archives and reviews retry every minute, and continue automatically once the configuration is changed. If Frame.io gave a project a new ID, its archive fails, and an e-mail names the new ID; an archive with that ID continues where the old one stopped. Open reviews get a new link on V4, and their reviewers new invitations.
`)
	return subject, b.String()
}
