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
	NotProven = 3 // nothing is wrong, but something was not there to be read
)

var signingSeed = []byte("sandbox's signing key, for a demo")[:ed25519.SeedSize]

// signingKey is report.signing_key of a stack that signs, and empty for one that does not.
func (s *Stack) signingKey() string {
	if !s.o.Signs {
		return ""
	}
	return base64.StdEncoding.EncodeToString(signingSeed)
}

// Verify runs `starter verify` on a file of a stack that signs, as somebody without Framebridge would. It returns
// the exit code and the output.
func (s *Stack) Verify(ctx context.Context, file string) (code int, said []byte, err error) {
	public, _ := ed25519.NewKeyFromSeed(signingSeed).Public().(ed25519.PublicKey)
	said, err = s.Command(ctx, "verify", file, "--key", base64.StdEncoding.EncodeToString(public)).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), said, nil
	}
	return 0, said, err
}
