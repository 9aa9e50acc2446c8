package upload

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
)

// A file that another worker moves is not cached for the life of this worker.
func TestUploadURLsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := New(nil, nil).Of(nil)
		one.Remember(iconik.File{ID: "F", UploadURL: "https://store.example/put"})
		one.Remember(iconik.File{ID: "G", MultipartUploadURL: "https://store.example/parts"})
		_, ok := one.fresh.Load("F")
		require.True(t, ok)
		time.Sleep(uploadURLLife + time.Second)
		one.fresh.Range(func(id, _ any) bool {
			t.Errorf("%s is still remembered", id)
			return true
		})
	})
}
