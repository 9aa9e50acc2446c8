package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/readers"
	"github.com/framebridge/framebridge/workflows"
)

// Plan reads a project in this process and returns what an archive would do. It needs no worker.
func (s *Service) Plan(ctx context.Context, t *config.Tenant, project string) (workflows.Plan, error) {
	p, err := s.Platform(t)
	if err != nil {
		return workflows.Plan{}, err
	}
	found, err := p.Project(ctx, project)
	if err != nil {
		return workflows.Plan{}, err
	}
	source, err := s.planSource(t)
	if err != nil {
		return workflows.Plan{}, err
	}
	return plan.Make(ctx, source, found)
}

// planSource returns a source that uses this process's clients.
func (s *Service) planSource(t *config.Tenant) (plan.Source, error) {
	p, err := s.Platform(t)
	if err != nil {
		return plan.Source{}, err
	}
	ick, err := iconik.New(t.Iconik, iconik.WithWatch(s.Watch, t.ID))
	if err != nil {
		return plan.Source{}, err
	}
	return plan.Source{Frameio: p, Ledger: s.Ledger.Tenant(t.ID), Policy: t.Archive, Access: &readers.Readers{Frameio: p, Iconik: ick, Archive: t.Archive}, Storage: func(ctx context.Context) error {
		storage, err := ick.Files.FilesStorage(ctx, t.Iconik.StorageID)
		switch {
		case rest.IsNotFound(err):
			return errors.New("iconik has no storage for files: create one, or set iconik.storage_id")
		case err == nil && !storage.TakesUploads():
			return fmt.Errorf("iconik storage %q is of type %s, which does not accept uploads over the internet", storage.Name, storage.Method)
		}
		return err
	}}, nil
}
