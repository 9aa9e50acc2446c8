package control

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
)

// AskTimeout limits each request to iconik that somebody waits for.
const AskTimeout = 2 * time.Second

// Domain returns the iconik domain of the tenant's token. It asks iconik only once.
func (s *Service) Domain(ctx context.Context, t *config.Tenant) (string, error) {
	if id, ok := s.domains.Load(t); ok {
		return id.(string), nil
	}
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	ick, err := s.Iconik(t)
	if err != nil {
		return "", err
	}
	id, err := ick.Users.SystemDomain(ctx)
	if err == nil && id != "" {
		s.domains.Store(t, id)
	}
	return id, err
}

// Iconik returns the tenant's client.
func (s *Service) Iconik(t *config.Tenant) (*iconik.Client, error) {
	if c, ok := s.iconiks.Load(t); ok {
		return c.(*iconik.Client), nil
	}
	c, err := iconik.New(t.Iconik, iconik.WithWatch(s.Watch, t.ID))
	if err == nil {
		s.iconiks.Store(t, c)
	}
	return c, err
}
