// Package comparing finds what differs between iconik and Frame.io, keeps it for the report, and includes it in an archive's
// verdict. What to compare and what to write is up to the archive.
package comparing

import (
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/proof"
)

// Findings are what the verification of an archive finds.
type Findings struct {
	Rows ledger.ArchiveLedger
	// Restores means that what was changed in iconik gets Frame.io's value again.
	Restores bool

	known map[string][]ledger.Difference // earlier findings on the objects compared; nil if they were not read
}

// Place is the part of an object that is compared.
type Place struct {
	Object, Part string // Object is its Frame.io ID
	Path, URL    string // for people
}

// Read reads the earlier findings on a range of items, which saves writing the same ones again.
func (f *Findings) Read(ctx context.Context, from, to int64) (err error) {
	f.known, err = f.Rows.DifferencesOf(ctx, from, to)
	return err
}

// Set records what is found in a place, replacing what was found there before.
func (f *Findings) Set(ctx context.Context, p Place, rows []ledger.Difference) error {
	if len(rows) == 0 && f.known != nil && !slices.ContainsFunc(f.known[p.Object], func(d ledger.Difference) bool { return d.Part == p.Part }) {
		return nil
	}
	run, err := f.run(ctx)
	if err != nil {
		return err
	}
	return f.Rows.SetDifferences(ctx, p.Object, p.Part, run, p.of(rows))
}

// Restored records what the run has restored in a place.
func (f *Findings) Restored(ctx context.Context, p Place, rows []ledger.Difference) error {
	if len(rows) == 0 {
		return nil
	}
	run, err := f.run(ctx)
	if err != nil {
		return err
	}
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Kind = ledger.DifferenceRestored
	}
	return f.Rows.AddDifferences(ctx, p.Object, p.Part, run, p.of(rows))
}

// Begin clears earlier findings in the given parts of all objects, and what earlier runs have restored.
func (f *Findings) Begin(ctx context.Context, parts ...string) error {
	run, err := f.run(ctx)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := f.Rows.ClearDifferences(ctx, part, run); err != nil {
			return err
		}
	}
	return f.Rows.ForgetRestored(ctx, run)
}

// End marks a run with findings other than the previous run's as one that changed something, so that the report and the mail
// say so.
func (f *Findings) End(ctx context.Context) error {
	hash, err := f.Rows.DifferencesHash(ctx)
	if err != nil {
		return err
	}
	row, _, err := f.Rows.Get(ctx)
	if err != nil || row.DifferencesHash == hash {
		return err
	}
	_, err = f.Rows.Update(ctx, func(r *ledger.Archive) { r.DifferencesHash, r.Changed = hash, true })
	return err
}

// Outcome lowers an outcome of "verified" if something differs between iconik and Frame.io.
func (f *Findings) Outcome(ctx context.Context, status ledger.ArchiveStatus, reason string) (ledger.ArchiveStatus, string, error) {
	counts, err := f.Rows.DifferenceCounts(ctx)
	if err != nil || status != ledger.Verified && status != ledger.VerifiedWithExceptions {
		return status, reason, err
	}
	words := map[ledger.DifferenceKind]string{ledger.DifferenceChanged: "changed in iconik", ledger.DifferenceDiffers: "not kept by iconik as written",
		ledger.DifferenceExtra: "deleted in Frame.io after the copy and still in iconik", ledger.DifferenceMissing: "missing in iconik"}
	for _, k := range counts {
		if what, ok := words[ledger.DifferenceKind(k.Kind)]; ok {
			status, reason = ledger.VerifiedWithExceptions, reason+fmt.Sprintf("; %s: %d", what, k.Count)
		}
	}
	return status, reason, nil
}

func (f *Findings) run(ctx context.Context) (int, error) {
	row, _, err := f.Rows.Get(ctx)
	return row.Run, err
}

func (p Place) of(rows []ledger.Difference) []ledger.Difference {
	for i := range rows {
		rows[i].Place, rows[i].URL = p.Path, p.URL
	}
	return rows
}

// Differences converts what a proof found for the ledger. What Frame.io has changed since the copy is work, not a finding. name
// is the comment's or field's, for objects that have several.
func Differences(name string, found []proof.Difference) []ledger.Difference {
	kinds := map[proof.Kind]ledger.DifferenceKind{proof.Differ: ledger.DifferenceDiffers, proof.Changed: ledger.DifferenceChanged}
	var out []ledger.Difference
	for _, d := range found {
		if kind, ok := kinds[d.Kind]; ok {
			out = append(out, ledger.Difference{Kind: kind, Property: d.Property, Name: name, Frameio: d.Frameio, Iconik: d.Iconik})
		}
	}
	return out
}

// Decide sorts what a proof found on an object: what to write, which properties stay as changed in iconik, and which of the
// written ones undo such a change.
func (f *Findings) Decide(found []proof.Difference) (write []proof.Difference, left []string, restored []proof.Difference) {
	for _, d := range found {
		switch {
		case d.Kind != proof.Changed:
			write = append(write, d)
		case f.Restores:
			write, restored = append(write, d), append(restored, d)
		default:
			left = append(left, d.Property)
		}
	}
	return write, left, restored
}

// Stale reports whether Frame.io has changed something since the copy.
func Stale(found []proof.Difference) bool {
	return slices.ContainsFunc(found, func(d proof.Difference) bool { return d.Kind == proof.Source })
}
