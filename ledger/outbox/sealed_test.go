package outbox_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/outbox"
	"github.com/framebridge/framebridge/ledger/sealed"
)

const (
	oldKey = "the key of last year"
	newKey = "the key of this year"
	link   = "https://bridge.example.com/ui/links/signed-and-secret"
)

// kept is a database and the bodies of the mails stored in it.
type kept struct {
	*database.DB
}

func (k kept) bodies(t *testing.T) string {
	t.Helper()
	all, err := database.Collect(t.Context(), k.Reads(), func(r database.Scanner) (s string, err error) { return s, r.Scan(&s) }, "SELECT body FROM mails ORDER BY id")
	require.NoError(t, err)
	return strings.Join(all, "\n")
}

func (k kept) box(t *testing.T, secrets ...string) outbox.Box {
	t.Helper()
	keys, err := sealed.New(secrets...)
	require.NoError(t, err)
	return outbox.New(k.DB, keys)
}

func openKept(t *testing.T) kept {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "l.db"))
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return kept{db}
}

var morning = time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)

func waiting(id string) outbox.Mail {
	return outbox.Mail{ID: id, To: []string{"sam@post.example"}, Subject: "Done", Text: "Look for Rita: " + link, CreatedAt: morning, DueAt: morning}
}

// claimed returns the texts that a worker would send, with "unreadable" for those that it cannot read.
func claimed(t *testing.T, b outbox.Box, at time.Time) (texts []string) {
	t.Helper()
	due, err := b.Claim(t.Context(), at, 10)
	require.NoError(t, err)
	for _, batch := range due {
		for _, m := range batch.Mails {
			if m.Unreadable {
				m.Text = "unreadable"
			}
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func TestTheTextsOfMailsAreKeptEncrypted(t *testing.T) {
	k := openKept(t)
	b := k.box(t, oldKey)
	require.NoError(t, b.Put(t.Context(), "T", waiting("1")))
	assert.NotContains(t, k.bodies(t), "secret")
	assert.NotContains(t, k.bodies(t), "Rita")
	assert.Equal(t, []string{"Look for Rita: " + link}, claimed(t, b, morning))
	assert.Equal(t, []string{"unreadable"}, claimed(t, k.box(t), morning.Add(time.Hour)), "without the key")
	assert.Equal(t, []string{"unreadable"}, claimed(t, k.box(t, newKey), morning.Add(2*time.Hour)), "with another key")
	seal, lost, err := k.box(t, newKey).Sealed(t.Context())
	require.NoError(t, err)
	assert.Equal(t, [2]int{1, 1}, [2]int{seal, lost})
	assert.Equal(t, []string{"Look for Rita: " + link}, claimed(t, k.box(t, newKey, oldKey), morning.Add(3*time.Hour)), "the key is back")
}

func TestMailsOfAnEarlierTimeAreSent(t *testing.T) {
	k := openKept(t)
	require.NoError(t, k.box(t).Put(t.Context(), "T", waiting("1")), "no key is configured")
	assert.Contains(t, k.bodies(t), link)
	assert.Equal(t, []string{"Look for Rita: " + link}, claimed(t, k.box(t, oldKey), morning), "as it was kept")
	require.NoError(t, k.box(t, oldKey).Reseal(t.Context()))
	assert.NotContains(t, k.bodies(t), "secret", "a key is configured since")
	require.NoError(t, k.box(t, newKey, oldKey).Reseal(t.Context()))
	assert.Equal(t, []string{"Look for Rita: " + link}, claimed(t, k.box(t, newKey), morning.Add(time.Hour)), "after a rotation the old key may go")
	assert.Equal(t, []string{"unreadable"}, claimed(t, k.box(t, oldKey), morning.Add(2*time.Hour)))
}

func TestAnErasedPersonIsInNoEncryptedMail(t *testing.T) {
	k := openKept(t)
	b := k.box(t, newKey, oldKey)
	require.NoError(t, k.box(t, oldKey).Put(t.Context(), "T", waiting("1")))
	require.NoError(t, b.Put(t.Context(), "T", outbox.Mail{ID: "2", To: []string{"sam@post.example"}, Text: "of nobody", CreatedAt: morning, DueAt: morning}))
	require.NoError(t, b.Put(t.Context(), "U", waiting("3")))
	n, err := rewrite(t.Context(), k, b)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.ElementsMatch(t, []string{"Look for somebody: " + link, "of nobody", "Look for Rita: " + link}, claimed(t, b, morning))
}

func rewrite(ctx context.Context, k kept, b outbox.Box) (n int, err error) {
	err = k.Tx(ctx, func(tx database.Session) error {
		n, err = b.Rewrite(ctx, tx, "T", func(s string) string { return strings.ReplaceAll(s, "Rita", "somebody") })
		return err
	})
	return n, err
}
