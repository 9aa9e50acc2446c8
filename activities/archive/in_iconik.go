package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/notice"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// toldInIconik lists the kinds of notifications that iconik users get there.
var toldInIconik = []string{workflows.NotifyEnded, workflows.NotifyWaiting, workflows.NotifyStuck}

// notifyInIconik leaves a notification in iconik for the users who requested the archive, once per kind and run. It points at
// the archive's job. A failure stops nothing.
func (a *archive) notifyInIconik(ctx context.Context, kind string, run int, row ledger.Archive) {
	if row.JobID == "" || !slices.Contains(toldInIconik, kind) {
		return
	}
	said := notice.Event(kind, row, a.where(row, routes.ConsoleArchive(a.steps.Config.Now(), a.ref.Tenant, a.ref.Archive)), workflows.Counts{})
	for _, address := range row.Asked() {
		if !strings.Contains(address, "@") {
			continue
		}
		if err := a.notifyOne(ctx, address, fmt.Sprintf("notification:archive:%s:%d:%s:", row.ID, run, kind), iconik.Notification{EventType: "finished",
			ObjectType: "jobs", ObjectID: row.JobID, SubObjectType: "collections", Short: said.Title, Long: said.Text}); err != nil {
			a.log.WarnContext(ctx, "could not notify a user in iconik", "archive", a.ref.Archive, "error", err)
		}
	}
}

func (a *archive) notifyOne(ctx context.Context, address, key string, n iconik.Notification) error {
	var err error
	if n.RecipientID, err = a.tenant.UserFor(ctx, frameio.Person{Email: address}); err != nil || n.RecipientID == "" {
		return err
	}
	return a.tenant.NotifyInIconik(ctx, key+n.RecipientID, a.ref.Archive, n)
}
