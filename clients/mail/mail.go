// Package mail sends e-mails over SMTP.
package mail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

const timeout = 30 * time.Second

// Message is an e-mail. ID tells one message from another: the same one sent again carries the same Message-ID.
type Message struct {
	ID      string
	To      []string
	Subject string
	Text    string
}

// SendError is a failure to send. Accepted says that the server may have taken the message all the same.
type SendError struct {
	Accepted bool
	Cause    error
}

func (e *SendError) Error() string { return "sending mail: " + e.Cause.Error() }
func (e *SendError) Unwrap() error { return e.Cause }

// Mailer sends through one server.
type Mailer struct {
	host, address string
	implicitTLS   bool
	user          *url.Userinfo
	from          string
}

// New takes smtp://[user:password@]host[:port] or smtps://….
func New(smtpURL, from string) (*Mailer, error) {
	u, err := url.Parse(smtpURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("it must be smtp://host:port or smtps://host:port")
	}
	if _, err := netmail.ParseAddress(from); err != nil {
		return nil, fmt.Errorf("the sender %q is not an e-mail address", from)
	}
	m := &Mailer{host: u.Hostname(), implicitTLS: u.Scheme == "smtps", user: u.User, from: from}
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "25", true: "465"}[m.implicitTLS]
	}
	m.address = net.JoinHostPort(m.host, port)
	return m, nil
}

// Send sends a message to all of its recipients that the server takes, and fails where that is none. Its error is a
// *SendError.
func (m *Mailer) Send(ctx context.Context, msg Message) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	accepted, err := m.send(ctx, msg)
	if err != nil {
		return &SendError{Accepted: accepted, Cause: err}
	}
	return nil
}

func (m *Mailer) send(ctx context.Context, msg Message) (accepted bool, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.address)
	if err != nil {
		return false, err
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
		return false, err
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); ok && !m.implicitTLS {
		if err := c.StartTLS(secure); err != nil {
			return false, err
		}
	}
	if m.user != nil {
		password, _ := m.user.Password()
		if err := c.Auth(smtp.PlainAuth("", m.user.Username(), password, m.host)); err != nil {
			return false, errors.New("the server refuses the user or password of mail.smtp_url")
		}
	}
	from, err := netmail.ParseAddress(m.from)
	if err != nil {
		return false, err
	}
	if err := c.Mail(from.Address); err != nil {
		return false, err
	}
	if msg.To, err = recipients(ctx, c, msg.To); err != nil {
		return false, err
	}
	w, err := c.Data()
	if err != nil {
		return false, err
	}
	if _, err := w.Write(m.compose(msg, time.Now())); err != nil {
		return false, err // without its final dot the server takes nothing
	}
	if err := w.Close(); err != nil {
		var refused *textproto.Error // the server's own answer
		return !errors.As(err, &refused), err
	}
	_ = c.Quit()
	return true, nil
}

// recipients names a mail's recipients to the server, and returns those that it takes. One that it does not take must
// not keep the mail from the others: it is logged.
func recipients(ctx context.Context, c *smtp.Client, all []string) ([]string, error) {
	var taken []string
	var refused []error
	for _, to := range all {
		addr, err := netmail.ParseAddress(to)
		if err != nil {
			err = fmt.Errorf("%q is not an e-mail address", to)
		} else if err = c.Rcpt(addr.Address); err != nil {
			var answer *textproto.Error
			if !errors.As(err, &answer) {
				return nil, err // the connection is gone
			}
			err = fmt.Errorf("%q is refused by the server: %w", to, err)
		}
		if err != nil {
			refused = append(refused, err)
			continue
		}
		taken = append(taken, to)
	}
	if len(taken) == 0 {
		return nil, errors.Join(append(refused, errors.New("nobody is left to send it to"))...)
	}
	for _, err := range refused {
		slog.WarnContext(ctx, "mail is sent without a recipient", "error", err)
	}
	return taken, nil
}

func (m *Mailer) compose(msg Message, now time.Time) []byte {
	clean := strings.NewReplacer("\r", " ", "\n", " ").Replace
	sum := sha256.Sum256([]byte(msg.ID))
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@framebridge>\r\n", clean(m.from), clean(strings.Join(msg.To, ", ")),
		mime.QEncoding.Encode("utf-8", clean(msg.Subject)), now.Format(time.RFC1123Z), hex.EncodeToString(sum[:12]))
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nAuto-Submitted: auto-generated\r\n\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = q.Write([]byte(strings.ReplaceAll(msg.Text, "\n", "\r\n")))
	_ = q.Close()
	return b.Bytes()
}
