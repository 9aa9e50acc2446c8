// Package samples has a small film's project with everything that an archive must cope with, for the sandbox and the
// tests: frame rates, stacks, odd names, comments of every kind, and files without an original.
package samples

import (
	"embed"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

//go:embed media
var media embed.FS

// Media returns an embedded file. It panics if there is none of that name.
func Media(name string) []byte {
	b, err := media.ReadFile("media/" + name)
	if err != nil {
		panic(err)
	}
	return b
}

const (
	// rawSize is large enough for the camera original to be uploaded in parts.
	rawSize = 40<<20 + 12345
	// SamUser is the account's owner, who is also an iconik user.
	SamUser = "sam@example.com"
)

// Raw returns a camera original's bytes. They are always the same ones, which callers must not change.
var Raw = sync.OnceValue(func() []byte {
	b := make([]byte, rawSize)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
})

// Project is the seeded sample.
type Project struct {
	ID, Name string
	TeamID   string
	Items    int // files and versions
	Comments int
	Skipped  int // items without an original, which the policy wait skips
}

func ptr[T any](v T) *T { return &v }

type seeder struct {
	sim  *frameiosim.Sim
	raw  []byte
	p    Project
	root string
	err  error
}

func (s *seeder) file(parent string, f frameiosim.File) *frameiosim.Asset {
	s.p.Items++
	a, err := s.sim.AddFile(parent, f)
	if err != nil {
		s.err = err
		return &frameiosim.Asset{}
	}
	return a
}

func (s *seeder) comment(c frameiosim.Comment) *frameiosim.Comment {
	s.p.Comments++
	return s.sim.AddComment(c)
}

func clip(name, media string, fps float64, frames int64, timecode string) frameiosim.File {
	return frameiosim.File{Name: name, Type: "video/quicktime", Body: Media(media), FPS: fps, Frames: frames, Timecode: timecode, Width: 480, Height: 270}
}

// Harbour seeds the sample project.
func Harbour(sim *frameiosim.Sim, team string) (Project, error) {
	return HarbourWith(sim, team, Raw())
}

// HarbourWith seeds the sample project with other bytes for the camera original: fewer, if a test needs no parts.
func HarbourWith(sim *frameiosim.Sim, team string, raw []byte) (Project, error) {
	p := sim.AddProject(team, "Harbour Lights")
	s := &seeder{sim: sim, raw: raw, p: Project{ID: p.ID, Name: p.Name, TeamID: team}, root: p.RootID}
	one := s.dailies()
	still, board, stack := s.edit()
	s.artAndSound()
	s.rates()
	s.file(s.root, frameiosim.File{Name: "notes.txt", Type: "text/plain", Body: []byte{}})
	if sim.V4() && s.err == nil {
		s.everythingOfV4(one, still, board, stack)
	}
	return s.p, s.err
}

func (s *seeder) dailies() (one *frameiosim.Asset) {
	dailies := s.sim.AddFolder(s.root, "01 Dailies")
	day1 := s.sim.AddFolder(dailies.ID, "Day 1")
	takes := s.sim.AddFolder(day1.ID, "Takes / alternates")
	day2 := s.sim.AddFolder(dailies.ID, "Day 2")
	again := s.sim.AddFolder(dailies.ID, "Day 2") // two folders with the same name stay two
	s.sim.AddFolder(s.root, "05 Empty")
	a := clip("A001C001.mov", "24.mov", 24, 72, "01:00:00:00")
	a.Label, a.Description, a.Rating = "approved", "Master of scene 1", ptr(4.0)
	a.Properties = map[string]any{"scene": "1", "take": "3", "lens": "35mm"}
	one = s.file(day1.ID, a)
	s.file(takes.ID, clip("A001C002/alt.mov", "25.mov", 25, 75, "10:00:00:00"))
	s.file(day2.ID, frameiosim.File{Name: "A002C001.mxf", Type: "application/mxf", Body: s.raw, NoProxy: true})
	s.file(again.ID, clip("A002C001.mov", "30.mov", 30, 60, "00:00:00:00"))
	first := s.comment(frameiosim.Comment{AssetID: one.ID, Text: "Focus is soft here", Timestamp: ptr(int64(12))})
	s.comment(frameiosim.Comment{AssetID: one.ID, ParentID: first.ID, Text: "Agreed, take 4 is sharper", Owner: &frameiosim.User{ID: "u-priya", Name: "Priya Rao", Email: "priya@partner.example"}})
	s.comment(frameiosim.Comment{AssetID: one.ID, ParentID: first.ID, Text: "Swapped.", Completed: true})
	s.comment(frameiosim.Comment{AssetID: one.ID, Text: "Watch the boom from here to here", Timestamp: ptr(int64(24)), Duration: ptr(int64(24)), Completed: true})
	s.comment(frameiosim.Comment{AssetID: one.ID, Text: "Lovely light overall — 素晴らしい ✨"})
	s.comment(frameiosim.Comment{AssetID: one.ID, Text: "Budget note, for the team only", Private: true})
	return one
}

func (s *seeder) edit() (still, board, stack *frameiosim.Asset) {
	edit := s.sim.AddFolder(s.root, "02 Edit")
	v1 := s.file(edit.ID, clip("Trailer v1.mov", "23976.mov", 23.976, 72, "01:00:00:00"))
	v2 := s.file(edit.ID, clip("Trailer v2.mov", "24.mov", 24, 72, "01:00:00:00"))
	last := clip("Trailer v3 FINAL.mov", "2997df.mov", 29.97, 90, "00:59:58;00")
	last.Label = "needs_review"
	v3 := s.file(edit.ID, last)
	stack = s.sim.AddStack(v1, v2, v3)
	guest := &frameiosim.User{Name: "Gus Guest", Email: "gus@client.example"}
	s.comment(frameiosim.Comment{AssetID: v1.ID, Text: "Too long", Timestamp: ptr(int64(71))})
	s.comment(frameiosim.Comment{AssetID: v2.ID, Text: "Better. Logo earlier?", Timestamp: ptr(int64(30)), Guest: guest})
	s.comment(frameiosim.Comment{AssetID: v3.ID, Text: "Circle, arrow, box and line", Timestamp: ptr(int64(45)), Guest: guest, Annotation: `[` +
		`{"tool":"rect","color":"#E74A3C","size":4,"x":0.1,"y":0.2,"w":0.3,"h":0.25,"radius":4},` +
		`{"tool":"arrow","color":"#34A3DB","size":4,"x":0.62,"y":0.55,"w":-0.2,"h":-0.15},` +
		`{"tool":"line","color":"#E74A3C","size":3,"x1":0.002,"y1":0.012,"x2":0.996,"y2":0.99},` +
		`{"tool":"pen","color":"#2FCC71","size":4,"xs":[0.40,0.41,0.43,0.46],"ys":[0.50,0.52,0.53,0.53]},` +
		`{"tool":"ellipse","color":"#F1C40F","size":3,"x":0.5,"y":0.5,"w":0.1,"h":0.1},` +
		`{"tool":"sparkle","color":"#F1C40F","size":3,"x":0.5,"y":0.5}]`})
	art := s.sim.AddFolder(s.root, "04 Art")
	still = s.file(art.ID, frameiosim.File{Name: "still.jpg", Type: "image/jpeg", Body: Media("still.jpg"), Width: 640, Height: 360, Description: "Key art"})
	s.file(art.ID, frameiosim.File{Name: "still.jpg", Type: "image/jpeg", Body: append(Media("still.jpg"), 0xFF, 0xD9), Width: 640, Height: 360})
	s.file(art.ID, frameiosim.File{Name: "Überblick – 見本 🎬.png", Type: "image/png", Body: Media("chart.png"), Width: 320, Height: 180})
	board = s.file(art.ID, frameiosim.File{Name: "Storyboard.pdf", Type: "application/pdf", Body: Media("storyboard.pdf")})
	s.comment(frameiosim.Comment{AssetID: board.ID, Text: "Page two needs the wheelhouse exterior", Page: ptr(2)})
	s.comment(frameiosim.Comment{AssetID: still.ID, Text: "Crop tighter", Annotation: `[{"tool":"rect","color":"#E74A3C","size":4,"x":0.2,"y":0.1,"w":0.5,"h":0.7}]`})
	expires := time.Now().UTC().AddDate(0, 1, 0).Truncate(time.Second)
	s.sim.AddShare(frameiosim.Share{Kind: "presentation", Name: "Client showcase", ProjectID: s.p.ID, Items: []string{stack.ID, still.ID, art.ID}})
	s.sim.AddShare(frameiosim.Share{Kind: "review_link", Name: "Director's review", ProjectID: s.p.ID, Items: []string{stack.ID, board.ID}, ExpiresAt: &expires, Password: "lighthouse", Downloads: true})
	return still, board, stack
}

func (s *seeder) artAndSound() {
	sound := s.sim.AddFolder(s.root, "03 Sound")
	tone := s.file(sound.ID, frameiosim.File{Name: "Foghorn.wav", Type: "audio/wav", Body: Media("tone.wav")})
	s.comment(frameiosim.Comment{AssetID: tone.ID, Text: "Fade out", Timestamp: ptr(int64(36))})
	lost := clip("Interrupted upload.mov", "24.mov", 24, 72, "")
	lost.Missing, lost.Size, lost.Body = true, 123456789, nil
	gone := s.file(sound.ID, lost)
	s.comment(frameiosim.Comment{AssetID: gone.ID, Text: "Can you upload this again?"})
	screener := clip("Screener.mov", "24.mov", 24, 72, "01:00:00:00")
	screener.Watermarked = true
	s.file(sound.ID, screener)
	s.p.Skipped = 2
}

func (s *seeder) rates() {
	rates := s.sim.AddFolder(s.root, "06 Rates")
	for _, c := range []struct {
		name, media string
		fps         float64
		frames      int64
		timecode    string
	}{
		{"50p.mov", "50.mov", 50, 100, "00:00:00:00"}, {"59.94 DF.mov", "5994df.mov", 59.94, 120, "00:00:00;00"}, {"60p.mov", "60.mov", 60, 60, "00:00:00:00"},
	} {
		a := s.file(rates.ID, clip(c.name, c.media, c.fps, c.frames, c.timecode))
		s.comment(frameiosim.Comment{AssetID: a.ID, Text: "Last frame", Timestamp: ptr(c.frames - 1)})
	}
}

// Small seeds a project of n small files, 200 per folder, each with its own bytes and number of comments.
func Small(sim *frameiosim.Sim, team, name string, n, comments int) (Project, error) {
	p := sim.AddProject(team, name)
	s := &seeder{sim: sim, p: Project{ID: p.ID, Name: p.Name, TeamID: team}, root: p.RootID}
	folder := p.RootID
	for i := range n {
		if i%200 == 0 && n > 200 {
			folder = sim.AddFolder(p.RootID, fmt.Sprintf("Reel %03d", i/200+1)).ID
		}
		a := s.file(folder, frameiosim.File{Name: fmt.Sprintf("clip %05d.txt", i), Type: "text/plain", Body: fmt.Appendf(nil, "%s, clip %d\n", name, i)})
		for j := range comments {
			s.comment(frameiosim.Comment{AssetID: a.ID, Text: fmt.Sprintf("Comment %d", j)})
		}
	}
	return s.p, s.err
}

// Bytes returns n bytes that do not repeat, always the same for the same n.
func Bytes(n int) []byte {
	b := make([]byte, n)
	for i := 0; i+8 <= n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], uint64(i)*0x9E3779B97F4A7C15)
	}
	return b
}

// Tiny seeds a project with a little of each kind: folders, a file that is uploaded in parts, a stack, comments with a reply
// and a drawing, a share of a folder and of a stack, and what only V4 has.
func Tiny(sim *frameiosim.Sim, team string) (Project, error) {
	p := sim.AddProject(team, "Pier")
	s := &seeder{sim: sim, p: Project{ID: p.ID, Name: p.Name, TeamID: team}, root: p.RootID}
	rushes := sim.AddFolder(s.root, "Rushes")
	day := sim.AddFolder(rushes.ID, "Day 1")
	art := sim.AddFolder(s.root, "Art")
	large := s.file(day.ID, frameiosim.File{Name: "A001.mxf", Type: "application/mxf", Body: Bytes(6 << 20), FPS: 24, Frames: 48, NoProxy: true})
	v1 := s.file(rushes.ID, frameiosim.File{Name: "Cut v1.txt", Type: "text/plain", Body: []byte("the first cut")})
	v2 := s.file(rushes.ID, frameiosim.File{Name: "Cut v2.txt", Type: "text/plain", Body: []byte("the second cut")})
	v3 := s.file(rushes.ID, frameiosim.File{Name: "Cut v3.txt", Type: "text/plain", Body: []byte("the third cut")})
	stack := sim.AddStack(v1, v2, v3)
	still := s.file(art.ID, frameiosim.File{Name: "still.jpg", Type: "image/jpeg", Body: Media("still.jpg"), Width: 640, Height: 360})
	s.file(s.root, frameiosim.File{Name: "notes.txt", Type: "text/plain", Body: []byte("notes")})
	first := s.comment(frameiosim.Comment{AssetID: large.ID, Text: "Soft here", Timestamp: ptr(int64(12))})
	s.comment(frameiosim.Comment{AssetID: large.ID, ParentID: first.ID, Text: "Agreed", Owner: &frameiosim.User{ID: "u-priya", Name: "Priya Rao", Email: "priya@partner.example"}})
	s.comment(frameiosim.Comment{AssetID: v1.ID, Text: "Too long"})
	s.comment(frameiosim.Comment{AssetID: still.ID, Text: "Crop", Private: true, Annotation: `[{"tool":"rect","color":"#E74A3C","size":4,"x":0.2,"y":0.1,"w":0.5,"h":0.7}]`})
	sim.AddShare(frameiosim.Share{Kind: "presentation", Name: "Showcase", ProjectID: p.ID, Items: []string{stack.ID, art.ID}})
	sim.AddShare(frameiosim.Share{Kind: "review_link", Name: "Review", ProjectID: p.ID, Items: []string{still.ID}})
	if sim.V4() && s.err == nil {
		sim.SetField(still.ID, sim.AddField("Slate", "text"), "12A-3")
		sim.SetField(art.ID, sim.AddField("Look", "select", "Day", "Night"), []string{"Day"})
		selects := sim.AddCollection(frameiosim.Collection{ProjectID: p.ID, Name: "Selects", Items: []string{large.ID, still.ID}})
		shared := sim.AddShare(frameiosim.Share{Kind: "review_link", Name: "Selects for the client", ProjectID: p.ID, Secure: true, Reviewers: []string{"gus@client.example"}})
		selects.ShareID = shared.ID
	}
	return s.p, s.err
}
