package archive

import (
	"context"
	"slices"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/gone"
	"github.com/framebridge/framebridge/activities/placing"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/proof"
)

// places puts versions where Frame.io's files and stacks call for.
func (a *archive) places() placing.Places {
	return placing.Places{Archive: a.ref.Archive, Iconik: a.iconik, Tenant: a.tenant.Ledger, Rows: a.ledger, Objects: a.objects, Restores: a.findings.Restores, Changed: a.markChanged, Comments: a.asWritten, FieldsChanged: a.fieldsChanged}
}

// leftovers finds what iconik has of this archive and Frame.io no longer has.
func (a *archive) leftovers(contents func(ctx context.Context, collection string) error) gone.Leftovers {
	return gone.Leftovers{Frameio: a.frameio, Iconik: a.iconik, Tenant: a.tenant.Ledger, Rows: a.ledger, Objects: a.objects, Access: a.access, Findings: a.findings, Places: a.places(), Contents: contents}
}

// asWritten returns an item's comments as they are written to iconik now, in the forms for known and unknown authors.
func (a *archive) asWritten(ctx context.Context, it ledger.Item) ([]placing.Comment, error) {
	source, err := a.threads().Source(ctx, it.SourceID)
	if rest.IsNotFound(err) {
		return nil, nil
	}
	out := make([]placing.Comment, len(source))
	for i, c := range source {
		known, unknown := mapping.Segment(plan.Comment(it, c, "a user", a.tenant.DrawingFrame())), mapping.Segment(plan.Comment(it, c, "", a.tenant.DrawingFrame()))
		out[i] = placing.Comment{ID: c.ID, StartMS: unknown.StartMS, EndMS: unknown.EndMS, Checked: unknown.Checked,
			Texts: []string{known.Text, unknown.Text, mapping.TeamOnlyPrefix + known.Text, mapping.TeamOnlyPrefix + unknown.Text}}
	}
	return out, err
}

// fieldsChanged reports whether people have changed a version's fields since they were written.
func (a *archive) fieldsChanged(ctx context.Context, it ledger.Item, asset, version string, written proof.Written) (bool, error) {
	if !written.Fields { // written by an older release that did not record this
		return false, nil
	}
	fields, err := comparing.WantedFields(ctx, a.tenant, it, copiedFields(it))
	if err != nil {
		return false, err
	}
	stored, err := a.storedFields(fields, func(view string) (map[string][]string, error) {
		return a.iconik.Metadata.VersionValues(ctx, asset, version, view)
	})
	found := comparing.CompareFields(fields, comparing.In(stored), written, true)
	return slices.ContainsFunc(found, func(d proof.Difference) bool { return d.Kind == proof.Changed }), err
}
