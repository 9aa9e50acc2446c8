package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// Assets are the styles and scripts, under names that change with their content so that browsers can cache them.
type Assets struct {
	hashed map[string]string // by file name
	body   map[string][]byte // by hashed name
}

func loadAssets() Assets {
	a := Assets{hashed: map[string]string{}, body: map[string][]byte{}}
	entries, _ := fs.ReadDir(assetFiles, "assets")
	for _, e := range entries {
		raw, _ := fs.ReadFile(assetFiles, "assets/"+e.Name())
		sum := sha256.Sum256(raw)
		ext := path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.hashed[e.Name()], a.body[name] = name, raw
	}
	return a
}

// URL returns the address that serves a file.
func (a Assets) URL(file string) string { return Root + "-/assets/" + a.hashed[file] }

// Serve serves the file that the request names.
func (a Assets) Serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	raw, ok := a.body[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(raw)
}

// Size returns the total size in bytes of what a browser loads once.
func (a Assets) Size() int {
	n := 0
	for _, raw := range a.body {
		n += len(raw)
	}
	return n
}
