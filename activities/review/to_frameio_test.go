package review

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
)

// A guest of an iconik share is shown under the own address, not as the user that iconik keeps for the share.
func TestTheWriterOfASegment(t *testing.T) {
	share := &iconik.User{Email: "share-1@iconik.example", FirstName: "Share", LastName: "User"}
	ana := &iconik.User{Email: "ana@post.example", FirstName: "Ana", LastName: "Lima"}
	for name, c := range map[string]struct {
		g           iconik.Segment
		name, email string
	}{
		"a user":                      {iconik.Segment{User: ana}, "Ana Lima", "ana@post.example"},
		"a user by name only":         {iconik.Segment{FirstName: "Ana", LastName: "Lima"}, "Ana Lima", ""},
		"a guest":                     {iconik.Segment{ShareEmail: "gus@client.example"}, "gus@client.example", "gus@client.example"},
		"a guest as the share's user": {iconik.Segment{ShareEmail: "gus@client.example", User: share, FirstName: "Share"}, "gus@client.example", "gus@client.example"},
		"a guest who is a user":       {iconik.Segment{ShareEmail: "Ana@post.example", User: ana}, "Ana Lima", "ana@post.example"},
	} {
		t.Run(name, func(t *testing.T) {
			name, email, err := (&assetSync{}).writer(t.Context(), c.g)
			require.NoError(t, err)
			assert.Equal(t, c.name, name)
			assert.Equal(t, c.email, email)
		})
	}
}
