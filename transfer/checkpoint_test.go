package transfer

import (
	"testing"
)

// A checkpoint comes back from Temporal. Whatever it contains, only parts of this plan are used.
func FuzzCheckpoint(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"v":2,"size":100,"part":10,"hashed":3}`, `{"v":2,"size":100,"part":10,"hashed":-1}`, `{"v":2,"size":100,"part":10,"hashed":9999999}`,
		`{"v":2,"size":100,"part":10,"hashed":1,"hash":"eHho","md5s":"AQIDBAUGBwgJCgsMDQ4PEA==","etags":{"1":"a","-3":"b","99":"c"}}`, `{"v":1}`, `{"v":2,"size":-1,"part":10}`} {
		f.Add([]byte(seed), int64(100), int64(10), 10)
	}
	f.Fuzz(func(t *testing.T, raw []byte, size, part int64, parts int) {
		r := &run{job: Job{Resume: raw, Size: size}, plan: Plan{PartSize: part, Parts: parts}, prior: map[int]string{}}
		c, usable := r.readCheckpoint()
		if usable && (c.Hashed < 0 || c.Hashed > max(parts, 0)) {
			t.Fatalf("%d of %d parts hashed", c.Hashed, parts)
		}
		for n := range r.prior {
			if n < 1 || n > parts {
				t.Fatalf("part %d of %d", n, parts)
			}
		}
	})
}
