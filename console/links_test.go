package console

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

func TestOperatorsRevokeLinks(t *testing.T) {
	for role, may := range map[config.Role]bool{config.RoleEditor: false, config.RoleOperator: true, config.RoleAdmin: true} {
		h := serve(t, role)
		h.archive(t, "a1", func(*ledger.Archive) {})
		h.review(t, ledger.Review{ID: "r1"})
		for _, page := range []string{"archive", "review"} {
			_, text := h.get(t, page+"s/"+page[:1]+"1")
			for _, part := range []string{`action="/ui/links/revoke"`, `name="tenant" value="` + acme + `"`, `name="kind" value="` + page + `"`, `name="id" value="` + page[:1] + `1"`,
				`value="/ui/` + acme + "/" + page + "s/" + page[:1] + `1?done=revoked"`} {
				assert.Equal(t, may, strings.Contains(text, part), "%s %s %s", role, page, part)
			}
			assert.Equal(t, role == config.RoleAdmin, strings.Contains(text, `href="/ui/people"`))
		}
	}
}
