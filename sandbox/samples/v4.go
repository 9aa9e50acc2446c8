package samples

import (
	"fmt"
	"time"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// everythingOfV4 adds at least one of everything that only V4's schema has.
func (s *seeder) everythingOfV4(one, still, board, stack *frameiosim.Asset) {
	priya := s.sim.AddUser(frameiosim.User{Name: "Priya Rao", Email: "priya@partner.example"})
	grade := s.sim.AddGroup("Color", priya.ID)
	when := time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)
	s.fields(one, still, stack, priya, grade, when)
	for i, id := range []string{one.ID, still.ParentID, stack.ID} {
		s.sim.EditAsset(id, func(a *frameiosim.Asset) {
			a.AdobeID = fmt.Sprintf("urn:aaid:sc:US:0c1f1a60-0000-4000-8000-%012d", i+2)
		})
	}
	s.sim.EditAsset(still.ParentID, func(a *frameiosim.Asset) { a.CoverID = still.ID })
	contracts := s.sim.AddFolder(s.root, "06 Contracts")
	s.sim.Restrict(contracts.ID, frameiosim.Role{User: s.sim.AddUser(frameiosim.User{Name: "Lena Legal", Email: "lena@counsel.example"}).ID, Role: "editor"})

	text := "@Priya Rao, does this match the brief?"
	s.comment(frameiosim.Comment{AssetID: still.ID, Text: text, Anchor: &frameiosim.Point{X: 0.25, Y: 0.75}, Completed: true, Completer: priya.ID, CompletedAt: &when, EditedAt: &when,
		Mentions:    []frameiosim.Mention{{Start: 0, End: 10, Text: "Priya Rao", UserID: priya.ID}},
		Links:       []frameiosim.TextLink{{Start: 32, End: 37, Text: "brief", URL: "https://brief.example/key-art"}},
		Attachments: []frameiosim.Attachment{{ID: "a0000000-0000-4000-8000-000000000001", Name: "brief v2.pdf", MediaType: "application/pdf", Size: 48213, CreatedAt: when}}})
	s.comment(frameiosim.Comment{AssetID: board.ID, Text: "The harbour has a name", Page: ptr(1),
		Markup: &frameiosim.Markup{Kind: "replace", Selection: "the harbour", Suggested: "Port Lumen", Bounds: []frameiosim.Box{{X: 12.5, Y: 24, Width: 130, Height: 42}}}})

	s.sim.EditProject(s.p.ID, func(p *frameiosim.Project) {
		p.AdobeID = "urn:aaid:sc:US:0c1f1a60-0000-4000-8000-000000000001"
		p.Description, p.Owner = "Trailer and key art for the spring season", &frameiosim.User{ID: priya.ID, Name: priya.Name, Email: priya.Email}
	})
	selects := s.sim.AddCollection(frameiosim.Collection{ProjectID: s.p.ID, Name: "Selects", Description: "What goes to the client", Items: []string{one.ID, still.ID, stack.ID}})
	s.sim.AddCollection(frameiosim.Collection{ProjectID: s.p.ID, Name: "All approved", Dynamic: true})
	s.sim.AddCollection(frameiosim.Collection{ProjectID: s.p.ID, Name: "Priya's pile", Private: true, Items: []string{board.ID}})
	shared := s.sim.AddShare(frameiosim.Share{Kind: "review_link", Name: "Selects for the client", ProjectID: s.p.ID, Secure: true, Description: "Please choose one", LastViewed: &when,
		Reviewers: []string{"gus@client.example"}})
	selects.ShareID = shared.ID
}

// fields adds a value for each type of field, an empty one, a null one, and two fields with the same name.
func (s *seeder) fields(one, still, stack *frameiosim.Asset, priya frameiosim.User, grade frameiosim.Group, when time.Time) {
	slate, notes := s.sim.AddField("Slate", "text"), s.sim.AddField("Director's notes", "long_text")
	look := s.sim.AddField("Look", "select", "Day", "Night", "Day for night")
	tags := s.sim.AddField("Tags", "select_multi", "hero", "b-roll", "vfx")
	for _, f := range []struct {
		field *frameiosim.FieldDef
		value any
	}{
		{slate, "12A-3"}, {notes, "Hold on the lamp.\nThen pan left."}, {look, []string{"Day for night"}}, {tags, []string{"hero", "vfx"}},
		{s.sim.AddField("Stars", "rating"), 5}, {s.sim.AddField("Budget line", "number"), 1234.5}, {s.sim.AddField("Cleared", "toggle"), true},
		{s.sim.AddField("Shot on", "date"), when.Format(time.RFC3339)}, {s.sim.AddField("Editor", "user_single"), []string{priya.ID}},
		{s.sim.AddField("Reviewed by", "user_multi"), []string{priya.ID, grade.ID}},
	} {
		s.sim.SetField(one.ID, f.field, f.value)
	}
	s.sim.SetField(still.ID, slate, "")
	s.sim.SetField(still.ID, notes, nil)
	s.sim.SetField(still.ID, s.sim.AddField("Slate", "text"), "a second field of that name")
	s.sim.SetField(still.ParentID, slate, "Key art folder")
	s.sim.SetField(stack.ID, slate, "Trailer stack")
	approver := s.sim.AddField("Approver", "user_single")
	approver.Members = []string{priya.ID, grade.ID}
	for _, id := range []string{one.ID, still.ParentID, stack.ID} {
		s.sim.SetField(id, look, []string{"Day for night"})
		s.sim.SetField(id, approver, []string{priya.ID})
	}
}
