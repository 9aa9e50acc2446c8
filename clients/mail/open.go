package mail

import (
	"fmt"

	"github.com/framebridge/framebridge/config"
)

// Open returns the Mailer that the configuration describes, or nil if it names no server.
func Open(cfg config.Mail) (*Mailer, error) {
	if cfg.SMTPURL == "" {
		return nil, nil //nolint:nilnil // no mails
	}
	authorities, err := cfg.CA.Pool()
	if err != nil {
		return nil, fmt.Errorf("mail.ca: %w", err)
	}
	m, err := New(cfg.SMTPURL.Reveal(), cfg.From, WithTLS(cfg.TLS, authorities), WithAuth(cfg.Auth), WithHello(cfg.Hello))
	if err != nil {
		return nil, fmt.Errorf("mail.smtp_url: %w", err)
	}
	return m, nil
}
