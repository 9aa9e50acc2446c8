package console

import (
	"cmp"
	"strings"

	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/ledger"
)

// deeds are how a timeline words an audit entry's action, after the actor's name. A key is the action, with the kind of object if
// that matters. Other actions, such as "refused a comment", are already written that way.
var deeds = map[string]string{
	"start archive": "started the archive", "retry archive": "retried the archive", "cancel archive": "canceled the archive",
	"move archive": "moved the archive in the queue", "retry file": "retried the file",
	"removed duplicate": "removed a duplicate", "access removed": "removed access", "links revoked": "revoked the links in e-mails",
	"goes on with an archive of before the move": "continued an archive from before the account migration",
	"matched after the move":                     "matched IDs after the account migration",

	"send review": "sent the assets for review", "extend review": "extended the review", "stop review": "stopped the review",
	"sync review": "requested a sync", "resend review": "sent the failed assets again", "extended": "changed the expiry",
	"link switched off": "switched the link off", "deleted file": "deleted a file in Frame.io", "deleted": "deleted a comment",
	"mail not sent": "could not send an e-mail", "found again after the move": "found the file again after the account migration",

	"start migration": "started the migration", "pause migration": "paused the migration", "resume migration": "resumed the migration",
	"cancel migration": "canceled the migration", "order migration": "moved a project in the list", "add_projects": "looked for new projects",
	"added_projects": "added projects", "migration_report_refused": "could not store the report in iconik",

	"reclaim asked for": "requested the deletion", "reclaim examined": "examined what could be freed", "reclaim approve": "approved the deletion",
	"reclaim approved": "requested and approved the deletion", "reclaim pause": "paused the deletion", "reclaim resume": "resumed the deletion",
	"reclaim cancel": "canceled the deletion", "reclaim cancelled": "canceled the deletion", "reclaim done": "finished the deletion",
	"reclaim refused": "refused the deletion", "reclaim stopped": "stopped the deletion", "deleted in Frame.io": "deleted a file in Frame.io",
}

// atStart returns an actor's name as the first words of a sentence.
func atStart(who string) string {
	if rest, ok := strings.CutPrefix(who, "the "); ok {
		return "The " + rest
	}
	return who
}

// deed returns what an entry's actor did, as a timeline words it.
func deed(e ledger.AuditEntry) string {
	if e.Action == "reclaim refused" && e.Actor.Kind != ledger.ActorSystem {
		return "requested a deletion that was refused"
	}
	if text := cmp.Or(deeds[e.Action+" "+e.ObjectKind], deeds[e.Action]); text != "" {
		return text
	}
	if title, ok := strings.CutPrefix(e.Action, "status of "); ok {
		return "set the status of " + title
	}
	if status, ok := strings.CutPrefix(e.Action, "migration_"); ok {
		return "changed the status to “" + page.Labeled(migrationBadges, ledger.MigrationStatus(status)).Text + "”"
	}
	return strings.ReplaceAll(e.Action, "_", " ")
}
