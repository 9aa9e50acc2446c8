// Package hooks posts JSON to the addresses where people and programs want to hear about events: Slack, Teams and their own
// webhooks. An address is a secret, so errors never contain it.
package hooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/untrusted"
)

const (
	dialTimeout = 5 * time.Second
	timeout     = 10 * time.Second // for the response
	mostAnswer  = 2 << 10          // bytes of a response that are read
	mostReason  = 200              // characters of a response that are shown
	longestWait = time.Hour        // the longest that a receiver may ask for
)

// Client posts messages. The zero value does not work; see New.
type Client struct {
	http  *http.Client
	agent string
}

// New returns a client that calls only addresses that guard allows.
func New(guard *untrusted.Guard, agent string) *Client {
	return &Client{agent: agent, http: &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy: guard.Proxy, DialContext: guard.Dial(net.Dialer{Timeout: dialTimeout}), TLSHandshakeTimeout: dialTimeout,
			DisableKeepAlives: true, // messages are rare, and a stale connection would leave it uncertain whether one arrived
		},
		// Following a redirect would send one receiver's message to another.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Guard allows public addresses, the given networks, and addresses of the same kind as the vendors', as in a sandbox.
func Guard(vendors []string, networks []netip.Prefix) *untrusted.Guard {
	return untrusted.NewGuard(vendors, networks)
}

// Error is a message that was not accepted.
type Error struct {
	Code int // of the response; 0 without one
	// Lasting says that a retry would be refused again.
	Lasting bool
	// Uncertain says that the message may have arrived, because there was no response.
	Uncertain  bool
	RetryAfter time.Duration
	Reason     string
}

func (e *Error) Error() string { return e.Reason }

// Gone reports whether the receiver no longer exists.
func (e *Error) Gone() bool { return e.Code == http.StatusGone }

// Post sends a body and returns the response's status code. The error is an *Error.
func (c *Client) Post(ctx context.Context, address string, body []byte, headers map[string]string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, &Error{Lasting: true, Reason: "the address is not a URL"}
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", c.agent)
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	// Once the body has been read, there was a connection, and the message may have arrived.
	sent := &sending{Reader: bytes.NewReader(body)}
	req.Body, req.GetBody = sent, nil
	req.ContentLength = int64(len(body))
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, c.failed(err, sent.read)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, refused(resp, string(text), address)
}

// sending notes whether any of the body was read.
type sending struct {
	*bytes.Reader
	read bool
}

func (s *sending) Read(p []byte) (int, error) { s.read = true; return s.Reader.Read(p) }
func (*sending) Close() error                 { return nil }

func (c *Client) failed(err error, sent bool) *Error {
	if untrusted.IsRefused(err) {
		return &Error{Lasting: true, Reason: "the address is in a private network: if that is intended, add the network to notify.allowed_networks"}
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // drops the address
	}
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return &Error{Reason: "the host's name cannot be resolved"}
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return &Error{Uncertain: sent, Reason: fmt.Sprintf("no answer within %s", english.Duration(timeout))}
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return &Error{Reason: "the server does not respond: " + redact.Scrub(op.Err.Error())}
	}
	return &Error{Uncertain: sent, Reason: redact.Scrub(err.Error())}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func refused(resp *http.Response, text, address string) *Error {
	code := resp.StatusCode
	e := &Error{Code: code, Reason: fmt.Sprintf("HTTP %d %s", code, http.StatusText(code))}
	text = strings.TrimSpace(strings.ReplaceAll(text, address, redact.Hidden))
	if !strings.HasPrefix(strings.TrimSpace(text), "<") && text != "" { // not a web page
		runes := []rune(strings.Join(strings.Fields(redact.Scrub(text)), " "))
		e.Reason += ": " + string(runes[:min(len(runes), mostReason)])
	}
	switch {
	case code >= 300 && code < 400:
		e.Lasting, e.Reason = true, fmt.Sprintf("HTTP %d: it redirects, which Framebridge does not follow: set the address that it redirects to", code)
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code >= 500:
		e.RetryAfter, _ = untrusted.RetryAfter(resp.Header, time.Now())
		e.RetryAfter = min(e.RetryAfter, longestWait)
	default:
		e.Lasting = true
	}
	return e
}

// Reach sends a HEAD request to the root of an address's server, without the address's path, query and user. Any response is a
// success. Otherwise the error is an *Error.
func (c *Client) Reach(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, http.NoBody)
	if err != nil {
		return &Error{Lasting: true, Reason: "the address is not a URL"}
	}
	u := *req.URL
	u.Path, u.RawPath, u.RawQuery, u.User = "/", "", "", nil // drops what is secret
	req.URL = &u
	req.Header.Set("User-Agent", c.agent)
	resp, err := c.http.Do(req)
	if err != nil {
		return c.failed(err, false)
	}
	return resp.Body.Close()
}
