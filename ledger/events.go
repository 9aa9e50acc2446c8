package ledger

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/events"
)

const (
	startPatience = time.Minute         // after which a delivery's workflow is started if nobody has done so
	deliveryQuiet = 6 * time.Hour       // without an attempt, after which the workflow counts as lost
	eventsKept    = 90 * 24 * time.Hour // with their deliveries
)

// DeliveryStatus is the state of an event on a channel.
type DeliveryStatus string

// States of a delivery.
const (
	DeliveryPending   DeliveryStatus = "pending"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryUncertain DeliveryStatus = "uncertain" // sent, but no answer came; it is not sent twice
	DeliveryFailed    DeliveryStatus = "failed"
	DeliverySkipped   DeliveryStatus = "skipped" // the channel was switched off meanwhile
)

// Delivery is one event on its way to one channel.
type Delivery struct {
	Tenant    string
	Event     string
	Channel   string
	Type      events.Kind
	Title     string
	CreatedAt time.Time
	Status    DeliveryStatus
	SendingAt time.Time // of an attempt whose outcome is not known
	Attempts  int
	LastAt    time.Time
	Code      int    // of the last answer; 0 if there was none
	Reason    string // why the last attempt failed
}

// EventsSince returns the events of a type since a time, oldest first.
func (h TenantLedger) EventsSince(ctx context.Context, kind events.Kind, since time.Time) ([]events.Event, error) {
	return collect(ctx, h.l.reads(), scanEvent, eventsSince, h.id, kind, micros(since))
}

func scanEvent(r scanner) (e events.Event, err error) {
	var data document
	if err = r.Scan(&data); err == nil {
		err = json.Unmarshal([]byte(data), &e)
	}
	return e, err
}

// LastEvent returns when an event of a type last happened, or zero if none did within three months.
func (h TenantLedger) LastEvent(ctx context.Context, kind events.Kind) (time.Time, error) {
	var at int64
	err := h.l.reads().Row(ctx, lastEvent, h.id, kind).Scan(&at)
	return fromMicros(at), err
}

// Publish stores an event, even if there are no channels, and a delivery to each channel. It returns the deliveries whose
// workflows the caller must start: none if the event is already known.
func (h TenantLedger) Publish(ctx context.Context, e events.Event, channels []string) ([]Delivery, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var out []Delivery
	err = h.l.tx(ctx, func(tx session) error {
		n, err := tx.Exec(ctx, "INSERT INTO events (tenant, id, type, created_at, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			h.id, e.ID, e.Type, micros(e.Created), document(data))
		if err != nil || n == 0 {
			return err
		}
		for _, c := range channels {
			_, err := tx.Exec(ctx, "INSERT INTO event_deliveries (tenant, event, channel, created_at, status, due_at) VALUES (?, ?, ?, ?, ?, "+tx.Now()+" + ?)",
				h.id, e.ID, c, micros(e.Created), DeliveryPending, startPatience.Microseconds())
			if err != nil {
				return err
			}
			out = append(out, Delivery{Tenant: h.id, Event: e.ID, Channel: c, Type: e.Type, Title: e.Data.Title, CreatedAt: e.Created, Status: DeliveryPending})
		}
		return nil
	})
	return out, err
}

// Event returns an event, and false if it is unknown or forgotten.
func (h TenantLedger) Event(ctx context.Context, id string) (e events.Event, ok bool, err error) {
	found, err := collect(ctx, h.l.reads(), scanEvent, "SELECT data FROM events WHERE tenant = ? AND id = ?", h.id, id)
	if err != nil || len(found) == 0 {
		return e, false, err
	}
	return found[0], true, nil
}

const deliveryColumns = "d.tenant, d.event, d.channel, e.type, e.data, d.created_at, d.status, d.sending_at, d.attempts, d.last_at, d.code, d.reason"

func scanDelivery(r scanner) (Delivery, error) {
	var d Delivery
	var data document
	var created, sending, last int64
	if err := r.Scan(&d.Tenant, &d.Event, &d.Channel, &d.Type, &data, &created, &d.Status, &sending, &d.Attempts, &last, &d.Code, &d.Reason); err != nil {
		return d, err
	}
	var e events.Event
	err := json.Unmarshal([]byte(data), &e)
	d.Title, d.CreatedAt, d.SendingAt, d.LastAt = e.Data.Title, fromMicros(created), fromMicros(sending), fromMicros(last)
	return d, err
}

const deliveriesFrom = " FROM event_deliveries d JOIN events e ON e.tenant = d.tenant AND e.id = d.event WHERE "

// Delivery returns one delivery, and false when there is none.
func (h TenantLedger) Delivery(ctx context.Context, event, channel string) (Delivery, bool, error) {
	found, err := collect(ctx, h.l.reads(), scanDelivery, "SELECT "+deliveryColumns+deliveriesFrom+"d.tenant = ? AND d.event = ? AND d.channel = ?", h.id, event, channel)
	if err != nil || len(found) == 0 {
		return Delivery{}, false, err
	}
	return found[0], true, nil
}

// DeliveryFilter selects deliveries. An empty field selects all.
type DeliveryFilter struct {
	Channel string
	Status  DeliveryStatus
}

// Deliveries lists a tenant's deliveries, newest first. after is the cursor that the previous page returned.
func (h TenantLedger) Deliveries(ctx context.Context, f DeliveryFilter, after string, limit int) ([]Delivery, string, error) {
	at, event, channel := parseDeliveryPlace(after)
	query, args := "SELECT "+deliveryColumns+deliveriesFrom+"d.tenant = ? AND (d.created_at, d.event, d.channel) < (?, ?, ?)", []any{h.id, at, event, channel}
	if f.Channel != "" {
		query, args = query+" AND d.channel = ?", append(args, f.Channel)
	}
	if f.Status != "" {
		query, args = query+" AND d.status = ?", append(args, f.Status)
	}
	out, err := collect(ctx, h.l.reads(), scanDelivery, query+" ORDER BY d.created_at DESC, d.event DESC, d.channel DESC LIMIT ?", append(args, limit)...)
	next := ""
	if err == nil && len(out) == limit {
		last := out[len(out)-1]
		next = strconv.FormatInt(micros(last.CreatedAt), 10) + "~" + last.Event + "~" + last.Channel
	}
	return out, next, err
}

func parseDeliveryPlace(after string) (at int64, event, channel string) {
	parts := strings.SplitN(after, "~", 3)
	if len(parts) == 3 {
		if at, err := strconv.ParseInt(parts[0], 10, 64); err == nil {
			return at, parts[1], parts[2]
		}
	}
	return 1 << 62, "", ""
}

// LastDeliveryOn returns a channel's newest delivery in a state, and false if there is none.
func (h TenantLedger) LastDeliveryOn(ctx context.Context, channel string, status DeliveryStatus) (Delivery, bool, error) {
	found, err := collect(ctx, h.l.reads(), scanDelivery, "SELECT "+deliveryColumns+lastDelivery, h.id, channel, status)
	if err != nil || len(found) == 0 {
		return Delivery{}, false, err
	}
	return found[0], true, nil
}

// DeliveryStarted notes that a delivery's workflow runs. It is due again only after a long quiet period.
func (h TenantLedger) DeliveryStarted(ctx context.Context, event, channel string) error {
	_, err := h.l.exec(ctx, "UPDATE event_deliveries SET due_at = "+h.l.writes().Now()+" + ? WHERE tenant = ? AND event = ? AND channel = ? AND due_at > 0",
		deliveryQuiet.Microseconds(), h.id, event, channel)
	return err
}

// BeginAttempt notes, right before an event is sent, that it may arrive from now on.
func (h TenantLedger) BeginAttempt(ctx context.Context, event, channel string) error {
	now := h.l.writes().Now()
	_, err := h.l.exec(ctx, "UPDATE event_deliveries SET attempts = attempts + 1, sending_at = "+now+", last_at = "+now+", due_at = "+now+" + ? WHERE tenant = ? AND event = ? AND channel = ? AND due_at > 0",
		deliveryQuiet.Microseconds(), h.id, event, channel)
	return err
}

// EndAttempt notes how an attempt ended. DeliveryPending means that it will be retried.
func (h TenantLedger) EndAttempt(ctx context.Context, event, channel string, status DeliveryStatus, code int, reason string) error {
	due := "0"
	if status == DeliveryPending {
		due = "due_at"
	}
	_, err := h.l.exec(ctx, "UPDATE event_deliveries SET status = ?, code = ?, reason = ?, sending_at = 0, due_at = "+due+" WHERE tenant = ? AND event = ? AND channel = ? AND status = ?",
		status, code, reason, h.id, event, channel, DeliveryPending)
	return err
}

// DueDeliveries returns the deliveries of all tenants whose workflow was never started or has long been quiet.
func (l *Ledger) DueDeliveries(ctx context.Context, limit int) ([]Delivery, error) {
	return collect(ctx, l.reads(), scanDelivery, "SELECT "+deliveryColumns+deliveriesFrom+"d.due_at > 0 AND d.due_at <= "+l.reads().Now()+" ORDER BY d.due_at LIMIT ?", limit)
}

// ForgetEvents deletes events older than three months, with their deliveries.
func (l *Ledger) ForgetEvents(ctx context.Context) error {
	before := l.writes().Now() + " - " + strconv.FormatInt(eventsKept.Microseconds(), 10)
	if _, err := l.exec(ctx, "DELETE FROM event_deliveries WHERE (tenant, event) IN (SELECT tenant, id FROM events WHERE created_at < "+before+")"); err != nil {
		return err
	}
	_, err := l.exec(ctx, "DELETE FROM events WHERE created_at < "+before)
	return err
}
