// Package mail sends e-mail over SMTP.
package mail

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/textproto"
	"net/url"
	"slices"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const (
	timeout = 30 * time.Second
	batch   = 50 // recipients per transaction; RFC 5321 lets a server refuse more than 100
)

// Message is an e-mail. ID identifies it: sending the same message again uses the same Message-ID. HTML is the same text for
// programs that show HTML; it may be empty.
type Message struct {
	ID      string
	To      []string
	Subject string
	Text    string
	HTML    string
}

// SendError is a failure to send. Accepted says that the server may have accepted the message anyway.
type SendError struct {
	Accepted bool
	Cause    error
}

func (e *SendError) Error() string { return "sending mail: " + e.Cause.Error() }
func (e *SendError) Unwrap() error { return e.Cause }

// How to encrypt a connection if the address does not begin with smtps://.
const (
	TLSAuto     = "auto" // if the server offers it
	TLSRequired = "required"
	TLSOff      = "off" // the password, if any, is sent unencrypted
)

// Mailer sends mail through one server.
type Mailer struct {
	host, address string
	implicitTLS   bool
	user          *url.Userinfo
	from          *netmail.Address

	tls, auth, hello string
	authorities      *x509.CertPool // nil: the system's
}

// Option sets something that most servers do not need.
type Option func(*Mailer)

// WithTLS sets the encryption policy and the trusted authorities (nil: the system's).
func WithTLS(policy string, authorities *x509.CertPool) Option {
	return func(m *Mailer) { m.tls, m.authorities = cmp.Or(policy, TLSAuto), authorities }
}

// WithAuth sets how to sign in: auto, plain, login, xoauth2 (the password is an access token) or cram-md5.
func WithAuth(mechanism string) Option {
	return func(m *Mailer) { m.auth = cmp.Or(mechanism, authAuto) }
}

// WithHello sets the name that greets servers. The default is the machine's.
func WithHello(name string) Option { return func(m *Mailer) { m.hello = name } }

// New returns a Mailer for smtp://[user:password@]host[:port] or smtps://….
func New(smtpURL, from string, options ...Option) (*Mailer, error) {
	u, err := url.Parse(smtpURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("it must be smtp://host:port or smtps://host:port")
	}
	sender, err := parseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("the sender %w", err)
	}
	m := &Mailer{host: u.Hostname(), implicitTLS: u.Scheme == "smtps", user: u.User, from: sender, tls: TLSAuto, auth: authAuto}
	for _, o := range options {
		o(m)
	}
	port := "25"
	if m.implicitTLS {
		port = "465"
	}
	m.address = net.JoinHostPort(m.host, cmp.Or(u.Port(), port))
	return m, nil
}

// Send sends a message to all recipients that the server accepts, and fails if there are none. The error is a *SendError.
func (m *Mailer) Send(ctx context.Context, msg Message) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	to, refused := addresses(msg.To)
	s := &sending{Mailer: m, message: msg, refused: refused}
	err := s.send(ctx, to)
	if s.client != nil {
		_ = s.client.Close()
	}
	if err != nil {
		return &SendError{Accepted: s.accepted || s.lost, Cause: err}
	}
	return nil
}

// sending is one message being sent, in batches over one connection.
type sending struct {
	*Mailer
	message  Message
	client   *smtp.Client
	accepted bool // by the server, for some recipients
	lost     bool // the server's answer is lost: it may have accepted
	refused  []error
}

func (s *sending) send(ctx context.Context, to []*netmail.Address) error {
	taken := 0
	for part := range slices.Chunk(to, batch) {
		n, err := s.sendTo(ctx, part)
		if err != nil && s.accepted && !s.lost { // others already have it, so the whole message cannot be sent again
			n, err = s.sendTo(ctx, part)
		}
		if err != nil {
			return err
		}
		taken += n
	}
	if taken == 0 {
		return errors.Join(append(s.refused, errors.New("no recipients are left"))...)
	}
	for _, err := range s.refused {
		slog.WarnContext(ctx, "mail sent without one recipient", "error", err)
	}
	if s.client != nil {
		_ = s.client.Quit()
	}
	return nil
}

// sendTo sends the message to some recipients and returns how many the server accepted. After an error, the next call reconnects.
func (s *sending) sendTo(ctx context.Context, to []*netmail.Address) (n int, err error) {
	defer func() {
		if err != nil && s.client != nil {
			_ = s.client.Close()
			s.client = nil
		}
	}()
	if s.client == nil {
		if s.client, err = s.connect(ctx); err != nil {
			return 0, err
		}
	}
	if err := s.client.Mail(path(s.from)); err != nil {
		return 0, err
	}
	taken, err := s.recipients(to)
	if err != nil {
		return 0, err
	}
	if len(taken) == 0 {
		return 0, s.client.Reset()
	}
	raw, err := s.compose(s.message, taken, time.Now())
	if err != nil {
		return 0, err
	}
	w, err := s.client.Data()
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(raw); err != nil {
		return 0, err // without the final dot the server accepts nothing
	}
	if err := w.Close(); err != nil {
		var answer *textproto.Error
		s.lost = !errors.As(err, &answer)
		return 0, err
	}
	s.accepted = true
	return len(taken), nil
}

// path returns an address as SMTP commands take it: without the name, and with quotes if its local part needs them.
func path(a *netmail.Address) string { return (&netmail.Address{Address: a.Address}).String() }

// recipients sends the recipients to the server and returns those that it accepts. A rejected recipient must not keep the mail
// from the others.
func (s *sending) recipients(to []*netmail.Address) (taken []*netmail.Address, err error) {
	for _, a := range to {
		err := s.client.Rcpt(path(a))
		var answer *textproto.Error
		switch {
		case err == nil:
			taken = append(taken, a)
		case errors.As(err, &answer):
			s.refused = append(s.refused, fmt.Errorf("the server rejects %q: %w", a.Address, err))
		default:
			return nil, err // the connection is lost
		}
	}
	return taken, nil
}
