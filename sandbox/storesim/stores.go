// Package storesim has strict fakes of the object stores that iconik uses besides S3: Google Cloud Storage, Azure Blob
// Storage and Backblaze B2, as far as signed URLs reach. They refuse what the real ones refuse. Faults are scripted.
package storesim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/sandbox/s3sim"
)

// Fault returns the fault for a request, or nil.
type Fault func(*http.Request) *s3sim.Fault

// store is what the fakes have in common.
type store struct {
	base   string
	secret []byte

	mu      sync.Mutex
	fault   Fault
	objects map[string][]byte
	puts    int // requests that brought all their bytes
	corrupt bool
}

func newStore(base string) store {
	return store{base: base, secret: []byte(uuid.NewString()), objects: map[string][]byte{}}
}

// SetFault scripts faults; nil ends them.
func (s *store) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Corrupt flips a bit of what is stored from now on.
func (s *store) Corrupt(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.corrupt = on
}

// Puts counts the requests that brought all their bytes.
func (s *store) Puts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts
}

// Object returns a finished object, and false if there is none.
func (s *store) Object(name string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.objects[name]
	return b, ok
}

// Sign returns a URL for a method on a path that expires after life.
func (s *store) Sign(method, path string, query url.Values, life time.Duration) string {
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	until := strconv.FormatInt(time.Now().Add(life).Unix(), 10)
	if life <= 0 {
		until = strconv.FormatInt(time.Now().Add(life).Unix()-1, 10)
	}
	q.Set("se", until)
	q.Set("sig", s.mac(method, path, until))
	return s.base + path + "?" + q.Encode()
}

func (s *store) mac(method, path, until string) string {
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte(method + "\n" + path + "\n" + until))
	return hex.EncodeToString(m.Sum(nil))
}

// signed reports whether a request's URL is valid. A signature for "*" is valid for every method, as a SAS is.
func (s *store) signed(r *http.Request) bool {
	q := r.URL.Query()
	until, err := strconv.ParseInt(q.Get("se"), 10, 64)
	if err != nil || time.Now().Unix() > until {
		return false
	}
	for _, method := range []string{r.Method, "*"} {
		if hmac.Equal([]byte(q.Get("sig")), []byte(s.mac(method, r.URL.Path, q.Get("se")))) {
			return true
		}
	}
	return false
}

// spoil applies the scripted fault to a request. done means that it has answered. lose tells the caller to drop the answer.
func (s *store) spoil(w http.ResponseWriter, r *http.Request) (done, lose bool) {
	s.mu.Lock()
	find := s.fault
	s.mu.Unlock()
	if find == nil {
		return false, false
	}
	f := find(r)
	if f == nil {
		return false, false
	}
	time.Sleep(f.Delay)
	switch {
	case f.Reset:
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		refuse(w, f.Status, f.Code)
		return true, false
	}
	return false, f.Lose
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<?xml version=\"1.0\"?><Error><Code>"+code+"</Code></Error>")
}

// body reads a request's bytes. If they are cut off, it returns what arrived along with the error.
func (s *store) body(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.puts++
	}
	if s.corrupt && len(b) > 0 {
		b[len(b)/2] ^= 1
	}
	return b, err
}
