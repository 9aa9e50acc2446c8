// Package mailtest is an SMTP listener that keeps what it is sent: for the tests, and for the sandbox's outbox.
package mailtest

import (
	"bufio"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"
)

const maxMessage = 1 << 20 // bytes

// Message is a mail that was accepted.
type Message struct {
	From    string
	To      []string
	Subject string
	ID      string
	Text    string
	At      time.Time
}

// Server accepts mails. The zero value is not usable; see Listen.
type Server struct {
	l        net.Listener
	mu       sync.Mutex
	messages []Message
	refuse   int
	lose     int
	unknown  string
}

// Listen starts a server on an address; port 0 picks one.
func Listen(address string) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{l: l}
	go s.serve()
	return s, nil
}

// URL is what mail.smtp_url takes.
func (s *Server) URL() string { return "smtp://" + s.l.Addr().String() }

// Close stops the server.
func (s *Server) Close() { _ = s.l.Close() }

// Messages are the mails so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Refuse answers the next n mails with a temporary failure.
func (s *Server) Refuse(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = n
}

// Lose accepts the next n mails and breaks the connection off before it says so.
func (s *Server) Lose(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = n
}

// RefuseTo answers that there is no such recipient.
func (s *Server) RefuseTo(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown = address
}

func (s *Server) refusesTo(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return address == s.unknown
}

func (s *Server) serve() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		go s.session(c)
	}
}

func (s *Server) session(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(c)
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 mailtest")
	var m Message
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb := strings.ToUpper(line)
		switch {
		case strings.HasPrefix(verb, "EHLO"), strings.HasPrefix(verb, "HELO"):
			say("250 mailtest")
		case strings.HasPrefix(verb, "MAIL FROM:"):
			m = Message{From: address(line)}
			say("250 ok")
		case strings.HasPrefix(verb, "RCPT TO:"):
			if s.refusesTo(address(line)) {
				say("550 no such user here")
				continue
			}
			m.To = append(m.To, address(line))
			say("250 ok")
		case verb == "DATA":
			say("354 go on")
			body, err := dotted(r)
			if err != nil {
				return
			}
			if !s.accept(m, body, say) {
				return
			}
		case verb == "QUIT":
			say("221 bye")
			return
		case verb == "RSET", verb == "NOOP":
			say("250 ok")
		default:
			say("502 not implemented")
		}
	}
}

// accept keeps a mail and answers; false ends the session without an answer.
func (s *Server) accept(m Message, body string, say func(string)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse > 0 {
		s.refuse--
		say("451 try again later")
		return true
	}
	m.At = time.Now()
	if parsed, err := mail.ReadMessage(strings.NewReader(body)); err == nil {
		m.Subject, m.ID = subject(parsed.Header.Get("Subject")), parsed.Header.Get("Message-Id")
		var text io.Reader = parsed.Body
		if strings.EqualFold(parsed.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			text = quotedprintable.NewReader(text)
		}
		raw, _ := io.ReadAll(text)
		m.Text = string(raw)
	}
	s.messages = append(s.messages, m)
	if s.lose > 0 {
		s.lose--
		return false
	}
	say("250 kept")
	return true
}

func dotted(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for b.Len() < maxMessage {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if strings.TrimRight(line, "\r\n") == "." {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	return b.String(), nil
}

func address(line string) string {
	_, a, _ := strings.Cut(line, ":")
	a, _, _ = strings.Cut(strings.TrimSpace(a), " ")
	return strings.Trim(a, "<>")
}

func subject(raw string) string {
	if s, err := new(mime.WordDecoder).DecodeHeader(raw); err == nil {
		return s
	}
	return raw
}
