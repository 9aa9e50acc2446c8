package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
)

// What vendors send is recorded with its result. Unsigned requests are not.
func TestWhatVendorsSendIsNoted(t *testing.T) {
	for name, tt := range map[string]struct {
		ask
		want ledger.Received
	}{
		"ignored": {ask{"POST", hookURL + tenantA, `{"type":"project.created","resource":{"id":"` + project + `"}}`, nil},
			ledger.Received{Source: "frameio", Kind: "project.created", Object: project, Status: 200, Result: "ignored: this route takes project.updated; the webhook also sends project.created"}},
		"nobody's": {ask{"POST", routes.Prefix + "/review/webhooks/segments?tenant-id=" + tenantA, `{"event_type":"segments","operation":"create","object_id":"` + project + `"}`, map[string]string{"X-Framebridge-Secret": "click"}},
			ledger.Received{Source: "iconik", Kind: "segments create", Object: project, Status: 200, Result: "ignored: no open review contains it"}},
		"refused": {ask{"POST", routes.Prefix + "/archive/actions/retry?tenant-id=" + tenantA, `{"asset_ids":["` + project + `"]}`, map[string]string{"X-Framebridge-Secret": "click"}},
			ledger.Received{Source: "iconik", Kind: "retry", Object: project, Status: 422, Result: "use this action on a project's collection"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newTestServer(t)
			f.ask(ask{"POST", hookURL + tenantA, tt.body, signed("wrong", tt.body, 0)})
			if tt.header == nil {
				tt.header = signed("new", tt.body, 0)
			}
			resp, answer := f.ask(tt.ask)
			assert.Equal(t, tt.want.Status, resp.StatusCode, answer)
			var all []ledger.Received
			require.Eventually(t, func() bool {
				all, _ = f.Ledger.Tenant(tenantA).LastReceived(t.Context(), 10)
				return len(all) > 0
			}, 5*time.Second, 5*time.Millisecond)
			require.Len(t, all, 1, "what was not signed is not noted")
			all[0].At = time.Time{}
			if name == "nobody's" {
				tt.want.Result = all[0].Result
				assert.Contains(t, all[0].Result, "ignored: ")
			}
			assert.Equal(t, tt.want, all[0])
		})
	}
}
