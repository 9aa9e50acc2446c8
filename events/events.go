// Package events is the catalog of what Framebridge tells people and programs outside: by mail, in Slack and
// Teams, by webhook, and in iconik.
package events

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Kind is what has happened. Kinds appear in configurations and webhooks, so never rename one.
type Kind string

// All kinds; see Catalog.
const (
	ArchiveQueued     Kind = "archive.queued"
	ArchiveStarted    Kind = "archive.started"
	ArchiveWaiting    Kind = "archive.waiting"
	ArchiveStuck      Kind = "archive.stuck"
	ArchiveVerified   Kind = "archive.verified"
	ArchiveExceptions Kind = "archive.verified_with_exceptions"
	ArchiveIncomplete Kind = "archive.incomplete"
	ArchiveFailed     Kind = "archive.failed"
	ArchiveCancelled  Kind = "archive.cancelled"

	ReviewOpen     Kind = "review.open"
	ReviewChanged  Kind = "review.changed"
	ReviewDecision Kind = "review.decision"
	ReviewWarning  Kind = "review.warning"
	ReviewExpired  Kind = "review.expired"
	ReviewStopped  Kind = "review.stopped"
	ReviewDeleted  Kind = "review.deleted"
	ReviewFailed   Kind = "review.failed"

	MigrationStarted       Kind = "migration.started"
	MigrationPaused        Kind = "migration.paused"
	MigrationResumed       Kind = "migration.resumed"
	MigrationWaits         Kind = "migration.waits_for_go"
	MigrationProjectFailed Kind = "migration.project_failed"
	MigrationDone          Kind = "migration.done"
	MigrationIncomplete    Kind = "migration.incomplete"
	MigrationFailed        Kind = "migration.failed"
	MigrationCancelled     Kind = "migration.cancelled"

	MirrorStarted Kind = "mirror.started"
	MirrorDone    Kind = "mirror.done"
	MirrorFailed  Kind = "mirror.failed"

	ReclaimAsked     Kind = "reclaim.asked"
	ReclaimWaits     Kind = "reclaim.waits_for_approval"
	ReclaimApproved  Kind = "reclaim.approved"
	ReclaimRefused   Kind = "reclaim.refused"
	ReclaimStopped   Kind = "reclaim.stopped"
	ReclaimCancelled Kind = "reclaim.cancelled"
	ReclaimDone      Kind = "reclaim.done"

	SignInRefused   Kind = "signin.refused"
	AccountMigrated Kind = "account.migrated"
	VendorPause     Kind = "vendor.pause"
	WorkflowFailing Kind = "workflow.failing"
	DeliveryFailing Kind = "delivery.failing"
	Test            Kind = "notify.test"
)

// Entry describes a kind.
type Entry struct {
	Kind Kind
	What string
	// Urgent means that somebody must act.
	Urgent bool
}

// Catalog returns all kinds, those of archives first.
func Catalog() []Entry {
	return []Entry{
		{ArchiveQueued, "an archive is waiting in the queue", false},
		{ArchiveStarted, "an archive has started", false},
		{ArchiveWaiting, "an archive waits for originals", true},
		{ArchiveStuck, "an archive has been failing for an hour and keeps trying", true},
		{ArchiveVerified, "an archive is done and verified", false},
		{ArchiveExceptions, "an archive is verified, with exceptions named in its report", false},
		{ArchiveIncomplete, "an archive has ended, but objects are missing", true},
		{ArchiveFailed, "an archive has failed", true},
		{ArchiveCancelled, "somebody has canceled an archive", false},
		{ReviewOpen, "a review is open", false},
		{ReviewChanged, "somebody has changed a review's link or files outside Framebridge, or a vendor refuses what the review needs", true},
		{ReviewDecision, "an asset was approved, or changes were requested", false},
		{ReviewWarning, "a review's media will be deleted soon", false},
		{ReviewExpired, "a review has expired", false},
		{ReviewStopped, "somebody has stopped a review", false},
		{ReviewDeleted, "a review's media in Frame.io is deleted", false},
		{ReviewFailed, "a review has failed", true},
		{MigrationStarted, "a migration has started to archive projects", false},
		{MigrationPaused, "somebody has paused a migration", false},
		{MigrationResumed, "a migration continues after a pause", false},
		{MigrationWaits, "a migration's first projects are done, and it waits for somebody to resume it", true},
		{MigrationProjectFailed, "a project of a migration has failed or is incomplete; Slack and Teams get it only where they don't get the archive's own event", true},
		{MigrationDone, "a migration is done", false},
		{MigrationIncomplete, "a migration has ended, but not all projects are archived", true},
		{MigrationFailed, "a migration has failed", true},
		{MigrationCancelled, "somebody has canceled a migration", false},
		{MirrorStarted, "a mirror's run has started", false},
		{MirrorDone, "a mirror's run is done", false},
		{MirrorFailed, "a mirror's run has failed, or some of its archives have", true},
		{ReclaimAsked, "somebody has requested the deletion of archived files in Frame.io", false},
		{ReclaimWaits, "a deletion in Frame.io waits for a second person's approval", true},
		{ReclaimApproved, "a deletion in Frame.io was approved", false},
		{ReclaimRefused, "a deletion in Frame.io was refused: nothing was deleted", false},
		{ReclaimStopped, "a deletion in Frame.io has stopped because something failed or no longer matched its proof", true},
		{ReclaimCancelled, "somebody has canceled a deletion in Frame.io", false},
		{ReclaimDone, "a deletion in Frame.io is done, with a certificate", false},
		{SignInRefused, "Adobe or Frame.io rejects the sign-in, or it expires soon", true},
		{AccountMigrated, "Frame.io rejects a legacy token: the account may have been migrated to V4", true},
		{VendorPause, "Frame.io or iconik asked Framebridge to pause for five minutes or longer", false},
		{WorkflowFailing, "a workflow has stopped because its task keeps failing", true},
		{DeliveryFailing, "a channel has not accepted a notification for an hour", true},
		{Test, "`starter notify test` was run; always sent", false},
	}
}

// groups are names for several kinds.
var groups = map[string][]Kind{
	"archive.finished": {ArchiveVerified, ArchiveExceptions, ArchiveIncomplete, ArchiveFailed, ArchiveCancelled},
	"review.ended":     {ReviewExpired, ReviewStopped, ReviewFailed},
	"migration.ended":  {MigrationDone, MigrationIncomplete, MigrationFailed, MigrationCancelled},
	"mirror.ended":     {MirrorDone, MirrorFailed},
	"reclaim.ended":    {ReclaimRefused, ReclaimStopped, ReclaimCancelled, ReclaimDone},
}

// unmailed are mailed only if a filter matches them.
var unmailed = []Kind{MigrationStarted, MigrationPaused, MigrationResumed, MigrationProjectFailed, MirrorStarted, MirrorDone, ReclaimAsked, ReclaimApproved}

// Names returns all the names that a filter may use, besides patterns such as archive.*.
func Names() []string {
	var out []string
	for _, e := range Catalog() {
		out = append(out, string(e.Kind))
	}
	for name := range groups {
		out = append(out, name)
	}
	out = append(out, "urgent")
	slices.Sort(out)
	return out
}

// Entry returns the catalog's entry for a kind.
func (k Kind) Entry() Entry {
	for _, e := range Catalog() {
		if e.Kind == k {
			return e
		}
	}
	return Entry{Kind: k}
}

// Known reports whether a filter's name or pattern matches any kind.
func Known(name string) bool {
	return slices.ContainsFunc(Catalog(), func(e Entry) bool { return matches(name, e) })
}

// Wanted reports whether a filter matches a kind. An empty filter matches all kinds, and Test always matches.
func Wanted(filter []string, k Kind) bool {
	return len(filter) == 0 || k == Test || slices.ContainsFunc(filter, func(name string) bool { return matches(name, k.Entry()) })
}

// Mailed reports whether a kind is mailed.
func Mailed(filter []string, k Kind) bool {
	return Wanted(filter, k) && (len(filter) > 0 || !slices.Contains(unmailed, k))
}

func matches(name string, e Entry) bool {
	if prefix, pattern := strings.CutSuffix(name, "*"); pattern {
		return prefix == "" || strings.HasSuffix(prefix, ".") && strings.HasPrefix(string(e.Kind), prefix)
	}
	return name == string(e.Kind) || name == "urgent" && e.Urgent || slices.Contains(groups[name], e.Kind)
}

// Event is one thing that has happened. Its JSON is the body of webhooks.
type Event struct {
	ID      string    `json:"id"`
	Type    Kind      `json:"type"`
	Created time.Time `json:"created"`
	Tenant  string    `json:"tenant"`
	Data    Data      `json:"data"`
}

// Data is what an event says, for people and for programs.
type Data struct {
	Title  string `json:"title"`
	Text   string `json:"text,omitempty"`
	Urgent bool   `json:"action_needed"`
	// Object is what the event is about: archive, review, migration, mirror, reclaim, workflow or tenant.
	Object   string           `json:"object"`
	ObjectID string           `json:"object_id,omitempty"`
	Name     string           `json:"name,omitempty"`
	Status   string           `json:"status,omitempty"`
	Changed  *bool            `json:"changed,omitempty"` // for an archive that has ended: whether anything changed in iconik
	Counts   map[string]int64 `json:"counts,omitempty"`
	Facts    []Fact           `json:"facts,omitempty"`
	Links    []Link           `json:"links,omitempty"`
}

// Fact is a line that people read in addition to the text.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Link is a link to more information.
type Link struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// ID returns an event's ID. The same key always gives the same event.
func ID(tenant, key string) string {
	sum := sha256.Sum256([]byte(tenant + "\x00" + key))
	return "evt_" + hex.EncodeToString(sum[:16])
}
