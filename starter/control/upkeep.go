package control

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger/people"
	"github.com/framebridge/framebridge/workflows"
)

const upkeepLook = time.Hour // how often to check whether each tenant's upkeep is wanted and running

// KeepUp keeps the upkeep running for each tenant whose configuration asks for it. It returns when ctx is done.
func (s *Service) KeepUp(ctx context.Context) {
	tick := time.NewTicker(upkeepLook)
	defer tick.Stop()
	for {
		for id, t := range s.Config().Tenants {
			if !wantsUpkeep(t) {
				continue
			}
			if err := s.startUpkeep(ctx, id); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "could not start a tenant's upkeep; trying again in an hour", "tenant", id, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func wantsUpkeep(t *config.Tenant) bool {
	return t.Archive.FixitySample > 0 || t.PersonalData.Retention > 0
}

func (s *Service) startUpkeep(ctx context.Context, tenant string) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	return s.execute(ctx, client.StartWorkflowOptions{ID: workflows.UpkeepID(tenant), TaskQueue: s.Config().Temporal.TaskQueue, StaticSummary: "Upkeep: fixity sample and retention",
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING},
		workflows.UpkeepName, workflows.UpkeepInput{Tenant: tenant})
}

// ErasureView is what was erased, and what the vendors still hold.
type ErasureView struct {
	people.Erasure
	StillHeld []string `json:"still_held"`
}

// Erase removes a person from the ledger.
func (s *Service) Erase(ctx context.Context, t *config.Tenant, address string) (ErasureView, error) {
	done, err := people.Erase(ctx, s.Ledger.Tenant(t.ID), address, s.actor(ctx))
	out := ErasureView{Erasure: done, StillHeld: []string{}}
	if err != nil {
		return out, err
	}
	ick, err := s.Iconik(t)
	if err != nil {
		return out, err
	}
	for _, h := range done.Held {
		switch {
		case h.IconikAsset != "":
			out.StillHeld = append(out.StillHeld, "iconik: "+h.What+": "+ick.AssetURL(h.IconikAsset))
		default:
			out.StillHeld = append(out.StillHeld, "Frame.io: "+h.What)
		}
	}
	return out, nil
}
