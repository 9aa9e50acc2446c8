package mail

import (
	"errors"
	"strings"
	"testing"

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
