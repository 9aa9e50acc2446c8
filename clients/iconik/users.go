package iconik

import (
	"context"
	"net/url"
	"strings"

	"github.com/framebridge/framebridge/clients/rest"
)

// User is an iconik user.
type User struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Status    string `json:"status"`
}

// Current wraps GET users/v1/users/current/. It returns the user that the token acts as.
func (s *UsersService) Current(ctx context.Context) (*User, error) {
	var u User
	if err := s.c.get(ctx, "current user", path("users/v1/users/current"), nil, &u); err != nil {
		return nil, err
	}
	return &u, nil
}

// ByEmail wraps GET users/v1/users/?email=, or GET users/v1/users/basic/?email= if the token lacks the role for the first. It
// returns nil if nobody has the address.
func (s *UsersService) ByEmail(ctx context.Context, email string) (*User, error) {
	var found *User
	look := func(service string) error {
		for u, err := range byPage[User](ctx, s.c, "find user", path(service), url.Values{"email": {email}}) {
			if err != nil {
				return orEmpty(err)
			}
			if strings.EqualFold(u.Email, email) && u.Status != StatusDeleted {
				found = &u
				return nil
			}
		}
		return nil
	}
	err := look("users/v1/users")
	if err != nil && rest.ClassOf(err) == rest.Forbidden {
		err = look("users/v1/users/basic")
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Get wraps GET users/v1/users/{id}/.
func (s *UsersService) Get(ctx context.Context, id string) (*User, error) {
	var u User
	if err := s.c.get(ctx, "get user", path("users/v1/users", id), nil, &u); err != nil {
		return nil, err
	}
	return &u, nil
}

// FullName returns the user's name, or the e-mail address if there is none.
func (u *User) FullName() string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return u.Email
}

// SystemDomain wraps GET settings/v1/system/current/. It returns the ID of the token's domain.
func (s *UsersService) SystemDomain(ctx context.Context) (string, error) {
	var v struct {
		ID string `json:"system_domain_id"`
	}
	err := s.c.get(ctx, "current system settings", path("settings/v1/system/current"), nil, &v)
	return v.ID, err
}

// Notification is a message to a user in iconik.
type Notification struct {
	EventType     string `json:"event_type"`
	ObjectType    string `json:"object_type"`
	ObjectID      string `json:"object_id"`
	SubObjectType string `json:"sub_object_type,omitempty"`
	RecipientID   string `json:"recipient_id"`
	SenderID      string `json:"sender_id"`
	Short         string `json:"message_short"`
	Long          string `json:"message_long"`
	Status        string `json:"status"`
}

// Notify wraps POST users-notifications/v1/notifications/.
func (s *UsersService) Notify(ctx context.Context, n Notification) error {
	n.Status = "QUEUED"
	return s.c.post(ctx, "notify user", path("users-notifications/v1/notifications"), nil, n, nil)
}
