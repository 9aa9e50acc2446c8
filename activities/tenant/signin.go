package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
)

const (
	noticeTimeout = 30 * time.Second
	signInCheck   = 12 * time.Hour      // a refresh token expires after 14 days without use
	signInOld     = 10 * 24 * time.Hour // without a renewal, for whatever reason: four days are left
)

// migrationNotice tells the operators once a day what a rejected token means and what to do: Frame.io can move an account from
// the legacy API to V4 at any time. Running work waits meanwhile.
type migrationNotice struct {
	tenant *Tenant

	mu   sync.Mutex
	sent string // the day of the last notice
}

func (n *migrationNotice) refused() {
	today := time.Now().UTC().Format(time.DateOnly)
	n.mu.Lock()
	sent := n.sent == today
	n.sent = today
	n.mu.Unlock()
	if sent {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), noticeTimeout)
		defer cancel()
		t := n.tenant
		subject, text := open.MigrationNotice(ctx, t.Config)
		err := t.TellOperators(ctx, News{Key: "moved:" + today, Kind: events.AccountMigrated, Title: subject, Text: strings.TrimRight(text, "\n")})
		if err != nil {
			t.Log.WarnContext(ctx, "could not mail the administrators about a refused token", "tenant", t.ID, "error", err)
		}
	}()
}

func (t *Tenant) operators() []string {
	return Recipients("", slices.Concat(t.Config.Archive.Notify, t.Config.Review.Notify))
}

// KeepSignedIn regularly uses each tenant's sign-in at Adobe so that it does not expire while nothing runs. It tells the
// operators once a day while the sign-in is rejected or has not been renewed for long. It returns when ctx ends.
func (s *Tenants) KeepSignedIn(ctx context.Context) {
	wait := time.Minute
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		for id, cfg := range s.config.Now().Tenants {
			if open.SignsIn(cfg) {
				s.checkSignIn(ctx, id, cfg, time.Now())
			}
		}
		wait = signInCheck
	}
}

func (s *Tenants) checkSignIn(ctx context.Context, id string, cfg *config.Tenant, now time.Time) {
	t, err := s.Get(id)
	if err != nil {
		return
	}
	// A client of its own has no cached user, and so asks the API.
	p, err := open.Platform(cfg, s.ledger.Tenant(cfg.ID), nil, open.Watched(s.Watch))
	if err == nil {
		_, err = p.Me(ctx)
	}
	why := ""
	if err != nil && rest.ClassOf(err) == rest.Unauthorized {
		why = fmt.Sprintf("Adobe or Frame.io rejected the sign-in: %v", err)
	} else if at, ok, kerr := open.SignInRenewed(ctx, cfg, s.ledger.Tenant(cfg.ID)); kerr == nil && ok && now.Sub(at) > signInOld {
		why = fmt.Sprintf("The sign-in was last renewed on %s and expires 14 days later: %v", at.Format("January 2, 2006"), err)
	}
	if why == "" {
		return
	}
	err = t.TellOperators(ctx, News{Key: "sign-in:" + now.UTC().Format(time.DateOnly), Kind: events.SignInRefused,
		Title: fmt.Sprintf("Sign in to Frame.io again: %s", cfg.Name),
		Text:  fmt.Sprintf("Tenant %s (%s). %s\n\nTo sign in again, run: starter login --tenant %s\nUntil then, this tenant's archives and reviews wait.", cfg.Name, id, why, id)})
	if err != nil {
		s.log.WarnContext(ctx, "could not mail the administrators about a refused sign-in", "tenant", id, "error", err)
	}
}
