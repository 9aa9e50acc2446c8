package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// freed is the project whose space is freed in Frame.io.
const freed = "Commentary Tracks"

type reclaimView struct {
	Run                         int
	Status, Reason, Certificate string
	FinishedAt                  *time.Time `json:"finished_at"`
	Files                       map[string]struct{ Files, Bytes int64 }
}

// reclaimRefused changes something on each side, and checks that nothing is then deleted.
func (p *accountPlay) reclaimRefused(ctx context.Context) error {
	project, err := p.projectNamed(freed)
	if err != nil {
		return err
	}
	files := p.filesOf(project.ID)
	if len(files) == 0 {
		return fmt.Errorf("%q has no files", freed)
	}
	p.Frameio.Say(frameiosim.Comment{AssetID: files[0].ID, Text: "Use the second take"})
	p.tell("Somebody comments on %s in Frame.io. Now its %s are to be deleted there, by typing the project's name:", files[0].Name, english.Count(len(files), "file"))
	if err := p.refused(ctx, project.ID); err != nil {
		return err
	}
	p.tell("The project is compared again: starter retry %q", freed)
	if err := p.retry(ctx, project.ID); err != nil {
		return err
	}
	restore, err := p.flip(files[len(files)-1].ID)
	if err != nil {
		return err
	}
	p.tell("One bit of %s is flipped in iconik's storage:", files[len(files)-1].Name)
	if err := p.refused(ctx, project.ID); err != nil {
		return err
	}
	if now := p.filesOf(project.ID); len(now) != len(files) {
		return fmt.Errorf("%d of %d files are left in Frame.io after two refusals", len(now), len(files))
	}
	p.tell("Nothing was deleted. The bit is flipped back.")
	return restore()
}

// reclaimAllowed frees the project's space once a second person has approved, and verifies the certificate.
func (p *accountPlay) reclaimAllowed(ctx context.Context) error {
	project, err := p.projectNamed(freed)
	if err != nil {
		return err
	}
	before, stored := p.filesOf(project.ID), p.assets()
	if err := p.approved(ctx, project.ID); err != nil {
		return err
	}
	v, err := p.reclaimed(ctx, project.ID)
	if err != nil {
		return err
	}
	if v.Status != "done" || v.Certificate == "" || v.FinishedAt == nil {
		return fmt.Errorf("the deletion is %s: %s", v.Status, v.Reason)
	}
	left := p.filesOf(project.ID)
	if len(left) != 0 || v.Files["deleted"].Files != int64(len(before)) || p.assets() != stored {
		return fmt.Errorf("%s should be deleted in Frame.io, and none in iconik: %d are left, and the run says %+v", english.Count(len(before), "file"), len(left), v.Files)
	}
	p.tell("Everything is as it was archived: %s.", v.Reason)
	p.tell("Frame.io had %s of the project (%s) and has none now. It can restore them until %s.", english.Count(len(before), "file"), mib(bytesOf(before)), v.FinishedAt.UTC().Add(restorable).Format("January 2, 2006"))
	p.tell("The deletion certificate is an asset in iconik:")
	p.tell("  %s", p.IconikURL+"/asset/"+v.Certificate)
	for _, d := range p.Iconik.Docs("files") {
		if d["asset_id"] != v.Certificate || !strings.HasSuffix(fmt.Sprint(d["name"]), ".json") {
			continue
		}
		raw, err := p.Store.Get(p.Iconik.StoredAt(d))
		if err != nil {
			return err
		}
		return p.prove(ctx, "deletion-certificate", raw)
	}
	return errors.New("the certificate has no JSON form")
}

// restorable is how long Frame.io keeps what was deleted.
const restorable = 30 * 24 * time.Hour

// refused requests the deletion, which must be refused with a reason.
func (p *accountPlay) refused(ctx context.Context, project string) error {
	v, err := p.reclaim(ctx, project)
	if err != nil {
		return err
	}
	if v.Status != "refused" || v.Reason == "" {
		return fmt.Errorf("the deletion should be refused, and is %s: %s", v.Status, v.Reason)
	}
	p.tell("Refused: %s.", strings.ReplaceAll(v.Reason, project, fmt.Sprintf("%q", freed)))
	return nil
}

// reclaim requests the deletion by typing the project's name, and waits for its end.
func (p *accountPlay) reclaim(ctx context.Context, project string) (reclaimView, error) {
	p.tell("  starter reclaim %q --project %q", freed, freed)
	if err := p.ask(ctx, http.MethodPost, "/archives/"+project+"/reclaim", fmt.Sprintf(`{"project": %q}`, freed), nil); err != nil {
		return reclaimView{}, err
	}
	return p.reclaimed(ctx, project)
}

// reclaimed waits for the end of the last requested deletion.
func (p *accountPlay) reclaimed(ctx context.Context, project string) (reclaimView, error) {
	return p.awaitReclaim(ctx, "the deletion", project, func(v reclaimView) bool {
		return v.FinishedAt != nil && (v.Status != "done" || v.Certificate != "")
	})
}

func (p *accountPlay) awaitReclaim(ctx context.Context, what, project string, is func(reclaimView) bool) (v reclaimView, err error) {
	err = p.await(ctx, what, func() (string, bool, error) {
		err := p.ask(ctx, http.MethodGet, "/archives/"+project+"/reclaim", "", &v)
		return fmt.Sprint(v.Run, v.Status, v.Files), is(v), err
	})
	return v, err
}

// approved requests the deletion without the project's name. Whoever requested it cannot approve it, so a second person does.
func (p *accountPlay) approved(ctx context.Context, project string) error {
	path := "/archives/" + project + "/reclaim"
	p.tell("This time whoever asks does not type the project's name, so that somebody else has to approve:")
	p.tell("  starter reclaim %q --ask", freed)
	if err := p.ask(ctx, http.MethodPost, path, `{"dry_run": false}`, nil); err != nil {
		return err
	}
	v, err := p.awaitReclaim(ctx, "the question for approval", project, func(v reclaimView) bool {
		return v.Status == "waiting" || v.FinishedAt != nil
	})
	if err != nil {
		return err
	}
	if v.Status != "waiting" {
		return fmt.Errorf("the deletion should wait for approval, and is %s: %s", v.Status, v.Reason)
	}
	_, _, err = p.Call(ctx, http.MethodPost, path+"/approve", "{}")
	if err == nil || errors.Is(err, stack.ErrUnavailable) {
		return errors.Join(errors.New("whoever asked for the deletion must not approve it"), err)
	}
	p.tell("With the same API key: %s.", strings.TrimSuffix(err.Error(), "."))
	p.tell("A second person, on the machine: starter reclaim approve %q", freed)
	if said, err := p.Command(ctx, "reclaim", "approve", freed, "--config", p.Config).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

// retry compares the project again.
func (p *accountPlay) retry(ctx context.Context, project string) error {
	began := time.Now().UTC()
	if err := p.ask(ctx, http.MethodPost, "/archives/"+project+"/retry", "{}", nil); err != nil {
		return err
	}
	var v struct {
		Status, Reason string
		FinishedAt     *time.Time `json:"finished_at"`
	}
	if err := p.await(ctx, "the comparison", func() (string, bool, error) {
		err := p.ask(ctx, http.MethodGet, "/archives/"+project, "", &v)
		return v.Status, v.FinishedAt != nil && v.FinishedAt.After(began), err
	}); err != nil {
		return err
	}
	if v.Status != "verified" {
		return fmt.Errorf("it is %s: %s", v.Status, v.Reason)
	}
	p.tell("It is %s: %s.", v.Status, v.Reason)
	return nil
}

// flip flips a bit of a file's stored bytes, and returns a function that flips it back.
func (p *accountPlay) flip(file string) (func() error, error) {
	assets := p.Iconik.Find("assets", "frameio:file:"+file)
	for _, d := range p.Iconik.Docs("files") {
		if !slices.Contains(assets, fmt.Sprint(d["asset_id"])) {
			continue
		}
		bucket, key := p.Iconik.StoredAt(d)
		was, err := p.Store.Get(bucket, key)
		if err != nil {
			return nil, err
		}
		changed := slices.Clone(was)
		changed[len(changed)/2] ^= 1
		put := func(body []byte) error { return p.Store.Put(bucket, key, "audio/wav", body) }
		return func() error { return put(was) }, put(changed)
	}
	return nil, errors.New("iconik has no bytes of the file")
}

// filesOf returns a project's files in Frame.io, sorted by name.
func (p *accountPlay) filesOf(project string) (files []frameiosim.Asset) {
	for _, a := range p.Frameio.AssetsOf(project) {
		if a.Type == "file" {
			files = append(files, a)
		}
	}
	slices.SortFunc(files, func(x, y frameiosim.Asset) int { return strings.Compare(x.Name, y.Name) })
	return files
}

func bytesOf(files []frameiosim.Asset) (n int64) {
	for _, f := range files {
		n += f.Size
	}
	return n
}
