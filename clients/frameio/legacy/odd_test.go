package legacy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/legacy"
	"github.com/framebridge/framebridge/clients/rest"
)

func with(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// A successful response without data does not mean an empty folder, a file without comments or a project without a name: it is
// retried.
func TestAnAnswerWithoutDataIsNotNothing(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(context.Context, *legacy.Client) error{
		"children":     func(ctx context.Context, c *legacy.Client) error { _, err := c.Children(ctx, "X", ""); return err },
		"comments":     func(ctx context.Context, c *legacy.Client) error { _, err := c.Comments(ctx, "X", ""); return err },
		"shares":       func(ctx context.Context, c *legacy.Client) error { _, err := c.Shares(ctx, "X", ""); return err },
		"projects":     func(ctx context.Context, c *legacy.Client) error { _, err := c.Projects(ctx, ""); return err },
		"me":           func(ctx context.Context, c *legacy.Client) error { _, err := c.Me(ctx); return err },
		"project":      func(ctx context.Context, c *legacy.Client) error { _, err := c.Project(ctx, "X"); return err },
		"asset":        func(ctx context.Context, c *legacy.Client) error { _, err := c.Asset(ctx, "X"); return err },
		"comment":      func(ctx context.Context, c *legacy.Client) error { _, err := c.Comment(ctx, "X"); return err },
		"link":         func(ctx context.Context, c *legacy.Client) error { _, err := c.ShareByID(ctx, "X"); return err },
		"accounts":     func(ctx context.Context, c *legacy.Client) error { _, err := c.Accounts(ctx); return err },
		"link's items": func(ctx context.Context, c *legacy.Client) error { return itemsOf(ctx, c, frameio.ShareReviewLink) },
		"presentation": func(ctx context.Context, c *legacy.Client) error { return itemsOf(ctx, c, frameio.SharePresentation) },
		"media": func(ctx context.Context, c *legacy.Client) error {
			_, err := c.Media(ctx, "X", frameio.RenditionOriginal, true)
			return err
		},
	} {
		for _, answer := range []http.HandlerFunc{with(200, "null"), with(200, "{}"), with(204, "")} {
			c := against(t, map[string]http.HandlerFunc{"GET /v2/": answer, "GET /v2/me": answer})
			if err := call(t.Context(), c); rest.ClassOf(err) != rest.Retryable || err == nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func itemsOf(ctx context.Context, c *legacy.Client, kind frameio.ShareKind) error {
	_, err := c.ShareItems(ctx, frameio.Share{ID: "X", Kind: kind}, "")
	return err
}

// Callers look for what was created but not shown before they create it again.
func TestAnAnswerThatShowsNothingMadeIsUncertain(t *testing.T) {
	t.Parallel()
	for _, answer := range []http.HandlerFunc{with(200, "{}"), with(201, `{"id":null}`), with(204, "")} {
		c := against(t, map[string]http.HandlerFunc{"POST /v2/": answer})
		_, project := c.CreateProject(t.Context(), "T", "Reviews")
		_, folder := c.CreateFolder(t.Context(), "R", "Review")
		_, upload := c.BeginUpload(t.Context(), "F", frameio.NewFile{Name: "a.mov", Size: 5})
		for what, err := range map[string]error{"project": project, "folder": folder, "upload": upload} {
			if !rest.IsUncertain(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

// The folder that a file is still in is not its stack.
func TestAVersionThatIsNotStackedYet(t *testing.T) {
	t.Parallel()
	c := against(t, map[string]http.HandlerFunc{
		"POST /v2/assets/old/version": says(`{"id":"new","type":"file"}`),
		"GET /v2/assets/new":          says(`{"id":"new","type":"file","parent_id":"D"}`),
		"GET /v2/assets/D":            says(`{"id":"D","type":"folder"}`),
	})
	if s, err := c.AddVersion(t.Context(), "D", frameio.Asset{ID: "old", Kind: frameio.KindFile}, "new"); !rest.IsUncertain(err) {
		t.Fatalf("%+v, %v", s, err)
	}
}

// One odd member does not cost a page of files, comments or links, and none of them is skipped for it.
func TestOddMembersCostNoRow(t *testing.T) {
	t.Parallel()
	c := against(t, map[string]http.HandlerFunc{
		"GET /v2/assets/D/children": says(`[{"id":"a","type":"file","downloads":[],"user_permissions":{"can_download":"false"},"upload_completed_at":"2026-01-01T00:00:00Z"},
			{"id":"b","type":"file","creator":{"id":7,"name":"Bo"},"downloads":"none","properties":3},null,
			{"id":"c","type":"hologram"},{"id":"d","type":"box","item_count":2},{"id":"e","type":null},
			{"id":"gone","type":"file","deleted_at":"yesterday"}]`),
		"GET /v2/assets/F/comments":           says(`[{"id":"1","text":"x","anonymous_user":{"id":5,"name":"Gus"},"owner":null,"replies":2},{"id":"2","replies":{},"anonymous_user":{"id":null,"name":null},"owner":{"id":"U","name":"Sam"}},{"id":"3","deleted_at":1764547200}]`),
		"GET /v2/projects/P/presentations":    says(`[{"id":"S","enabled":"false","presentation_items":[null,{"asset":{"id":"a","type":"file"}},{"asset":{"id":"x"},"deleted_at":"2026-01-01T00:00:00Z"}]}]`),
		"GET /v2/review_links/L/items/shared": says(`[{"asset_id":"a"},{"asset_id":"b","deleted_at":"2026-01-01T00:00:00Z"},{"asset_id":"c","asset":{"id":"c","deleted_at":"2026-01-01T00:00:00Z"}}]`),
	})
	page, err := c.Children(t.Context(), "D", "")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, a := range page.Items {
		got += fmt.Sprint(a.ID, " ", a.Kind, " ", a.Original, " ", a.Uploader.ID, a.Uploader.Name, "; ")
	}
	if want := "a file forbidden ; b file never uploaded 7Bo; c file never uploaded ; d folder  ; e file never uploaded ; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	comments, err := c.Comments(t.Context(), "F", "")
	if err != nil || len(comments.Items) != 2 || comments.Items[0].Author != (frameio.Person{ID: "5", Name: "Gus", Guest: true}) || comments.Items[1].Author != (frameio.Person{ID: "U", Name: "Sam"}) {
		t.Errorf("%+v, %v", comments.Items, err)
	}
	shares, err := c.Shares(t.Context(), "P", "")
	if err != nil || len(shares.Items) != 1 || shares.Items[0].Active || len(shares.Items[0].Items) != 1 {
		t.Errorf("%+v, %v", shares.Items, err)
	}
	if got := items(t, c, frameio.Share{ID: "L", Kind: frameio.ShareReviewLink}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the link shows %v", got)
	}
}

// A share that cannot be read is not skipped in silence.
func TestARowThatIsNoShare(t *testing.T) {
	t.Parallel()
	for _, row := range []string{`{"name":"Pitch"}`, `"S"`, `{"id":{"a":1}}`} {
		c := against(t, map[string]http.HandlerFunc{"GET /v2/projects/P/presentations": says("[" + row + "]")})
		if page, err := c.Shares(t.Context(), "P", ""); !rest.IsRefused(err) {
			t.Errorf("%s: %+v, %v", row, page, err)
		}
	}
}

// A stack's versions are sorted, whatever order they come in: the cover is the newest.
func TestVersionsInAnyOrder(t *testing.T) {
	t.Parallel()
	version := func(id string, index, day int) string {
		return fmt.Sprintf(`{"id":%q,"type":"file","index":%d,"inserted_at":"2026-01-0%dT00:00:00Z"}`, id, index, day)
	}
	const want = "1 2 3"
	for name, v := range map[string]struct {
		rows  []string
		cover string
	}{
		"newest first, as seen":                 {[]string{version("3", 0, 3), version("2", 0, 2), version("1", 0, 1)}, "3"},
		"no cover":                              {[]string{version("3", 0, 3), version("2", 0, 2), version("1", 0, 1)}, ""},
		"oldest first":                          {[]string{version("1", 0, 1), version("2", 0, 2), version("3", 0, 3)}, "3"},
		"by name, places count up":              {[]string{version("1", 1, 3), version("3", 3, 1), version("2", 2, 2)}, "3"},
		"by name, places count down":            {[]string{version("1", 3, 3), version("3", 1, 1), version("2", 2, 2)}, "3"},
		"by name, all at one place":             {[]string{version("2", 0, 2), version("3", 0, 3), version("1", 0, 1)}, "3"},
		"by name, the cover was uploaded first": {[]string{version("2", 0, 3), version("3", 0, 1), version("1", 0, 2)}, "3"},
		"by name, the cover is in the middle":   {[]string{version("2", 0, 5), version("3", 0, 4), version("1", 0, 3)}, "3"},
	} {
		c := against(t, map[string]http.HandlerFunc{"GET /v2/assets/S/children": says("[" + strings.Join(v.rows, ",") + "]")})
		versions, err := c.Versions(t.Context(), frameio.Asset{ID: "S", CoverID: v.cover})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range versions {
			got = append(got, a.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Somebody adds a version while the stack is read. The one that shifts to the next page appears once.
func TestVersionsThatShift(t *testing.T) {
	t.Parallel()
	c := against(t, map[string]http.HandlerFunc{"GET /v2/assets/S/children": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("total-pages", "2")
		says(map[string]string{"1": `[{"id":"3","type":"file"},{"id":"2","type":"file"}]`, "2": `[{"id":"2","type":"file"},{"id":"1","type":"file"}]`}[r.URL.Query().Get("page")])(w, r)
	}})
	versions, err := c.Versions(t.Context(), frameio.Asset{ID: "S", CoverID: "3"})
	if err != nil || len(versions) != 3 || versions[2].ID != "3" || versions[0].ID != "1" {
		t.Fatalf("%+v, %v", versions, err)
	}
}

// Teams that come in a different order each time hide no project.
func TestTeamsInAnotherOrderEachTime(t *testing.T) {
	t.Parallel()
	calls := 0
	teams := []string{`{"id":"A"}`, `{"id":"B"}`, `{"id":"C"}`}
	routes := map[string]http.HandlerFunc{"GET /v2/teams": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("total-pages", "1")
		slices.Reverse(teams)
		calls++
		says("["+strings.Join(teams, ",")+"]")(w, r)
	}}
	for _, id := range []string{"A", "B", "C"} {
		routes["GET /v2/teams/"+id+"/projects"] = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("total-pages", "1")
			says(`[{"id":"of `+id+`"}]`)(w, r)
		}
	}
	c := against(t, routes)
	var got []string
	for p, err := range frameio.Rows(t.Context(), "list projects", c.Projects) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.ID)
	}
	if want := []string{"of A", "of B", "of C"}; !slices.Equal(got, want) || calls < 3 {
		t.Fatalf("%v after %d calls", got, calls)
	}
}

// An upload whose response has no media type keeps the one that was requested.
func TestTheMediaTypeOfAnUpload(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{`"video/mp4"`: "video/mp4", "null": "video/quicktime"} {
		c := against(t, map[string]http.HandlerFunc{"POST /v2/assets/F/children": says(`{"id":"f","filetype":` + answer + `,"upload_urls":["https://s/1","https://s/2"]}`)})
		up, err := c.BeginUpload(t.Context(), "F", frameio.NewFile{Name: "a.mov", MediaType: "video/quicktime", Size: 5})
		sizes, _ := json.Marshal([]int64{up.Parts[0].Size, up.Parts[1].Size})
		if err != nil || up.MediaType != want || string(sizes) != "[3,2]" {
			t.Errorf("%+v, %v", up, err)
		}
	}
}
