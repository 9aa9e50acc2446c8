package report

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/ledger"
)

const itemsPage = 1000 // rows of one read

// Source is the archive that a report is of, and where a person looks further.
type Source struct {
	Tenant, TenantName string
	Archive            string
	IconikURL          string // of the tenant's iconik
	WorkflowURL        string
}

// Open reads an archive's report from the ledger; nil where the ledger does not know it. Rendering streams over the items.
func Open(ctx context.Context, l *ledger.Ledger, s Source) (*Report, error) {
	row, ok, err := l.Archive(ctx, s.Tenant, s.Archive)
	if err != nil || !ok {
		return nil, err
	}
	totals, err := l.ArchiveTotals(ctx, s.Tenant, s.Archive)
	if err != nil {
		return nil, err
	}
	return &Report{
		Archive: row, Totals: totals, Tenant: s.TenantName, GeneratedAt: time.Now().UTC(),
		Links: Links{Frameio: row.ProjectURL, Iconik: s.IconikURL + "/collection/" + row.CollectionID, Temporal: s.WorkflowURL},
		Items: func(yield func(ledger.Item, error) bool) {
			for after := int64(0); ; {
				items, next, err := l.ItemsPage(ctx, s.Tenant, s.Archive, after, itemsPage)
				if err != nil {
					yield(ledger.Item{}, err)
					return
				}
				for _, it := range items {
					if !yield(it, nil) {
						return
					}
				}
				if after = next; next == 0 {
					return
				}
			}
		},
	}, nil
}
