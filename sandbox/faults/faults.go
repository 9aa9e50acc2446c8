// Package faults injects faults into calls to the simulators on demand: errors, delays, and answers that are lost after the
// call took effect.
package faults

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// Fault is a fault in calls. Match is a regular expression that is matched against "METHOD /path".
type Fault struct {
	Match  string        `json:"match"`
	Times  int           `json:"times"`  // how many calls; 0: all
	After  int           `json:"after"`  // how many calls pass first
	Each   bool          `json:"each"`   // count Times and After separately for each method and path
	Lose   bool          `json:"lose"`   // the call takes effect, and its answer is lost
	Status int           `json:"status"` // answer this instead
	Delay  time.Duration `json:"delay"`  // wait first, in nanoseconds
	Header http.Header   `json:"header"` // with Status
	Do     func()        `json:"-"`      // called before the answer; with Lose, after the call took effect

	re   *regexp.Regexp
	seen map[string]int
}

// Set holds the faults of one simulator.
type Set struct {
	mu   sync.Mutex
	list []*Fault
}

// Add adds a fault.
func (s *Set) Add(f Fault) error {
	re, err := regexp.Compile(f.Match)
	if err != nil {
		return err
	}
	f.re, f.seen = re, map[string]int{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, &f)
	return nil
}

// Clear removes all faults.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = nil
}

// Find returns the fault for a call, or nil.
func (s *Set) Find(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := r.Method + " " + r.URL.Path
	for _, f := range s.list {
		if !f.re.MatchString(call) {
			continue
		}
		key := ""
		if f.Each {
			key = call
		}
		n := f.seen[key]
		f.seen[key]++
		if n >= f.After && (f.Times == 0 || n < f.After+f.Times) {
			return f
		}
	}
	return nil
}

// ServeHTTP adds a Fault, as JSON, on POST and clears all on DELETE.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodDelete:
		s.Clear()
	case http.MethodPost:
		var f Fault
		err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&f)
		if err == nil {
			err = s.Add(f)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// Spoil applies a fault before a call is served. It returns true if the call has been answered or its connection closed.
func (f *Fault) Spoil(h http.Handler, w http.ResponseWriter, r *http.Request, refuse func(status int)) bool {
	if f == nil {
		return false
	}
	time.Sleep(f.Delay)
	if f.Lose {
		h.ServeHTTP(&lost{header: http.Header{}}, r)
	}
	if f.Do != nil {
		f.Do()
	}
	switch {
	case f.Lose:
		hangUp(w)
		return true
	case f.Status != 0:
		for k, v := range f.Header {
			w.Header()[http.CanonicalHeaderKey(k)] = v
		}
		refuse(f.Status)
		return true
	}
	return false
}

func hangUp(w http.ResponseWriter) {
	if hj, ok := w.(http.Hijacker); ok {
		if conn, _, err := hj.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

type lost struct{ header http.Header }

func (l *lost) Header() http.Header         { return l.header }
func (l *lost) Write(p []byte) (int, error) { return len(p), nil }
func (l *lost) WriteHeader(int)             {}
