package samples

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
)

func TestTheSampleAccountHasProjectsOfAllKinds(t *testing.T) {
	store, err := s3sim.New(s3sim.Options{Discard: true})
	require.NoError(t, err)
	sim, err := frameiosim.New(frameiosim.Options{Token: "token", Generation: "v4", Objects: store, Signer: store.Presigner("http://store.example")})
	require.NoError(t, err)
	harbour, teams, err := Account(sim)
	require.NoError(t, err)
	assert.Len(t, teams, 3)
	projects := sim.Projects()
	assert.Len(t, projects, 40)
	files, comments, cold, aside, refused, restricted, empty, named := 0, 0, 0, 0, 0, 0, 0, map[string]int{}
	for _, p := range projects {
		named[p.Name]++
		if p.ArchiveStatus == "archived" {
			cold++
		}
		if p.Aside {
			aside++
		}
		if p.Refused {
			refused++
		}
		if p.Restricted {
			restricted++
		}
		here := 0
		for _, a := range sim.AssetsOf(p.ID) {
			if a.Type == "file" {
				here++
				comments += len(sim.CommentsOf(a.ID))
			}
		}
		if here == 0 {
			empty++
		}
		files += here
	}
	assert.Equal(t, 1, named[harbour.Name])
	assert.Equal(t, 2, named["The Long Quay"], "two of one name")
	assert.Equal(t, []int{3, 5, 1, 2, 1}, []int{cold, aside, refused, restricted, empty}, "in cold storage, inactive, refused, for few, empty")
	assert.Greater(t, files, 1000)
	assert.Greater(t, comments, 100)
}
