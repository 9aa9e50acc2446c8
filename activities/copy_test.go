package activities

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// Jobs name the asset and not its version: a request for the second version's keyframes that was not carried out must
// not be taken for done because the first version's job is there.
func TestKeyframesOfAnotherVersionAreNotTakenForThisOnes(t *testing.T) {
	at := func(minute int) string {
		return time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC).Format(time.RFC3339Nano)
	}
	for name, tt := range map[string]struct {
		jobs []map[string]any
		want string
	}{
		"known as another's":    {[]map[string]any{{"id": "J1", "type": "KEYFRAMES", "date_created": at(9)}}, ""},
		"older than the file":   {[]map[string]any{{"id": "J0", "type": "TRANSCODE", "date_created": at(1)}}, ""},
		"of another kind":       {[]map[string]any{{"id": "J2", "type": "TRANSFER", "date_created": at(9)}}, ""},
		"the one":               {[]map[string]any{{"id": "J1", "type": "KEYFRAMES", "date_created": at(9)}, {"id": "J2", "type": "KEYFRAMES", "date_created": at(9)}}, "J2"},
		"the one, with no date": {[]map[string]any{{"id": "J1", "type": "KEYFRAMES"}, {"id": "J2", "type": "KEYFRAMES"}}, "J2"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /API/jobs/v1/jobs/", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]any{"objects": tt.jobs, "page": 1, "pages": 1})
			})
			mux.HandleFunc("GET /API/files/v1/assets/A/files/F2/", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]any{"id": "F2", "date_created": at(5)})
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			client, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
			require.NoError(t, err)
			book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
			require.NoError(t, err)
			defer book.Close()
			_, _, err = book.Intend(t.Context(), "T", ledger.Link{Kind: ledger.LinkKeyframes, SourceID: "F1", Archive: "P", IntendedAt: time.Now()})
			require.NoError(t, err)
			require.NoError(t, book.Made(t.Context(), "T", ledger.LinkKeyframes, "F1", "J1", ""))
			arc := &archive{tenant: &tenant{Activities: &Activities{Ledger: book}, iconik: client}, ref: workflows.Ref{Tenant: "T", Archive: "P"}}
			got, err := arc.keyframesJob(t.Context(), ledger.Item{AssetID: "A", FileID: "F2"})
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}
