package iconiksim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"
)

// What people and their tools do in iconik, for tests and for the sandbox's samples.

// api calls the simulator's own API as the service would.
func (s *Sim) api(method, path string, body, out any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	path, query, _ := strings.Cut(path, "?")
	req := httptest.NewRequest(method, "/API/"+strings.TrimRight(path, "/")+"?"+query, bytes.NewReader(raw))
	req.Header.Set("App-ID", s.o.AppID)
	req.Header.Set("Auth-Token", s.o.Token)
	rec := httptest.NewRecorder()
	s.mux.ServeHTTP(rec, req)
	if rec.Code >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	if out == nil || rec.Body.Len() == 0 {
		return nil
	}
	return json.Unmarshal(rec.Body.Bytes(), out)
}

// AddAsset ingests a file with its proxy, as a person would, into a collection, or into none if collection is "". It returns the asset's id.
func (s *Sim) AddAsset(title, collection string, body []byte) (string, error) {
	var asset struct {
		ID string `json:"id"`
	}
	query := ""
	create := map[string]any{"title": title, "type": "ASSET"}
	if collection != "" {
		create["collection_id"], query = collection, "?assign_to_collection=true"
	}
	if err := s.api(http.MethodPost, "assets/v1/assets/"+query, create, &asset); err != nil {
		return "", err
	}
	return asset.ID, s.AddBytes(asset.ID, title, body)
}

// AddBytes adds the original and the proxy of an asset's current version.
func (s *Sim) AddBytes(asset, name string, body []byte) error {
	var storage, format, set, file struct {
		ID string `json:"id"`
	}
	base := "files/v1/assets/" + asset + "/"
	if err := s.api(http.MethodGet, "files/v1/storages/matching/FILES/", nil, &storage); err != nil {
		return err
	}
	if err := s.api(http.MethodPost, base+"formats/", map[string]any{"name": "ORIGINAL", "user_id": s.ServiceUser(), "metadata": []any{map[string]any{"internet_media_type": "video/quicktime"}}}, &format); err != nil {
		return err
	}
	if err := s.api(http.MethodPost, base+"file_sets/", map[string]any{"name": name, "format_id": format.ID, "storage_id": storage.ID, "base_dir": "Samples", "component_ids": []string{}}, &set); err != nil {
		return err
	}
	if err := s.api(http.MethodPost, base+"files/", map[string]any{"original_name": name, "directory_path": "Samples", "size": len(body), "type": "FILE", "format_id": format.ID,
		"file_set_id": set.ID, "storage_id": storage.ID}, &file); err != nil {
		return err
	}
	s.mu.Lock()
	d, _ := s.get(kFile, file.ID)
	bucket, key := s.object(d)
	s.mu.Unlock()
	if err := s.o.Objects.Put(bucket, key, "application/octet-stream", body); err != nil {
		return err
	}
	if err := s.api(http.MethodPatch, base+"files/"+file.ID+"/", map[string]any{"status": "CLOSED", "progress_processed": 100}, nil); err != nil {
		return err
	}
	return s.api(http.MethodPost, base+"files/"+file.ID+"/keyframes/", map[string]any{}, nil)
}

// AddVersion adds a new version of an asset with its own bytes.
func (s *Sim) AddVersion(asset, name string, body []byte) error {
	if err := s.api(http.MethodPost, "assets/v1/assets/"+asset+"/versions/", map[string]any{}, nil); err != nil {
		return err
	}
	return s.AddBytes(asset, name, body)
}

// UserOf returns the id of the user with an e-mail address, or the service's if there is none.
func (s *Sim) UserOf(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.stored(kUser, "") {
		if text(d, "email") == email {
			return text(d, "id")
		}
	}
	return s.service
}

// ServiceUser returns the user that the application token acts as.
func (s *Sim) ServiceUser() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[s.o.Token]
}

// Change changes how iconik behaves from now on.
func (s *Sim) Change(f func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.o)
}

// EditSegment changes a comment as a person would.
func (s *Sim) EditSegment(asset, id string, change map[string]any) error {
	change["segment_type"] = "COMMENT"
	return s.api(http.MethodPatch, "assets/v1/assets/"+asset+"/segments/"+id+"/", change, nil)
}

// DeleteSegment deletes a comment as a person would.
func (s *Sim) DeleteSegment(asset, id string) error {
	return s.api(http.MethodDelete, "assets/v1/assets/"+asset+"/segments/"+id+"/", nil, nil)
}

// Segments returns the stored comments of an asset, in all versions.
func (s *Sim) Segments(asset string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []map[string]any
	for _, id := range slices.Clone(s.kids[kSegment+"/"+asset]) {
		if d, ok := s.get(kSegment, id); ok && text(d, "status") != "DELETED" {
			out = append(out, d)
		}
	}
	return out
}

// Values returns an object's values in a view, by field.
func (s *Sim) Values(kind, id string) map[string]string { return s.valuesOf(kind, id, "") }

// VersionValues returns the metadata of one version of an asset, by field.
func (s *Sim) VersionValues(asset, version string) map[string]string {
	return s.valuesOf(kAsset, asset, version)
}

func (s *Sim) valuesOf(kind, id, version string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := s.metadataKey(kind, id, version)
	if !ok {
		return nil
	}
	out := map[string]string{}
	for name, v := range s.values[key] {
		list, _ := v.([]any)
		for _, one := range list {
			out[name] = fmt.Sprint(one)
		}
	}
	return out
}

// AwaitProxy waits until an asset has a proxy. It returns false if it has none after patience.
func (s *Sim) AwaitProxy(asset string, patience time.Duration) bool {
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		found := len(s.kids[kProxy+"/"+asset]) > 0
		s.mu.Unlock()
		if found {
			return true
		}
	}
	return false
}

// Domain returns the id of the simulated iconik domain.
func (s *Sim) Domain() string { return s.domain }

// CurrentVersion returns the id of an asset's current version.
func (s *Sim) CurrentVersion(asset string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, _ := s.get(kAsset, asset)
	return currentVersion(d)
}
