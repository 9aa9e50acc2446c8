package database

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// silence is how long a server may leave a connection without any sign of life: a machine that lost power, or a proxy that forgot
// the connection, says nothing. Without a limit, the system repeats what it has sent for a quarter of an hour, and a statement of an
// activity that may take hours waits for all of it.
const silence = 30 * time.Second

// abandoned is how long a transaction may wait for this program's next statement before the server ends it. It is for a program that is
// frozen; programs that run make statements one after the other.
const abandoned = time.Minute

// boundSession makes the server notice, too, that this program is gone: the rows that its transaction has locked stay locked until then,
// by default for two hours. A server or a pooler that does not know a setting is used without it.
func boundSession(ctx context.Context, c *pgx.Conn) error {
	for _, setting := range []string{
		fmt.Sprintf("tcp_keepalives_idle = %d", int(silence.Seconds())/2), fmt.Sprintf("tcp_keepalives_interval = %d", int(silence.Seconds())/6), "tcp_keepalives_count = 3",
		fmt.Sprintf("tcp_user_timeout = %d", silence.Milliseconds()), fmt.Sprintf("idle_in_transaction_session_timeout = %d", abandoned.Milliseconds()),
	} {
		_, err := c.PgConn().Exec(ctx, "SET "+setting).ReadAll()
		var unknown *pgconn.PgError
		if err != nil && !errors.As(err, &unknown) {
			return err
		}
	}
	return nil
}

// dialer returns what opens connections to PostgreSQL.
func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 2, Interval: silence / 6, Count: 3}, // while an answer is awaited
		Control:         limitSilence,                                                                          // while something sent is not acknowledged
	}
}
