package contract

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	factory "github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/setup"
	"github.com/framebridge/framebridge/workflows"
)

// otherwise is one way in which iconik may answer that its documents allow and our simulator does not have.
type otherwise struct {
	name   string
	sim    func(*iconiksim.Options)
	apart  bool   // cannot be combined with others
	parts  bool   // concerns files in parts
	unlike string // what begins like this is not compared in reviews; "-": nothing is
	ask    func(*http.Request)
	answer func(*answered)
	after  func(next http.Handler, a *answered)
	before func() func(http.ResponseWriter, *http.Request) bool // answers the call itself; one per world
}

// answered is a response on its way.
type answered struct {
	*http.Request
	route  string // the path without its IDs
	status int
	header http.Header
	body   []byte
	said   any // the body, decoded
}

// rows returns what is listed.
func (a *answered) rows() ([]any, map[string]any) {
	said, _ := a.said.(map[string]any)
	rows, listed := said["objects"].([]any)
	if !listed {
		return nil, nil
	}
	return rows, said
}

func (a *answered) ok() bool { return a.status < 300 }

// each visits every object in a response, the outermost first.
func (a *answered) each(visit func(map[string]any)) {
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			visit(v)
			for _, one := range v {
				walk(one)
			}
		}
	}
	if a.ok() {
		walk(a.said)
	}
}

// other sits in front of our simulator and changes how it answers.
func other(ways []otherwise) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var before []func(http.ResponseWriter, *http.Request) bool
		for _, way := range ways {
			if way.before != nil {
				before = append(before, way.before())
			}
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, does := range before {
				if does(w, r) {
					return
				}
			}
			for _, way := range ways {
				if way.ask != nil {
					way.ask(r)
				}
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			route := ids.ReplaceAllString(strings.Trim(strings.TrimPrefix(r.URL.Path, "/API/"), "/"), "{id}") + "/"
			a := &answered{Request: r, route: route, status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}
			d := json.NewDecoder(bytes.NewReader(a.body))
			d.UseNumber()
			_ = d.Decode(&a.said)
			for _, way := range ways {
				if way.answer != nil {
					way.answer(a)
				}
				if way.after != nil {
					way.after(next, a)
				}
			}
			if a.said != nil {
				a.body, _ = json.Marshal(a.said)
			}
			a.header.Del("Content-Length")
			maps.Copy(w.Header(), a.header)
			if a.header.Get("Content-Encoding") == "gzip" && len(a.body) > 0 {
				var packed bytes.Buffer
				z := gzip.NewWriter(&packed)
				_, _ = z.Write(a.body)
				_ = z.Close()
				a.body = packed.Bytes()
			} else {
				w.Header().Del("Content-Encoding")
			}
			w.WriteHeader(a.status)
			_, _ = w.Write(a.body)
		})
	}
}

func (set harnessOptions) otherwise(t *testing.T, ways ...otherwise) *harness {
	set.iconik = other(ways)
	b := set.open(t)
	for _, way := range ways {
		if way.sim != nil {
			b.iconik.Change(way.sim)
		}
	}
	b.config.Tenants[tenantID].Iconik.SettleTime = 700 * time.Millisecond
	return b
}

// collection creates one as a person does.
func (b *harness) collection(t *testing.T, title string) string {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/API/assets/v1/collections/", strings.NewReader(`{"title":"`+title+`"}`))
	req.Header.Set("App-ID", appID)
	req.Header.Set("Auth-Token", token)
	rec := httptest.NewRecorder()
	b.iconik.Handler().ServeHTTP(rec, req)
	var made struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &made), rec.Body.String())
	return made.ID
}

// reviewed plays a review from the click to the deletion, and returns what people saw of it.
func (b *harness) reviewed(t *testing.T) (seen []string) {
	t.Helper()
	b.frameio.SetWatermark(true)
	collection := b.collection(t, "Dailies")
	for _, name := range []string{"Take 1.mov", "Take 2.mov", "Take 3.mov"} {
		_, err := b.iconik.AddAsset(name, collection, samples.Media("25.mov"))
		require.NoError(t, err)
	}
	asset, err := b.iconik.AddAsset("Take 4.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	ref := b.request(t, 10*time.Minute, asset)
	_, err = b.book.Tenant(tenantID).Review(reviewID).Update(t.Context(), func(r *ledger.Review) {
		r.ClickedAt = r.ClickedAt.Truncate(time.Second).Add(-time.Second)
		r.ClickedCollections = []string{collection}
		r.RequestedBy = ledger.Person{}
	})
	require.NoError(t, err)
	env := b.skippingTime()
	rows := func() []ledger.ReviewAsset {
		all, err := b.book.Tenant(tenantID).Review(reviewID).Assets(context.Background())
		require.NoError(t, err)
		return all
	}
	file := func() string {
		for _, it := range rows() {
			if it.AssetID == asset {
				return it.FileID
			}
		}
		return ""
	}
	note := func(at string) {
		for _, it := range rows() {
			seen = append(seen, fmt.Sprint(at, it.Title, it.State, it.Reason, it.Decision))
		}
		for _, s := range b.iconik.Segments(asset) {
			seen = append(seen, fmt.Sprint(at, " iconik ", s["segment_text"], s["time_start_milliseconds"], s["segment_checked"], s["parent_id"] != nil, s["drawing"]))
		}
		for _, c := range b.frameio.CommentsOf(file()) {
			at2 := int64(-1)
			if c.Timestamp != nil {
				at2 = *c.Timestamp
			}
			seen = append(seen, fmt.Sprint(at, " frameio ", c.Text, at2, c.Completed))
		}
	}
	var comment *frameiosim.Comment
	one := int64(10)
	env.RegisterDelayedCallback(func() {
		if file() == "" {
			return
		}
		comment = b.frameio.AddComment(frameiosim.Comment{AssetID: file(), Text: "from Frame.io", Timestamp: &one, Annotation: `[{"tool":"line","color":"#E74A3C","size":3,"x1":0.25,"y1":0,"x2":1,"y2":1}]`})
		b.frameio.AddComment(frameiosim.Comment{AssetID: file(), ParentID: comment.ID, Text: "a reply"})
		b.frameio.AddComment(frameiosim.Comment{AssetID: file(), Text: "stays"})
		ms := int64(1000)
		first := b.iconik.Comment(asset, b.iconik.ServiceUser(), "from iconik", &ms, &ms, "", nil)
		b.iconik.Comment(asset, b.iconik.ServiceUser(), "an answer", nil, nil, first, nil)
		b.frameio.Label(file(), "needs_review")
	}, 3*time.Minute)
	env.RegisterDelayedCallback(func() {
		note("5 min ")
		if comment == nil {
			return
		}
		b.frameio.Edit(comment.ID, func(c *frameiosim.Comment) {
			c.Text, c.Completed = "edited", true
			c.Annotation = `[{"tool":"line","color":"#000000","size":3,"x1":0.5,"y1":0,"x2":1,"y2":1}]`
		})
		for _, g := range b.iconik.Segments(asset) {
			if g["segment_text"] == "from iconik" {
				assert.NoError(t, b.iconik.EditSegment(asset, fmt.Sprint(g["id"]), map[string]any{"segment_text": "edited in iconik", "segment_checked": true}))
			}
		}
	}, 5*time.Minute)
	env.RegisterDelayedCallback(func() {
		note("7 min ")
		if comment == nil {
			return
		}
		b.frameio.Unsay(comment.ID)
	}, 7*time.Minute)
	env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{ReviewRef: ref})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	note("end ")
	row, _, err := b.book.Tenant(tenantID).Review(reviewID).Get(t.Context())
	require.NoError(t, err)
	seen = append(seen, fmt.Sprint("review ", row.Status, row.Reason, row.Notes, b.iconik.Approval(asset), len(b.frameio.AssetsOf(row.ProjectID))))
	fields := b.iconik.Values("assets", asset)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "framebridge_review_link" {
			seen = append(seen, anyTime.ReplaceAllString(name+" "+fields[name], "(a time)"))
		}
	}
	for _, j := range b.iconik.Docs("jobs") {
		if j["type"] == "CUSTOM" {
			seen = append(seen, fmt.Sprint("job ", j["title"], j["status"], j["message"], j["progress"]))
		}
	}
	for i, s := range seen {
		seen[i] = strings.ReplaceAll(s, "service@framebridge.example", "Framebridge Service") // used if there is no name
	}
	slices.Sort(seen)
	return seen
}

// installed sets up a tenant, returns what is then left to do, and removes what it set up.
func (b *harness) installed(t *testing.T) (left []string) {
	t.Helper()
	tenant := b.config.Tenants[tenantID]
	account, err := factory.Platform(tenant, b.book.Tenant(tenantID), nil)
	require.NoError(t, err)
	client, err := iconik.New(tenant.Iconik)
	require.NoError(t, err)
	book, err := ledger.Open(t.Context(), b.dsn, ledger.WithKey("a key of 16 characters or more"))
	require.NoError(t, err)
	defer book.Close()
	s := &setup.Setup{Tenant: tenant, Base: "https://framebridge.example.com/api/v1/services/frameio", Frameio: account.(frameio.Installer), Iconik: client,
		Ledger: book.Tenant(tenantID), Groups: []string{b.iconik.AddGroup("Editors")}}
	apply := func(p *setup.Plan, err error) *setup.Plan {
		require.NoError(t, err)
		require.NoError(t, p.Apply(t.Context(), nil))
		return p
	}
	apply(s.Plan(t.Context()))
	again := apply(s.Plan(t.Context()))
	for _, c := range again.Changes {
		if c.Op != setup.Keep {
			left = append(left, fmt.Sprint("again: ", c.Op, c.Vendor, c.Kind, c.Name, c.Details))
		}
	}
	apply(s.PlanRemoval(t.Context()))
	for _, kind := range []string{"custom_actions", "webhooks", "views", "fields"} {
		for _, d := range b.iconik.Docs(kind) {
			left = append(left, fmt.Sprint("still there: ", kind, d["name"], d["title"]))
		}
	}
	return left
}

// playedWays returns the ways of another iconik to play: each by itself, so that a failure names it, and all that can be combined. The fast
// suite plays these and a few of the single ones.
func playedWays() (ways map[string][]otherwise) {
	ways = map[string][]otherwise{}
	for i, way := range otherwises {
		if sampled(i, 36) {
			ways[way.name] = []otherwise{way}
		}
		if !way.apart {
			ways["all together"] = append(ways["all together"], way)
		}
	}
	return ways
}

// Another iconik that fits the facts and its documents gives the same archive.
func TestAnotherIconikIsReadAlike(t *testing.T) {
	t.Parallel()
	set := harnessOptions{generation: "v4", storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw), frameio: plain, objects: plain}
	inParts := set
	inParts.seed = sample(rawInParts)
	each := func(t *testing.T, play func(t *testing.T, name string, ways []otherwise)) {
		for name, ways := range playedWays() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				play(t, name, ways)
			})
		}
	}
	t.Run("archive", func(t *testing.T) {
		t.Parallel()
		small, large := set.otherwise(t), inParts.otherwise(t)
		want := small.archive(t)
		require.Equal(t, want.Reason, large.archive(t).Reason)
		require.False(t, small.again(t).Changed)
		all, allInParts := small.in(), large.in()
		each(t, func(t *testing.T, _ string, ways []otherwise) {
			set, all := set, all
			if slices.ContainsFunc(ways, func(w otherwise) bool { return w.parts }) {
				set, all = inParts, allInParts
			}
			b := set.otherwise(t, ways...)
			got := b.archive(t)
			assert.Equal(t, want.Status, got.Status, got.Reason)
			assert.Equal(t, want.Reason, got.Reason)
			assert.Equal(t, all, b.in())
			again := b.again(t)
			assert.False(t, again.Changed)
			assert.Equal(t, want.Status, again.Status, again.Reason)
		})
	})
	t.Run("access", func(t *testing.T) {
		t.Parallel()
		each(t, func(t *testing.T, _ string, ways []otherwise) {
			w := set.otherwise(t, ways...).withAccess(t, 3)
			w.archive(t)
			w.equal(t)
			assert.False(t, w.again(t).Changed)
		})
	})
	t.Run("review", func(t *testing.T) {
		t.Parallel()
		want := set.otherwise(t).reviewed(t)
		each(t, func(t *testing.T, _ string, ways []otherwise) {
			if ways[0].unlike == "-" { // time is skipped, but not for the index
				t.Skip("not played")
			}
			said := func(all []string) []string {
				return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return ways[0].unlike != "" && strings.HasPrefix(s, ways[0].unlike) })
			}
			assert.Equal(t, said(want), said(set.otherwise(t, ways...).reviewed(t)))
		})
	})
	t.Run("setup", func(t *testing.T) {
		t.Parallel()
		want := set.otherwise(t).installed(t)
		each(t, func(t *testing.T, _ string, ways []otherwise) {
			assert.Equal(t, want, set.otherwise(t, ways...).installed(t))
		})
	})
}
