package database

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var oddNames = []string{"nul\x00here", "bad\xff\xfebytes", "a mark ␛ and ␛00", "␛", "␛␛", "\x00", "naïve ☃ 𝄞", `back\u0000slash`, "trailing\xe2\x90"}

func TestEveryNameComesBackAsItWas(t *testing.T) {
	for _, name := range oddNames {
		assert.Equal(t, name, unescapeText(escapeText(name)), "%q", name)
	}
	assert.Equal(t, "plain ☃", escapeText("plain ☃"))
	assert.Equal(t, "an ␛ of somebody else's", unescapeText("an ␛ of somebody else's"))
	alphabet := []string{"\x00", "\xff", "␛", "0", "f", "é", "\xe2", "\x90", "\x9b", "x"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		name := ""
		for range random.IntN(8) {
			name += alphabet[random.IntN(len(alphabet))]
		}
		require.Equal(t, name, unescapeText(escapeText(name)), "%q", name)
	}
}
