package custody

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func keyOf(b byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32)) }

func publicOf(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func signedJSON(t *testing.T, key ed25519.PrivateKey) []byte {
	var b bytes.Buffer
	w := NewWriter(&b, key)
	_, err := w.Write([]byte("{\n  \"a\": 1"))
	require.NoError(t, err)
	require.NoError(t, w.EndJSON())
	return b.Bytes()
}

func signedHTML(t *testing.T, key ed25519.PrivateKey) []byte {
	var b bytes.Buffer
	w := NewWriter(&b, key)
	_, err := w.Write([]byte("<html><p>42 files</p></html>\n"))
	require.NoError(t, err)
	require.NoError(t, w.EndMarkup())
	return b.Bytes()
}

// A flipped bit anywhere in a signed file, a missing byte and an added one are detected.
func TestEveryChangeToASignedFileIsNoticed(t *testing.T) {
	for name, file := range map[string][]byte{"JSON": signedJSON(t, keyOf(1)), "HTML": signedHTML(t, keyOf(1))} {
		t.Run(name, func(t *testing.T) {
			trusted := []ed25519.PublicKey{publicOf(keyOf(2)), publicOf(keyOf(1))}
			s, err := Check(file, trusted)
			require.NoError(t, err)
			assert.Equal(t, KeyID(publicOf(keyOf(1))), s.Key)
			for i := range file {
				for bit := range 8 {
					changed := bytes.Clone(file)
					changed[i] ^= 1 << bit
					_, err := Check(changed, trusted)
					require.Error(t, err, "bit %d of byte %d", bit, i)
				}
				_, err := Check(append(bytes.Clone(file[:i]), file[i+1:]...), trusted)
				require.Error(t, err, "without byte %d", i)
			}
			_, err = Check(append(bytes.Clone(file), ' '), trusted)
			require.ErrorIs(t, err, ErrChanged)
		})
	}
}

func TestASignatureSaysWhose(t *testing.T) {
	file := signedJSON(t, keyOf(1))
	_, err := Check(file, []ed25519.PublicKey{publicOf(keyOf(2))})
	require.ErrorIs(t, err, ErrOtherKey)
	_, err = Check(file, nil)
	require.NoError(t, err)
	_, err = Check(signedJSON(t, nil), nil)
	require.ErrorIs(t, err, ErrUnsigned)
	assert.True(t, strings.HasSuffix(string(signedJSON(t, nil)), "\n}\n"))
	_, err = ParseKey("nothing")
	require.Error(t, err)
}
