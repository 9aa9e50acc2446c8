package ledger

import "github.com/framebridge/framebridge/ledger/tokens"

// TenantLedger is the ledger of one tenant.
type TenantLedger struct {
	tokens.Tokens

	l  *Ledger
	id string
}

// ArchiveLedger is what the ledger knows about one archive.
type ArchiveLedger struct {
	l          *Ledger
	tenant, id string
}

// ReviewLedger is what the ledger knows about one review.
type ReviewLedger struct {
	l          *Ledger
	tenant, id string
}

// Tenant returns a handle. It reads nothing.
func (l *Ledger) Tenant(id string) TenantLedger {
	return TenantLedger{tokens.Of(l.db, l.keys, id), l, id}
}

// Archive returns a handle. It reads nothing.
func (h TenantLedger) Archive(id string) ArchiveLedger { return ArchiveLedger{h.l, h.id, id} }

// Review returns a handle. It reads nothing.
func (h TenantLedger) Review(id string) ReviewLedger { return ReviewLedger{h.l, h.id, id} }
