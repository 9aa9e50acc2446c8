package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// refused is the name prefix of the files that the store refuses.
const refused = "refused-"

func refuse(r *http.Request) *s3sim.Fault {
	if r.Method == http.MethodGet || !strings.Contains(r.URL.Path, refused) {
		return nil
	}
	return &s3sim.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
}

// refuses reports whether the store refuses the nth file of the account, counted from 0. They are spread evenly.
func (s size) refuses(n int) bool {
	if s.refused == 0 {
		return false
	}
	every := s.files / s.refused
	return n%every == 0 && n/every < s.refused
}

// prove verifies the account's report as its reader would, and once more with one bit flipped.
func prove(ctx context.Context, st *stack.Stack, migration string) (string, error) {
	raw, _, err := st.Call(ctx, http.MethodGet, "/migrations/"+migration+"/report.json", "")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "framebridge-bench-report-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "report.json")
	verify := func() (code int, said []byte, err error) {
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			return 0, nil, err
		}
		return st.Verify(ctx, file)
	}
	if code, said, err := verify(); err != nil || code != stack.Proven && code != stack.NotProven {
		return "", errors.Join(err, fmt.Errorf("the report does not verify (%d): %s", code, said))
	}
	raw[len(raw)/2] ^= 1
	if code, said, err := verify(); err != nil || code != stack.Differs {
		return "", errors.Join(err, fmt.Errorf("the report verifies with a flipped bit (%d): %s", code, said))
	}
	return "the report verifies, and not with a flipped bit", nil
}
