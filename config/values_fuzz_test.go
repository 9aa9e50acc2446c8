package config

import (
	"reflect"
	"testing"
	"time"
)

// A size or duration in the configuration is either rejected or within its bounds.
func FuzzSizesAndDurations(f *testing.F) {
	for _, seed := range []string{"16MiB", "50GiB", "0", "-1", "1e400", "NaN", "9999999999TiB", "1.5 gb", "15m", "720h", "5", "-3s", "1e9h", "\u0663m", "0x10KiB", "Inf"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := ParseBytes(text); err == nil && b < 0 {
			t.Fatalf("%q is %d bytes", text, b)
		}
		var out struct {
			Length time.Duration
			Size   Bytes
		}
		d := document{p: &Problems{unread: map[string]bool{}}}
		d.decode(text, reflect.ValueOf(&out).Elem().Field(0), "length")
		d.decode(text, reflect.ValueOf(&out).Elem().Field(1), "size")
		if len(d.p.List) == 0 && out.Size < 0 {
			t.Fatalf("%q is %d bytes", text, out.Size)
		}
	})
}
