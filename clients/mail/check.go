package mail

import (
	"context"
	"crypto/tls"
	"net"
	netmail "net/mail"
	"net/smtp"
)

// Stage is how far a check of the mail server came.
type Stage string

const (
	StageServer Stage = "server" // it answers, and speaks SMTP and TLS
	StageLogin  Stage = "login"
	StageSender Stage = "sender"
	StageDone   Stage = ""
)

// Check talks to the server as Send does, up to the sender, and sends nothing. With an error it returns the stage that
// failed.
func (m *Mailer) Check(ctx context.Context) (Stage, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.address)
	if err != nil {
		return StageServer, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	secure := &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
	if m.implicitTLS {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return StageServer, err
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); ok && !m.implicitTLS {
		if err := c.StartTLS(secure); err != nil {
			return StageServer, err
		}
	}
	if m.user != nil {
		password, _ := m.user.Password()
		if err := c.Auth(smtp.PlainAuth("", m.user.Username(), password, m.host)); err != nil {
			return StageLogin, err
		}
	}
	from, err := netmail.ParseAddress(m.from)
	if err != nil {
		return StageSender, err
	}
	if err := c.Mail(from.Address); err != nil {
		return StageSender, err
	}
	_ = c.Reset()
	_ = c.Quit()
	return StageDone, nil
}
