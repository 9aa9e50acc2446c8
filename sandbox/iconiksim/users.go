package iconiksim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

func (s *Sim) userRoutes() {
	list := func(c *call) (int, any) {
		emails := strings.FieldsFunc(c.q.Get("email")+","+c.q.Get("emails"), func(r rune) bool { return r == ',' })
		rows := slices.DeleteFunc(s.stored(kUser, ""), func(d doc) bool {
			if g := c.q.Get("groups"); g != "" && !slices.Contains(texts(d["groups"]), g) {
				return true
			}
			return len(emails) > 0 && !slices.ContainsFunc(emails, func(e string) bool { return strings.EqualFold(e, text(d, "email")) })
		})
		return page(c, rows, 100, same)
	}
	s.on("GET users/v1/users", list)
	s.on("GET users/v1/users/basic", list)
	s.on("GET users/v1/users/current", func(c *call) (int, any) {
		d, _ := s.get(kUser, c.user)
		return 200, d
	})
	s.on("GET users/v1/users/{id}", func(c *call) (int, any) {
		d, ok := s.get(kUser, c.id("id"))
		if !ok {
			return notFound("User")
		}
		return 200, d
	})
	s.on("GET settings/v1/system/current", func(*call) (int, any) { return 200, doc{"system_domain_id": s.domain} })
	s.on("GET auth/v1/auth/token", func(c *call) (int, any) {
		return 200, doc{"id": newID(), "app_id": s.o.AppID, "user_id": c.user, "system_domain_id": s.domain, "token": nil, "expires": nil,
			"system_domain_status": "ACTIVE", "system_domain_warning_message": nil}
	})
	s.on("POST users-notifications/v1/notifications", func(c *call) (int, any) {
		if f := required(c.body, "event_type", "object_type", "object_id", "recipient_id", "sender_id", "message_short", "message_long"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		d := maps.Clone(c.body)
		d["id"], d["date_created"] = newID(), now()
		s.put(kNotification, d)
		return http.StatusCreated, d
	})
}
