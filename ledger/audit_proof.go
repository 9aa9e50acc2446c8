package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/framebridge/framebridge/ledger/chain"
)

const auditVerified = 1000 // entries held in memory at once

// AuditProof is what is proven about a tenant's audit log.
type AuditProof struct {
	Entries int64
	Erased  chain.Numbers // entries that changed since they were written: personal data was erased, as later entries record
}

// VerifyAudit checks a tenant's whole log against its hashes, and its end against the last entry written. It returns the
// number of entries.
func (h TenantLedger) VerifyAudit(ctx context.Context) (int64, error) {
	p, err := h.ProveAudit(ctx)
	return p.Entries, err
}

// ProveAudit is VerifyAudit that also returns the erased entries. It tries twice, because an erasure may run between two reads.
func (h TenantLedger) ProveAudit(ctx context.Context) (AuditProof, error) {
	p, err := h.proveAudit(ctx)
	if errors.Is(err, ErrChain) {
		p, err = h.proveAudit(ctx)
	}
	return p, err
}

func (h TenantLedger) proveAudit(ctx context.Context) (p AuditProof, err error) {
	var end struct {
		seq  int64
		hash string
	}
	heads, err := collect(ctx, h.l.reads(), func(r scanner) (bool, error) { return true, r.Scan(&end.seq, &end.hash) }, "SELECT seq, hash FROM audit_heads WHERE tenant = ?", h.id)
	if err != nil {
		return p, err
	}
	erased, err := h.erasures(ctx)
	if err != nil {
		return p, err
	}
	p.Erased = slices.Sorted(maps.Keys(erased))
	var last *AuditEntry
	for {
		entries, err := h.AuditPage(ctx, AuditFilter{}, p.Entries, auditVerified)
		if err != nil {
			return p, err
		}
		if err := chain.Verify(last, entries, erased); err != nil {
			return p, err
		}
		for i, e := range entries {
			if len(heads) > 0 && e.Seq == end.seq && e.Hash != end.hash {
				return p, fmt.Errorf("%w: entry %d is not the one that was written", ErrChain, e.Seq)
			}
			p.Entries, last = e.Seq, &entries[i]
		}
		if len(entries) < auditVerified {
			break
		}
	}
	if p.Entries < end.seq {
		return p, fmt.Errorf("%w: it ends with entry %d, and %d were written", ErrChain, p.Entries, end.seq)
	}
	return p, nil
}

// erasures scans the whole log for entries that were erased.
func (h TenantLedger) erasures(ctx context.Context) (map[int64]string, error) {
	erased := map[int64]string{}
	for after := int64(0); ; {
		entries, err := h.AuditPage(ctx, AuditFilter{Action: ActionErased}, after, auditVerified)
		if err != nil || len(entries) == 0 {
			return erased, err
		}
		chain.Erasures(entries, erased)
		after = entries[len(entries)-1].Seq
	}
}
