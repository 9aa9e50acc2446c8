package stack

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"os/exec"
)

// Exit codes of `starter verify`.
const (
	Proven    = 0
	Differs   = 1
	NotProven = 3 // what is said holds; something was not there to be read
)

var signingSeed = []byte("sandbox's signing key, for a demo")[:ed25519.SeedSize]

// SigningKey is the environment in which a stack signs its reports and certificates.
func SigningKey() []string {
	return []string{"FRAMEBRIDGE_REPORT_SIGNING_KEY=" + base64.StdEncoding.EncodeToString(signingSeed)}
}

// Verify has a file that was signed with the key of SigningKey examined by `starter verify`, as somebody without Framebridge does. It
// returns the exit code and what was printed.
func (s *Stack) Verify(ctx context.Context, file string) (code int, said []byte, err error) {
	public, _ := ed25519.NewKeyFromSeed(signingSeed).Public().(ed25519.PublicKey)
	said, err = s.Command(ctx, "verify", file, "--key", base64.StdEncoding.EncodeToString(public)).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), said, nil
	}
	return 0, said, err
}
