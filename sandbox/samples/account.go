package samples

import (
	"fmt"
	"time"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// inAccount is one project of the sample account.
type inAccount struct {
	name string
	fill func(*seeder)
}

// Account fills an account with 40 projects of all kinds in three workspaces. It returns the sample project, which is one of
// them, and the workspaces' ids.
func Account(sim *frameiosim.Sim) (Project, []string, error) {
	var teams []string
	var harbour Project
	for _, w := range account() {
		team := sim.AddTeam(w.workspace).ID
		teams = append(teams, team)
		if len(teams) == 1 {
			var err error
			if harbour, err = Harbour(sim, team); err != nil {
				return harbour, teams, err
			}
		}
		for _, in := range w.projects {
			p := sim.AddProject(team, in.name)
			s := &seeder{sim: sim, p: Project{ID: p.ID, Name: p.Name, TeamID: team}, root: p.RootID}
			if in.fill(s); s.err != nil {
				return harbour, teams, fmt.Errorf("%s: %w", in.name, s.err)
			}
		}
	}
	return harbour, teams, nil
}

type workspace struct {
	workspace string
	projects  []inAccount
}

func account() []workspace {
	return []workspace{
		{"Harbour Films", []inAccount{
			{"Salt and Iron – Trailer", cuts(4)}, {"Salt and Iron – Teaser", cuts(2)}, {"Salt and Iron – Key Art", stills(12)}, {"Salt and Iron – Dailies", reels(240)},
			{"Lighthouse Keepers – Ep 101", cuts(6)}, {"Lighthouse Keepers – Ep 102", cuts(5)}, {"Lighthouse Keepers – Ep 103", cuts(3)}, {"Lighthouse Keepers – Interviews", sound(6)},
			{"Lighthouse Keepers – Stills", stills(30)}, {"The Long Quay", cuts(1)}, {"The Long Quay", aside(2023, reels(20))}, // two with the same name stay two
			{"港の灯り – 日本語版", cuts(2)}, {"Café Änderung – \"Cut / final\"", cuts(2)}, {"Untitled Pier Project", func(*seeder) {}},
			{"Cold Storage", coldStorage(cuts(1))}, {"Archive Footage 2019", coldStorage(reels(40))}, {"Archive Footage 2021", coldStorage(cuts(2))},
		}},
		{"Harbour Sports", []inAccount{
			{"Regatta 2026 – Highlights", cuts(5)}, {"Regatta 2026 – Isolated Cameras", reels(120)}, {"Regatta 2026 – Social", stills(16)}, {"Regatta 2025", aside(2025, cuts(2))},
			{"Harbor Half Marathon", aside(2022, cuts(2))}, {"Harbor Half Marathon – Drone", aside(2022, reels(60))}, {"Open Water Championships", cuts(3)}, {"Athlete Portraits", stills(24)},
			{"Match Day Graphics", stills(8)}, {"Commentary Tracks", sound(12)}, {"Uploads from the Stadium", interrupted(9)}, {"Broadcast Masters", reels(600)},
		}},
		{"Harbour Agency", []inAccount{
			{"Nimbus Coffee – Spring Spot", cuts(7)}, {"Nimbus Coffee – Social Cutdowns", cuts(4)}, {"Nimbus Coffee – Packshots", stills(18)}, {"Ferry Line – Safety Film", aside(2024, cuts(2))},
			{"Ferry Line – Onboard Audio", sound(5)}, {"Northpoint Bank – Under Embargo", forFew(cuts(3))}, {"Northpoint Bank – Casting", forFew(stills(9))},
			{"Client Screeners", screeners(6)}, {"Pitch Deck Videos", cuts(1)}, {"Template Library", refused(reels(15))},
		}},
	}
}

// cuts adds a film with n versions of its cut in a stack, a client's comments, and a review link.
func cuts(n int) func(*seeder) {
	return func(s *seeder) {
		edit := s.sim.AddFolder(s.root, "Edit")
		media := []string{"24.mov", "25.mov", "trailer.mov"}
		var versions []*frameiosim.Asset
		for i := range n {
			name := media[i%len(media)]
			fps, frames := 25.0, int64(75)
			if name == "24.mov" {
				fps, frames = 24, 72
			}
			v := s.file(edit.ID, clip(fmt.Sprintf("Cut v%d.mov", i+1), name, fps, frames, "01:00:00:00"))
			versions = append(versions, v)
			first := s.comment(frameiosim.Comment{AssetID: v.ID, Text: "Tighter here, please", Timestamp: ptr(int64(10 + i)), Guest: &frameiosim.User{Name: "Carla Client", Email: "carla@client.example"},
				Annotation: `[{"tool":"rect","color":"#E74A3C","size":4,"x":0.2,"y":0.2,"w":0.4,"h":0.4}]`})
			s.comment(frameiosim.Comment{AssetID: v.ID, ParentID: first.ID, Text: "Done in the next version", Completed: true})
		}
		shared := versions[0]
		if n > 1 {
			shared = s.sim.AddStack(versions...)
		}
		s.file(edit.ID, frameiosim.File{Name: "Mix.wav", Type: "audio/wav", Body: Media("tone.wav")})
		s.sim.AddShare(frameiosim.Share{Kind: "review_link", Name: "For the client", ProjectID: s.p.ID, Items: []string{shared.ID}})
	}
}

// reels adds n small files in folders by day.
func reels(n int) func(*seeder) {
	return func(s *seeder) {
		const perDay = 60
		var day *frameiosim.Asset
		for i := range n {
			if i%perDay == 0 {
				day = s.sim.AddFolder(s.root, fmt.Sprintf("Day %02d", i/perDay+1))
			}
			s.file(day.ID, frameiosim.File{Name: fmt.Sprintf("A%03dC%03d.txt", i/perDay+1, i%perDay+1), Type: "text/plain", Body: fmt.Appendf(nil, "%s, camera report %d\n", s.p.ID, i+1)})
		}
	}
}

func stills(n int) func(*seeder) {
	return func(s *seeder) {
		selects := s.sim.AddFolder(s.root, "Selects")
		for i := range n {
			a := s.file(selects.ID, frameiosim.File{Name: fmt.Sprintf("Still %02d.jpg", i+1), Type: "image/jpeg", Body: append(Media("still.jpg"), byte(i)), Width: 640, Height: 360})
			if i%5 == 0 {
				s.comment(frameiosim.Comment{AssetID: a.ID, Text: "This one"})
			}
		}
		s.file(s.root, frameiosim.File{Name: "Storyboard.pdf", Type: "application/pdf", Body: Media("storyboard.pdf")})
	}
}

func sound(n int) func(*seeder) {
	return func(s *seeder) {
		for i := range n {
			a := s.file(s.root, frameiosim.File{Name: fmt.Sprintf("Track %02d.wav", i+1), Type: "audio/wav", Body: append(Media("tone.wav"), byte(i), 0)})
			s.comment(frameiosim.Comment{AssetID: a.ID, Text: "Hum at the start"})
		}
	}
}

// interrupted adds n uploads, every third of which was never completed.
func interrupted(n int) func(*seeder) {
	return func(s *seeder) {
		for i := range n {
			f := clip(fmt.Sprintf("Gate %d.mov", i+1), "25.mov", 25, 75, "")
			if i%3 == 2 {
				f.Missing, f.Size, f.Body = true, 987654321, nil
			}
			s.file(s.root, f)
		}
	}
}

// screeners adds n files whose originals carry a viewer's watermark.
func screeners(n int) func(*seeder) {
	return func(s *seeder) {
		for i := range n {
			f := clip(fmt.Sprintf("Screener %d.mov", i+1), "24.mov", 24, 72, "01:00:00:00")
			f.Watermarked = true
			s.file(s.root, f)
		}
	}
}

func coldStorage(fill func(*seeder)) func(*seeder) {
	return func(s *seeder) {
		fill(s)
		s.sim.Archive(s.p.ID, "archived")
	}
}

// aside marks a project as finished in the fall of a year, and inactive.
func aside(year int, fill func(*seeder)) func(*seeder) {
	return func(s *seeder) {
		fill(s)
		s.sim.SetAside(s.p.ID, time.Date(year, time.October, 1, 12, 0, 0, 0, time.UTC))
	}
}

// refused makes Frame.io refuse to list a project's folders.
func refused(fill func(*seeder)) func(*seeder) {
	return func(s *seeder) {
		fill(s)
		s.sim.Refuse(s.p.ID)
	}
}

// forFew restricts a project to one invited person.
func forFew(fill func(*seeder)) func(*seeder) {
	return func(s *seeder) {
		fill(s)
		nora := s.sim.AddUser(frameiosim.User{Name: "Nora North", Email: "nora@northpoint.example"})
		s.sim.Restrict(s.p.ID, frameiosim.Role{User: nora.ID, Role: "editor"})
	}
}
