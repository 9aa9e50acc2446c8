package mail

import (
	"context"
)

// Stage is how far a check of the mail server got.
type Stage string

// Stages of a check, in order. StageDone means that it succeeded.
const (
	StageServer Stage = "server" // it answers, and speaks SMTP and TLS
	StageLogin  Stage = "login"
	StageSender Stage = "sender"
	StageDone   Stage = ""
)

// Check talks to the server as Send does, up to the sender, but sends nothing. With an error it returns the stage that failed.
func (m *Mailer) Check(ctx context.Context) (Stage, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := m.dial(ctx)
	if err != nil {
		return StageServer, err
	}
	defer c.Close()
	if err := m.signIn(c); err != nil {
		return StageLogin, err
	}
	if err := c.Mail(path(m.from)); err != nil {
		return StageSender, err
	}
	_ = c.Reset()
	_ = c.Quit()
	return StageDone, nil
}
