package control

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/framebridge/framebridge/ledger"
)

const (
	longSum      = 100 * time.Millisecond // about 20,000 items or more
	longSumShare = 20                     // a slow sum is valid for this many times as long as it took
	sumTimeout   = time.Minute
)

// progress caches what large archives' items add up to. With a million items that takes seconds, and programs poll every few seconds.
type progress struct {
	calls singleflight.Group
	known sync.Map // tenant and archive → knownSum
}

type knownSum struct {
	state string // of the archive when it was added up
	sum   ledger.Totals
	until time.Time
}

// Progress returns what an archive's items add up to. All callers in this process share the work.
func (s *Service) Progress(ctx context.Context, row ledger.Archive) (ledger.Totals, error) {
	return s.progress.of(ctx, row, time.Now, s.Ledger.Tenant(row.Tenant).Archive(row.ID).Progress)
}

// of adds up an archive's items once for all concurrent callers. A sum that took long is reused for twenty times as long as it
// took, unless the archive's state changes.
func (p *progress) of(ctx context.Context, row ledger.Archive, now func() time.Time, read func(context.Context) (ledger.Totals, error)) (ledger.Totals, error) {
	archive := row.Tenant + "/" + row.ID
	state := fmt.Sprint(row.Run, row.Status, row.FinishedAt.UnixNano(), row.ReasonCode)
	if have, ok := p.known.Load(archive); ok {
		if k, _ := have.(knownSum); k.state == state && now().Before(k.until) {
			return k.sum, nil
		}
	}
	call := p.calls.DoChan(archive+" "+state, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sumTimeout)
		defer cancel()
		began := now()
		sum, err := read(ctx)
		if took := now().Sub(began); err == nil && took >= longSum {
			p.known.Store(archive, knownSum{state, sum, now().Add(longSumShare * took)})
		}
		return sum, err
	})
	select {
	case <-ctx.Done():
		return ledger.Totals{}, ctx.Err()
	case r := <-call:
		sum, _ := r.Val.(ledger.Totals)
		return sum, r.Err
	}
}
