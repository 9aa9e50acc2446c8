package main

import "github.com/framebridge/framebridge/ledger"

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
