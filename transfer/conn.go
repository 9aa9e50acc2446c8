package transfer

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/framebridge/framebridge/untrusted"
)

// NewHTTPClient returns a client for signed URLs: HTTP/1.1, because HTTP/2 would send all parts over one connection; no
// compression, no total timeout, and connections that write large pieces. If settings is not nil, it replaces the default
// TLS settings. If guard is not nil, it refuses addresses that no vendor should name.
func NewHTTPClient(settings *tls.Config, guard *untrusted.Guard) *http.Client {
	dial := guard.Dial(net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second})
	plain := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &largeConn{Conn: c}, nil
	}
	secure := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		cfg := &tls.Config{MinVersion: tls.VersionTLS12}
		if settings != nil {
			cfg = settings.Clone()
		}
		if cfg.ServerName == "" {
			cfg.ServerName, _, _ = net.SplitHostPort(address)
		}
		cfg.NextProtos, cfg.DynamicRecordSizingDisabled = []string{"http/1.1"}, true
		low := &gathering{Conn: c, r: bufio.NewReaderSize(c, chunk)}
		t := tls.Client(low, cfg)
		shaking, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := t.HandshakeContext(shaking); err != nil {
			_ = c.Close()
			return nil, err
		}
		low.begin()
		return &largeConn{Conn: t, low: low}, nil
	}
	return &http.Client{CheckRedirect: untrusted.Redirect, Transport: &http.Transport{
		Proxy: guard.Proxy, DialContext: plain, DialTLSContext: secure, TLSClientConfig: settings,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 5 * time.Minute, ExpectContinueTimeout: 2 * time.Second,
		MaxIdleConnsPerHost: 64, MaxIdleConns: 128, IdleConnTimeout: 4 * time.Second, // S3 closes idle connections after about 5 s
		DisableCompression: true, ReadBufferSize: 64 << 10, WriteBufferSize: 64 << 10,
	}}
}

// largeConn writes a request's body in large pieces. net/http copies 32 KiB at a time unless the connection implements
// io.ReaderFrom, which costs twice the CPU.
type largeConn struct {
	net.Conn
	low *gathering // under TLS
}

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, chunk); return &b }}

// ReadFrom implements io.ReaderFrom. net/http calls it with a request's body.
func (c *largeConn) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if ok {
		// Our own bodies pass their memory without a copy.
		if body, ok := limited.R.(io.WriterTo); ok {
			n, err := body.WriteTo(writerOnly{c})
			limited.N -= n
			return n, err
		}
	}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(writerOnly{c}, r, *buf)
}

// writerOnly keeps io.Copy from calling ReadFrom again.
type writerOnly struct{ io.Writer }

func (c *largeConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if c.low != nil {
		if ferr := c.low.flush(); err == nil {
			err = ferr
		}
	}
	return n, err
}

// gathering sends TLS records with one system call per Write above it, rather than one per 16 KiB.
type gathering struct {
	net.Conn
	mu sync.Mutex
	w  *bufio.Writer // nil during the handshake
	r  *bufio.Reader
}

// Read reads many records from the kernel at once.
func (g *gathering) Read(b []byte) (int, error) { return g.r.Read(b) }

func (g *gathering) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.w = bufio.NewWriterSize(g.Conn, chunk)
}

func (g *gathering) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.w == nil {
		return g.Conn.Write(b)
	}
	return g.w.Write(b)
}

func (g *gathering) flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.w == nil {
		return nil
	}
	return g.w.Flush()
}

// Close sends the last TLS records and closes the connection.
func (g *gathering) Close() error {
	_ = g.Conn.SetWriteDeadline(time.Now().Add(time.Second))
	_ = g.flush()
	return g.Conn.Close()
}
