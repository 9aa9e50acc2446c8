package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// refused begins the names of the files that the store takes no byte of.
const refused = "refused-"

func refuse(r *http.Request) *s3sim.Fault {
	if r.Method == http.MethodGet || !strings.Contains(r.URL.Path, refused) {
		return nil
	}
	return &s3sim.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
}

var signingSeed = []byte("bench-archive's signing key, 32 b")[:ed25519.SeedSize]

// signing has reports signed.
func signing() []string {
	return []string{"FRAMEBRIDGE_REPORT_SIGNING_KEY=" + base64.StdEncoding.EncodeToString(signingSeed)}
}

// Exit codes of starter verify.
const (
	proven    = 0
	differs   = 1
	notProven = 3 // what is said holds; something was not there to be read
)

// prove has the account's report examined as its reader does, and once more with one bit of it flipped.
func prove(ctx context.Context, st *stack.Stack, s size, migration string) (string, error) {
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
	if code, said, err := verify(ctx, s, file, raw); err != nil || code != proven && code != notProven {
		return "", errors.Join(err, fmt.Errorf("the report does not verify (%d): %s", code, said))
	}
	raw[len(raw)/2] ^= 1
	if code, said, err := verify(ctx, s, file, raw); err != nil || code != differs {
		return "", errors.Join(err, fmt.Errorf("the report verifies with a flipped bit (%d): %s", code, said))
	}
	return "the report verifies, and not with a flipped bit", nil
}

func verify(ctx context.Context, s size, file string, raw []byte) (code int, said []byte, err error) {
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return 0, nil, err
	}
	public, _ := ed25519.NewKeyFromSeed(signingSeed).Public().(ed25519.PublicKey)
	said, err = exec.CommandContext(ctx, filepath.Join(s.bin, "starter"), "verify", file, "--key", base64.StdEncoding.EncodeToString(public)).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), said, nil
	}
	return 0, said, err
}
