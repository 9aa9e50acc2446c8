package report

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

// Source is what a report says beside the ledger: whose archive it is, and where a person looks further.
type Source struct {
	TenantName  string
	IconikURL   string // of the tenant's iconik
	WorkflowURL string
	ConsoleURL  string             // of the archive, for people who sign in
	SigningKey  ed25519.PrivateKey // nil leaves the report unsigned
}

// Open reads an archive's report from the ledger; nil where the ledger does not know it. Rendering streams over the items.
func Open(ctx context.Context, l ledger.ArchiveLedger, s Source) (*Report, error) {
	row, ok, err := l.Get(ctx)
	if err != nil || !ok {
		return nil, err
	}
	row.Reason = redact.Scrub(row.Reason)
	totals, err := l.Totals(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := notCarried(ctx, l)
	if err != nil {
		return nil, err
	}
	differences, err := l.Differences(ctx, mostNotCarried)
	if err != nil {
		return nil, err
	}
	failures, err := failed(ctx, l)
	if err != nil {
		return nil, err
	}
	generations, err := keptGenerations(ctx, l, row.ID)
	if err != nil {
		return nil, err
	}
	access, err := ReadAccess(ctx, l)
	if err != nil {
		return nil, err
	}
	return &Report{
		Archive: row, Access: access, Generations: generations, NotCarried: rows, Differences: differences, Failures: failures, SigningKey: s.SigningKey, Totals: totals, Tenant: s.TenantName, GeneratedAt: time.Now().UTC(),
		Links: Links{Frameio: row.ProjectURL, Iconik: s.IconikURL + "/collection/" + row.CollectionID, Temporal: s.WorkflowURL, Console: s.ConsoleURL, IconikAssets: s.IconikURL + "/asset/"},
		Items: func(yield func(ledger.Item, error) bool) {
			for it, err := range l.AllItems(ctx) {
				it.Reason, it.Note = redact.Scrub(it.Reason), redact.Scrub(it.Note)
				if !yield(it, err) {
					return
				}
			}
		},
	}, nil
}

const mostNotCarried = 100_000 // rows of a report, and as many differences

func notCarried(ctx context.Context, l ledger.ArchiveLedger) ([]NotCarried, error) {
	rows, err := l.NotCarried(ctx, mostNotCarried)
	out := make([]NotCarried, len(rows))
	for i, n := range rows {
		out[i] = NotCarried{Kind: n.Kind, Name: n.Name, Place: n.Place, Size: n.Size, Reason: n.Reason, URL: n.URL}
	}
	return out, err
}

// failed lists the objects that failed and are no files.
func failed(ctx context.Context, l ledger.ArchiveLedger) ([]ledger.Failure, error) {
	var out []ledger.Failure
	for f, err := range l.AllFailures(ctx) {
		if err != nil {
			return nil, err
		}
		f.Reason = redact.Scrub(f.Reason)
		out = append(out, f)
	}
	return out, nil
}

// FormLink is the kind of the links that remember which forms of a run's report are stored; that of the hash list holds
// its generation.
const FormLink ledger.LinkKind = "report form"

// FormKey names a form of a run's report.
func FormKey(archive string, run int, format string) string {
	return fmt.Sprintf("report:%s:%d:%s", archive, run, format)
}

// MHLFormat is the hash list's format in iconik.
const MHLFormat = "MHL"

func keptGenerations(ctx context.Context, l ledger.ArchiveLedger, archive string) ([]Generation, error) {
	var out []Generation
	for k, err := range l.AllLinks(ctx, FormLink) {
		if err != nil {
			return nil, err
		}
		var run int
		if _, err := fmt.Sscanf(strings.TrimPrefix(k.SourceID, "report:"+archive+":"), "%d:"+MHLFormat, &run); err != nil || k.SourceID != FormKey(archive, run, MHLFormat) {
			continue
		}
		if g, ok := ParseGeneration(k.Hash, run); ok {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b Generation) int { return a.Number - b.Number })
	return out, nil
}
