package contract

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
)

// writesIconik are the objects that an archive makes in iconik: the schema of the vendor's document, and what is sent.
var writesIconik = []struct {
	object, document, schema string
	sent                     any
}{
	{"asset", "assets", "AssetCreateSchema", iconik.AssetRequest{}},
	{"collection", "assets", "CollectionInputSchema", iconik.CollectionRequest{}},
	{"segment", "assets", "SegmentSchema", iconik.SegmentRequest{}},
	{"version", "assets", "CreateAssetVersionSchema", iconik.VersionRequest{}},
	{"format", "files", "FormatSchema", iconik.FormatRequest{}},
	{"file set", "files", "FileSetSchema", iconik.FileSetRequest{}},
	{"file", "files", "FileCreateSchema", iconik.FileRequest{}},
}

// Every property that may be written to what an archive makes in iconik is written, or stands on the list of what is not, with
// its reason.
func TestEveryPropertyOfIconikIsAccountedFor(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, w := range writesIconik {
		doc, err := Document(filepath.Join(specs(t), "iconik", w.document+".json"))
		require.NoError(t, err)
		schema := doc.Components.Schemas[w.schema]
		require.NotNil(t, schema, w.schema)
		sent := namesOf(reflect.TypeOf(w.sent))
		require.NotEmpty(t, schema.Value.Properties)
		for name, p := range schema.Value.Properties {
			reason, key := leftOut(iconik.Unwritten, w.object+"."+name)
			switch {
			case p.Value.ReadOnly:
			case sent[name]:
				assert.Empty(t, reason, "%s.%s is written, and stands on the list of what is not", w.object, name)
			default:
				used[key] = true
				assert.NotEmpty(t, reason, "%s.%s is not written, and nothing says why", w.object, name)
			}
		}
	}
	for key := range iconik.Unwritten {
		assert.True(t, used[key], "%s is on the list of what is not written, and iconik has no such property", key)
	}
}

// namesOf are the names in JSON of a struct's fields.
func namesOf(t reflect.Type) map[string]bool {
	out := map[string]bool{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
			out[name] = true
		}
	}
	return out
}
