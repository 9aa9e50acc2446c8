// Package mailtest is a mail server that keeps the mail it receives and is as strict as real ones can be. It is for tests and for
// the sandbox's outbox.
package mailtest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const (
	maxMessage    = 1 << 20 // bytes
	maxRecipients = 100     // what RFC 5321 requires a server to accept, and strict ones accept no more
	longestLine   = 998     // of a header, without its line break
)

// Message is an accepted mail.
type Message struct {
	From    string
	To      []string
	Subject string
	ID      string
	Text    string
	HTML    string
	Header  mail.Header
	At      time.Time
}

// Options configure a server. The zero value requires neither TLS nor sign-in.
type Options struct {
	TLS            *tls.Config // offers STARTTLS
	User, Password string      // required if set
	Mechanisms     []string    // PLAIN, LOGIN, XOAUTH2
}

// Server accepts mail. The zero value is not usable; see Listen.
type Server struct {
	o        Options
	l        net.Listener
	smtp     *smtp.Server
	mu       sync.Mutex
	messages []Message
	hellos   []string
	skip     int // mails to accept before refusing
	refuse   int
	lose     int
	unknown  string
}

// Listen starts a server on an address; port 0 picks one.
func Listen(address string) (*Server, error) { return ListenWith(address, Options{}) }

// ListenWith starts a server with options.
func ListenWith(address string, o Options) (*Server, error) {
	l, err := net.Listen("tcp", address) //nolint:noctx // a test's server
	if err != nil {
		return nil, err
	}
	s := &Server{l: l, o: o}
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.session))
	s.smtp.Domain, s.smtp.TLSConfig, s.smtp.AllowInsecureAuth = "mailtest", o.TLS, true
	s.smtp.MaxMessageBytes, s.smtp.MaxRecipients, s.smtp.MaxLineLength = maxMessage, maxRecipients, 2000
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = time.Minute, time.Minute
	go func() { _ = s.smtp.Serve(l) }()
	return s, nil
}

// URL returns the value for mail.smtp_url.
func (s *Server) URL() string { return "smtp://" + s.l.Addr().String() }

// Close stops the server.
func (s *Server) Close() { _ = s.smtp.Close() }

// Messages returns the mails accepted so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Hellos returns the names that clients greeted the server with.
func (s *Server) Hellos() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.hellos...)
}

// Refuse answers the next n mails with a temporary failure.
func (s *Server) Refuse(n int) { s.set(&s.refuse, n) }

// RefuseAfter accepts some mails, and then answers the next n with a temporary failure.
func (s *Server) RefuseAfter(some, n int) {
	s.set(&s.skip, some)
	s.set(&s.refuse, n)
}

// Lose accepts the next n mails but closes the connection before confirming.
func (s *Server) Lose(n int) { s.set(&s.lose, n) }

func (s *Server) set(counter *int, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*counter = n
}

// RefuseTo rejects a recipient as unknown from now on.
func (s *Server) RefuseTo(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown = address
}

// session starts a session. A client that calls itself localhost is turned away, as by Google's relay.
func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	name := c.Hostname()
	if name == "" || strings.EqualFold(name, "localhost") {
		return nil, &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Try again later, closing connection. (EHLO)"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hellos = append(s.hellos, name)
	return &session{Server: s, conn: c}, nil
}

type session struct {
	*Server
	conn     *smtp.Conn
	m        Message
	signedIn bool
}

func (s *session) Reset()        { s.m = Message{} }
func (s *session) Logout() error { return nil }

func (s *session) AuthMechanisms() []string { return s.o.Mechanisms }

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != s.o.User || password != s.o.Password {
			return smtp.ErrAuthFailed
		}
		s.signedIn = true
		return nil
	}
	switch mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case "LOGIN":
		return &loginServer{check: check}, nil
	case "XOAUTH2":
		return xoauth2Server(check), nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.o.User != "" && !s.signedIn {
		return smtp.ErrAuthRequired
	}
	s.m = Message{From: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to == s.unknown {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	}
	s.m.To = append(s.m.To, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := Strict(raw); err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.skip > 0 {
		s.skip--
	} else if s.refuse > 0 {
		s.refuse--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	m := s.m
	m.At = time.Now()
	if err := m.read(raw); err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	s.messages = append(s.messages, m)
	if s.lose > 0 {
		s.lose--
		_ = s.conn.Conn().Close()
	}
	return nil
}

// Strict returns an error if a message has no body, or headers that RFC 5322 and 2047 do not allow: a line that is too long, or
// bytes that are not ASCII.
func Strict(raw []byte) error {
	head, _, found := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !found {
		return errors.New("a message without a body")
	}
	lines := bufio.NewScanner(bytes.NewReader(head))
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		switch {
		case len(line) > longestLine:
			return errors.New("a header line over 998 bytes")
		case strings.IndexFunc(line, func(r rune) bool { return r > '~' || r < ' ' && r != '\t' }) >= 0:
			return errors.New("a header with bytes that are not ASCII")
		}
	}
	return lines.Err()
}

func (m *Message) read(raw []byte) error {
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	m.Header = parsed.Header
	if _, err := parsed.Header.AddressList("To"); err != nil {
		return errors.New("To: " + err.Error())
	}
	m.ID = parsed.Header.Get("Message-Id")
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		return err
	}
	return m.part(parsed.Header.Get("Content-Type"), parsed.Header.Get("Content-Transfer-Encoding"), parsed.Body)
}

func (m *Message) part(kind, encoding string, body io.Reader) error {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return err
	}
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
				return err
			}
		}
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if media == "text/html" {
		m.HTML = string(text)
	} else {
		m.Text = string(text)
	}
	return err
}
