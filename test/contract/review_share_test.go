package contract

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// toShare is a review whose file is ready in Frame.io, and which is not shared yet.
func toShare(t *testing.T, generation, title string) (*chaos, workflows.ReviewRef) {
	t.Helper()
	c, ref := openReview(t, generation, 0)
	row := c.row()
	for _, s := range c.frameio.Shares(row.ProjectID) {
		c.frameio.EditShare(s.ID, func(s *frameiosim.Share) { now := time.Now(); s.Deleted = &now })
	}
	c.update(func(r *ledger.Review) { r.Status, r.ShareID, r.Title = ledger.ReviewSending, "", title })
	return c, ref
}

func tenantOf(c *chaos) *config.Tenant {
	tenant, _ := c.config.Tenant(tenantID)
	return tenant
}

func (c *chaos) update(change func(*ledger.Review)) {
	_, err := c.book.Tenant(tenantID).Review(c.id()).Update(c.t.Context(), change)
	require.NoError(c.t, err)
}

func (c *chaos) shares() []frameiosim.Share { return c.frameio.Shares(c.row().ProjectID) }

func (c *chaos) field(name string) string { return c.iconik.Values("assets", c.asset)[name] }

// watch notes every moment in which a link of the review shows something without the watermark.
func (c *chaos) watch() *[]string {
	var mu sync.Mutex
	bare := &[]string{}
	require.NoError(c.t, c.frameio.AddFault(faults.Fault{Match: ".", Do: func() {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range c.shares() {
			if !s.Inactive && !s.Watermark && len(s.Items) > 0 {
				*bare = append(*bare, s.ID)
			}
		}
	}}))
	return bare
}

// Where a watermark is required nothing is public for a moment without it, and the vendor's own reason is told.
func TestNothingIsPublicWithoutItsWatermark(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set      func(*frameiosim.Options)
		attested bool
		problem  string
	}{
		"it is there":     {func(o *frameiosim.Options) { o.Watermark = true }, false, ""},
		"it is not set":   {func(o *frameiosim.Options) { o.Watermark = false }, false, "did not turn on the link's watermark"},
		"it is refused":   {func(o *frameiosim.Options) { o.Policy.NoWatermark = "Watermarking needs the Prime add-on" }, false, "Watermarking needs the Prime add-on"},
		"an older server": {func(o *frameiosim.Options) { o.Shares = frameiosim.Shares202607 }, false, "does not report"},
		"somebody's word": {func(o *frameiosim.Options) { o.Shares = frameiosim.Shares202607 }, true, ""},
		"a word too far":  {func(o *frameiosim.Options) { o.Watermark = false }, true, "did not turn on the link's watermark"},
		"refused, a word": {func(o *frameiosim.Options) { o.Policy.NoWatermark = "No watermark for you" }, true, "No watermark for you"},
	} {
		t.Run(name, func(t *testing.T) {
			c, ref := toShare(t, "v4", "Take")
			tenantOf(c).Review.Attested = tt.attested
			c.frameio.Change(tt.set)
			bare := c.watch()
			_, err := c.acts.Review.ShareReview(t.Context(), ref)
			if tt.problem == "" {
				require.NoError(t, err)
				require.Len(t, c.shares(), 1)
				s := c.shares()[0]
				assert.False(t, s.Inactive)
				assert.Equal(t, []string{c.file}, s.Items)
				assert.Len(t, c.frameio.Mails(), 1)
			} else {
				require.ErrorContains(t, err, tt.problem)
				assert.Empty(t, c.frameio.Mails())
				for _, s := range c.shares() {
					assert.True(t, s.Inactive, "no link is on")
				}
			}
			if tt.attested && tt.problem == "" {
				return // it is somebody's word, and Frame.io shows none
			}
			assert.Empty(t, *bare)
		})
	}
}

// Where it is preferred, the review, its mail and its asset say that there is none, and no longer once there is one.
func TestAReviewWithoutItsPreferredWatermarkSaysSo(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := toShare(t, generation, "Take")
			tenantOf(c).Review.Watermark = "preferred"
			c.frameio.Change(func(o *frameiosim.Options) {
				o.Watermark, o.Policy.NoWatermark = false, "Watermarking needs the Prime add-on"
			})
			shared, err := c.acts.Review.ShareReview(t.Context(), ref)
			require.NoError(t, err)
			assert.Equal(t, 1, shared.Unwatermarked)
			require.NoError(t, c.acts.Review.PublishReview(t.Context(), ref))
			assert.Contains(t, c.notes(), "No watermark", "which its mail has, too")
			assert.Contains(t, c.field("framebridge_review_error"), "No watermark")
			assert.Equal(t, "open", c.field("framebridge_review_status"))
			if generation != "v4" {
				return
			}
			assert.Contains(t, c.notes(), "Prime add-on")
			c.frameio.EditShare(c.row().ShareID, func(s *frameiosim.Share) { s.Watermark = true })
			require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
			assert.Empty(t, c.field("framebridge_review_error"))
		})
	}
}

// What an account's plan and policy allow decides what the link is like; a review fails only where it would be less closed
// than it must be.
func TestAGovernedAccountIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		access, generation string
		policy             frameiosim.Policy
		change             func(*ledger.Review)
		want               string // public or secure; "" for none
		says               string
	}{
		"auto, all allowed":       {"auto", "v4", frameiosim.Policy{}, nil, "public", ""},
		"auto, no public links":   {"auto", "v4", frameiosim.Policy{SecureOnly: true}, nil, "secure", "allows no public links"},
		"auto, neither":           {"auto", "v4", frameiosim.Policy{SecureOnly: true, NoSecure: true}, nil, "", "Public shares are not allowed"},
		"public, none allowed":    {"public", "v4", frameiosim.Policy{SecureOnly: true}, nil, "", "review.access"},
		"secure":                  {"secure", "v4", frameiosim.Policy{}, nil, "secure", ""},
		"secure, not in the plan": {"secure", "v4", frameiosim.Policy{NoSecure: true}, nil, "", "not part of your plan"},
		"secure, legacy":          {"secure", "legacy", frameiosim.Policy{}, nil, "secure", ""},
		"passphrase forced":       {"auto", "v4", frameiosim.Policy{Passphrase: true}, nil, "public", "requires a passphrase"},
		"downloads off":           {"auto", "v4", frameiosim.Policy{Downloads: "off"}, func(r *ledger.Review) { r.Download = true }, "public", "cannot download"},
		"downloads refused":       {"auto", "v4", frameiosim.Policy{Downloads: "refused"}, func(r *ledger.Review) { r.Download = true }, "public", "Downloads are disabled"},
		"forensic":                {"auto", "v4", frameiosim.Policy{Forensic: true, DRM: true}, func(r *ledger.Review) { r.Forensic, r.DRM = true, true }, "public", ""},
		"forensic, not offered":   {"auto", "v4", frameiosim.Policy{}, func(r *ledger.Review) { r.Forensic = true }, "", "Forensic watermarking is not enabled"},
		"DRM, not offered":        {"auto", "v4", frameiosim.Policy{}, func(r *ledger.Review) { r.DRM = true }, "", "DRM is not enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			c, ref := toShare(t, tt.generation, "Take")
			tenantOf(c).Review.Access = tt.access
			if tt.generation == "legacy" {
				tenantOf(c).Review.Watermark = "off"
			}
			c.frameio.Change(func(o *frameiosim.Options) { o.Policy = tt.policy })
			if tt.change != nil {
				c.update(tt.change)
			}
			_, err := c.acts.Review.ShareReview(t.Context(), ref)
			if tt.want == "" {
				require.ErrorContains(t, err, tt.says)
				assert.Empty(t, c.frameio.Mails())
				assert.Empty(t, c.shares())
				return
			}
			require.NoError(t, err)
			require.Len(t, c.shares(), 1)
			s := c.shares()[0]
			assert.Equal(t, tt.want == "secure", s.Secure)
			assert.Equal(t, tt.want, c.row().Access)
			assert.False(t, s.Inactive)
			assert.Equal(t, []string{"rita@client.example"}, s.Reviewers, "invited")
			assert.Equal(t, [2]bool{c.row().Forensic, c.row().DRM}, [2]bool{s.Forensic, s.DRM})
			if tt.says != "" {
				assert.Contains(t, c.notes(), tt.says)
				assert.NotContains(t, c.notes(), s.Password+"x")
			} else {
				assert.Empty(t, c.notes())
			}
		})
	}
}

// Who is not among the people of a secure link cannot open it: that is told.
func TestThePeopleOfASecureLinkAreReadBack(t *testing.T) {
	t.Parallel()
	c, ref := toShare(t, "v4", "Take")
	tenantOf(c).Review.Access = "secure"
	require.NoError(t, c.frameio.AddFault(faults.Fault{Match: "^GET .*reviewers", Do: func() {
		for _, s := range c.shares() {
			c.frameio.EditShare(s.ID, func(s *frameiosim.Share) { s.Reviewers = nil })
		}
	}}))
	_, err := c.acts.Review.ShareReview(t.Context(), ref)
	require.ErrorContains(t, err, "does not list all people")
	assert.Equal(t, "secure", c.row().Access)
	assert.Len(t, c.frameio.Mails(), 1)
}

// A link is known by what it shows, not by its title, which is the sender's: one whose answer was lost is found again, also
// beside others of the same title, and one of before by the id in its title.
func TestALinkWhoseAnswerWasLostIsFoundByWhatItShows(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		for _, older := range []bool{false, true} {
			t.Run(fmt.Sprint(generation, "/", older), func(t *testing.T) {
				c, ref := toShare(t, generation, "Take")
				tenantOf(c).Review.Watermark = "off"
				other, err := c.frameio.AddFile(c.root, frameiosim.File{Name: "Other.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250})
				require.NoError(t, err)
				project := c.row().ProjectID
				c.frameio.AddShare(frameiosim.Share{Kind: "review_link", ProjectID: project, Name: "Take", Items: []string{other.ID}})
				known := c.frameio.AddShare(frameiosim.Share{Kind: "review_link", ProjectID: project, Name: "Take", Items: []string{c.file}})
				require.NoError(t, c.book.Tenant(tenantID).Complete(t.Context(), ledger.LinkReviewShare, "another-review", known.ID, ""))
				want := ""
				if older {
					want = c.frameio.AddShare(frameiosim.Share{Kind: "review_link", ProjectID: project, Name: "Take · " + reviewID[:8], Items: []string{c.file}}).ID
					_, _, err := c.book.Tenant(tenantID).Intend(t.Context(), ledger.Link{Kind: ledger.LinkReviewShare, SourceID: reviewID, Archive: reviewID, IntendedAt: time.Now()})
					require.NoError(t, err)
				} else {
					require.NoError(t, c.frameio.AddFault(faults.Fault{Match: "^POST .*(shares|review_links)$", Times: 1, Lose: true}))
				}
				for range 3 {
					if _, err = c.acts.Review.ShareReview(t.Context(), ref); err == nil {
						break
					}
				}
				require.NoError(t, err)
				assert.Len(t, c.shares(), 3, "none is made twice")
				if older {
					assert.Equal(t, want, c.row().ShareID)
				}
				for _, s := range c.shares() {
					if s.ID == c.row().ShareID {
						assert.Equal(t, []string{c.file}, s.Items)
						assert.Equal(t, older && generation == "v4", strings.Contains(s.Name, reviewID[:8]), "reviewers see no id of ours")
					}
				}
			})
		}
	}
}

// What stops a send twice stands on the review, its job and its asset, and goes once the send goes on.
func TestWhatStopsASendIsShown(t *testing.T) {
	t.Parallel()
	c, ref := toShare(t, "v4", "Take")
	ick, err := iconik.New(tenantOf(c).Iconik)
	require.NoError(t, err)
	made, err := ick.Jobs.Create(t.Context(), iconik.JobRequest{Title: "Review in Frame.io: Take", Type: "CUSTOM", Status: "STARTED", ObjectType: "assets", ObjectID: c.asset})
	require.NoError(t, err)
	c.update(func(r *ledger.Review) { r.JobID = made.ID })
	job := func() iconik.Job {
		j, err := ick.Jobs.Get(t.Context(), made.ID)
		require.NoError(t, err)
		return *j
	}
	require.NoError(t, c.frameio.AddFault(faults.Fault{Match: "^POST .*shares$", Times: 100, Status: http.StatusBadGateway}))
	share := func() error {
		_, err := c.acts.Review.ShareReview(t.Context(), ref)
		return err
	}
	require.Error(t, share())
	assert.Empty(t, c.row().Reason, "once is no pattern")
	require.Error(t, share())
	for where, text := range map[string]string{"review": c.row().Reason, "asset": c.field("framebridge_review_error"), "job": job().Message} {
		assert.Contains(t, text, "502", where)
	}
	require.Error(t, share())
	c.frameio.ClearFaults()
	require.NoError(t, share())
	assert.Empty(t, c.row().Reason)
	assert.Empty(t, c.field("framebridge_review_error"))
	require.NoError(t, c.acts.Review.PublishReview(t.Context(), ref))
	is := job()
	assert.Equal(t, "STARTED", is.Status, "an open review is not done")
	assert.Contains(t, is.Message, "Open until "+c.row().ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"))
	later := c.row().ExpiresAt.Add(24 * time.Hour)
	require.NoError(t, c.acts.Review.ExtendReview(t.Context(), workflows.ExtendInput{ReviewRef: ref, ExpiresAt: later}))
	assert.Contains(t, job().Message, later.UTC().Format("2006-01-02 15:04 UTC"))
	_, err = c.acts.Review.EndReview(t.Context(), workflows.EndReviewInput{ReviewRef: ref, Status: "stopped"})
	require.NoError(t, err)
	assert.Equal(t, "FINISHED", job().Status)
	assert.True(t, strings.HasPrefix(job().Message, "The review was stopped."))
}

// Somebody who makes a secure link public, or changes its expiry, is noticed, each once and whatever else they change.
func TestWhatSomebodyChangesOnTheLinkIsTold(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	full := workflows.SyncInput{ReviewRef: ref, Full: true}
	c.frameio.EditShare(c.row().ShareID, func(s *frameiosim.Share) { s.Secure = true })
	c.update(func(r *ledger.Review) { r.Access = "secure" })
	require.NoError(t, c.sync(full, 0))
	assert.Empty(t, c.notes())
	later := time.Now().Add(48 * time.Hour)
	c.frameio.EditShare(c.row().ShareID, func(s *frameiosim.Share) { s.Secure, s.ExpiresAt = false, &later })
	for range 3 {
		require.NoError(t, c.sync(full, 0))
	}
	require.Len(t, c.row().Notes, 2, c.notes())
	assert.Contains(t, c.notes(), "Someone made the review link public")
	assert.Contains(t, c.notes(), "Someone changed the review link's expiry in Frame.io to "+later.UTC().Format("2006-01-02 15:04 UTC"))
	assert.False(t, c.shares()[0].Inactive, "what somebody does stands")
}
