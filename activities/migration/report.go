package migration

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upload"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

// WriteAccountReport stores the report as an asset in the root collection: one asset per account, with a version per migration.
// If no archive has created the collection, there is nothing to report in iconik. The report names every project, so only
// administrators and the service user may read it.
func (a *Activities) WriteAccountReport(ctx context.Context, in workflows.AccountReportInput) error {
	m, err := a.open(ctx, in.MigrationRef)
	if err != nil {
		return err
	}
	t, err := a.Tenant(in.Tenant)
	if err != nil {
		return err
	}
	root, known, err := t.Ledger.Link(ctx, ledger.LinkRoot, t.Config.Archive.RootCollection)
	if err != nil || !known || root.TargetID == "" {
		return err
	}
	rep, err := report.OpenAccount(ctx, t.Ledger, in.Migration, report.Source{TenantName: t.Config.Name, IconikURL: t.Config.Iconik.BaseURL, SigningKey: a.Config.Now().Report.SigningKeyInUse()})
	if err != nil {
		return err
	}
	rep.Migration.Status, rep.Migration.FinishedAt = ledger.MigrationStatus(in.Status), time.Now().UTC()
	if rep.Migration.Reason, err = m.outcome(ctx, "", in.Reason); err != nil {
		return err
	}
	s := &stored{migration: m, tenant: t, root: root.TargetID}
	if err := s.makeAsset(ctx); err != nil {
		return m.noReport(ctx, fmt.Errorf("report asset: %w", err))
	}
	for _, form := range report.AccountForms {
		if err := s.store(ctx, rep, form); err != nil {
			return m.noReport(ctx, fmt.Errorf("report as %s: %w", form.Format, err))
		}
	}
	_, err = m.ledger.Update(ctx, func(r *ledger.Migration) { r.ReportAssetID = s.asset })
	return err
}

// noReport keeps a report that iconik refuses for good from failing the migration: the API still serves the report.
func (m *migration) noReport(ctx context.Context, err error) error {
	switch rest.ClassOf(err) {
	case rest.Permanent, rest.Forbidden, rest.NotFound, rest.Unsupported:
		m.Log.WarnContext(ctx, "the account's report was not stored in iconik", "migration", m.ref.Migration, "error", err)
		return m.audit(ctx, "migration_report_refused", fault.Scrubbed(err))
	}
	return err
}

// stored is the report's asset in iconik.
type stored struct {
	*migration

	tenant         *tenant.Tenant
	root           string // collection
	asset, version string
}

func (s *stored) once(ctx context.Context, c tenant.Creation) (id string, made bool, err error) {
	c.Owner = s.ref.Migration
	return s.tenant.CreateOnce(ctx, c)
}

func (s *stored) makeAsset(ctx context.Context) error {
	source := "account:" + s.ref.Tenant
	external := mapping.ExternalID("report", source)
	if link, known, err := s.tenant.Ledger.Link(ctx, ledger.LinkReport, source); err != nil {
		return err
	} else if known && link.TargetID != "" {
		asset, err := s.tenant.Iconik.Assets.Get(ctx, link.TargetID, false)
		if err != nil && !rest.IsNotFound(err) {
			return err
		}
		if err != nil || asset.Deleted() {
			if err := s.tenant.Ledger.Delete(ctx, ledger.LinkReport, source); err != nil {
				return err
			}
		}
	}
	var err error
	s.asset, _, err = s.once(ctx, tenant.Creation{Kind: ledger.LinkReport, SourceID: source, Parent: s.root, IndexLag: s.tenant.Config.Iconik.SettleTime, FindFirst: true,
		Find: func(ctx context.Context) (string, error) {
			found, err := s.tenant.Iconik.Search.ByExternalID(ctx, "assets", external)
			return tenant.FirstID(found, err, func(o iconik.Object) (string, bool) { return o.ID, !o.Deleted() })
		},
		Make: func(ctx context.Context) (string, error) {
			made, err := s.tenant.Iconik.Assets.Create(ctx, iconik.AssetRequest{Title: "Account report — " + s.tenant.Config.Name, Type: "ASSET", ExternalID: external, CollectionID: s.root, Access: iconik.AccessNobody})
			if err != nil {
				return "", err
			}
			return made.ID, nil
		}})
	if err != nil {
		return err
	}
	s.version, _, err = s.once(ctx, tenant.Creation{Kind: ledger.LinkVersion, SourceID: "report:migration:" + s.ref.Migration, Parent: s.asset, IndexLag: tenant.StoreLag, FindFirst: true,
		Find: s.untied,
		Make: func(ctx context.Context) (string, error) {
			if _, err := s.tenant.Iconik.Assets.CreateVersion(ctx, s.asset, iconik.VersionRequest{}); err != nil {
				return "", err
			}
			id, err := s.untied(ctx)
			if err == nil && id == "" {
				err = fault.System("iconik did not create a new version of the account's report")
			}
			return id, err
		}})
	return err
}

// untied returns a version of the asset that is not tied to any migration's report.
func (s *stored) untied(ctx context.Context) (string, error) {
	asset, err := s.tenant.Iconik.Assets.Get(ctx, s.asset, false)
	if err != nil {
		return "", err
	}
	return s.tenant.UntiedVersion(ctx, asset.Versions)
}

// store renders one form and uploads it as a file of its own format.
func (s *stored) store(ctx context.Context, rep *report.Account, form report.AccountForm) error {
	key := "report:migration:" + s.ref.Migration + ":" + form.Format
	if link, known, err := s.tenant.Ledger.Link(ctx, report.FormLink, key); err != nil || known && link.TargetID != "" {
		return err
	}
	var body bytes.Buffer
	if err := form.Render(&body, rep); err != nil {
		return err
	}
	files, name := s.uploads.Of(s.tenant), "account-"+form.File
	it := ledger.Item{SourceID: key, AssetID: s.asset, VersionID: s.version, Name: name, Path: name, Size: int64(body.Len()), MediaType: form.MediaType}
	rec, uploadID, err := files.Open(ctx, s.once, it, upload.Record{Key: key, Format: form.Format, Size: it.Size, Under: []string{"Frame.io", "Account report"}})
	if err != nil {
		return err
	}
	it.FileID, it.UploadID = rec.FileID, uploadID
	if err := files.Fill(ctx, s.Engine, it, body.Bytes()); err != nil {
		return err
	}
	if _, _, err := s.tenant.Ledger.Intend(ctx, ledger.Link{Kind: report.FormLink, SourceID: key, Archive: s.ref.Migration, Parent: s.asset, IntendedAt: time.Now()}); err != nil {
		return err
	}
	return s.tenant.Ledger.Complete(ctx, report.FormLink, key, it.FileID, "")
}
