package database

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestASilentServerIsGivenUpOn(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	for _, dsn := range []string{"postgres://u@127.0.0.1/d", "postgres://u@127.0.0.1/d?connect_timeout=3"} {
		cfg, err := postgresConfig(dsn)
		require.NoError(t, err)
		conn, err := cfg.DialFunc(t.Context(), "tcp", server.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		raw, err := conn.(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		option := func(name int) (value int) {
			require.NoError(t, raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, name) }))
			require.NoError(t, err)
			return value
		}
		assert.Equal(t, int(silence.Milliseconds()), option(unix.TCP_USER_TIMEOUT))
		assert.Equal(t, 15, option(unix.TCP_KEEPIDLE))
		assert.Equal(t, 5, option(unix.TCP_KEEPINTVL))
	}
	assert.NoError(t, limitSilence("unix", "", nil))
}
