package lintdeploy

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

// TestThePackagesAreGoodOnEveryPlatform type-checks both programs and everything that they import for the platforms of a
// release, as the compiler does first. Building for one from an empty cache takes five minutes of CPU, this some seconds.
func TestThePackagesAreGoodOnEveryPlatform(t *testing.T) {
	for _, platform := range [][2]string{{"windows", "amd64"}, {"darwin", "arm64"}, {"linux", "arm64"}} {
		t.Run(platform[0]+"-"+platform[1], func(t *testing.T) {
			loaded, err := packages.Load(&packages.Config{
				Context: t.Context(), Dir: root, Env: append(os.Environ(), "CGO_ENABLED=0", "GOOS="+platform[0], "GOARCH="+platform[1]),
				Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedModule,
			}, "./worker", "./starter")
			require.NoError(t, err)
			seen := 0
			for p := range packages.Postorder(loaded) {
				seen++
				for _, e := range p.Errors {
					assert.Fail(t, e.Error())
				}
				assert.False(t, p.IllTyped, p.PkgPath)
			}
			assert.Greater(t, seen, 500)
		})
	}
}
