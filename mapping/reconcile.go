package mapping

import (
	"cmp"
	"slices"
	"time"
)

// Side is one of the two systems that have a comment.
type Side int

// The two sides.
const (
	Frameio Side = iota
	Iconik
)

// Other returns the opposite side.
func (s Side) Other() Side { return 1 - s }

func (s Side) String() string { return [...]string{"Frame.io", "iconik"}[s] }

// State holds the parts of a comment that are edited independently, each encoded so that equal parts have equal text. States are
// compared only within one side.
type State struct {
	Text    string `json:"text"`
	Time    string `json:"time"`
	Done    string `json:"done"`
	Drawing string `json:"drawing"`
}

// Refused returns what is kept of a state whose edit the other side refused: it differs from the state, so that the edit is due until
// it succeeds, and tells whether it was edited again since.
func (f State) Refused() State {
	const mark = "refused "
	return State{Text: mark + f.Text, Time: mark + f.Time, Done: mark + f.Done, Drawing: mark + f.Drawing}
}

// Unknown is the state of a comment whose last state is not certain: every part counts as edited.
var Unknown = State{Text: "?", Time: "?", Done: "?", Drawing: "?"}

// Part is the name of one of a comment's parts.
type Part string

// Parts of a comment that are edited independently.
const (
	PartText    Part = "text"
	PartTime    Part = "time"
	PartDone    Part = "done"
	PartDrawing Part = "drawing"
)

var parts = []Part{PartText, PartTime, PartDone, PartDrawing}

func (f *State) at(p Part) *string {
	switch p {
	case PartText:
		return &f.Text
	case PartTime:
		return &f.Time
	case PartDone:
		return &f.Done
	}
	return &f.Drawing
}

// Seen is a comment that one side shows for certain.
type Seen struct {
	ID, ParentID string
	State        State
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Pair is a known comment. An empty ID means that it is not certain that the side ever had it.
type Pair struct {
	Key     string
	Origin  Side
	IDs     [2]string
	State   [2]State // as last seen or written
	Deleted bool
	// Ignored comments stay on their side.
	Ignored bool
}

// OpKind is the kind of an operation.
type OpKind string

// Kinds of operations.
const (
	OpCreate OpKind = "create" // create the comment on To; Key is empty if it was not known
	OpEdit   OpKind = "edit"   // bring Parts of the comment over to To
	OpDelete OpKind = "delete" // delete it on To
	OpNote   OpKind = "note"   // only record what is seen, or that it is gone on both sides
)

// Op is one step toward making both sides equal.
type Op struct {
	Kind      OpKind
	To        Side // where to apply it; it comes from the other side
	Key       string
	From      string // ID on the side it comes from
	Parts     []Part
	Overruled []Part // parts on To that a later edit overrules; the audit keeps them
}

// Reconcile compares what both sides show with what is known, and returns the operations that make them equal. New comments come
// in the order in which they were written, parents before replies. Edits come last, because a vendor may accept only a few per
// minute. The result is only as reliable as seen: the caller must first confirm a listing that may lag behind.
//
// An edit of a part on one side goes to the other. If both sides edited the part, the later edit wins. A comment deleted on one
// side is deleted on the other, whatever was edited there.
func Reconcile(pairs []Pair, seen [2][]Seen) []Op {
	var ops, edits []Op
	byID := [2]map[string]Seen{{}, {}}
	for side := range seen {
		for _, s := range seen[side] {
			byID[side][s.ID] = s
		}
	}
	known := [2]map[string]bool{{}, {}}
	for _, p := range pairs {
		for side, id := range p.IDs {
			if id != "" {
				known[side][id] = true
			}
		}
		for _, op := range p.reconcile(byID) {
			if op.Kind == OpEdit {
				edits = append(edits, op)
			} else {
				ops = append(ops, op)
			}
		}
	}
	for side := range seen {
		rows := slices.Clone(seen[side])
		level := levels(rows)
		slices.SortFunc(rows, func(a, b Seen) int {
			return cmp.Or(level[a.ID]-level[b.ID], a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
		})
		for _, s := range rows {
			if !known[side][s.ID] {
				ops = append(ops, Op{Kind: OpCreate, To: Side(side).Other(), From: s.ID})
			}
		}
	}
	return append(ops, edits...)
}

// levels returns the number of ancestors of each comment.
func levels(rows []Seen) map[string]int {
	parent := map[string]string{}
	for _, s := range rows {
		parent[s.ID] = s.ParentID
	}
	out := map[string]int{}
	for _, s := range rows {
		n := 0
		for p, ok := parent[s.ID], true; p != "" && ok && n <= len(rows); n++ {
			p, ok = parent[p]
		}
		out[s.ID] = n
	}
	return out
}

func (p Pair) reconcile(byID [2]map[string]Seen) []Op {
	var at [2]Seen
	var there [2]bool
	for side, id := range p.IDs {
		if id != "" {
			at[side], there[side] = byID[side][id], byID[side][id].ID != ""
		}
	}
	if p.Ignored {
		return nil
	}
	if p.Deleted {
		var ops []Op
		for side := range there {
			if there[side] {
				ops = append(ops, Op{Kind: OpDelete, To: Side(side), Key: p.Key, From: p.IDs[side]})
			}
		}
		return ops
	}
	from := p.Origin
	switch {
	case p.IDs[from.Other()] == "" && there[from]: // its creation was begun but not finished
		return []Op{{Kind: OpCreate, To: from.Other(), Key: p.Key, From: p.IDs[from]}}
	case !there[Frameio] && !there[Iconik]:
		return []Op{{Kind: OpNote, Key: p.Key}}
	case !there[Frameio]:
		return []Op{{Kind: OpDelete, To: Iconik, Key: p.Key, From: p.IDs[Iconik]}}
	case !there[Iconik]:
		return []Op{{Kind: OpDelete, To: Frameio, Key: p.Key, From: p.IDs[Frameio]}}
	}
	edits := [2]Op{{Kind: OpEdit, To: Frameio, Key: p.Key, From: at[Iconik].ID}, {Kind: OpEdit, To: Iconik, Key: p.Key, From: at[Frameio].ID}}
	for _, part := range parts {
		changed := [2]bool{}
		for side := range at {
			changed[side] = *at[side].State.at(part) != *p.State[side].at(part)
		}
		switch {
		case changed[Frameio] && changed[Iconik]:
			winner := Iconik
			if !at[Frameio].UpdatedAt.Before(at[Iconik].UpdatedAt) {
				winner = Frameio
			}
			e := &edits[winner.Other()]
			e.Parts, e.Overruled = append(e.Parts, part), append(e.Overruled, part)
		case changed[Frameio]:
			edits[Iconik].Parts = append(edits[Iconik].Parts, part)
		case changed[Iconik]:
			edits[Frameio].Parts = append(edits[Frameio].Parts, part)
		}
	}
	var ops []Op
	for _, e := range edits {
		if len(e.Parts) > 0 {
			ops = append(ops, e)
		}
	}
	return ops
}

// Copy copies one part from another state.
func (f *State) Copy(p Part, from State) { *f.at(p) = *from.at(p) }
