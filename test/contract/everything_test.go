package contract

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What people typed or chose in the sample project on V4 is in iconik, or named as not carried: looked for by its words in
// everything that iconik holds.
func TestEverythingThatPeopleTypedIsInIconikOrNamed(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, "v4")
	fin := b.archive(t)
	require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)

	values, labels := map[string]string{}, map[string]string{}
	for _, kind := range []string{"assets", "collections"} {
		for _, d := range b.iconik.Docs(kind) {
			for name, v := range b.iconik.Values(kind, fmt.Sprint(d["id"])) {
				values[name] += v + "\n"
			}
		}
	}
	byLabel := map[string]string{}
	for _, f := range b.iconik.Docs("fields") {
		name := fmt.Sprint(f["name"])
		labels[name] = fmt.Sprint(f["label"])
		byLabel[labels[name]] = fmt.Sprint(f["field_type"]) + ": " + values[name]
	}
	for label, want := range map[string]string{"Slate": "string: ", "Director's notes": "text: Hold on the lamp.\nThen pan left.", "Look": "drop_down: Day for night", "Tags": "drop_down: ",
		"Stars": "integer: 5", "Budget line": "float: 1234.5", "Cleared": "boolean: true", "Shot on": "datetime: 2026-03-14T09:30:00Z", "Editor": "string: priya@partner.example", "Reviewed by": "string: "} {
		assert.Contains(t, byLabel[label], want, "field %q", label)
	}
	assert.Contains(t, byLabel["Slate"], "12A-3")
	assert.Contains(t, byLabel["Slate"], "Key art folder")
	second := 0
	for label, v := range byLabel {
		if strings.HasPrefix(label, "Slate (") && strings.Contains(v, "a second field of that name") {
			second++
		}
	}
	assert.Equal(t, 1, second, "two fields of one name are told apart")
	assert.Contains(t, values["framebridge_stack"], "Trailer stack")
	assert.Contains(t, values["framebridge_description"], "Trailer and key art for the spring season")
	assert.Contains(t, values["framebridge_owner"], "priya@partner.example")
	assert.Contains(t, values["framebridge_description"], "What goes to the client")
	for _, setting := range []string{"Please choose one", "last_viewed_at", "gus@client.example", "aggregation_mode"} {
		assert.Contains(t, values["framebridge_settings"], setting)
	}

	said := ""
	for _, a := range b.iconik.Docs("assets") {
		for _, s := range b.iconik.Segments(fmt.Sprint(a["id"])) {
			raw, err := json.Marshal(s)
			require.NoError(t, err)
			said += string(raw) + "\n"
			for name, v := range b.iconik.Values("segments", fmt.Sprint(s["id"])) {
				said += name + "=" + v + "\n"
			}
		}
	}
	for _, words := range []string{"https://brief.example/key-art", "brief v2.pdf", "priya@partner.example", "Port Lumen", `"x":0.25,"y":0.75`,
		"framebridge_completed_by=Priya Rao <priya@partner.example>", "framebridge_completed_at=2026-03-14T09:30:00Z", "framebridge_edited_at=2026-03-14T09:30:00Z", "framebridge_markup={"} {
		assert.Contains(t, said, words)
	}
	tree := b.iconik.Tree()
	for _, name := range []string{"Collections", "Selects", "All approved", "Priya's pile"} {
		assert.Contains(t, tree, name)
	}

	lost, err := b.book.Tenant(tenantID).Archive(b.project.ID).NotCarried(t.Context(), 100)
	require.NoError(t, err)
	kinds := map[string]int{}
	for _, n := range lost {
		kinds[n.Kind]++
		assert.NotEmpty(t, n.Reason)
	}
	assert.Equal(t, map[string]int{"attachment": 1, "author": 2, "collection": 1, "markup": 1, "share setting": 1}, kinds, "%+v", lost)

	fin = b.again(t)
	assert.False(t, fin.Changed, "a re-run that finds nothing to do writes nothing")
}
