package transfer

import (
	"crypto/md5"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnETagIsAnMD5OnlyWhereNothingSaysOtherwise(t *testing.T) {
	ours, other := md5.Sum([]byte("a")), md5.Sum([]byte("b"))
	refused := errors.New("refused")
	tag := func(sum [16]byte) string { return fmt.Sprintf(`"%x"`, sum) }
	for name, tt := range map[string]struct {
		header map[string]string
		proof  string // the ETag of the body sent again with its MD5; empty if that is refused
		err    bool
		asked  bool
	}{
		"ours":                         {header: map[string]string{"ETag": tag(ours)}},
		"ours, AES256":                 {header: map[string]string{"ETag": tag(ours), "X-Amz-Server-Side-Encryption": "AES256"}},
		"a key service":                {header: map[string]string{"ETag": tag(other), "X-Amz-Server-Side-Encryption": "aws:kms"}},
		"a key service, two layers":    {header: map[string]string{"ETag": tag(other), "X-Amz-Server-Side-Encryption": "aws:kms:dsse"}},
		"a customer's key":             {header: map[string]string{"ETag": tag(other), "X-Amz-Server-Side-Encryption-Customer-Algorithm": "AES256"}},
		"no MD5 at all":                {header: map[string]string{"ETag": `"0x8DC1-2"`}},
		"damaged":                      {header: map[string]string{"ETag": tag(other), "X-Amz-Server-Side-Encryption": "AES256"}, asked: true, err: true},
		"damaged once":                 {header: map[string]string{"ETag": tag(other)}, asked: true, proof: tag(ours)},
		"an encryption that is hidden": {header: map[string]string{"ETag": tag(other)}, asked: true, proof: tag(other)},
	} {
		t.Run(name, func(t *testing.T) {
			answer := func(h map[string]string) *Answer {
				a := &Answer{Status: 200, Header: http.Header{}}
				for k, v := range h {
					a.Header.Set(k, v)
				}
				return a
			}
			var tags ETags
			asked := 0
			proved := func() (*Answer, error) {
				if asked++; tt.proof == "" {
					return nil, refused
				}
				return answer(map[string]string{"ETag": tt.proof}), nil
			}
			_, err := tags.Compare(answer(tt.header), ours, proved)
			assert.Equal(t, tt.err, err != nil)
			assert.Equal(t, tt.asked, asked > 0)
			if tt.asked && !tt.err && tt.proof != tag(ours) {
				_, err = tags.Compare(answer(tt.header), ours, proved)
				require.NoError(t, err)
				assert.Equal(t, 1, asked, "a store is asked once")
			}
			if tt.proof == tag(ours) {
				_, err = tags.Compare(answer(tt.header), ours, proved)
				require.Error(t, err, "a store whose tags have fitted is believed when they do not")
			}
		})
	}
}
