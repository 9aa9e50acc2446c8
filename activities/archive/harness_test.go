package archive

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

const testPartSize = 5 << 20

// harness is one archive with its activities, against a simulated iconik and store, without Temporal.
type harness struct {
	*archive
	sim  *iconiksim.Sim
	objs *s3sim.Store
	scan int
}

// legacyAPI is a Frame.io that is only asked for its generation and capabilities.
type legacyAPI struct{ frameio.Reader }

func (legacyAPI) Generation() frameio.Generation     { return frameio.Legacy }
func (legacyAPI) Capabilities() frameio.Capabilities { return frameio.Capabilities{} }

type harnessOptions struct {
	settings    map[string]any // of the storage
	oldestFirst bool
	spoil       func(http.Handler) http.Handler // iconik's answers
	objects     func(*http.Request) *s3sim.Fault
}

func newHarness(t *testing.T, o harnessOptions) *harness {
	t.Helper()
	objs, err := s3sim.New(s3sim.Options{AccessKey: "key", SecretKey: "secret-of-the-store", Fault: o.objects})
	require.NoError(t, err)
	objects := httptest.NewServer(objs)
	t.Cleanup(objects.Close)
	sim, err := iconiksim.New(iconiksim.Options{AppID: "app", Token: "token", Objects: objs, Signer: objs.Presigner(objects.URL), IndexDelay: -1, TranscodeDelay: time.Millisecond, OldestFirst: o.oldestFirst})
	require.NoError(t, err)
	settings := map[string]any{"bucket": "originals"}
	for k, v := range o.settings {
		settings[k] = v
	}
	sim.AddStorage("originals", "S3", settings)
	handler := sim.Handler()
	if o.spoil != nil {
		handler = o.spoil(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Cleanup(sim.Wait)
	client, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
	require.NoError(t, err)
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	log := slog.New(slog.DiscardHandler)
	one := tenant.New(&config.Tenant{ID: "T", Archive: config.Archive{MaxFileSize: 1 << 40}}, book, legacyAPI{}, client, nil, log)
	steps := New(Options{Config: config.Hold(&config.Config{Transfer: config.Transfer{PartSize: testPartSize}}), Ledger: book, Log: log, Objects: objects.Client(),
		Engine: transfer.NewEngine(transfer.Options{PartSize: testPartSize, PartsInFlight: 2, Memory: 4 * testPartSize}),
		Tenant: func(string) (*tenant.Tenant, error) { return one, nil }})
	h := &harness{archive: steps.of(one, workflows.Ref{Tenant: "T", Archive: "P"}), sim: sim, objs: objs}
	folder, err := client.Collections.Create(t.Context(), iconik.CollectionRequest{Title: "Project"})
	require.NoError(t, err)
	_, _, err = book.Tenant("T").Archive("P").Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = book.Tenant("T").Archive("P").Update(t.Context(), func(r *ledger.Archive) {
		r.Name, r.TeamName, r.RootID, r.CollectionID, r.Run = "Project", "Team", "root", folder.ID, 1
	})
	require.NoError(t, err)
	return h
}

// sees acts as a scan: it records the versions of one stack, oldest first, or a single file.
func (h *harness) sees(t *testing.T, stack frameio.Asset, versions ...frameio.Asset) {
	t.Helper()
	scan, err := h.ledger.BeginScan(t.Context())
	require.NoError(t, err)
	h.scan = scan
	root := ledger.Folder{SourceID: "root", Scan: scan}
	require.NoError(t, h.ledger.PutFolders(t.Context(), []ledger.Folder{root}))
	var items []ledger.Item
	for i, v := range versions {
		items = append(items, plan.Item(root, stack, v, i+1, len(versions), scan))
	}
	if len(versions) == 0 {
		items = append(items, plan.Item(root, stack, stack, 1, 1, scan))
	}
	require.NoError(t, h.ledger.PageListed(t.Context(), "root", scan, "", nil, items, true))
	require.NoError(t, h.ledger.FinishScan(t.Context(), scan))
}

func (h *harness) item(t *testing.T, id string) ledger.Item {
	t.Helper()
	it, ok, err := h.ledger.Item(t.Context(), id)
	require.NoError(t, err)
	require.True(t, ok)
	return it
}

func (h *harness) open(t *testing.T, id string) string {
	t.Helper()
	opened, err := h.steps.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: h.ref, SourceID: id})
	require.NoError(t, err)
	return opened.Do
}

// copies copies a file's bytes, as TransferFile does, between its opening and its closing.
func (h *harness) copies(t *testing.T, id string, body []byte) {
	t.Helper()
	require.Equal(t, workflows.DoTransfer, h.open(t, id))
	it := h.item(t, id)
	sink, err := h.files().Sink(t.Context(), it, it.Size)
	require.NoError(t, err)
	res, err := h.steps.Engine.Copy(t.Context(), transfer.Job{Source: transfer.Bytes(body), Sink: sink, Size: it.Size})
	require.NoError(t, err)
	require.NoError(t, h.recordTransfer(t.Context(), it, res))
	require.NoError(t, h.steps.CloseVersion(t.Context(), workflows.ItemInput{Ref: h.ref, SourceID: id}))
}

func file(id, name string, body []byte) frameio.Asset {
	return frameio.Asset{ID: id, Name: name, Kind: frameio.KindFile, Size: int64(len(body)), Original: frameio.OriginalAvailable, MediaType: "video/quicktime"}
}

// answers lets change edit iconik's responses to calls that match.
func answers(match func(*http.Request) bool, change func(map[string]any)) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !match(r) {
				h.ServeHTTP(w, r)
				return
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			var v map[string]any
			if json.NewDecoder(bytes.NewReader(rec.Body.Bytes())).Decode(&v) == nil {
				change(v)
			}
			w.WriteHeader(rec.Code)
			_ = json.NewEncoder(w).Encode(v)
		})
	}
}
