package v4

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/rest"
)

// The account's Status field is set by its options' IDs, whichever of the two documented places has them.
func TestAStatusIsSetByItsOption(t *testing.T) {
	t.Parallel()
	const (
		options = `[{"id":"o1","display_name":"In Progress"},{"id":"o2","display_name":"Approved"}]`
		inFile  = `{"data":{"file_id":"f","metadata":[{"field_definition_id":"note","field_definition_name":"Status","field_type":"text","value":"x"},` +
			`{"field_definition_id":"s","field_definition_name":"Status","field_type":"select","mutable":true,"field_options":` + options + `,"value":null}]}}`
		bare    = `{"data":{"file_id":"f","metadata":[{"field_definition_id":"s","field_definition_name":"Status","field_type":"select","mutable":true,"value":[]}]}}`
		none    = `{"data":{"file_id":"f","metadata":[]}}`
		defined = `{"data":[{"id":"n","name":"Notes","field_type":"text"},{"id":"s","name":"Status","field_type":"select","mutable":true,"field_configuration":{"options":` + options + `}}],"links":{"next":null}}`
		nothing = `{"data":[],"links":{"next":null}}`
	)
	for name, c := range map[string]struct {
		file, account string
		refused       bool
	}{
		"the file's":                   {file: inFile, account: nothing},
		"the file's, without options":  {file: bare, account: defined},
		"the account's":                {file: none, account: defined},
		"the account's, and read-only": {file: none, account: strings.ReplaceAll(defined, `"mutable":true`, `"mutable":false`), refused: true},
		"nobody's":                     {file: none, account: nothing, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, map[string]http.HandlerFunc{
				"GET files/f/metadata":             answer(c.file),
				"GET metadata/field_definitions":   answer(c.account),
				"PATCH projects/p/metadata/values": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
			})
			client := v.client(t, nil)
			err := client.SetLabel(t.Context(), "p", "f", "approved")
			if c.refused {
				assert.Equal(t, rest.Unsupported, rest.ClassOf(err), "%v", err)
				return
			}
			require.NoError(t, err)
			assert.Contains(t, v.calls(), `PATCH projects/p/metadata/values {"data":{"file_ids":["f"],"values":[{"field_definition_id":"s","value":["o2"]}]}}`)
			labels, err := client.Labels(t.Context(), "f")
			require.NoError(t, err)
			assert.Equal(t, []string{"in_progress", "approved"}, labels)
			require.NoError(t, client.SetLabel(t.Context(), "p", "f", "none"))
			assert.True(t, slices.ContainsFunc(v.calls(), func(call string) bool { return strings.HasSuffix(call, `"value":[]}]}}`) }))
		})
	}
}
