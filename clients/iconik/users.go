package iconik

import (
	"context"
	"net/url"
	"strings"
)

// User is an iconik user.
type User struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Status    string `json:"status"`
}

// Current wraps GET users/v1/users/current/: the user the token acts as.
func (s *UsersService) Current(ctx context.Context) (*User, error) {
	var u User
	if err := s.c.get(ctx, "current user", path("users/v1/users/current"), nil, &u); err != nil {
		return nil, err
	}
	return &u, nil
}

// ByEmail wraps GET users/v1/users/?email=; nil when nobody has the address.
func (s *UsersService) ByEmail(ctx context.Context, email string) (*User, error) {
	var found *User
	err := byPage(ctx, s.c, "find user", path("users/v1/users"), url.Values{"email": {email}}, func(u User) bool {
		if strings.EqualFold(u.Email, email) && u.Status != "DELETED" {
			found = &u
			return false
		}
		return true
	})
	return found, err
}
