package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

const authAuto = "auto"

// connect greets the server, encrypts the connection and signs in.
func (m *Mailer) connect(ctx context.Context) (*smtp.Client, error) {
	c, err := m.dial(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.signIn(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// dial greets the server and encrypts the connection.
func (m *Mailer) dial(ctx context.Context) (*smtp.Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	secure := &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12, RootCAs: m.authorities}
	local := conn.LocalAddr()
	if m.implicitTLS {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		conn.Close()
		return nil, err
	}
	if err := m.greet(c, secure, local); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (m *Mailer) greet(c *smtp.Client, secure *tls.Config, local net.Addr) error {
	if err := c.Hello(m.helloName(local)); err != nil {
		return fmt.Errorf("EHLO: %w", err)
	}
	if !m.implicitTLS && m.tls != TLSOff {
		switch offered, _ := c.Extension("STARTTLS"); {
		case offered:
			if err := c.StartTLS(secure); err != nil {
				var unknown *tls.CertificateVerificationError
				if errors.As(err, &unknown) {
					return fmt.Errorf("%w: set mail.ca to the server's certificate authority, or set mail.tls to off", err)
				}
				return err
			}
		case m.tls == TLSRequired:
			return errors.New("the server does not offer encryption (STARTTLS), but mail.tls is required")
		}
	}
	return nil
}

func (m *Mailer) signIn(c *smtp.Client) error {
	if m.user == nil {
		return nil
	}
	auth, err := m.mechanism(c)
	if err != nil {
		return err
	}
	err = c.Auth(auth)
	var answer *textproto.Error
	switch {
	case errors.As(err, &answer):
		return fmt.Errorf("the server rejects the user or password in mail.smtp_url (%d)", answer.Code) // the server's message may repeat them
	case errors.Is(err, smtp.ErrUnencrypted):
		return errors.New("the server does not offer encryption, so the password would travel in plain text: use smtps://, or set mail.tls to off to allow that")
	}
	return err
}

// mechanism returns how to sign in: the configured mechanism, or the first one below that the server offers.
func (m *Mailer) mechanism(c *smtp.Client) (smtp.Auth, error) {
	password, _ := m.user.Password()
	user, plainly := m.user.Username(), m.tls == TLSOff
	ways := []struct {
		name string
		auth smtp.Auth
	}{
		{"PLAIN", smtp.PlainAuth("", user, password, m.host, plainly)},
		{"LOGIN", smtp.LoginAuth(user, password, m.host, plainly)},
		{"CRAM-MD5", smtp.CRAMMD5Auth(user, password)},
		{"XOAUTH2", smtp.XOAuth2Auth(user, password)},
	}
	_, offered := c.Extension("AUTH")
	for _, way := range ways {
		if strings.EqualFold(m.auth, way.name) {
			return way.auth, nil
		}
		for have := range strings.FieldsSeq(offered) {
			if m.auth == authAuto && strings.EqualFold(have, way.name) {
				return way.auth, nil
			}
		}
	}
	return nil, fmt.Errorf("the server offers only sign-in methods that Framebridge does not support (%q); it supports PLAIN, LOGIN, CRAM-MD5 and XOAUTH2", offered)
}

// helloName returns the name that greets the server. It is never localhost, which many servers refuse.
func (m *Mailer) helloName(local net.Addr) string {
	if m.hello != "" {
		return m.hello
	}
	if name, err := os.Hostname(); err == nil && isDomain(name) {
		return name
	}
	tcp, ok := local.(*net.TCPAddr)
	switch {
	case !ok:
		return "[127.0.0.1]"
	case tcp.IP.To4() != nil:
		return "[" + tcp.IP.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

// isDomain reports whether others may know the machine by this name.
func isDomain(name string) bool {
	if !strings.Contains(strings.Trim(name, "."), ".") || len(name) > 253 || strings.HasSuffix(name, ".localdomain") {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	}) < 0
}
