package review

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
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

// Frame.io takes frames for audio and video only, and refuses a comment on anything else that has one.
func TestOnlyWhatPlaysHasFrames(t *testing.T) {
	at := int64(2000)
	for mediaType, want := range map[string]bool{"video/quicktime": true, "audio/x-wav": true, "application/mxf": true, "application/octet-stream": true, "": true,
		"image/png": false, "application/pdf": false, "text/plain": false, "application/msword": false, "application/zip": false,
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": false} {
		s := &assetSync{it: ledger.ReviewAsset{MediaType: mediaType}}
		frame, _ := s.place(iconik.Segment{StartMS: &at, EndMS: &at})
		assert.Equal(t, want, frame != nil, mediaType)
	}
	s := &assetSync{it: ledger.ReviewAsset{MediaType: "application/x-camera", FrameNum: 25, FrameDen: 1}}
	frame, _ := s.place(iconik.Segment{StartMS: &at, EndMS: &at})
	assert.EqualValues(t, 50, *frame)
}
