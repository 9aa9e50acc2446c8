package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/mail"
)

// credentialOut reports that one of several credentials is not used for a while: in the log each time, and to the operators once a day.
func (t *Tenant) credentialOut(name string, why error) {
	ctx, cancel := context.WithTimeout(context.Background(), noticeTimeout)
	t.Log.WarnContext(ctx, "a credential is suspended for a while: the tenant's others continue, more slowly", "tenant", t.ID, "credential", name, "error", why)
	today := time.Now().UTC().Format(time.DateOnly)
	text := fmt.Sprintf("Framebridge no longer uses tenants.%s.%s: %v.\n\nThe tenant's other credentials continue, more slowly. Replace the credential or remove it from the configuration; until then it is tried again every quarter of an hour.\n", t.ID, name, why)
	go func() {
		defer cancel()
		err := t.Mail.SendOnce(ctx, "", mail.Message{ID: "credential:" + name + ":" + today, To: t.operators(), Subject: "Framebridge: a credential of " + t.Config.Name + " does not work", Text: text})
		if err != nil {
			t.Log.WarnContext(ctx, "could not mail the administrators about a credential", "tenant", t.ID, "error", err)
		}
	}()
}
