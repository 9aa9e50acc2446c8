package activities

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// What an attempt after the first has made is as invisible for a while as what the first one made: its answer being
// lost must not have a third one make it again.
func TestALateAttemptIsWaitedForToo(t *testing.T) {
	const settle, lag = 600 * time.Millisecond, 300 * time.Millisecond
	book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	defer book.Close()
	lost := &rest.Error{Vendor: "iconik", Operation: "create", Class: rest.Retryable, Uncertain: true}
	var made []time.Time // objects in iconik
	attempts := 0
	create := creation{
		kind: ledger.LinkComment, sourceID: "C", settle: settle,
		look: func(context.Context) (string, error) {
			if len(made) > 0 && time.Since(made[0]) > lag {
				return "S", nil
			}
			return "", nil
		},
		make: func(context.Context) (string, error) {
			if attempts++; attempts > 1 { // the first was not carried out; of the others the answers are lost
				made = append(made, time.Now())
			}
			return "", lost
		},
	}
	one := &tenant{Activities: &Activities{Ledger: book}, cfg: &config.Tenant{ID: "T"}}
	_, _, err = one.makeOnce(t.Context(), create)
	require.ErrorIs(t, err, lost)
	id, _, err := one.makeOnce(t.Context(), create)
	require.NoError(t, err)
	require.Equal(t, "S", id)
	require.Len(t, made, 1)
}
