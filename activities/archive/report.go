package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upload"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// reportForm is one form of the report in iconik.
type reportForm struct {
	format, file, mediaType string
	render                  func(io.Writer, *report.Report) error
}

// reportForms lists the report's forms. The page for people is the asset's original; the others are additional formats.
var reportForms = []reportForm{
	{tenant.FormatOriginal, "archive-report.html", "text/html", report.HTML},
	{"JSON", "archive-report.json", "application/json", report.JSON},
	{"CSV", "archive-report.csv", "text/csv", report.CSV},
	{report.MHLFormat, "archive-report.mhl", "application/xml", report.MHL},
	{"MHL_CHAIN", "ascmhl_chain.xml", "application/xml", report.Chain}, // after the list that it refers to
}

// WriteReport stores the report as an asset in the project's collection. A run that changed nothing keeps the previous run's report.
func (a *Activities) WriteReport(ctx context.Context, ref workflows.Ref) error {
	arc, err := a.archive(ref)
	if err != nil {
		return err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return err
	}
	_, failed, err := arc.ledger.Failed(ctx, ledger.FailedReport, row.ID)
	if err != nil || !failed && !row.Changed && row.ReportAssetID != "" {
		return err
	}
	if err := arc.objects.Clear(ctx, ledger.FailedReport); err != nil {
		return err
	}
	arc.job().ShowStep(ctx, row, "report", "IN_PROGRESS", "")
	// If iconik refuses the report, the API still serves it, and it says why the files failed.
	_, err = arc.objects.TryOr(ctx, ledger.Failure{Kind: ledger.FailedReport, SourceID: row.ID, Place: "Archive report"}, func() error { return arc.writeReport(ctx, row) })
	return err
}

func (a *archive) writeReport(ctx context.Context, row ledger.Archive) error {
	rep, err := report.Open(ctx, a.ledger, report.Source{TenantName: a.cfg.Name,
		IconikURL: a.cfg.Iconik.BaseURL, WorkflowURL: a.steps.WorkflowURL(a.workflowID()), ConsoleURL: routes.ConsoleArchive(a.steps.Config.Now(), a.ref.Tenant, a.ref.Archive),
		SigningKey: a.steps.Config.Now().Report.SigningKeyInUse(), HidesPrivate: true})
	if err != nil {
		return err
	}
	if rep.Archive.Status, rep.Archive.Reason, err = a.outcome(ctx, row); err != nil {
		return err
	}
	rep.Archive.Reason = rep.Hidden.Text(rep.Archive.Reason)
	rep.Archive.FinishedAt = time.Now().UTC()
	assetID, versionID, err := a.reportAsset(ctx, row)
	if err != nil {
		return fmt.Errorf("report asset: %w", err)
	}
	for _, form := range reportForms {
		if err := a.storeReport(ctx, row, rep, form, assetID, versionID); err != nil {
			return fmt.Errorf("report as %s: %w", form.format, err)
		}
	}
	_, err = a.ledger.Update(ctx, func(r *ledger.Archive) { r.ReportAssetID = assetID })
	return err
}

// reportAsset finds or creates the report's asset, and a version of it for this run.
func (a *archive) reportAsset(ctx context.Context, row ledger.Archive) (assetID, versionID string, err error) {
	external := mapping.ExternalID("report", row.ID)
	adopting, err := a.adopting(ctx)
	if err != nil {
		return "", "", err
	}
	if row.ReportAssetID != "" {
		asset, err := a.iconik.Assets.Get(ctx, row.ReportAssetID, false)
		if err != nil && !rest.IsNotFound(err) {
			return "", "", err
		}
		switch {
		case err != nil || asset.Deleted():
			if err := a.tenant.Ledger.Delete(ctx, ledger.LinkReport, row.ID); err != nil {
				return "", "", err
			}
		case asset.ExternalID != external: // the project has a new ID
			if _, err := a.iconik.Assets.Update(ctx, asset.ID, iconik.AssetPatch{Title: asset.Title, ExternalID: external}); err != nil {
				return "", "", err
			}
		}
	}
	place, err := a.access.PutReport(ctx)
	if err != nil {
		return "", "", err
	}
	readers, err := a.access.New(ctx, place, place == "")
	if err != nil {
		return "", "", err
	}
	assetID, made, err := a.createOnce(ctx, tenant.Creation{
		Kind: ledger.LinkReport, SourceID: row.ID, Parent: row.CollectionID, IndexLag: a.cfg.Iconik.SettleTime, FindFirst: adopting,
		Find: func(ctx context.Context) (string, error) { return a.byExternalID(ctx, "assets", external) },
		Make: func(ctx context.Context) (string, error) {
			asset, err := a.iconik.Assets.Create(ctx, iconik.AssetRequest{Title: "Archive report — " + mapping.ProjectTitle(row.Name, a.cfg.Archive.TriggerSuffix),
				Type: "ASSET", ExternalID: external, CollectionID: row.CollectionID, Access: readers})
			if err != nil {
				return "", err
			}
			return asset.ID, nil
		},
	})
	if err == nil {
		err = a.access.SecureReaders(ctx, acls.Object{Type: acls.Assets, ID: assetID, Place: place, Name: "the report"}, made)
	}
	if err != nil {
		return "", "", err
	}
	versionID, _, err = a.createOnce(ctx, tenant.Creation{
		Kind: ledger.LinkVersion, SourceID: fmt.Sprintf("report:%s:%d", row.ID, row.Run), Parent: assetID, IndexLag: tenant.StoreLag, FindFirst: true,
		Find: func(ctx context.Context) (string, error) {
			asset, err := a.iconik.Assets.Get(ctx, assetID, false)
			if err != nil {
				return "", err
			}
			return a.tenant.UntiedVersion(ctx, asset.Versions)
		},
		Make: func(ctx context.Context) (string, error) {
			versions, err := a.iconik.Assets.CreateVersion(ctx, assetID, iconik.VersionRequest{})
			if err != nil {
				return "", err
			}
			id, err := a.tenant.UntiedVersion(ctx, versions)
			if err == nil && id == "" {
				err = fault.System("iconik did not create a new version of the report")
			}
			return id, err
		},
	})
	return assetID, versionID, err
}

// storeReport renders one form and uploads it as a file of its own format.
func (a *archive) storeReport(ctx context.Context, row ledger.Archive, rep *report.Report, form reportForm, assetID, versionID string) error {
	key := report.FormKey(row.ID, row.Run, form.format)
	if link, ok, err := a.tenant.Ledger.Link(ctx, report.FormLink, key); err != nil || ok && link.TargetID != "" {
		return err
	}
	var body bytes.Buffer
	if err := form.render(&body, rep); err != nil {
		return err
	}
	hash := ""
	if form.format == report.MHLFormat {
		form.file = rep.MHLFile()
		hash = rep.Keep(body.Bytes()).String()
	}
	it := ledger.Item{SourceID: key, AssetID: assetID, VersionID: versionID, Name: form.file, Path: form.file, Size: int64(body.Len()), MediaType: form.mediaType}
	rec, uploadID, err := a.openUpload(ctx, row, it, upload.Record{Key: key, Format: form.format, Size: it.Size})
	if err != nil {
		return err
	}
	it.FileID, it.UploadID = rec.FileID, uploadID
	if err := a.files().Fill(ctx, a.steps.Engine, it, body.Bytes()); err != nil {
		return err
	}
	if _, _, err := a.tenant.Ledger.Intend(ctx, ledger.Link{Kind: report.FormLink, SourceID: key, Archive: a.ref.Archive, Parent: assetID, IntendedAt: time.Now()}); err != nil {
		return err
	}
	return a.tenant.Ledger.Complete(ctx, report.FormLink, key, it.FileID, hash)
}
