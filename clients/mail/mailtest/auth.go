package mailtest

import (
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// loginServer asks first for the user, then for the password.
type loginServer struct {
	check func(user, password string) error
	user  string
	step  int
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

// xoauth2Server accepts Google's format: user=…^Aauth=Bearer …^A^A.
type xoauth2Server func(user, token string) error

func (x xoauth2Server) Next(response []byte) (challenge []byte, done bool, err error) {
	fields := strings.Split(string(response), "\x01")
	if len(fields) < 2 {
		return nil, true, smtp.ErrAuthFailed
	}
	return nil, true, x(strings.TrimPrefix(fields[0], "user="), strings.TrimPrefix(fields[1], "auth=Bearer "))
}

var _ sasl.Server = xoauth2Server(nil)
