package mail

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	netmail "net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
)

func listen(t *testing.T) (*mailtest.Server, *Mailer) {
	t.Helper()
	s, err := mailtest.Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(s.Close)
	m, err := New(s.URL(), "framebridge@example.com")
	require.NoError(t, err)
	return s, m
}

func TestAMailArrivesAsItWasWritten(t *testing.T) {
	s, m := listen(t)
	require.NoError(t, m.Send(t.Context(), Message{To: []string{"a@example.com", "b@example.com"}, Subject: "Archiviert: Überblick – 見本", Text: "Erste Zeile\n.\n.Punkt am Anfang\nLetzte ä"}))
	all := s.Messages()
	require.Len(t, all, 1)
	assert.Equal(t, []string{"a@example.com", "b@example.com"}, all[0].To)
	assert.Equal(t, "Archiviert: Überblick – 見本", all[0].Subject)
	assert.Contains(t, all[0].Text, "Letzte ä")
	assert.Contains(t, all[0].Text, ".Punkt am Anfang")
}

func TestAMailsHeadersCannotBeForged(t *testing.T) {
	s, m := listen(t)
	require.NoError(t, m.Send(t.Context(), Message{To: []string{"a@example.com"}, Subject: "Project\r\nBcc: evil@example.com", Text: "x"}))
	got := s.Messages()[0]
	assert.Equal(t, []string{"a@example.com"}, got.To)
	assert.NotContains(t, got.Subject, "\n", "a line of its own would be a header")
	assert.True(t, strings.HasPrefix(got.Subject, "Project"))
	err := m.Send(t.Context(), Message{To: []string{"a@example.com\r\nRCPT TO:<evil@example.com>"}, Subject: "x", Text: "x"})
	assert.Error(t, err)
}

// A local part may need quotes. Without them, the server would read a different address.
func TestQuotedLocalPartsKeepTheirQuotes(t *testing.T) {
	s, _ := listen(t)
	m, err := New(s.URL(), `Framebridge <"frame bridge"@example.com>`)
	require.NoError(t, err)
	to := []string{`"a b"@example.com`, `Rita <"rita@client.example"@example.com>`, `"a\\\"b"@example.com`, "plain@example.com"}
	require.NoError(t, m.Send(t.Context(), Message{To: to, Subject: "x", Text: "x"}))
	all := s.Messages()
	require.Len(t, all, 1)
	assert.Equal(t, []string{`a b@example.com`, `rita@client.example@example.com`, `a\"b@example.com`, "plain@example.com"}, all[0].To, "as the server reads them, without the quotes")
	assert.Equal(t, "frame bridge@example.com", all[0].From)
	_, err = m.Check(t.Context())
	require.NoError(t, err)
}

func TestOneBadAddressDoesNotSilenceTheOthers(t *testing.T) {
	s, m := listen(t)
	s.RefuseTo("gone@example.com")
	require.NoError(t, m.Send(t.Context(), Message{To: []string{"gone@example.com", "@", "a@example.com"}, Subject: "x", Text: "x"}))
	all := s.Messages()
	require.Len(t, all, 1)
	assert.Equal(t, []string{"a@example.com"}, all[0].To)
	err := m.Send(t.Context(), Message{To: []string{"gone@example.com", "@"}, Subject: "x", Text: "x"})
	var se *SendError
	require.True(t, errors.As(err, &se))
	assert.False(t, se.Accepted)
	assert.ErrorContains(t, err, "550")
	assert.ErrorContains(t, err, `"@"`)
	assert.Len(t, s.Messages(), 1)
}

func TestARefusedMailMaySafelyBeSentAgain(t *testing.T) {
	s, m := listen(t)
	s.Refuse(1)
	err := m.Send(t.Context(), Message{To: []string{"a@example.com"}, Subject: "x", Text: "x"})
	var se *SendError
	require.True(t, errors.As(err, &se))
	assert.False(t, se.Accepted)
	s.Lose(1)
	err = m.Send(t.Context(), Message{To: []string{"a@example.com"}, Subject: "x", Text: "x"})
	require.True(t, errors.As(err, &se))
	assert.True(t, se.Accepted, "it may have arrived")
}

func listenWith(t *testing.T, o mailtest.Options) *mailtest.Server {
	t.Helper()
	s, err := mailtest.ListenWith("127.0.0.1:0", o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func send(t *testing.T, m *Mailer, to ...string) error {
	t.Helper()
	return m.Send(t.Context(), Message{ID: "x", To: to, Subject: "x", Text: "x"})
}

func TestTheServerIsNotGreetedAsLocalhost(t *testing.T) {
	s, m := listen(t) // it turns localhost away
	require.NoError(t, send(t, m, "a@example.com"))
	hello := s.Hellos()[0]
	assert.True(t, isDomain(hello) || hello == "[127.0.0.1]", hello)
	named, err := New(s.URL(), "f@example.com", WithHello("bridge.example.com"))
	require.NoError(t, err)
	require.NoError(t, send(t, named, "a@example.com"))
	assert.Equal(t, "bridge.example.com", s.Hellos()[1])
	wrong, err := New(s.URL(), "f@example.com", WithHello("localhost"))
	require.NoError(t, err)
	assert.ErrorContains(t, send(t, wrong, "a@example.com"), "421")
	for name, want := range map[string]bool{"bridge.example.com": true, "localhost": false, "worker-7f9": false, "localhost.localdomain": false, "a_b.c": false, "": false, ".": false} {
		assert.Equal(t, want, isDomain(name), name)
	}
}

func TestItSignsInAsTheServerWants(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "LOGIN", "XOAUTH2"} {
		s := listenWith(t, mailtest.Options{User: "sam", Password: "a/p@ss#w?rd", Mechanisms: []string{mechanism}})
		withPassword := func(password string) string {
			u := url.URL{Scheme: "smtp", User: url.UserPassword("sam", password), Host: strings.TrimPrefix(s.URL(), "smtp://")}
			return u.String()
		}
		for _, way := range []string{"auto", strings.ToLower(mechanism)} {
			m, err := New(withPassword("a/p@ss#w?rd"), "f@example.com", WithAuth(way))
			require.NoError(t, err)
			require.NoError(t, send(t, m, "a@example.com"), mechanism)
			stage, err := m.Check(t.Context())
			require.NoError(t, err)
			assert.Equal(t, StageDone, stage)
		}
		m, err := New(withPassword("the-wrong-one"), "f@example.com")
		require.NoError(t, err)
		stage, checked := m.Check(t.Context())
		assert.Equal(t, StageLogin, stage)
		for _, err := range []error{send(t, m, "a@example.com"), checked} {
			assert.ErrorContains(t, err, "rejects the user or password in mail.smtp_url")
			assert.NotContains(t, err.Error(), "the-wrong-one")
		}
		assert.Len(t, s.Messages(), 2)
	}
}

func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}}, pool
}

func TestARelayOfTheHouseHasItsOwnAuthority(t *testing.T) {
	config, pool := certificate(t)
	s, plain := listenWith(t, mailtest.Options{TLS: config}), listenWith(t, mailtest.Options{})
	for name, tt := range map[string]struct {
		server *mailtest.Server
		option Option
		want   string
	}{
		"unknown authority":         {s, WithTLS("auto", nil), "mail.ca"},
		"known authority":           {s, WithTLS("auto", pool), ""},
		"required":                  {s, WithTLS("required", pool), ""},
		"without":                   {s, WithTLS("off", nil), ""},
		"required, and not offered": {plain, WithTLS("required", pool), "mail.tls is required"},
		"not offered":               {plain, WithTLS("auto", pool), ""},
	} {
		m, err := New(tt.server.URL(), "f@example.com", tt.option)
		require.NoError(t, err)
		err = send(t, m, "a@example.com")
		if tt.want == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, tt.want, name)
		}
	}
}

// The server rejects header lines over 998 bytes and bytes that are not ASCII.
func TestHeadersAreFoldedAndEncoded(t *testing.T) {
	s, err := mailtest.Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(s.Close)
	m, err := New(s.URL(), "Büro Müller <framebridge@example.com>")
	require.NoError(t, err)
	var sixty []string
	for i := range 60 {
		sixty = append(sixty, fmt.Sprintf("Post Production Person %02d <person%02d@post.example.com>", i, i))
	}
	sixty = append(sixty, "Zoë Größe <zoe@größe.example>", `"A, B" <c@example.com>`, strings.Repeat("Name ", 400)+"<long@example.com>")
	for name, subject := range map[string]string{
		"words": strings.Repeat("A subject that goes on ", 55), "one word": strings.Repeat("subject", 181), "CJK": strings.Repeat("見", 600), "mixed": "Ü " + strings.Repeat("x", 1200),
		"controls": "a\x00b\x1b[31m\u2028c\td", "bad UTF-8": "a\xff\xfeb", "empty": "", "as if encoded": "=?utf-8?q?Hacked?= it", "spaces": strings.Repeat(" ", 1100) + "x",
	} {
		before := len(s.Messages())
		require.NoError(t, m.Send(t.Context(), Message{ID: "1", To: sixty, Subject: subject, Text: "x"}), name)
		all := s.Messages()[before:]
		require.Len(t, all, 2, "63 recipients go in two batches")
		assert.Equal(t, 63, len(all[0].To)+len(all[1].To))
		for _, got := range all {
			from, err := got.Header.AddressList("From")
			require.NoError(t, err)
			assert.Equal(t, "Büro Müller", from[0].Name)
			if name == "one word" || name == "CJK" || name == "mixed" {
				assert.Equal(t, subject, got.Subject)
			}
			assert.Equal(t, strings.Join(strings.Fields(clean(subject)), " "), strings.Join(strings.Fields(got.Subject), " "), name)
		}
	}
	last := s.Messages()[len(s.Messages())-1]
	assert.Contains(t, last.To, "zoe@xn--gre-6ka8i.example")
	to, err := last.Header.AddressList("To")
	require.NoError(t, err)
	assert.Equal(t, "Zoë Größe", to[10].Name)
}

func clean(s string) string {
	return strings.NewReplacer("\x00", " ", "\x1b", " ", "\u2028", " ").Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

func FuzzHeaders(f *testing.F) {
	f.Add("Subject: x\r\nBcc: evil@example.com", "Name")
	f.Add("=?utf-8?q?x?=", "a\"b\\")
	m, err := New("smtp://127.0.0.1:1", "f@example.com")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, subject, name string) {
		to, _ := addresses([]string{(&netmail.Address{Name: name, Address: "a@example.com"}).String(), "b@example.com"})
		raw, err := m.compose(Message{Subject: subject, Text: "x"}, to, time.Now())
		if err != nil {
			return
		}
		require.NoError(t, mailtest.Strict(raw))
		parsed, err := netmail.ReadMessage(bytes.NewReader(raw))
		require.NoError(t, err)
		for header := range parsed.Header {
			require.Contains(t, []string{"From", "To", "Subject", "Date", "Message-Id", "Auto-Submitted", "Mime-Version", "Content-Type", "Content-Transfer-Encoding"}, header)
		}
	})
}

func TestManyRecipientsGoInBatches(t *testing.T) {
	s, m := listen(t) // it accepts 100 at once
	var many []string
	for i := range 230 {
		many = append(many, fmt.Sprintf("p%03d@example.com", i))
	}
	s.RefuseTo("p007@example.com")
	require.NoError(t, m.Send(t.Context(), Message{ID: "1", To: append(many, "P001@example.com", "p001@example.com"), Subject: "x", Text: "x"}))
	got := map[string]int{}
	for _, message := range s.Messages() {
		for _, to := range message.To {
			got[to]++
		}
	}
	assert.Len(t, got, 229)
	for to, times := range got {
		assert.Equal(t, 1, times, to)
	}
}

// A batch that is refused temporarily is sent again; earlier batches are not.
func TestABatchThatIsRefusedIsSentAgainByItself(t *testing.T) {
	s, m := listen(t)
	var many []string
	for i := range 2 * batch {
		many = append(many, fmt.Sprintf("p%03d@example.com", i))
	}
	s.RefuseAfter(1, 1)
	require.NoError(t, m.Send(t.Context(), Message{ID: "1", To: many, Subject: "x", Text: "x"}))
	assert.Len(t, s.Messages(), 2)
	s.RefuseAfter(1, 9)
	err := m.Send(t.Context(), Message{ID: "1", To: many, Subject: "x", Text: "x"})
	var se *SendError
	require.ErrorAs(t, err, &se)
	assert.True(t, se.Accepted, "some have it: it must not be sent to them again")
}

func TestAMailMayBeHTMLAndText(t *testing.T) {
	s, m := listen(t)
	require.NoError(t, m.Send(t.Context(), Message{ID: "1", To: []string{"a@example.com"}, Subject: "x", Text: "plain ä", HTML: "<p>rich ä</p>"}))
	got := s.Messages()[0]
	assert.Equal(t, "plain ä", strings.TrimSpace(got.Text))
	assert.Equal(t, "<p>rich ä</p>", strings.TrimSpace(got.HTML))
	assert.Equal(t, "auto-generated", got.Header.Get("Auto-Submitted"))
}
