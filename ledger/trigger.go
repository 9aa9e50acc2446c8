package ledger

import (
	"slices"
	"strings"
)

// Trigger is what a run was asked for by, beside the addresses of people. The zero value is that of runs from before it was kept.
type Trigger struct {
	Kind string `json:"kind"`           // an actor's, or one of the constants
	Name string `json:"name,omitempty"` // of the API key or the mirror, or a migration's ID
}

// Kinds of triggers that are no actors.
const (
	TriggerMigration = "migration"
	TriggerMirror    = "mirror"
)

// TriggerOf is what asks when this actor does. It names no person: their addresses are kept where they can be forgotten.
func TriggerOf(a Actor) Trigger { return Trigger{Kind: a.Kind, Name: a.Key} }

var triggerWords = map[string]string{
	ActorAPI: "the API key", ActorCommand: "the command line", ActorConsole: "the console", ActorFrameio: "a change or a click in Frame.io", ActorIconik: "a click in iconik",
	TriggerMigration: "the migration", TriggerMirror: "the mirror",
}

// For says in words what asked, and for which people; "" where neither is known.
func (o Trigger) For(addresses ...string) string {
	by := strings.TrimSpace(triggerWords[o.Kind] + " " + o.Name)
	if o == (Trigger{Kind: TriggerMirror}) { // of a run from before its name was kept
		by = "a mirror"
	}
	people := strings.Join(slices.DeleteFunc(slices.Clone(addresses), func(s string) bool { return s == "" }), ", ")
	if by == "" || people == "" {
		return by + people
	}
	return by + ", for " + people
}

// Asked are the addresses of all who asked for an archive.
func (a Archive) Asked() []string { return append([]string{a.RequestedBy}, a.AlsoAsked...) }
