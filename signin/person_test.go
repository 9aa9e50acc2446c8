package signin

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

func TestAPersonMayDoWhatTheirRoleCovers(t *testing.T) {
	p := Person{Name: "Edith", Email: "edith@example.com", Kind: KindOIDC, Address: "192.0.2.7", Roles: map[string]config.Role{"b": config.RoleOperator, "a": config.RoleViewer, "c": ""}}
	tests := []struct {
		tenant string
		role   config.Role
		want   bool
	}{
		{"a", config.RoleViewer, true},
		{"a", config.RoleEditor, false},
		{"b", config.RoleEditor, true},
		{"b", config.RoleOperator, true},
		{"b", config.RoleAdmin, false},
		{"c", config.RoleViewer, false},
		{"d", config.RoleViewer, false},
		{"b", "", false},
		{"b", "root", false},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, p.Allows(tt.tenant, tt.role), "%s %s", tt.tenant, tt.role)
	}
	assert.Equal(t, []string{"a", "b"}, p.Tenants())
	assert.Equal(t, ledger.Actor{Kind: ledger.ActorConsole, Name: "edith@example.com", Address: "192.0.2.7"}, p.Actor())
	assert.Equal(t, ledger.ActorAPI, Person{Kind: KindKey, KeyName: "edit-suite"}.Actor().Kind)
}

func TestTheContextCarriesThePerson(t *testing.T) {
	_, ok := From(t.Context())
	assert.False(t, ok)
	assert.Empty(t, FormToken(t.Context()))
	got, ok := From(With(t.Context(), Person{Name: "Edith"}))
	assert.True(t, ok)
	assert.Equal(t, "Edith", got.Name)
	assert.Equal(t, "abc", FormToken(WithFormToken(t.Context(), "abc")))
}
