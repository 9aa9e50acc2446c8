package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/untrusted"
)

const (
	defaultMaxBody     = 32 << 20
	defaultTryTimeout  = 60 * time.Second
	defaultThrottle    = 30 * time.Second
	safeTries          = 3
	safeTryWait        = 200 * time.Millisecond
	connectionsPerHost = 64
	// shortestThrottle is the least wait after a 429, even if it asks for less or nothing.
	shortestThrottle = time.Second
)

// Config describes a vendor's API.
type Config struct {
	Vendor  string
	BaseURL string
	HTTP    *http.Client // nil: New creates one
	// Authorize adds the credentials to a request.
	Authorize func(*http.Request)
	// Sign is like Authorize, for credentials that must be fetched. Its error ends the call.
	Sign    func(context.Context, *http.Request) error
	Budgets *Budgets
	// Refine may correct an error's class and add a hint.
	Refine func(*Error)
	// RetryStatuses are refusals that this vendor sometimes sends by mistake. A call that was refused with one was not carried
	// out, and is retried before the refusal is believed.
	RetryStatuses []int
	// IDs are the characters that the vendor's IDs may contain in addition to letters, digits, - and _.
	IDs string
	// TrailingSlash says that the vendor's paths end with a slash.
	TrailingSlash bool
	// MaxBody limits the size of a response in bytes; 0: 32 MiB.
	MaxBody int64
	// MaxThrottleWait limits how long Do itself waits out 429s and the pauses that they ask for; 0: 30 s.
	MaxThrottleWait time.Duration
	UserAgent       string
	// Watch counts the calls under Tenant.
	Watch  *Watch
	Tenant string
	// Credential is the name of the credential that this client uses, if a tenant has several.
	Credential string
}

// Client calls one vendor for one tenant. It is safe for concurrent use.
type Client struct {
	cfg   Config
	base  *url.URL
	http  *http.Client
	calls atomic.Int64
}

// Request is one call.
type Request struct {
	// Operation names the call in errors and selects its rate budget.
	Operation string
	Method    string
	// Path is relative to the base URL and already escaped. A path with a segment that is not an ID is refused, so that a call
	// cannot end up at another address than intended.
	Path  string
	Query url.Values
	Body  any // JSON
	// Idempotent marks a POST or PATCH that may be repeated after an unknown outcome.
	Idempotent bool
	Header     http.Header
	// Sending is called when the call has waited for its turn and is about to be sent. Its error ends the call. A throttled call
	// with Sending returns at once, so that nothing counts as being sent while it waits.
	Sending func(context.Context) error
}

// New returns a client, or an error if the base URL is invalid.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cfg.BaseURL, "/") + "/")
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("%s: the base URL is not an http(s) URL", cfg.Vendor)
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = defaultMaxBody
	}
	if cfg.MaxThrottleWait == 0 {
		cfg.MaxThrottleWait = defaultThrottle
	}
	if cfg.Budgets == nil { // no pacing, but requested pauses are observed
		cfg.Budgets = &Budgets{}
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "Framebridge"
	}
	if cfg.Watch != nil {
		cfg.Budgets.made = func(name string, b *Budget) {
			if cfg.Credential != "" {
				name += " (" + cfg.Credential + ")"
			}
			cfg.Watch.budget(cfg.Tenant, cfg.Vendor, name, b)
		}
	}
	h := cfg.HTTP
	if h == nil {
		guard := untrusted.NewGuard([]string{cfg.BaseURL}, nil)
		h = &http.Client{Transport: &http.Transport{
			Proxy: guard.Proxy, DialContext: guard.Dial(net.Dialer{Timeout: 10 * time.Second}), ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: connectionsPerHost, MaxIdleConns: connectionsPerHost, IdleConnTimeout: 60 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
		}}
	}
	own := *h
	own.CheckRedirect = untrusted.Redirect
	return &Client{cfg: cfg, base: base, http: &own}, nil
}

// Calls returns the number of requests sent.
func (c *Client) Calls() int64 { return c.calls.Load() }

// Idle reports whether calls of an operation would keep no others waiting.
func (c *Client) Idle(operation string) bool { return c.cfg.Budgets.of(operation).Idle() }

func (c *Client) room(operation string) float64 { return c.cfg.Budgets.of(operation).room() }

// Do sends a request and decodes the JSON response into out, unless out is nil. It waits for the rate budget, but returns an
// error instead of waiting out a long pause that the vendor asked for. It retries only what is certainly safe: calls that were
// throttled or refused by mistake, and calls that may be repeated. Every error is an *Error or the context's.
func (c *Client) Do(ctx context.Context, r Request, out any) (*http.Response, error) {
	ctx, span := c.trace(ctx, r)
	resp, err := c.do(ctx, r, out)
	span.end(resp, err)
	return resp, err
}

func (c *Client) do(ctx context.Context, r Request, out any) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = json.Marshal(r.Body); err != nil {
			return nil, &Error{Vendor: c.cfg.Vendor, Operation: r.Operation, Class: Permanent, Cause: err}
		}
	}
	if err := c.checkPath(r.Path); err != nil {
		return nil, &Error{Vendor: c.cfg.Vendor, Operation: r.Operation, Class: Permanent, Cause: err}
	}
	budget := c.cfg.Budgets.of(r.Operation)
	begun, tries := time.Now(), 0
	for {
		pause, err := budget.Wait(ctx, c.cfg.MaxThrottleWait)
		switch {
		case err != nil:
			return nil, err
		case pause > 0:
			return nil, &Error{Vendor: c.cfg.Vendor, Operation: r.Operation, Class: Throttled, RetryAfter: pause,
				Detail: "it asked for a pause; time left: " + english.Duration(pause)}
		}
		resp, err := c.once(ctx, r, body, out, budget)
		var e *Error
		if err == nil || !errors.As(err, &e) || ctx.Err() != nil {
			return resp, err
		}
		tries++
		switch {
		case e.Class == Throttled && r.Sending == nil && time.Since(begun)+e.RetryAfter < c.cfg.MaxThrottleWait:
			continue // the budget waits
		case (e.Class == Retryable && r.safe() || slices.Contains(c.cfg.RetryStatuses, e.Status)) && !e.Uncertain && tries < safeTries:
			if err := sleep(ctx, safeTryWait<<tries); err != nil {
				return nil, err
			}
			continue
		}
		return resp, err
	}
}

// checkPath checks each segment of a path. An error names the field after the segment before it.
func (c *Client) checkPath(path string) error {
	path = strings.TrimLeft(path, "/")
	if c.cfg.TrailingSlash {
		path = strings.TrimSuffix(path, "/")
	}
	before := ""
	for segment := range strings.SplitSeq(path, "/") {
		text, err := url.PathUnescape(segment)
		if err != nil {
			text = ""
		}
		if err := untrusted.ID(strings.TrimSuffix(before, "s")+"_id", text, c.cfg.IDs); err != nil {
			return err
		}
		before = segment
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// safe reports whether sending the request twice has the same effect as sending it once.
func (r Request) safe() bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	}
	return r.Idempotent
}

func (c *Client) once(ctx context.Context, r Request, body []byte, out any, budget *Budget) (*http.Response, error) {
	fail := &Error{Vendor: c.cfg.Vendor, Operation: r.Operation, Class: Retryable}
	ctx, cancel := context.WithTimeout(ctx, defaultTryTimeout)
	defer cancel()
	var reached atomic.Bool
	req, err := c.request(ctx, r, body) // may call for a token, which does not count as reached
	if err == nil && r.Sending != nil {
		err = r.Sending(ctx)
	}
	if err == nil && !r.safe() { // once started, it is not abandoned at once
		err = ctx.Err()
	}
	if err != nil {
		budget.Done(0, nil)
		return nil, err
	}
	exchange, landed := ctx, func() {}
	if !r.safe() {
		exchange, landed = untilLanded(ctx)
	}
	defer landed()
	c.calls.Add(1)
	sent, answer := time.Now(), 0
	defer func() { c.cfg.Watch.Called(c.cfg.Tenant, c.cfg.Vendor, r.Operation, answer, time.Since(sent)) }()
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(exchange, &httptrace.ClientTrace{WroteHeaders: func() { reached.Store(true) }})))
	if err != nil {
		budget.Done(0, nil)
		fail.Uncertain = reached.Load() && !r.safe()
		if untrusted.IsRefused(err) {
			fail.Class = Permanent
		}
		fail.Cause = withoutURL(err)
		return nil, fail
	}
	defer resp.Body.Close()
	answer = resp.StatusCode
	c.cfg.Watch.paused(c.cfg.Tenant, c.cfg.Vendor, r.Operation, budget.Done(resp.StatusCode, resp.Header))
	raw, err := io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxBody+1))
	fail.Status = resp.StatusCode
	ok := resp.StatusCode >= 200 && resp.StatusCode < 300
	switch {
	case err != nil:
		fail.Uncertain = !r.safe() && (ok || resp.StatusCode >= 500)
		fail.Detail, fail.Cause = "the response was cut off", withoutURL(err)
		return resp, fail
	case int64(len(raw)) > c.cfg.MaxBody:
		fail.Class, fail.Uncertain = Permanent, !r.safe() && ok
		fail.Cause = fmt.Errorf("%w than %d bytes", ErrTooLarge, c.cfg.MaxBody)
		return resp, fail
	case !ok:
		return resp, c.failed(fail, r, resp, raw)
	}
	switch why := r.unanswered(resp, raw, out != nil); {
	case why != "":
		fail.Uncertain, fail.Detail = !r.safe(), why
		return resp, fail
	case out == nil || len(bytes.TrimSpace(raw)) == 0:
		return resp, nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		fail.Uncertain = !r.safe()
		fail.Detail, fail.Cause = "the response is not the expected JSON", err
		return resp, fail
	}
	return resp, nil
}

// landing is how long to wait for a write in progress after its caller was canceled.
const landing = 5 * time.Second

// untilLanded is for writes that have an effect each time. If one were abandoned at once, it might take effect after the vendor was asked
// what exists, and nobody would know. The returned context ends some time after ctx is canceled; a deadline of ctx applies unchanged.
func untilLanded(ctx context.Context) (context.Context, func()) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			_ = sleep(out, landing)
		}
		cancel()
	})
	return out, func() {
		stop()
		cancel()
	}
}

// unanswered returns why a 2xx response is not the vendor's answer, or "". Proxies in between may answer with web pages or with nothing.
func (r Request) unanswered(resp *http.Response, raw []byte, wanted bool) string {
	empty := len(bytes.TrimSpace(raw)) == 0
	switch {
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") && !empty && !json.Valid(raw): // mislabeled JSON is still JSON
		return "the response is a web page"
	case empty && wanted && (r.Method == http.MethodGet || r.Method == http.MethodPost) && resp.StatusCode <= http.StatusCreated:
		return "the response is empty"
	}
	return ""
}

// request builds the request to send, with credentials.
func (c *Client) request(ctx context.Context, r Request, body []byte) (*http.Request, error) {
	fail := &Error{Vendor: c.cfg.Vendor, Operation: r.Operation, Class: Permanent}
	u, err := c.base.Parse(strings.TrimLeft(r.Path, "/"))
	if err != nil {
		fail.Detail = "cannot build the path"
		return nil, fail
	}
	if len(r.Query) > 0 {
		q := u.Query()
		maps.Copy(q, r.Query)
		u.RawQuery = q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		fail.Detail = "cannot build the request"
		return nil, fail
	}
	maps.Copy(req.Header, r.Header)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.cfg.Authorize != nil {
		c.cfg.Authorize(req)
	}
	if c.cfg.Sign == nil {
		return req, nil
	}
	err = c.cfg.Sign(ctx, req)
	var classified *Error
	if err != nil && !errors.As(err, &classified) {
		fail.Class, fail.Cause = Retryable, err
		return nil, fail
	}
	return req, err
}

func (c *Client) failed(e *Error, r Request, resp *http.Response, raw []byte) error {
	e.Class = classify(resp.StatusCode)
	e.Detail = detail(raw)
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		e.Detail = "it redirects to an unexpected address"
	}
	// A call refused with 429 was not carried out. One that failed with a 5xx other than 501 may have been.
	e.Uncertain = resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented && !r.safe()
	if e.Class == Throttled {
		e.RetryAfter, _ = untrusted.RetryAfter(resp.Header, time.Now())
		e.RetryAfter = max(e.RetryAfter, shortestThrottle)
	}
	if resp.StatusCode == http.StatusPaymentRequired {
		e.Hint = "the plan's limit has been reached"
	}
	if c.cfg.Refine != nil {
		c.cfg.Refine(e)
	}
	return e
}

// withoutURL returns the cause of a transport error without the URL that net/http adds.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var refused *untrusted.AddressError
	if errors.As(err, &refused) {
		return refused
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	return errors.New(redact.Scrub(err.Error()))
}
