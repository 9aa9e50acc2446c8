package config

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"

	"github.com/framebridge/framebridge/redact"
)

// Secret is a string that never prints itself.
type Secret string

// Reveal returns the secret for use in a call.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redact.Hidden
}
func (s Secret) GoString() string             { return strconv.Quote(s.String()) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(s.String()) }

// Bytes is a size, written as a number or with a unit: 16MiB, 50GiB, 1.5GB.
type Bytes int64

var byteUnits = []struct {
	suffix string
	factor float64
}{
	{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"TIB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
}

// ParseBytes reads a size of at least 0.
func ParseBytes(text string) (Bytes, error) {
	upper := strings.ToUpper(strings.TrimSpace(text))
	for _, u := range byteUnits {
		number, ok := strings.CutSuffix(upper, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || n < 0 || n*u.factor >= math.MaxInt64 || math.IsNaN(n) {
			break
		}
		return Bytes(n * u.factor), nil
	}
	return 0, fmt.Errorf("%q is not a size: write 16MiB or 50GiB", text)
}
