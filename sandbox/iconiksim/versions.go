package iconiksim

// ActiveVersions returns an asset's versions that are not deleted, oldest first.
func (s *Sim) ActiveVersions(asset string) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, _ := s.get(kAsset, asset)
	for _, v := range docs(d["versions"]) {
		if text(v, "status") != "DELETED" {
			ids = append(ids, text(v, "id"))
		}
	}
	return ids
}

// CollectionsOf returns the external ids of the collections that an asset is in.
func (s *Sim) CollectionsOf(asset string) (external []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, _ := s.get(kAsset, asset)
	for _, id := range texts(d["in_collections"]) {
		if c, ok := s.get(kCollection, id); ok && text(c, "status") != "DELETED" {
			external = append(external, text(c, "external_id"))
		}
	}
	return external
}

// CommentOn adds a comment by the service's user on a version, as a person would in iconik's player.
func (s *Sim) CommentOn(asset, version, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{Request: pathRequest("id", asset), body: doc{"segment_type": "COMMENT", "segment_text": body}, user: s.tokens[s.o.Token]}
	s.newSegment(c, version)
}
