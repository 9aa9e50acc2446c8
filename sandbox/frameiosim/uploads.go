package frameiosim

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
)

const (
	uploadURLLife  = 24 * time.Hour
	uploadLook     = 50 * time.Millisecond // between checks whether all parts are there
	assembledMost  = 512 << 20             // most bytes of an upload that are joined in memory
	defaultFPS     = 25.0
	defaultSeconds = 10
)

// mediaTypeOf returns the media type for a name, as Frame.io does if none is given.
func mediaTypeOf(name string) string {
	types := map[string]string{".mov": "video/quicktime", ".mp4": "video/mp4", ".mxf": "application/mxf", ".jpg": "image/jpeg", ".png": "image/png", ".pdf": "application/pdf", ".wav": "audio/x-wav"}
	if t := types[strings.ToLower(filepath.Ext(name))]; t != "" {
		return t
	}
	return "application/octet-stream"
}

func partKey(id string, i int) string { return fmt.Sprintf("parts/%s/%d", id, i) }

// assemble waits until all parts are there and joins them into the file. No call completes an upload.
func (s *Sim) assemble(id string) {
	for ; ; time.Sleep(uploadLook) {
		s.mu.RLock()
		a := s.s.Assets[id]
		gone, parts, size := a.Deleted != nil, a.Parts, a.Size
		s.mu.RUnlock()
		if gone {
			return
		}
		var have int64
		complete := true
		for i := 0; i < parts && complete; i++ {
			n, _, ok := s.o.Objects.Head(bucket, partKey(id, i))
			have, complete = have+n, ok
		}
		if !complete || have != size {
			continue
		}
		s.finish(a, parts)
		return
	}
}

func (s *Sim) finish(a *Asset, parts int) {
	key, sum := "uploads/"+a.ID+"/original"+filepath.Ext(a.Name), ""
	if a.Size <= assembledMost {
		body := make([]byte, 0, a.Size)
		for i := range parts {
			part, err := s.o.Objects.Get(bucket, partKey(a.ID, i))
			if err != nil {
				break
			}
			body = append(body, part...)
		}
		if int64(len(body)) == a.Size && s.o.Objects.Put(bucket, key, a.Filetype, body) == nil {
			sum = fmt.Sprintf("%016x", xxhash.Sum64(body))
			_ = s.o.Objects.Put(bucket, "encode/"+a.ID+"/h264_540.mp4", "video/mp4", body[:min(len(body), 4096)])
		}
	}
	now := time.Now().UTC()
	s.mu.Lock()
	a.Uploaded, a.Key, a.XXH, a.Watermarked, a.Updated = &now, key, sum, s.o.Watermark, now
	a.ProxyKey = "encode/" + a.ID + "/h264_540.mp4"
	switch {
	case strings.HasPrefix(a.Filetype, "video/"), strings.HasPrefix(a.Filetype, "audio/"), a.Filetype == "application/mxf":
		a.AssetType = "stream"
	case strings.HasPrefix(a.Filetype, "image/"):
		a.AssetType = "image"
	default:
		a.AssetType = "document"
	}
	if a.AssetType == "stream" && !strings.HasPrefix(a.Filetype, "audio/") && a.FPS == 0 {
		a.FPS, a.Duration, a.Frames, a.Width, a.Height = defaultFPS, defaultSeconds, defaultFPS*defaultSeconds, 1920, 1080
	}
	s.touch()
	s.mu.Unlock()
	time.Sleep(s.o.Transcode)
	s.mu.Lock()
	a.Transcoded = true
	s.touch()
	s.mu.Unlock()
	s.fire("asset.ready", "asset", a.ID, a.ProjectID)
}
