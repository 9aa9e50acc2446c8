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
	longSum      = 100 * time.Millisecond // some 20,000 items, and more
	longSumShare = 20                     // of the time, what takes so long is added up at most once
	sumTimeout   = time.Minute
)

// progress remembers what large archives' items add up to: with a million it takes seconds, and programs ask every few.
type progress struct {
	calls singleflight.Group
	known sync.Map // tenant and archive → knownSum
}

type knownSum struct {
	state string // of the archive, when it was added up
	sum   ledger.Totals
	until time.Time
}

// Progress adds up an archive's items, as all do who ask in this process.
func (s *Service) Progress(ctx context.Context, row ledger.Archive) (ledger.Totals, error) {
	return s.progress.of(ctx, row, time.Now, s.Ledger.Tenant(row.Tenant).Archive(row.ID).Progress)
}

// of adds up an archive's items, once for all who ask at the same time. A sum that took long is the answer for twenty times as
// long, until the archive's state changes.
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
