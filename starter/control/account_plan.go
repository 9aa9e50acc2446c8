package control

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/workflows"
)

// PlanAccount reads the selected projects in this process and returns what a migration would do. It needs no worker. progress, if
// not nil, is called after each project.
func (s *Service) PlanAccount(ctx context.Context, t *config.Tenant, take account.Selection, progress func(done, of int)) (workflows.AccountPlan, error) {
	from, err := s.planSource(t)
	if err != nil {
		return workflows.AccountPlan{}, err
	}
	cfg := s.Config()
	source := account.Source{Source: from, Prices: cfg.Prices, Bandwidth: int64(cfg.Transfer.Bandwidth), Now: time.Now()}
	if progress != nil {
		source.Save = func(p account.Progress) { progress(p.Done, p.Of) }
	}
	return account.Make(ctx, source, take, account.Progress{})
}

func reasonOf(err error) string {
	var refused *temporal.ApplicationError
	if errors.As(err, &refused) {
		return refused.Message()
	}
	return err.Error()
}
