package activities

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

const benchPart = 5 << 20

// bench is one archive in the hands of its activities, against iconik and a store, both simulated, without Temporal.
type bench struct {
	*archive
	sim  *iconiksim.Sim
	objs *s3sim.Store
	scan int
}

type benchOptions struct {
	settings    map[string]any // of the storage
	oldestFirst bool
	spoil       func(http.Handler) http.Handler // iconik's answers
	objects     func(*http.Request) *s3sim.Fault
}

func newBench(t *testing.T, o benchOptions) *bench {
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
	book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	acts := &Activities{Config: &config.Config{Transfer: config.Transfer{PartSize: benchPart}}, Ledger: book, Log: slog.New(slog.DiscardHandler), store: objects.Client(),
		Engine: transfer.NewEngine(transfer.Options{PartSize: benchPart, PartsInFlight: 2, Memory: 4 * benchPart}), tenants: map[string]*tenant{}}
	one := &tenant{Activities: acts, cfg: &config.Tenant{ID: "T", Archive: config.Archive{MaxFileSize: 1 << 40}}, iconik: client, views: map[string]string{}, users: map[string]userAt{}}
	acts.tenants["T"] = one
	b := &bench{archive: &archive{tenant: one, ref: workflows.Ref{Tenant: "T", Archive: "P"}}, sim: sim, objs: objs}
	folder, err := client.Collections.Create(t.Context(), iconik.CollectionRequest{Title: "Project"})
	require.NoError(t, err)
	_, _, err = book.RequestArchive(t.Context(), "T", "P", "", time.Now())
	require.NoError(t, err)
	_, err = book.UpdateArchive(t.Context(), "T", "P", func(r *ledger.Archive) {
		r.Name, r.TeamName, r.RootID, r.CollectionID, r.Run = "Project", "Team", "root", folder.ID, 1
	})
	require.NoError(t, err)
	return b
}

// sees is a reading of the project's tree: the versions of one stack, oldest first, or a single file.
func (b *bench) sees(t *testing.T, stack frameio.Asset, versions ...frameio.Asset) {
	t.Helper()
	scan, err := b.Ledger.BeginScan(t.Context(), "T", "P")
	require.NoError(t, err)
	b.scan = scan
	root := ledger.Folder{SourceID: "root", Scan: scan}
	require.NoError(t, b.Ledger.PutFolders(t.Context(), "T", "P", []ledger.Folder{root}))
	var items []ledger.Item
	for i, v := range versions {
		items = append(items, itemOf(root, stack, v, i+1, len(versions), scan))
	}
	if len(versions) == 0 {
		items = append(items, itemOf(root, stack, stack, 1, 1, scan))
	}
	require.NoError(t, b.Ledger.PageListed(t.Context(), "T", "P", "root", scan, "", nil, items, true))
	require.NoError(t, b.Ledger.FinishScan(t.Context(), "T", "P", scan))
}

func (b *bench) item(t *testing.T, id string) ledger.Item {
	t.Helper()
	it, ok, err := b.Ledger.Item(t.Context(), "T", "P", id)
	require.NoError(t, err)
	require.True(t, ok)
	return it
}

func (b *bench) open(t *testing.T, id string) string {
	t.Helper()
	opened, err := b.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: b.ref, SourceID: id})
	require.NoError(t, err)
	return opened.Do
}

// copies brings a file's bytes over, as TransferFile does, between its opening and its closing.
func (b *bench) copies(t *testing.T, id string, body []byte) {
	t.Helper()
	require.Equal(t, workflows.DoTransfer, b.open(t, id))
	it := b.item(t, id)
	sink, err := b.sink(t.Context(), it, it.Size)
	require.NoError(t, err)
	res, err := b.Engine.Copy(t.Context(), transfer.Job{Source: transfer.Bytes(body), Sink: sink, Size: it.Size})
	require.NoError(t, err)
	require.NoError(t, b.moved(t.Context(), it, res))
	require.NoError(t, b.CloseVersion(t.Context(), workflows.ItemInput{Ref: b.ref, SourceID: id}))
}

// versionValues are the metadata of one version.
func (b *bench) versionValues(t *testing.T, asset, version string) map[string]string {
	t.Helper()
	view, err := b.view(t.Context(), "Frame.io archive")
	require.NoError(t, err)
	got, err := b.iconik.Metadata.Values(t.Context(), "assets", asset+"/versions/"+version, view)
	require.NoError(t, err)
	out := map[string]string{}
	for k, v := range got {
		out[k] = fmt.Sprint(v[0])
	}
	return out
}

func file(id, name string, body []byte) frameio.Asset {
	return frameio.Asset{ID: id, Name: name, Kind: frameio.KindFile, Size: int64(len(body)), Original: frameio.OriginalAvailable, MediaType: "video/quicktime"}
}

// answers lets change edit what iconik answers to calls that match.
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
