// Package exchange holds what the vendors' clients and the fakes exchanged when they were recorded (storesim/testdata/record),
// and replays it against a fake.
package exchange

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/sandbox/s3sim"
)

// Sizes and names of the files that the clients sent. Their bytes are from sinktest.
const (
	GoogleFile    = 5<<20 + 12345
	BackblazeFile = 2*5_000_000 + 77
	SmallFile     = 1234
	SmallName     = "folder/small ü.mov"
)

// Scenarios: nothing fails, or every third request is refused.
const (
	Plain   = "plain"
	Refused = "503"
)

// Fault returns a scenario's faults, with a new count of requests. It returns nil if there are none.
func Fault(scenario string) func(*http.Request) *s3sim.Fault {
	if scenario != Refused {
		return nil
	}
	n := 0
	return func(*http.Request) *s3sim.Fault {
		if n++; n%3 == 1 {
			return &s3sim.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		}
		return nil
	}
}

// Exchange is one request of a client and the answer that it accepted.
type Exchange struct {
	Scenario string      `json:"scenario"`
	Method   string      `json:"method"`
	URL      string      `json:"url"`
	Header   http.Header `json:"header"`
	Body     Body        `json:"body"`
	Status   int         `json:"status"`
	Answered http.Header `json:"answered"`
	Answer   string      `json:"answer"`
}

// Body is a request's body: text, or bytes of a generated file followed by text.
type Body struct {
	FileSize int64  `json:"file_size,omitempty"`
	At       int    `json:"at,omitempty"`
	Length   int    `json:"length,omitempty"`
	Text     string `json:"text,omitempty"`
}

const digest = 40 // hex digits that may follow a file's bytes

// Describe finds a body in files of these sizes. A body that is in none of them is kept as it is.
func Describe(raw []byte, sizes []int64, file func(int64) []byte) Body {
	for _, size := range sizes {
		whole := file(size)
		for _, tail := range []int{0, digest} {
			if n := len(raw) - tail; n > digest {
				if at := bytes.Index(whole, raw[:n]); at >= 0 {
					return Body{FileSize: size, At: at, Length: n, Text: string(raw[n:])}
				}
			}
		}
	}
	return Body{Text: string(raw)}
}

// Bytes returns the body's bytes.
func (b Body) Bytes(file func(int64) []byte) []byte {
	if b.Length == 0 {
		return []byte(b.Text)
	}
	return append(slices.Clone(file(b.FileSize)[b.At:b.At+b.Length]), b.Text...)
}

const baseMark = "{base}"

// Relative returns the exchange without the URL at which the fake was served.
func (e Exchange) Relative(base string) Exchange {
	return e.each(func(s string) string { return strings.ReplaceAll(s, base, baseMark) })
}

func (e Exchange) each(change func(string) string) Exchange {
	headers := func(h http.Header) http.Header {
		out := http.Header{}
		for k, list := range h {
			for _, v := range list {
				out.Add(k, change(v))
			}
		}
		return out
	}
	e.URL, e.Header, e.Body.Text, e.Answered, e.Answer = change(e.URL), headers(e.Header), change(e.Body.Text), headers(e.Answered), change(e.Answer)
	return e
}

// madeUp matches the ids that a fake newly generates each time: sessions, upload URLs, tokens, files.
var madeUp = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// Player replays exchanges against a fake that is served at Base.
type Player struct {
	Base  string
	File  func(int64) []byte
	known []string // a recorded id, the one generated now, …
}

// Play sends the request as recorded, with the ids that the fake generated this time. It fails if the answer is not the one
// that the client accepted.
func (p *Player) Play(e Exchange) error {
	e = e.each(func(s string) string { return strings.NewReplacer(append(p.known, baseMark, p.Base)...).Replace(s) })
	req, err := http.NewRequest(e.Method, p.Base+e.URL, bytes.NewReader(e.Body.Bytes(p.File)))
	if err != nil {
		return err
	}
	req.Header = e.Header
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != e.Status {
		return fmt.Errorf("%s %s: %d %s, recorded %d", e.Method, e.URL, resp.StatusCode, raw, e.Status)
	}
	for k, list := range e.Answered {
		for i, want := range list {
			if i >= len(resp.Header[k]) || !p.same(want, resp.Header[k][i]) {
				return fmt.Errorf("%s %s: %s is %q, recorded %q", e.Method, e.URL, k, resp.Header[k], list)
			}
		}
	}
	if !p.same(e.Answer, string(raw)) {
		return fmt.Errorf("%s %s: %s, recorded %s", e.Method, e.URL, raw, e.Answer)
	}
	return nil
}

// same reports whether an answer is the recorded one, and learns which ids correspond.
func (p *Player) same(recorded, now string) bool {
	old, made := madeUp.FindAllString(recorded, -1), madeUp.FindAllString(now, -1)
	if len(old) != len(made) || madeUp.ReplaceAllString(recorded, "") != madeUp.ReplaceAllString(now, "") {
		return false
	}
	for i := range old {
		if old[i] != made[i] {
			p.known = append(p.known, old[i], made[i])
		}
	}
	return true
}
