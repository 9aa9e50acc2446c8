package contract

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	adapter "github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/samples"
)

// TestThePort holds every generation to the port's contract, on the simulators. With FRAMEBRIDGE_CONFORM_TOKEN (and
// _GENERATION, _BASE_URL, _ACCOUNT, _WORKSPACE) it runs against the real Frame.io, too, in a project that it deletes from.
func TestThePort(t *testing.T) {
	t.Parallel()
	for _, generation := range []string{"legacy", "v4"} {
		t.Run(generation, func(t *testing.T) {
			store, err := s3sim.New(s3sim.Options{AccessKey: "key", SecretKey: "secret-of-the-store"})
			require.NoError(t, err)
			objects := httptest.NewServer(store)
			t.Cleanup(objects.Close)
			sim, err := frameiosim.New(frameiosim.Options{Token: token, Objects: store, Signer: store.Presigner(objects.URL), Generation: generation, Watermark: true, PartSize: 1 << 10,
				ClientID: "client", ClientSecret: "client-secret"})
			require.NoError(t, err)
			srv := httptest.NewServer(sim.Handler())
			t.Cleanup(srv.Close)
			sim.AddTeam("Conformance")
			cfg := config.Frameio{Generation: generation, BaseURL: srv.URL, Token: token}
			if generation == "v4" {
				cfg.IMS = config.IMS{TokenURL: srv.URL + "/ims/token/v3", ClientID: "client", ClientSecret: "client-secret"}
			}
			conform(t, cfg)
		})
	}
	if secret := os.Getenv("FRAMEBRIDGE_CONFORM_TOKEN"); secret != "" {
		t.Run("real", func(t *testing.T) {
			conform(t, config.Frameio{Generation: os.Getenv("FRAMEBRIDGE_CONFORM_GENERATION"), BaseURL: os.Getenv("FRAMEBRIDGE_CONFORM_BASE_URL"), Token: config.Secret(secret),
				AccountID: os.Getenv("FRAMEBRIDGE_CONFORM_ACCOUNT"), Workspace: os.Getenv("FRAMEBRIDGE_CONFORM_WORKSPACE")})
		})
	}
}

func conform(t *testing.T, cfg config.Frameio) {
	p, err := adapter.Platform(&config.Tenant{ID: tenantID, Frameio: cfg}, nil, nil)
	require.NoError(t, err)
	ctx := t.Context()
	caps := p.Capabilities()

	me, err := p.Me(ctx)
	require.NoError(t, err)
	assert.NotEmpty(t, me.ID)
	ws, err := p.Workspace(ctx, cfg.Workspace)
	require.NoError(t, err)
	_, err = p.Workspace(ctx, "there is no such workspace")
	assert.Equal(t, rest.Permanent, rest.ClassOf(err), "an unknown workspace is the configuration's fault: %v", err)
	made, err := p.CreateProject(ctx, ws.ID, "Conformance "+time.Now().UTC().Format(time.RFC3339))
	require.NoError(t, err)
	project, err := p.Project(ctx, made.ID)
	require.NoError(t, err)
	assert.Equal(t, made.Name, project.Name)
	assert.Equal(t, ws.ID, project.Team.ID)
	assert.NotEmpty(t, project.Team.Name)
	assert.NotEmpty(t, project.RootID)
	_, err = p.Project(ctx, "00000000-0000-4000-8000-000000000000")
	assert.True(t, rest.IsNotFound(err), "%v", err)

	folder, err := p.CreateFolder(ctx, project.RootID, "Folder")
	require.NoError(t, err)
	assert.Equal(t, frameio.KindFolder, folder.Kind)
	first := upload(t, p, folder.ID, "Take 1.mov", samples.Media("25.mov"))
	assert.Equal(t, "Take 1.mov", first.Name)
	assert.Equal(t, int64(len(samples.Media("25.mov"))), first.Size)
	assert.Equal(t, frameio.ClassStream, first.Class)
	assert.True(t, first.FrameRate.Den > 0 || first.FrameRate.Num == 0)
	if caps.WatermarkOnFiles {
		assert.Equal(t, frameio.WatermarkOn, first.Watermark)
	}
	page, err := p.Children(ctx, folder.ID, "")
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	assert.Equal(t, first.ID, page.Items[0].ID)
	m, err := p.Media(ctx, first.ID, frameio.RenditionProxy, true)
	require.NoError(t, err)
	assert.NotEmpty(t, m.URL)

	second := upload(t, p, folder.ID, "Take 2.mov", samples.Media("30.mov"))
	stack, err := p.AddVersion(ctx, folder.ID, first, second.ID)
	require.NoError(t, err)
	assert.Equal(t, frameio.KindStack, stack.Kind)
	third := upload(t, p, folder.ID, "Take 3.mov", samples.Media("30.mov"))
	again, err := p.AddVersion(ctx, folder.ID, stack, third.ID)
	require.NoError(t, err)
	assert.Equal(t, stack.ID, again.ID, "a third version goes onto the same stack")
	stack, err = p.Asset(ctx, stack.ID)
	require.NoError(t, err)
	versions, err := p.Versions(ctx, stack)
	require.NoError(t, err)
	var order []string
	for _, v := range versions {
		order = append(order, v.ID)
	}
	assert.Equal(t, []string{first.ID, second.ID, third.ID}, order, "oldest first")

	comments(t, ctx, p, third.ID, me)
	labels(t, ctx, p, project.ID, third.ID)
	shares(t, ctx, p, project.ID, stack.ID)

	for _, a := range []frameio.Asset{first, second, third} {
		require.NoError(t, p.Delete(ctx, a))
		require.NoError(t, p.Delete(ctx, a), "what is gone is no error")
		_, err := p.Asset(ctx, a.ID)
		assert.True(t, rest.IsNotFound(err), "%v", err)
	}
	require.NoError(t, p.Delete(ctx, stack))
	require.NoError(t, p.Delete(ctx, folder))
}

func upload(t *testing.T, p frameio.Platform, folder, name string, body []byte) frameio.Asset {
	t.Helper()
	up, err := p.BeginUpload(t.Context(), folder, frameio.NewFile{Name: name, Size: int64(len(body))})
	require.NoError(t, err)
	rest := bytes.NewReader(body)
	for _, part := range up.Parts {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, part.URL, io.LimitReader(rest, part.Size))
		require.NoError(t, err)
		req.ContentLength = part.Size
		req.Header.Set("Content-Type", up.MediaType)
		req.Header.Set("x-amz-acl", "private")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
	assert.Zero(t, rest.Len(), "the parts cover the file")
	var a frameio.Asset
	require.Eventually(t, func() bool {
		a, err = p.Asset(t.Context(), up.FileID)
		return err == nil && a.Ready
	}, 5*time.Minute, 50*time.Millisecond)
	return a
}

func comments(t *testing.T, ctx context.Context, p frameio.Platform, file string, me frameio.User) {
	t.Helper()
	frame := int64(12)
	drawing := `[{"tool":"rect","color":"#E74A3C","size":4,"x":0.1,"y":0.2,"w":0.3,"h":0.25,"radius":4}]`
	c, err := p.CreateComment(ctx, file, frameio.NewComment{Text: "a range", Frame: &frame, Frames: 5, Annotation: drawing})
	require.NoError(t, err)
	read := func(id string) (frameio.Comment, bool) {
		page, err := p.Comments(ctx, file, "")
		require.NoError(t, err)
		for _, x := range page.Items {
			if x.ID == id {
				return x, true
			}
		}
		return frameio.Comment{}, false
	}
	got, ok := read(c.ID)
	require.True(t, ok)
	assert.Equal(t, "a range", got.Text)
	assert.Equal(t, frame, *got.Frame)
	assert.Equal(t, int64(5), got.Frames)
	assert.JSONEq(t, drawing, got.Annotation)
	assert.Equal(t, me.ID, got.Author.ID)
	assert.False(t, got.Completed)
	text, done, moved := "edited", true, int64(20)
	require.NoError(t, p.UpdateComment(ctx, c.ID, frameio.CommentChange{Text: &text, Completed: &done, Time: &frameio.CommentTime{Frame: &moved}}))
	got, _ = read(c.ID)
	assert.Equal(t, "edited", got.Text)
	assert.True(t, got.Completed)
	assert.Equal(t, moved, *got.Frame)
	assert.LessOrEqual(t, got.Frames, int64(1))
	undone := false
	require.NoError(t, p.UpdateComment(ctx, c.ID, frameio.CommentChange{Completed: &undone}))
	got, _ = read(c.ID)
	assert.False(t, got.Completed)
	reply, err := p.CreateComment(ctx, file, frameio.NewComment{Text: "a reply", ParentID: c.ID})
	if p.Capabilities().CreateReplies {
		require.NoError(t, err)
		got, _ = read(reply.ID)
		assert.Equal(t, c.ID, got.ParentID)
	} else {
		assert.Equal(t, rest.Unsupported, rest.ClassOf(err))
	}
	one, err := p.Comment(ctx, c.ID)
	require.NoError(t, err)
	assert.Equal(t, file, one.FileID)
	require.NoError(t, p.DeleteComment(ctx, c.ID))
	require.NoError(t, p.DeleteComment(ctx, c.ID), "what is gone is no error")
	_, ok = read(c.ID)
	assert.False(t, ok)
	_, err = p.Comment(ctx, c.ID)
	assert.True(t, rest.IsNotFound(err), "%v", err)
}

func labels(t *testing.T, ctx context.Context, p frameio.Platform, project, file string) {
	t.Helper()
	all, err := p.Labels(ctx, file)
	require.NoError(t, err)
	assert.Subset(t, all, []string{"needs_review", "approved"})
	for _, label := range []string{"approved", "needs_review", "needs_review", "none"} {
		require.NoError(t, p.SetLabel(ctx, project, file, label))
		is, err := p.Asset(ctx, file)
		require.NoError(t, err)
		assert.Equal(t, label, is.Label)
	}
	assert.Error(t, p.SetLabel(ctx, project, file, "no such status"))
	assert.True(t, rest.IsNotFound(p.SetLabel(ctx, project, "00000000-0000-4000-8000-000000000000", "approved")))
}

func shares(t *testing.T, ctx context.Context, p frameio.Platform, project, asset string) {
	t.Helper()
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	s, err := p.CreateShare(ctx, project, frameio.NewShare{Name: "Conformance", AssetIDs: []string{asset}, ExpiresAt: expires, Passphrase: "open sesame", Watermark: true})
	require.NoError(t, err)
	assert.NotEmpty(t, s.URL)
	s, err = p.ShareByID(ctx, s.ID)
	require.NoError(t, err)
	assert.True(t, s.Active)
	assert.WithinDuration(t, expires, s.ExpiresAt, time.Second)
	assert.NotContains(t, s.Settings, "passphrase")
	require.NoError(t, p.AddToShare(ctx, s.ID, []string{asset}))
	items, err := p.ShareItems(ctx, s, "")
	require.NoError(t, err)
	assert.Len(t, items.Items, 1, "an asset that is shared already is not added again")
	require.NoError(t, p.Invite(ctx, s.ID, []string{"rita@client.example"}, "Please look", nil))
	who, err := p.Reviewers(ctx, s.ID)
	require.NoError(t, err)
	assert.Equal(t, map[frameio.Generation]int{frameio.Legacy: 1, frameio.V4: -1}[p.Generation()], who.Count, "V4's public shares do not tell")
	later, off := expires.Add(time.Hour), false
	require.NoError(t, p.UpdateShare(ctx, s.ID, frameio.ShareChange{Name: s.Name, ExpiresAt: &later}))
	require.NoError(t, p.UpdateShare(ctx, s.ID, frameio.ShareChange{Name: s.Name, Active: &off}))
	s, err = p.ShareByID(ctx, s.ID)
	require.NoError(t, err)
	assert.True(t, !s.Active || s.ExpiresAt.Before(time.Now().Add(time.Second)), "the share is shut")
	list, err := p.Shares(ctx, project, "")
	require.NoError(t, err)
	for list.Next != "" && len(list.Items) == 0 {
		list, err = p.Shares(ctx, project, list.Next)
		require.NoError(t, err)
	}
	require.Len(t, list.Items, 1)
	assert.Equal(t, s.ID, list.Items[0].ID)
}
