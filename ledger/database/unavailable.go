package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// ErrUnavailable means that the database cannot be used at the moment, whatever it was asked: it is unreachable, full, locked or
// read-only. The same statement works once that has been fixed.
var ErrUnavailable = errors.New("the ledger is unavailable")

// ErrUnwritable is an ErrUnavailable of a database that can be read.
var ErrUnwritable = errors.New("the ledger cannot be written")

// errMoved is the error of a ledger whose file is not what this program opened. What were written to the open file would be gone
// with the process.
var errMoved = errors.New("its file was deleted or replaced while this program was running: put the right file in place, then restart this program")

// unavailable is an error that is ErrUnavailable, with its own text.
type unavailable struct {
	text  string
	cause error
}

// unwritable is an error that is ErrUnwritable, with the text of its cause.
type unwritable struct{ error }

func (u unwritable) Is(target error) bool { return target == ErrUnwritable || target == ErrUnavailable }
func (u unwritable) Unwrap() error        { return u.error }

func (u *unavailable) Error() string        { return u.text }
func (u *unavailable) Unwrap() error        { return u.cause }
func (u *unavailable) Is(target error) bool { return target == ErrUnavailable }

// told marks a statement's error as ErrUnavailable if it is the database's fault, and says that it is about the ledger: it may
// be shown by whoever was about to call a vendor.
func told(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) || !cannotBeUsed(err) {
		return err
	}
	return &unavailable{"the ledger: " + err.Error(), err}
}

func cannotBeUsed(err error) bool {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	var connecting *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, errMoved), errors.Is(err, errReadOnly):
		return true
	case errors.As(err, &lite):
		switch lite.Code() & 0xff {
		case sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED, sqlitelib.SQLITE_FULL, sqlitelib.SQLITE_IOERR, sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_CANTOPEN,
			sqlitelib.SQLITE_PERM, sqlitelib.SQLITE_NOMEM, sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB, sqlitelib.SQLITE_PROTOCOL, sqlitelib.SQLITE_INTERRUPT:
			return true
		}
		return false
	case errors.As(err, &pg):
		return serverCannot(pg.Code)
	case errors.As(err, &connecting), errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	}
	return errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded) // the caller's patience
}

// serverCannot reports whether a code of PostgreSQL is about the server or this program's rights on it: connections (08), rights
// (28, 42501), no such database (3D), a server or transaction that takes no changes (25006), resources (53), limits of an operator
// (55P03 and 57: locks, timeouts, shutdowns), and its own trouble (58, XX).
func serverCannot(code string) bool {
	for _, class := range []string{"08", "28", "3D", "25006", "25P03", "42501", "53", "55P03", "57", "58", "XX"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// inPlace returns an error if the file of an SQLite ledger is no longer the one that was opened: SQLite would go on with the open
// file, which nobody can find any more.
func (d *DB) inPlace() error {
	if d.opened == nil {
		return nil
	}
	now, err := os.Stat(d.file)
	if err == nil && os.SameFile(now, d.opened) || err != nil && !errors.Is(err, fs.ErrNotExist) { // a folder that may not be read hides the file
		return nil
	}
	return &unavailable{fmt.Sprintf("the ledger %s: %v", d.file, errMoved), errMoved}
}
