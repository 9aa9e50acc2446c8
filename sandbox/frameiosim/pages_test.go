package frameiosim

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noObjects is a store that only accepts files.
type noObjects struct{ Objects }

func (noObjects) Put(string, string, string, []byte) error  { return nil }
func (noObjects) Head(string, string) (int64, string, bool) { return 0, "", false }
func (noObjects) Get(string, string) ([]byte, error)        { return nil, nil }
func (noObjects) Presign(string, string, string, url.Values, map[string]string, time.Duration) string {
	return ""
}

const hostile = `"><script>alert('x')</script>`

// open serves a simulator with one file in a link. All names are what an attacker would choose.
func open(t *testing.T, password string) (*Sim, *Share, *Asset, *http.Client, string) {
	t.Helper()
	s, err := New(Options{Token: "t", Objects: noObjects{}, Signer: noObjects{}})
	require.NoError(t, err)
	project := s.AddProject(s.AddTeam(hostile).ID, hostile)
	file, err := s.AddFile(project.RootID, File{Name: hostile, Type: "video/quicktime", Body: []byte("x"), FPS: 25, Frames: 75})
	require.NoError(t, err)
	share := s.AddShare(Share{Kind: "review_link", ProjectID: project.ID, Name: hostile, Items: []string{file.ID}, Password: password})
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return s, share, file, &http.Client{Jar: jar}, server.URL
}

func read(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(raw)
}

func TestWhatPeopleWriteIsText(t *testing.T) {
	s, share, file, c, at := open(t, "")
	_, err := c.PostForm(at+"/review/"+share.ID+"/comment", url.Values{"file": {file.ID}, "name": {hostile}, "email": {hostile}, "text": {hostile},
		"shapes": {`[{"tool":"rect","color":"\"><script>alert('x')</script>","points":[[0.1,0.1],[0.5,0.5]]}]`}})
	require.NoError(t, err)
	s.Say(Comment{AssetID: file.ID, Text: hostile, Annotation: `[{"tool":"line","color":"\"><script>alert('x')</script>","x1":0,"y1":0,"x2":1,"y2":1}]`})
	for _, page := range []string{"/", "/review/" + share.ID} {
		body := read(t, c, at+page)
		assert.Contains(t, body, "alert(")
		assert.NotContains(t, body, "<script>alert", page)
	}
	assert.Contains(t, read(t, c, at+"/review/"+share.ID), `aria-label="drawing: rect"`)
}

func TestAReviewersPageOpensAndCloses(t *testing.T) {
	s, share, file, c, at := open(t, "open sesame; 1")
	page := at + "/review/" + share.ID
	say := func() int {
		resp, err := c.PostForm(page+"/comment", url.Values{"file": {file.ID}, "text": {"hello"}, "name": {"Rita"}, "email": {"rita@client.example"}})
		require.NoError(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	assert.NotContains(t, read(t, c, page), "c-"+file.ID, "shown without the passphrase")
	assert.Equal(t, http.StatusForbidden, say())
	_, err := c.PostForm(page+"/enter", url.Values{"passphrase": {"open"}})
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, say())
	_, err = c.PostForm(page+"/enter", url.Values{"passphrase": {"open sesame; 1"}})
	require.NoError(t, err)
	assert.Contains(t, read(t, c, page), "c-"+file.ID)
	assert.Equal(t, http.StatusOK, say())
	past := time.Now().Add(-time.Second)
	s.EditShare(share.ID, func(sh *Share) { sh.ExpiresAt, sh.Inactive = &past, true })
	assert.Contains(t, read(t, c, page), "This link has expired.")
	assert.Equal(t, http.StatusForbidden, say())
	assert.Len(t, s.CommentsOf(file.ID), 1)
}
