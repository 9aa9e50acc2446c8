package control

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// ErrNoAsset is returned if the review has no such asset. An empty export would suggest that nobody commented on it.
var ErrNoAsset = errors.New("the review has no such asset")

// ErrNoFormat is returned if comments cannot be exported in the format.
var ErrNoFormat = errors.New("comments are not exported in this format")

// File is a file to download.
type File struct {
	Name, MediaType string
	Body            []byte
}

// Export exports a review's comments for an editing program: of one asset, or of all if onlyAsset is empty.
func (s *Service) Export(ctx context.Context, row ledger.Review, extension, onlyAsset string) (File, error) {
	format, found := export.Find(extension)
	if !found {
		return File{}, ErrNoFormat
	}
	clips, err := s.clips(ctx, row, onlyAsset)
	if errors.Is(err, ErrNoAsset) {
		return File{}, err
	} else if err != nil {
		return File{}, errors.Join(ErrUnavailable, err)
	}
	var b bytes.Buffer
	err = format.Write(&b, row.Title, clips)
	return File{Name: mapping.SafeFileName(cmp.Or(row.Title, row.ID)) + "." + format.Extension, MediaType: format.MediaType, Body: b.Bytes()}, err
}

// clips returns a review's comments for editors: one clip per asset, with the comments on all of its versions' files.
func (s *Service) clips(ctx context.Context, row ledger.Review, onlyAsset string) ([]export.Clip, error) {
	assets, err := s.Ledger.Tenant(row.Tenant).Review(row.ID).Assets(ctx)
	if err != nil {
		return nil, err
	}
	if onlyAsset != "" && !slices.ContainsFunc(assets, func(a ledger.ReviewAsset) bool { return a.AssetID == onlyAsset }) {
		return nil, ErrNoAsset
	}
	comments, err := s.Ledger.Tenant(row.Tenant).Review(row.ID).Comments(ctx, 0)
	if err != nil {
		return nil, err
	}
	var out []export.Clip
	for _, a := range assets {
		if onlyAsset != "" && a.AssetID != onlyAsset || a.FileID == "" {
			continue
		}
		clip := export.Clip{Name: a.Name, AssetID: a.AssetID, Rate: a.Rate(), StartTimecode: a.StartTimecode, Frames: a.Frames,
			Audio: strings.HasPrefix(a.MediaType, "audio/")}
		for _, m := range comments {
			if m.N == a.N && !m.Deleted && !m.Older {
				clip.Comments = append(clip.Comments, export.Comment{ID: m.ID, Parent: m.ParentID, Author: cmp.Or(m.Author, m.Email), Email: m.Email, Text: m.Text,
					Frame: m.Frame, Frames: m.Frames, Page: m.Page, Completed: m.Completed, Drawn: m.Drawn, CreatedAt: m.CreatedAt})
			}
		}
		out = append(out, clip)
	}
	return out, nil
}
