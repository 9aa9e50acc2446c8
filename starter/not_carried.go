package main

import (
	"context"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
)

// accessView is who may read an archive in iconik.
type accessView struct {
	Mode     string              `json:"mode"`
	Places   []report.AccessRule `json:"places"`
	Unmapped []string            `json:"unmapped"`
}

func (s *service) accessView(ctx context.Context, row ledger.Archive) (accessView, error) {
	v := accessView{Places: []report.AccessRule{}, Unmapped: []string{}}
	if t, ok := s.cfg().Tenant(row.Tenant); ok {
		v.Mode = t.Archive.Access
	}
	a, err := report.ReadAccess(ctx, s.ledger.Tenant(row.Tenant).Archive(row.ID))
	if err != nil || a == nil {
		return v, err
	}
	if a.Mode != "" {
		v.Mode = a.Mode
	}
	v.Places, v.Unmapped = a.Places, a.Unmapped
	return v, nil
}

// notCarriedView is something that an item has in Frame.io and not in iconik.
type notCarriedView struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Size   *int64 `json:"size"` // bytes, null where it is not known
	Reason string `json:"reason"`
}

func notCarriedViews(rows []ledger.NotCarried) []notCarriedView {
	out := make([]notCarriedView, len(rows))
	for i, n := range rows {
		out[i] = notCarriedView{n.Kind, n.Name, n.Size, n.Reason}
	}
	return out
}
