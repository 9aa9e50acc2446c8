package archive

import (
	"context"
	"encoding/json"
	"time"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
)

// details is what a folder, project or collection says about itself besides its name and place.
type details struct {
	Fields map[string]string     `json:"fields,omitempty"` // of the archive's view
	Custom []mapping.SourceField `json:"custom,omitempty"`

	NoCustom bool              `json:"-"` // the source has no custom fields, so none are cleared
	Counted  map[string]string `json:"-"` // those of Fields whose change counts; nil: all of them
}

// folderDetails returns what the ledger keeps of a folder until its collection is created.
func folderDetails(f frameio.Asset, path string) string {
	in := plan.Fields(f, path)
	in.UploadedAt = f.CreatedAt
	fields := mapping.Fields(in)
	if fields["framebridge_status"] == "none" {
		delete(fields, "framebridge_status")
	}
	delete(fields, "framebridge_uploaded_at")
	encoded, err := json.Marshal(details{Fields: fields, Custom: plan.SourceFields(f)})
	if err != nil {
		return ""
	}
	return string(encoded)
}

// writeFolderDetails writes a folder's details to its collection.
func (a *archive) writeFolderDetails(ctx context.Context, f ledger.Folder, collection string) error {
	var d details
	if f.Details == "" || json.Unmarshal([]byte(f.Details), &d) != nil {
		return nil //nolint:nilerr // what is no JSON says nothing
	}
	notCarried, err := a.writeDetails(ctx, "folder:"+f.SourceID, collection, d)
	if err != nil || notCarried == nil {
		return err
	}
	return a.ledger.SetNotCarried(ctx, f.SourceID, "fields", at(notCarried, f.Path))
}

// writeProjectDetails writes the project's details to its collection.
func (a *archive) writeProjectDetails(ctx context.Context, p frameio.Project, collection string) error {
	fields := map[string]string{"framebridge_source_id": p.ID, "framebridge_source_url": p.URL, "framebridge_description": p.Description}
	in := mapping.Fields(mapping.FieldsInput{OwnerName: p.Owner.Name, OwnerEmail: p.Owner.Email, CreatedAt: p.CreatedAt})
	for _, name := range []string{"framebridge_owner", "framebridge_created_at"} {
		fields[name] = in[name]
	}
	delete(p.Settings, "storage") // it changes with every upload, and only sums up the files' sizes
	if len(p.Settings) > 0 {
		if encoded, err := json.Marshal(p.Settings); err == nil {
			fields["framebridge_settings"] = string(encoded)
		}
	}
	_, err := a.writeDetails(ctx, "project:"+p.ID, collection, details{Fields: fields, NoCustom: true})
	return err
}

// putCollectionFields writes a view's fields to a collection. If the collection was deleted in the meantime, verification
// creates it again. If the view does not exist, that is an error.
func (a *archive) putCollectionFields(ctx context.Context, collection, view string, fields map[string]string) error {
	_, err := a.iconik.Metadata.PutValues(ctx, "collections", collection, view, tenant.Values(fields))
	if !rest.IsNotFound(err) {
		return err
	}
	if _, gone := a.iconik.Collections.Get(ctx, collection); rest.IsNotFound(gone) {
		return nil
	}
	return err
}

// writeDetails writes a source's details to its collection, once and after each change. It returns the fields that iconik
// cannot accept, or nil if nothing was written.
func (a *archive) writeDetails(ctx context.Context, key, collection string, d details) ([]ledger.NotCarried, error) {
	all, custom := mapping.FieldsHash(d.Fields), mapping.SourceFieldsHash(d.Custom)
	hash := all + custom
	if d.Counted != nil {
		hash = mapping.FieldsHash(d.Counted) + custom
	}
	link, known, err := a.tenant.Ledger.Link(ctx, linkSettings, key)
	if err != nil || link.TargetID == collection && (link.Hash == hash || link.Hash == all+custom) { // an older release recorded all of them
		return nil, err
	}
	view, err := a.tenant.View(ctx, mapping.ArchiveView)
	if err != nil {
		return nil, err
	}
	if err := a.markChanged(ctx); err != nil {
		return nil, err
	}
	if err := a.putCollectionFields(ctx, collection, view, d.Fields); err != nil {
		return nil, err
	}
	notCarried := []ledger.NotCarried{}
	if again := known && link.TargetID == collection; !d.NoCustom && (len(d.Custom) > 0 || again) {
		if notCarried, _, err = a.putSourceFields(ctx, "collections", collection, d.Custom, again, nil); err != nil && !rest.IsNotFound(err) {
			return nil, err
		}
	}
	if _, _, err := a.tenant.Ledger.Intend(ctx, ledger.Link{Kind: linkSettings, SourceID: key, Archive: a.ref.Archive, Parent: collection, IntendedAt: time.Now()}); err != nil {
		return nil, err
	}
	return notCarried, a.tenant.Ledger.Complete(ctx, linkSettings, key, collection, hash)
}
