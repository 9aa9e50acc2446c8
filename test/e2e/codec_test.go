//go:build integration

package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	visit "go.temporal.io/api/proxy"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/temporalclient"
)

// TestNothingIsReadableInTemporal reads whole histories of an archive and a review from a real server. With temporal.codec.keys they tell an administrator of Temporal nothing about people, names and links.
func TestNothingIsReadableInTemporal(t *testing.T) {
	const key = "a codec key that is kept by a test"
	t.Setenv("FRAMEBRIDGE_TEMPORAL_CODEC_KEYS", `["`+key+`"]`)
	o := options(t)
	o.Review = map[string]string{"retention": "2s", "warn_before": "1s"}
	s := openHarbour(t, o)
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, ended)
	asset := s.asset("Interview A.mov")
	r := s.sendReview(form(map[string][]string{"framebridge_title": {"Rough cut for Kim"}, "framebridge_passphrase": {"open-sesame-4711"}}), asset)
	r = s.reviewIs(r.ID, "open")
	s.Frameio.Say(frameiosim.Comment{AssetID: r.Assets[0].FileID, Text: "Darker here", Timestamp: frames(50), Guest: &frameiosim.User{ID: "guest-1", Name: "Rita", Email: "rita@client.example"}})
	s.soon("the comment is in iconik", func() bool { return len(s.Iconik.Segments(asset)) == 1 })
	s.call("POST", "/reviews/"+r.ID+"/stop", nil, nil)
	s.reviewIs(r.ID, "deleted")

	secrets := []string{"rita@client.example", "rob@client.example", "Harbour Lights", "Interview A", "Rough cut for Kim", "open-sesame", "Please look", "Darker here", r.ShareURL}
	codec, err := temporalclient.NewCodec(config.Codec{Keys: []config.Secret{key}})
	require.NoError(t, err)
	readable := map[string]bool{}
	all := s.histories()
	require.Greater(t, len(all), 3)
	for name, h := range all {
		raw, err := protojson.Marshal(h)
		require.NoError(t, err)
		visible := string(raw) + payloads(t, h)
		for _, secret := range secrets {
			assert.NotContains(t, visible, secret, name)
		}
		require.NoError(t, visit.VisitPayloads(t.Context(), h, visit.VisitPayloadsOptions{SkipSearchAttributes: true, Visitor: func(_ *visit.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return codec.Decode(all)
		}}))
		plain := payloads(t, h)
		for _, secret := range secrets {
			readable[secret] = readable[secret] || strings.Contains(plain, secret)
		}
	}
	assert.True(t, readable["Harbour Lights"], "with the key it can be read: %v", readable)
	assert.True(t, readable["Rough cut for Kim"])
}

// payloads returns a history's payloads and failures as text.
func payloads(t *testing.T, m *historypb.History) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, visit.VisitPayloads(t.Context(), m, visit.VisitPayloadsOptions{Visitor: func(_ *visit.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
		for _, p := range all {
			b.Write(p.GetData())
			b.WriteByte('\n')
		}
		return all, nil
	}}))
	require.NoError(t, visit.VisitFailures(t.Context(), m, visit.VisitFailuresOptions{Visitor: func(_ *visit.VisitFailuresContext, f *failurepb.Failure) error {
		b.WriteString(f.GetMessage() + f.GetStackTrace() + "\n")
		return nil
	}}))
	return b.String()
}
