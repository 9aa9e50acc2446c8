package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
)

const (
	mirroredNames = "Lighthouse Keepers*"
	mirroredCount = 5
	changedByThem = "Lighthouse Keepers – Ep 103"
	newCut        = "Cut v4.mov"
	newComment    = "The new ending works"
)

type mirrorView struct {
	Running bool
	LastAt  *time.Time `json:"last_at"`
	NextAt  *time.Time `json:"next_at"`
	Last    *struct {
		Projects, Verified, Waiting, Failed int
		Exceptions                          int `json:"verified_with_exceptions"`
	}
	Failed string
	URL    string `json:"temporal_url"`
}

// mirror plays somebody who continues to work in Frame.io, and checks that the mirror's run brings that to iconik, and nothing else.
func (p *accountPlay) mirror(ctx context.Context) error {
	var m mirrorView
	if err := p.ask(ctx, http.MethodPost, "/mirrors", fmt.Sprintf(`{"name": "nightly", "selection": {"name": %q}, "at": "02:00"}`, mirroredNames), &m); err != nil {
		return err
	}
	if m.NextAt == nil {
		return errors.New("the mirror has no next run")
	}
	p.tell("A mirror keeps the projects %q up to date, every night. Its next run begins on %s.", mirroredNames, m.NextAt.UTC().Format("January 2 at 3:04 PM UTC"))
	before := p.assets()
	if err := p.workOn(); err != nil {
		return err
	}
	p.tell("Meanwhile somebody adds %q to %q in Frame.io, with a comment. The run is started now instead of tonight:", newCut, changedByThem)
	p.tell("  starter mirror run")
	began := time.Now()
	if err := p.ask(ctx, http.MethodPost, "/mirrors/nightly/run", "{}", nil); err != nil {
		return err
	}
	if err := p.await(ctx, "the mirror's run", func() (string, bool, error) {
		var out struct{ Mirrors []mirrorView }
		if err := p.ask(ctx, http.MethodGet, "/mirrors", "", &out); err != nil || len(out.Mirrors) == 0 {
			return "", false, err
		}
		m = out.Mirrors[0]
		return fmt.Sprint(m.Running), m.LastAt != nil && !m.Running && (m.Last != nil || m.Failed != ""), nil
	}); err != nil {
		return err
	}
	return p.mirrored(m, before, time.Since(began))
}

// mirrored asserts that a mirror's run brought over what was added, once, and nothing else.
func (p *accountPlay) mirrored(m mirrorView, before int, took time.Duration) error {
	if m.Last == nil || m.Last.Projects != mirroredCount || m.Last.Verified+m.Last.Exceptions != mirroredCount {
		return fmt.Errorf("all of the %s should be verified: %+v %s", english.Count(mirroredCount, "project"), m.Last, m.Failed)
	}
	asset := p.Iconik.Find("assets", "frameio:file:"+p.added)
	if len(asset) != 1 || p.assets() != before+1 {
		return fmt.Errorf("%q should be in iconik once, and nothing else anew: %d assets became %d", newCut, before, p.assets())
	}
	said := 0
	for _, d := range p.Iconik.Segments(asset[0]) {
		if strings.Contains(fmt.Sprint(d["segment_text"]), newComment) {
			said++
		}
	}
	if said != 1 {
		return fmt.Errorf("the comment on %q should be in iconik once, and is there %d times", newCut, said)
	}
	p.tell("%.0f s later %s have been compared again. The new cut and its comment are in iconik, and nothing else was copied:", took.Seconds(), english.Count(m.Last.Projects, "project"))
	p.tell("  %s", p.IconikURL+"/asset/"+asset[0])
	return nil
}

// workOn adds a file with a comment to a project that was migrated.
func (p *accountPlay) workOn() error {
	project, err := p.projectNamed(changedByThem)
	if err != nil {
		return err
	}
	for _, a := range p.Frameio.AssetsOf(project.ID) {
		if a.Type != "folder" || a.Name != "Edit" {
			continue
		}
		f, err := p.Frameio.AddFile(a.ID, frameiosim.File{Name: newCut, Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 75})
		if err != nil {
			return err
		}
		p.added = f.ID
		p.Frameio.Say(frameiosim.Comment{AssetID: f.ID, Text: newComment})
		return nil
	}
	return fmt.Errorf("%q has no folder for its edits", changedByThem)
}

func (p *accountPlay) projectNamed(name string) (frameiosim.Project, error) {
	for _, one := range p.Frameio.Projects() {
		if one.Name == name {
			return one, nil
		}
	}
	return frameiosim.Project{}, fmt.Errorf("Frame.io has no project %q", name)
}

// assets counts the files that have their own asset in iconik.
func (p *accountPlay) assets() (n int) {
	for _, d := range p.Iconik.Docs("assets") {
		if d["status"] != "DELETED" && strings.HasPrefix(fmt.Sprint(d["external_id"]), "frameio:file:") {
			n++
		}
	}
	return n
}

// await polls until look is done. It fails if the state stays the same for stepPatience.
func (p *accountPlay) await(ctx context.Context, what string, look func() (state string, done bool, err error)) error {
	for end, last := time.Now().Add(stepPatience), ""; ; {
		state, done, err := look()
		switch {
		case err != nil || done:
			return err
		case state != last:
			end, last = time.Now().Add(stepPatience), state
		case time.Now().After(end):
			return fmt.Errorf("%s: nothing has happened for %s; see Temporal's Web UI", what, stepPatience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(accountLook):
		}
	}
}
