package api

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/control"
)

// deliveryView is the delivery of an event to a channel.
type deliveryView struct {
	Event     string     `json:"event"`
	Type      string     `json:"type"`
	Title     string     `json:"title"`
	Channel   string     `json:"channel"`
	Status    string     `json:"status"`
	Attempts  int        `json:"attempts"`
	Code      int        `json:"code"` // of the last response; 0 if there was none
	Reason    string     `json:"reason"`
	CreatedAt time.Time  `json:"created_at"`
	LastAt    *time.Time `json:"last_attempt_at"`
}

var deliveryStates = []ledger.DeliveryStatus{ledger.DeliveryPending, ledger.DeliveryDelivered, ledger.DeliveryUncertain, ledger.DeliveryFailed, ledger.DeliverySkipped}

// getDeliveries responds with the status of the tenant's notifications, newest first.
func (s *Server) getDeliveries(c *gin.Context) {
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	filter := ledger.DeliveryFilter{Channel: c.Query("channel"), Status: ledger.DeliveryStatus(c.Query("status"))}
	if filter.Status != "" && !slices.Contains(deliveryStates, filter.Status) {
		fail(c, http.StatusBadRequest, "status", "status must be pending, delivered, uncertain, failed or skipped")
		return
	}
	rows, next, err := s.Ledger.Tenant(tenantIn(c).ID).Deliveries(c.Request.Context(), filter, c.Query("cursor"), limit)
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	list := make([]deliveryView, len(rows))
	for i, d := range rows {
		list[i] = deliveryView{d.Event, string(d.Type), d.Title, d.Channel, string(d.Status), d.Attempts, d.Code, d.Reason, d.CreatedAt.UTC(), stamp(d.LastAt.UTC())}
	}
	c.JSON(http.StatusOK, gin.H{"deliveries": list, "next": textOrNull(next)})
}
