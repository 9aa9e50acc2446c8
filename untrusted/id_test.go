package untrusted

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIDs(t *testing.T) {
	for id, want := range map[string]struct{ plain, adobe bool }{
		"2c5bfe1a-f149-11eb-a843-0a580a3db916": {true, true}, "C": {true, true}, "a_b-c": {true, true},
		"adobe:urn:aaid:sc/US|3": {false, true}, "adobe:x@AdobeOrg": {false, true},
		"": {}, ".": {}, "..": {}, "../x": {}, "x/../y": {}, "x/..": {}, "/x": {}, "x/": {}, "x//y": {}, "-": {}, "a b": {}, "a%2e": {},
		"a\x00": {}, "ä": {}, "a?b": {}, "a#b": {}, "a;b": {}, strings.Repeat("a", 201): {},
	} {
		assert.Equal(t, want.plain, ID("asset_id", id, "") == nil, "%q", id)
		assert.Equal(t, want.adobe, ID("asset_id", id, ":|.@/") == nil, "%q", id)
	}
	var wrong *IDError
	assert.True(t, errors.As(ID("asset_id", "..", ""), &wrong))
	assert.Equal(t, "asset_id", wrong.Field)
}

// Whatever passes as an ID stays one segment of a path, however often that is unescaped or cleaned along the way.
func FuzzID(f *testing.F) {
	for _, seed := range []string{"2c5bfe1a-f149-11eb-a843-0a580a3db916", "../../users/v1/users", "adobe:urn:a/b|3", "%2e%2e", "..", "a/../b", "a\\..\\b", "a;b", "a%252f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if ID("asset_id", id, "") == nil {
			p := "/API/assets/v1/assets/" + url.PathEscape(id) + "/"
			again, err := url.PathUnescape(p)
			if err != nil || again != p || path.Clean(p)+"/" != p || strings.Count(p, "/") != 6 {
				t.Fatalf("%q leads elsewhere: %s", id, p)
			}
		}
		if ID("asset_id", id, ":|.@/") == nil {
			p := "/v4/files/" + id
			if path.Clean(p) != p || !strings.HasPrefix(path.Clean(p), "/v4/files/") {
				t.Fatalf("%q leads elsewhere: %s", id, p)
			}
		}
	})
}
