package console

import (
	"net/http"
	"strings"

	"github.com/framebridge/framebridge/config"
)

// accountRoutes registers the pages for whole accounts. The rules for who may see and do what are the API's.
func (c *console) accountRoutes(m *http.ServeMux) {
	migrations := func(show handler) handler { return c.needs(config.RoleMigrations, show) }
	for pattern, show := range map[string]handler{
		"GET account":                                             c.accountPage,
		"GET account/new":                                         migrations(c.newMigrationPage),
		"GET account/plan":                                        migrations(c.accountPlanPage),
		"POST account/start":                                      c.act(config.RoleMigrations, c.startMigration),
		"GET account/migrations/{id}":                             migrations(c.migrationPage),
		"GET account/migrations/{id}/{file}":                      migrations(c.accountReport),
		"GET account/migrations/{id}/do/{verb}":                   migrations(c.confirmMigration),
		"POST account/migrations/{id}/do/{verb}":                  c.act(config.RoleMigrations, c.controlMigration),
		"POST account/migrations/{id}/projects/{project}/{where}": c.act(config.RoleMigrations, c.orderProject),
		"GET account/mirrors/new":                                 c.needs(config.RoleOperator, c.newMirrorPage),
		"POST account/mirrors":                                    c.needs(config.RoleOperator, c.startMirror),
		"GET account/mirrors/{name}/do/{verb}":                    c.confirmMirror,
		"POST account/mirrors/{name}/do/{verb}":                   c.act(config.RoleOperator, c.controlMirror),
		"GET archives/{id}/reclaim":                               c.reclaimPage,
		"GET archives/{id}/reclaim/{file}":                        c.certificateFile,
		"GET archives/{id}/reclaim/do/{verb}":                     c.confirmReclaim,
		"POST archives/{id}/reclaim/do/{verb}":                    c.act(config.RoleReclaims, c.controlReclaim),
	} {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" /ui/{tenant}/"+path, c.inTenant(show))
	}
}
