package ledger

import (
	"slices"
	"strings"
)

// Trigger is what started a run, besides the addresses of people. Runs from before it was stored have the zero value.
type Trigger struct {
	Kind string `json:"kind"`           // an actor's kind, or one of the constants
	Name string `json:"name,omitempty"` // of the API key or the mirror, or a migration's ID
}

// Kinds of triggers that are not actors.
const (
	TriggerMigration = "migration"
	TriggerMirror    = "mirror"
)

// TriggerOf returns an actor's trigger. It names no person, because people's addresses are stored where they can be erased.
func TriggerOf(a Actor) Trigger { return Trigger{Kind: a.Kind, Name: a.Key} }

var triggerWords = map[string]string{
	ActorAPI: "the API key", ActorCommand: "the command line", ActorConsole: "the console", ActorFrameio: "a change or a click in Frame.io", ActorIconik: "a click in iconik",
	TriggerMigration: "the migration", TriggerMirror: "the mirror",
}

// For returns in words what triggered the run, and for which people, or "" if neither is known.
func (o Trigger) For(addresses ...string) string {
	by := strings.TrimSpace(triggerWords[o.Kind] + " " + o.Name)
	if o == (Trigger{Kind: TriggerMirror}) { // a run from before the name was stored
		by = "a mirror"
	}
	people := strings.Join(slices.DeleteFunc(slices.Clone(addresses), func(s string) bool { return s == "" }), ", ")
	if by == "" || people == "" {
		return by + people
	}
	return by + ", for " + people
}

// Asked returns the addresses of everyone who asked for the archive.
func (a Archive) Asked() []string { return append([]string{a.RequestedBy}, a.AlsoAsked...) }
