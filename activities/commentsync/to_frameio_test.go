package commentsync

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

// A guest of an iconik share is shown under their own address, not as the user that iconik keeps for the share.
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
			name, email, err := (&fileSync{}).writer(t.Context(), c.g)
			require.NoError(t, err)
			assert.Equal(t, c.name, name)
			assert.Equal(t, c.email, email)
		})
	}
}

// Frame.io accepts frames for audio and video only, and refuses a comment with a frame on anything else.
func TestOnlyWhatPlaysHasFrames(t *testing.T) {
	at := int64(2000)
	for mediaType, want := range map[string]bool{"video/quicktime": true, "audio/x-wav": true, "application/mxf": true, "application/octet-stream": true, "": true,
		"image/png": false, "application/pdf": false, "text/plain": false, "application/msword": false, "application/zip": false,
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": false} {
		s := &fileSync{it: ledger.ReviewAsset{MediaType: mediaType}}
		frame, _ := s.place(iconik.Segment{StartMS: &at, EndMS: &at})
		assert.Equal(t, want, frame != nil, mediaType)
	}
	s := &fileSync{it: ledger.ReviewAsset{MediaType: "application/x-camera", FrameNum: 25, FrameDen: 1}}
	frame, _ := s.place(iconik.Segment{StartMS: &at, EndMS: &at})
	assert.EqualValues(t, 50, *frame)
}

// commenting is a Frame.io that accepts comments, but no replies.
type commenting struct {
	frameio.Platform
	got []frameio.NewComment
}

func (c *commenting) Capabilities() frameio.Capabilities { return frameio.Capabilities{} }

func (c *commenting) CreateComment(_ context.Context, _ string, n frameio.NewComment) (frameio.Comment, error) {
	c.got = append(c.got, n)
	return frameio.Comment{ID: fmt.Sprint("C", len(c.got)), Text: n.Text, Frame: n.Frame, Frames: n.Frames}, nil
}

// A reply that Frame.io accepts only as a comment of its own is placed at its parent's frame, if the file has frames.
func TestAReplyHasItsParentsFrameOnlyOnWhatPlays(t *testing.T) {
	for mediaType, want := range map[string]bool{"video/quicktime": true, "image/png": false, "application/pdf": false} {
		t.Run(mediaType, func(t *testing.T) {
			book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
			require.NoError(t, err)
			t.Cleanup(book.Close)
			fio := &commenting{}
			one := tenant.New(&config.Tenant{ID: "T"}, book, fio, nil, nil, slog.New(slog.DiscardHandler))
			at, start := int64(0), int64(0)
			parent := ledger.ReviewComment{Review: "R", ID: "P", N: 1, FrameioID: "FP", IconikID: "IP", Origin: ledger.FromIconik, Author: "Ana", Text: "Darker", Frame: &at}
			s := &fileSync{File: File{Review: "R", Tenant: one, Frameio: fio},
				it: ledger.ReviewAsset{N: 1, FileID: "F", MediaType: mediaType}, fio: map[string]frameio.Comment{},
				rows: map[string]ledger.ReviewComment{"P": parent}, inReview: [2]map[string]string{{"FP": "P"}, {"IP": "P"}}}
			require.NoError(t, s.toFrameio(t.Context(), iconik.Segment{ID: "I", ParentID: "IP", Text: "Yes", FirstName: "Ben"}))
			require.NoError(t, s.toFrameio(t.Context(), iconik.Segment{ID: "J", Text: "At the beginning", FirstName: "Ben", StartMS: &start}))
			require.Len(t, fio.got, 2)
			for _, n := range fio.got {
				assert.Equal(t, want, n.Frame != nil, n.Text)
			}
		})
	}
}
