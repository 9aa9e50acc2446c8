package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testToken = "fio-u-a-token-that-nobody-may-see"

func serve(t *testing.T, h http.HandlerFunc, change func(*Config)) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	cfg := Config{Vendor: "Vendor", BaseURL: srv.URL + "/api", Authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testToken) }}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	return c
}

func call(c *Client, method string, out any) *Error {
	_, err := c.Do(context.Background(), Request{Operation: "an operation", Method: method, Path: "things/1", Body: map[string]any{"a": 1}}, out)
	var e *Error
	errors.As(err, &e)
	return e
}

func TestStatusesAreClassifiedOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status    int
		method    string
		class     Class
		uncertain bool
	}{
		{400, "POST", Permanent, false}, {401, "GET", Unauthorized, false}, {402, "POST", Permanent, false}, {403, "POST", Forbidden, false},
		{404, "GET", NotFound, false}, {410, "GET", NotFound, false}, {408, "POST", Retryable, false}, {409, "POST", Permanent, false},
		{422, "POST", Permanent, false}, {501, "POST", Unsupported, false}, {500, "POST", Retryable, true}, {503, "PUT", Retryable, false},
		{502, "GET", Retryable, false}, {302, "POST", Permanent, false},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) }, nil)
		e := call(c, tt.method, nil)
		require.NotNil(t, e, "%d", tt.status)
		assert.Equal(t, tt.class, e.Class, "%s %d", tt.method, tt.status)
		assert.Equal(t, tt.status, e.Status)
		assert.Equal(t, tt.uncertain, IsUncertain(e), "%s %d", tt.method, tt.status)
	}
}

func TestOnlyWhatIsSafeIsSentAgain(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int64{"GET": 3, "PUT": 3, "DELETE": 3, "POST": 1, "PATCH": 1} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, nil)
		require.NotNil(t, call(c, method, nil))
		assert.Equal(t, want, c.Calls(), method)
	}
}

// A call that a vendor refuses by mistake was not carried out, whatever the method. A refusal that persists is believed.
func TestAFickleRefusalIsTriedAgain(t *testing.T) {
	t.Parallel()
	for method, mistakes := range map[string]int64{"GET": 2, "POST": 2, "PATCH": 1, "DELETE": 9} {
		var seen atomic.Int64
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if seen.Add(1) <= mistakes {
				w.WriteHeader(400)
			}
			_, _ = io.WriteString(w, `{"id":"x"}`)
		}, func(c *Config) { c.RetryStatuses = []int{400} })
		var out struct{ ID string }
		if e := call(c, method, &out); mistakes >= 3 {
			require.NotNil(t, e)
			assert.Equal(t, Permanent, e.Class)
		} else {
			require.Nil(t, e, method)
			assert.Equal(t, "x", out.ID)
		}
		assert.Equal(t, min(mistakes+1, 3), c.Calls(), method)
	}
}

func TestALostAnswerOfAWriteIsUncertain(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	c := serve(t, func(http.ResponseWriter, *http.Request) {
		seen.Add(1)
		panic(http.ErrAbortHandler)
	}, nil)
	e := call(c, "POST", nil)
	require.NotNil(t, e)
	assert.True(t, e.Uncertain)
	assert.EqualValues(t, 1, seen.Load(), "a POST is not sent twice")
	c = serve(t, func(http.ResponseWriter, *http.Request) {}, func(c *Config) { c.BaseURL = "http://127.0.0.1:1" })
	e = call(c, "POST", nil)
	require.NotNil(t, e)
	assert.False(t, e.Uncertain, "nobody has taken it")
}

func TestAWriteOnItsWayIsWaitedForAfterACancellation(t *testing.T) {
	t.Parallel()
	arrived, answer := make(chan struct{}), make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-answer:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, `{"id": "made"}`)
	}, nil)
	begin := func(method string) (context.CancelFunc, <-chan error, *struct{ ID string }) {
		ctx, cancel := context.WithCancel(t.Context())
		ended, out := make(chan error, 1), &struct{ ID string }{}
		go func() {
			_, err := c.Do(ctx, Request{Operation: "an operation", Method: method, Path: "things"}, out)
			ended <- err
		}()
		<-arrived
		return cancel, ended, out
	}

	cancel, ended, out := begin(http.MethodPost)
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("the write was given up: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	answer <- struct{}{}
	require.NoError(t, <-ended)
	assert.Equal(t, "made", out.ID)

	cancel, ended, _ = begin(http.MethodGet)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled, "reading can be given up")

	cancel, ended, _ = begin(http.MethodPost)
	cancel()
	err := <-ended
	require.ErrorIs(t, err, context.Canceled, "it is not waited for without an end")
	assert.True(t, IsUncertain(err))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Do(ctx, Request{Operation: "an operation", Method: http.MethodPost, Path: "things"}, nil)
	require.ErrorIs(t, err, context.Canceled, "nothing begins after the cancellation")
	assert.EqualValues(t, 3, c.Calls())
}

func TestAThrottledCallWaitsAndGoesOn(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			w.Header().Set("Retry-After", "0.05")
			w.WriteHeader(429)
			return
		}
		_, _ = io.WriteString(w, `{"id":"x"}`)
	}, func(c *Config) { c.Budgets = &Budgets{} })
	var out struct{ ID string }
	begun := time.Now()
	require.Nil(t, call(c, "POST", &out))
	assert.Equal(t, "x", out.ID)
	assert.GreaterOrEqual(t, time.Since(begun), 50*time.Millisecond)

	c = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(429)
	}, func(c *Config) { c.Budgets = &Budgets{} })
	e := call(c, "GET", nil)
	require.NotNil(t, e)
	assert.Equal(t, Throttled, e.Class)
	assert.Equal(t, 2*time.Minute, e.RetryAfter, "who waits longer is told how long")
}

// A call that waited out a long pause would keep a worker's slot from other tenants all that time.
func TestACallDoesNotSitOutALongPause(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(429)
	}, func(c *Config) { c.Budgets = &Budgets{} })
	require.NotNil(t, call(c, "GET", nil))
	for range 70 {
		e := call(c, "GET", nil)
		require.NotNil(t, e)
		assert.Equal(t, Throttled, e.Class)
		assert.InDelta(t, 600, e.RetryAfter.Seconds(), 30)
		assert.False(t, e.Uncertain)
	}
	assert.EqualValues(t, 1, c.Calls(), "the vendor is left alone")
}

func TestAShortPauseAndThePaceAreWaitedOut(t *testing.T) {
	t.Parallel()
	b := NewBudget(Limit{Calls: 1, Window: 50 * time.Millisecond})
	for range 3 {
		pause, err := b.Wait(t.Context(), time.Millisecond)
		require.NoError(t, err)
		assert.Zero(t, pause, "the pace is no pause")
	}
	b.Done(429, http.Header{"Retry-After": {"0.05"}})
	pause, err := b.Wait(t.Context(), time.Millisecond)
	require.NoError(t, err)
	assert.Positive(t, pause)
	pause, err = b.Wait(t.Context(), time.Second)
	require.NoError(t, err)
	assert.Zero(t, pause)
}

// Whoever must record that a call is being sent hears of it when it goes out, not while it waits for its turn.
func TestACallThatIsToldOfWaitsBefore(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0.05")
		w.WriteHeader(429)
	}, func(c *Config) {
		c.Budgets = &Budgets{Known: map[string]Limit{"an operation": {Calls: 1, Window: time.Hour}}}
	})
	told := 0
	r := Request{Operation: "an operation", Method: http.MethodPost, Path: "things/1", Sending: func(context.Context) error {
		assert.EqualValues(t, told, c.Calls())
		told++
		return nil
	}}
	_, err := c.Do(t.Context(), r, nil)
	require.Equal(t, Throttled, ClassOf(err))
	require.Equal(t, 1, told, "between two tries nothing is on its way")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = c.Do(ctx, r, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, 1, told, "it did not get its turn")

	full := errors.New("the ledger is full")
	r.Operation, r.Sending = "another", func(context.Context) error { return full }
	_, err = c.Do(t.Context(), r, nil)
	require.ErrorIs(t, err, full)
	require.EqualValues(t, 1, c.Calls())
}

func TestErrorsTellNoSecrets(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"errors":[{"detail":"bad token `+testToken+` for https://store.example/k?X-Amz-Signature=abcdef"}]}`)
	}, nil)
	e := call(c, "POST", nil)
	require.NotNil(t, e)
	assert.NotContains(t, e.Error(), testToken)
	assert.NotContains(t, e.Error(), "abcdef")
	assert.Contains(t, e.Error(), "bad token")
	c = serve(t, nil, func(c *Config) { c.BaseURL = "http://127.0.0.1:1/x?sig=abcdef" })
	assert.NotContains(t, call(c, "GET", nil).Error(), "abcdef")
}

func TestVendorsWordsAreFound(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"errors":["Title is wrong"]}`:                            "Title is wrong",
		`{"errors":{"title":["Missing"]}}`:                         "title: [Missing]",
		`{"errors":[{"title":"Bad","detail":"Name is too long"}]}`: "Name is too long",
		`{"message":"Not here"}`:                                   "Not here",
		`{"errors":[{"title":"Invalid value","detail":"is unexpected","source":{"pointer":"/data/foo"}}]}`:         "is unexpected at /data/foo",
		`{"errors":[{"title":"Invalid value","detail":"Unexpected field: foo","source":{"pointer":"/data/foo"}}]}`: "Unexpected field: foo",
		`<html>gateway</html>`: "",
		`{"errors":[{"detail":"` + strings.Repeat("ä", 900) + `"}]}`: strings.Repeat("ä", 250) + "…",
	} {
		assert.Equal(t, want, detail([]byte(body)))
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `"`+strings.Repeat("x", 2000)+`"`)
	},
		func(c *Config) { c.MaxBody = 1000 })
	var s string
	e := call(c, "GET", &s)
	require.NotNil(t, e)
	assert.Contains(t, e.Error(), "larger than 1000 bytes")
	c = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `<html>`) }, nil)
	e = call(c, "POST", &s)
	require.NotNil(t, e)
	assert.True(t, e.Uncertain, "the write has taken effect, whatever the proxy answered")
}

// Proxies in between answer with pages of their own. A response counts as what it is, not as what its header says.
func TestAWebPageIsNoAnswer(t *testing.T) {
	t.Parallel()
	for body, taken := range map[string]bool{`<html><p>Sign in</p></html>`: false, `{"id":"1"}`: true, `Sign in`: false, ``: true, " \n[1]": true} {
		for _, method := range []string{"DELETE", "PUT"} {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = io.WriteString(w, body)
			}, nil)
			assert.Equal(t, taken, call(c, method, nil) == nil, "%s %s", method, body)
		}
	}
}

func clocked(l Limit) (*Budget, *time.Time) {
	b := NewBudget(l)
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	b.now = func() time.Time { return now }
	b.at = now
	return b, &now
}

func TestABudgetSpendsItsBurstAndKeepsThePace(t *testing.T) {
	t.Parallel()
	b, now := clocked(Limit{Calls: 40, Window: time.Minute})
	for range 40 {
		require.Zero(t, b.take())
	}
	assert.InDelta(t, 1.5, b.take().Seconds(), 0.01, "40 a minute is one in 1.5 s")
	*now = now.Add(1500 * time.Millisecond)
	assert.Zero(t, b.take())
	assert.NotZero(t, b.take())
}

func TestABudgetBelievesTheVendorsCount(t *testing.T) {
	t.Parallel()
	b, now := clocked(Limit{Calls: 100, Window: time.Minute})
	require.Zero(t, b.take())
	b.Done(200, http.Header{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Window": {"1000"}, "X-Ratelimit-Remaining": {"1"}})
	require.Zero(t, b.take(), "one is left")
	assert.InDelta(t, 0.1, b.take().Seconds(), 0.01, "the pace is the vendor's: 10 a second")
	b.Done(429, http.Header{"Retry-After": {"7"}})
	assert.Equal(t, 7*time.Second, b.take())
	*now = now.Add(7 * time.Second)
	assert.Zero(t, b.take())
}

// A vendor that asked for next to no pause was called 36,000 times in three seconds.
func TestAThrottledBudgetWaitsASecondAtLeast(t *testing.T) {
	t.Parallel()
	for _, after := range []string{"1e-9", "0x1p-20", "0.0001", "0.05"} {
		b, _ := clocked(Limit{})
		require.Zero(t, b.take())
		b.Done(429, http.Header{"Retry-After": {after}})
		assert.GreaterOrEqual(t, b.take(), time.Second, after)
	}
}

// Calls from before a limit was known are not paid back once it is: 3,000 of them would cost half an hour.
func TestALimitThatComesLateHasNoDebt(t *testing.T) {
	t.Parallel()
	b, _ := clocked(Limit{})
	for range 3000 {
		require.Zero(t, b.take())
		b.Done(200, http.Header{})
	}
	require.Zero(t, b.take())
	b.Done(200, http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Window": {"60000"}})
	assert.LessOrEqual(t, b.take(), time.Second)
}

// If twelve calls are refused at once, that counts once: a response that arrives during a pause is to an earlier call.
func TestABurstOf429sCountsOnce(t *testing.T) {
	t.Parallel()
	b, now := clocked(Limit{})
	for _, want := range []time.Duration{shortestThrottle, 2 * shortestThrottle, 4 * shortestThrottle} {
		for range 12 {
			require.Zero(t, b.take())
		}
		for n := range 12 {
			status := http.StatusTooManyRequests
			if n == 7 {
				status = http.StatusOK // it was also sent before the pause
			}
			b.Done(status, http.Header{})
			*now = now.Add(time.Millisecond)
		}
		assert.InDelta(t, want, b.paused(), float64(20*time.Millisecond))
		*now = now.Add(b.paused())
	}
	require.Zero(t, b.take())
	b.Done(http.StatusOK, http.Header{})
	b.Done(http.StatusTooManyRequests, http.Header{})
	assert.Equal(t, shortestThrottle, b.paused(), "a call that succeeds after the pause ends the row")
}

func TestAnUnknownBudgetBacksOffFartherEachTime(t *testing.T) {
	t.Parallel()
	b, now := clocked(Limit{})
	var waits []time.Duration
	for range 4 {
		require.Zero(t, b.take())
		b.Done(429, http.Header{})
		waits = append(waits, b.take())
		*now = now.Add(waits[len(waits)-1])
	}
	assert.Equal(t, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}, waits)
}
