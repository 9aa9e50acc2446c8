package plan

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/mapping"
)

// passing are settings that change whenever somebody looks at a share. They are written only when something else has changed.
var passing = []string{"last_viewed_at", "view_count", "updated_at"}

// ShareFields returns a share's dates and settings. counted leaves out what changes whenever somebody looks at it.
func ShareFields(s frameio.Share) (fields, counted map[string]string, err error) {
	settings := map[string]any{"kind": s.Kind, "url": s.URL, "active": s.Active, "owner": map[string]string{"name": s.Owner.Name, "email": s.Owner.Email}, "settings": s.Settings}
	if !s.ExpiresAt.IsZero() {
		settings["expires_at"] = s.ExpiresAt.UTC().Format(time.RFC3339)
	}
	encode := func() (map[string]string, error) {
		encoded, err := json.Marshal(settings)
		out := map[string]string{"framebridge_source_id": s.ID, "framebridge_source_url": s.URL, "framebridge_settings": string(encoded)}
		if !s.CreatedAt.IsZero() {
			out["framebridge_created_at"] = s.CreatedAt.UTC().Format(time.RFC3339)
		}
		return out, err
	}
	if fields, err = encode(); err != nil {
		return nil, nil, err
	}
	lasting := maps.Clone(s.Settings)
	for _, name := range passing {
		delete(lasting, name)
	}
	settings["settings"] = lasting
	counted, err = encode()
	return fields, counted, err
}

// ShareKey returns a key that is unique among all kinds of shares.
func ShareKey(s frameio.Share) string { return string(s.Kind) + ":" + s.ID }

// ShareAsListed returns a fingerprint of a share as the list of shares shows it, which does not say who was invited.
func ShareAsListed(s frameio.Share) (string, error) {
	_, counted, err := ShareFields(s)
	return mapping.FieldsHash(counted), err
}
