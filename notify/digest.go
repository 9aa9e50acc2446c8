package notify

import (
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger/outbox"
)

// Digest combines several mails into one, oldest first. tenant is the tenant's name for people.
func Digest(tenant string, mails []outbox.Mail) (subject, text string) {
	if len(mails) == 1 {
		return mails[0].Subject, mails[0].Text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d notifications for %s:\n\n", len(mails), tenant)
	for _, m := range mails {
		fmt.Fprintf(&b, "- %s\n", m.Subject)
	}
	for _, m := range mails {
		fmt.Fprintf(&b, "\n\n%s\n%s\n\n%s\n", strings.ToUpper(english.RecentMinute(m.CreatedAt)), m.Subject, strings.TrimSpace(m.Text))
	}
	return fmt.Sprintf("%s: %d notifications", tenant, len(mails)), b.String()
}
