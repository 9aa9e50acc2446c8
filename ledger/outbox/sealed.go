package outbox

import (
	"context"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/texts"
)

// mark is the prefix of a text that is stored encrypted, because mails contain links that work without an account. No mail's own
// text begins with it.
const mark = "\x1esealed:"

// place is what an encrypted text is bound to. The recipients are not part of it, because an erased person's address is replaced there.
func place(tenant, id string) string { return tenant + "/mail/" + id }

// closed returns a mail's text as it is stored: encrypted if there is a key.
func (b Box) closed(tenant, id, text string) (string, error) {
	text = strings.TrimLeft(text, mark[:1])
	if len(b.keys) == 0 {
		return text, nil
	}
	shut, err := b.keys.Seal(place(tenant, id), []byte(text))
	return mark + shut, err
}

// opened returns a stored text as it is sent. outdated means that it is not encrypted under the first key, although there is one.
func (b Box) opened(tenant, id, kept string) (text string, outdated bool, err error) {
	shut, encrypted := strings.CutPrefix(kept, mark)
	if !encrypted {
		return kept, len(b.keys) > 0, nil
	}
	plain, outdated, err := b.keys.Open(place(tenant, id), shut)
	return string(plain), outdated, err
}

type keptText struct{ tenant, id, recipients, body string }

func (b Box) texts(ctx context.Context, s database.Session, where string, args ...any) ([]keptText, error) {
	return database.Collect(ctx, s, func(r database.Scanner) (k keptText, err error) {
		err = r.Scan(&k.tenant, &k.id, &k.recipients, &k.body)
		return k, err
	}, "SELECT tenant, id, recipients, body FROM mails "+where, args...)
}

func (k keptText) replace(ctx context.Context, s database.Session, body string) (int64, error) {
	return s.Exec(ctx, "UPDATE mails SET body = ? WHERE tenant = ? AND id = ? AND recipients = ? AND body = ?", body, k.tenant, k.id, k.recipients, k.body)
}

// Reseal encrypts under the first key the texts that are not. Those that no key decrypts stay as they are.
func (b Box) Reseal(ctx context.Context) error {
	if len(b.keys) == 0 {
		return nil
	}
	all, err := b.texts(ctx, b.db.Reads(), "")
	if err != nil {
		return err
	}
	for _, k := range all {
		text, outdated, err := b.opened(k.tenant, k.id, k.body)
		if err != nil || !outdated {
			continue
		}
		body, err := b.closed(k.tenant, k.id, text)
		if err != nil {
			return err
		}
		if _, err := k.replace(ctx, b.db.Writes(), body); err != nil { // no row if it has been sent meanwhile
			return err
		}
	}
	return nil
}

// Sealed counts the encrypted texts, and those among them that no key decrypts.
func (b Box) Sealed(ctx context.Context) (kept, unreadable int, err error) {
	all, err := b.texts(ctx, b.db.Reads(), "WHERE body LIKE ?", mark+"%")
	for _, k := range all {
		kept++
		if _, _, err := b.opened(k.tenant, k.id, k.body); err != nil {
			unreadable++
		}
	}
	return kept, unreadable, err
}

// Rewrite applies change to a tenant's encrypted texts, within a transaction, and returns how many it changed. Texts that no key decrypts
// reveal nothing, and stay.
func (b Box) Rewrite(ctx context.Context, tx database.Session, tenant string, change func(string) string) (int, error) {
	all, err := b.texts(ctx, tx, "WHERE tenant = ? AND body LIKE ?", tenant, mark+"%")
	if err != nil {
		return 0, err
	}
	changed := 0
	for _, k := range all {
		plain, _, err := b.opened(k.tenant, k.id, k.body)
		now := change(plain)
		if err != nil || now == plain {
			continue
		}
		body, err := b.closed(k.tenant, k.id, now)
		if err != nil {
			return changed, err
		}
		n, err := k.replace(ctx, tx, body)
		if err != nil {
			return changed, err
		}
		changed += int(n)
	}
	return changed, nil
}

// WithoutRecipient removes an address from the waiting mails, and deletes those that have no other recipient.
func WithoutRecipient(ctx context.Context, tx database.Session, tenant, address string) error {
	mails, err := database.Collect(ctx, tx, func(r database.Scanner) (m [2]string, err error) { return m, r.Scan(&m[0], &m[1]) },
		"SELECT id, recipients FROM mails WHERE tenant = ?", tenant)
	if err != nil {
		return err
	}
	for _, m := range mails {
		to := strings.Split(m[1], "\n")
		left := slices.DeleteFunc(slices.Clone(to), func(t string) bool { return texts.Same(t, address) })
		if len(left) == len(to) {
			continue
		}
		if now := strings.Join(left, "\n"); now != "" {
			if _, err := tx.Exec(ctx, "UPDATE mails SET recipients = ? WHERE tenant = ? AND id = ? AND recipients = ? AND NOT EXISTS (SELECT 1 FROM mails AS o WHERE o.tenant = ? AND o.id = ? AND o.recipients = ?)",
				now, tenant, m[0], m[1], tenant, m[0], now); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "DELETE FROM mails WHERE tenant = ? AND id = ? AND recipients = ?", tenant, m[0], m[1]); err != nil {
			return err
		}
	}
	return nil
}
