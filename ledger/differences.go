package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// DifferenceKind is the result of comparing a property on both sides.
type DifferenceKind string

// Kinds of differences.
const (
	DifferenceChanged  DifferenceKind = "changed in iconik" // not by Framebridge
	DifferenceDiffers  DifferenceKind = "differ"            // iconik did not keep what Framebridge wrote
	DifferenceExtra    DifferenceKind = "extra"             // Frame.io no longer has it
	DifferenceMissing  DifferenceKind = "missing"
	DifferenceRestored DifferenceKind = "restored" // changed in iconik; this run wrote Frame.io's value back
)

// Difference is a property of an object that differs between iconik and Frame.io.
type Difference struct {
	Object   string // the Frame.io id of the file, folder, share, …
	Part     string // "comments", "asset", …
	Kind     DifferenceKind
	Property string // text, time, title, …
	Name     string // of the comment or field, if the object has several
	Place    string // the object's path, for people
	Frameio  string // the values
	Iconik   string
	URL      string
	Run      int // the archive's run that found it
}

const differenceColumns = "object, part, kind, property, name, place, frameio, iconik, url, run"

func scanDifference(r scanner) (Difference, error) {
	var d Difference
	err := r.Scan(&d.Object, &d.Part, &d.Kind, &d.Property, &d.Name, &d.Place, &d.Frameio, &d.Iconik, &d.URL, &d.Run)
	return d, err
}

// SetDifferences replaces the differences in a part of an object. Those that this run restored stay.
func (h ArchiveLedger) SetDifferences(ctx context.Context, object, part string, run int, rows []Difference) error {
	return h.l.tx(ctx, func(tx session) error {
		if _, err := tx.Exec(ctx, "DELETE FROM differences WHERE tenant = ? AND archive = ? AND object = ? AND part = ? AND (kind <> ? OR run <> ?)",
			h.tenant, h.id, object, part, DifferenceRestored, run); err != nil {
			return err
		}
		return addDifferences(ctx, tx, h, object, part, run, rows)
	})
}

// AddDifferences adds differences in a part of an object.
func (h ArchiveLedger) AddDifferences(ctx context.Context, object, part string, run int, rows []Difference) error {
	return h.l.tx(ctx, func(tx session) error { return addDifferences(ctx, tx, h, object, part, run, rows) })
}

func addDifferences(ctx context.Context, tx session, h ArchiveLedger, object, part string, run int, rows []Difference) error {
	if len(rows) == 0 {
		return nil
	}
	var n int
	if err := tx.Row(ctx, "SELECT COALESCE(MAX(n), 0) FROM differences WHERE tenant = ? AND archive = ? AND object = ? AND part = ?", h.tenant, h.id, object, part).Scan(&n); err != nil {
		return err
	}
	for i, d := range rows {
		if _, err := tx.Exec(ctx, "INSERT INTO differences (tenant, archive, n, "+differenceColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			h.tenant, h.id, n+1+i, object, part, d.Kind, d.Property, d.Name, d.Place, d.Frameio, d.Iconik, d.URL, run); err != nil {
			return err
		}
	}
	return nil
}

// ClearDifferences deletes the differences in a part of all objects. Those that this run restored stay.
func (h ArchiveLedger) ClearDifferences(ctx context.Context, part string, run int) error {
	_, err := h.l.exec(ctx, "DELETE FROM differences WHERE tenant = ? AND archive = ? AND part = ? AND (kind <> ? OR run <> ?)", h.tenant, h.id, part, DifferenceRestored, run)
	return err
}

// ForgetRestored deletes the differences that earlier runs restored.
func (h ArchiveLedger) ForgetRestored(ctx context.Context, run int) error {
	_, err := h.l.exec(ctx, "DELETE FROM differences WHERE tenant = ? AND archive = ? AND kind = ? AND run <> ?", h.tenant, h.id, DifferenceRestored, run)
	return err
}

// forgetDifferences deletes the differences of files and folders that Frame.io no longer has.
func forgetDifferences(ctx context.Context, tx session, tenant, archive string, scan int) error {
	for _, table := range []string{"items", "folders"} {
		if _, err := tx.Exec(ctx, "DELETE FROM differences WHERE tenant = ? AND archive = ? AND object IN (SELECT source_id FROM "+table+" WHERE tenant = ? AND archive = ? AND scan <> ?)",
			tenant, archive, tenant, archive, scan); err != nil {
			return err
		}
	}
	return nil
}

// DifferenceCounts counts the differences by kind.
func (h ArchiveLedger) DifferenceCounts(ctx context.Context) ([]KindCount, error) {
	return h.kindCounts(ctx, "differences")
}

// Differences lists up to most differences, by place.
func (h ArchiveLedger) Differences(ctx context.Context, most int) ([]Difference, error) {
	return collect(ctx, h.l.reads(), scanDifference,
		"SELECT "+differenceColumns+" FROM differences WHERE tenant = ? AND archive = ? ORDER BY place, object, part, n LIMIT ?", h.tenant, h.id, most)
}

// DifferencesOf returns the differences of the items numbered from..to, by Frame.io id.
func (h ArchiveLedger) DifferencesOf(ctx context.Context, from, to int64) (map[string][]Difference, error) {
	rows, err := ofItems(ctx, h, scanDifference, differenceColumns, "differences", from, to)
	return groupBy(rows, func(d Difference) string { return d.Object }), err
}

// DifferencesHash returns a hash that tells one set of differences from another, or "" if there are none.
func (h ArchiveLedger) DifferencesHash(ctx context.Context) (string, error) {
	rows, err := h.Differences(ctx, mostHashed)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	sum := sha256.New()
	for _, d := range rows {
		sum.Write([]byte(strings.Join([]string{d.Object, d.Part, string(d.Kind), d.Property, d.Name, d.Place, d.Frameio, d.Iconik, ""}, "\x00")))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

const mostHashed = 100_000 // rows in a hash, as many as a report shows
