package reclaim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"iter"

	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upload"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/readers"
	"github.com/framebridge/framebridge/workflows"
)

const linkCertificate ledger.LinkKind = "deletion certificate" // the asset created for a run

// certificateForms lists the certificate's forms. The page for people is the asset's original; the other is an additional format.
var certificateForms = []struct {
	format, file, mediaType string
	render                  func(custody.Certificate, io.Writer, ed25519.PrivateKey, iter.Seq2[custody.CertificateFile, error]) error
}{
	{tenant.FormatOriginal, custody.CertificatePage, "text/html", custody.Certificate.HTML},
	{"JSON", custody.CertificateData, "application/json", custody.Certificate.JSON},
}

// CertifyReclaim stores the deletion certificate as an asset in the project's collection. Those who may read the project's
// report may read it.
func (a *Activities) CertifyReclaim(ctx context.Context, ref workflows.ReclaimRef) error {
	r, err := a.open(ctx, ref)
	if err != nil || r.row.Certificate != "" {
		return err
	}
	cert, err := r.certificate(ctx)
	if err != nil {
		return err
	}
	asset, version, err := r.certificateAsset(ctx)
	if err != nil {
		return fmt.Errorf("the certificate's asset: %w", err)
	}
	for _, form := range certificateForms {
		var body bytes.Buffer
		if err := form.render(cert, &body, a.Config.Now().Report.SigningKeyInUse(), r.certified(ctx)); err != nil {
			return err
		}
		it := ledger.Item{SourceID: fmt.Sprintf("deletion:%s:%d:%s", ref.Archive, ref.Run, form.format), AssetID: asset, VersionID: version, Name: form.file, Path: form.file, Size: int64(body.Len()), MediaType: form.mediaType}
		if err := r.store(ctx, it, form.format, body.Bytes()); err != nil {
			return fmt.Errorf("the certificate as %s: %w", form.format, err)
		}
	}
	certified := r.row
	certified.Certificate = asset
	told, err := r.tellDone(ctx, certified)
	if err != nil {
		return err
	}
	if err := r.set(ctx, func(row *ledger.Reclaim) { row.Certificate = asset }); err != nil {
		return err
	}
	r.tenant.Start(ctx, told)
	return nil
}

// who returns the name of whoever requested or approved.
func who(a ledger.Actor) string {
	for _, name := range []string{a.Name, a.Key} {
		if name != "" {
			return name
		}
	}
	return a.Kind
}

func (r *run) certificate(ctx context.Context) (custody.Certificate, error) {
	p, err := r.progress(ctx, workflows.ReclaimProgress{})
	return custody.Certificate{Tenant: r.ref.Tenant, Project: r.ref.Archive, Name: r.archive.Name, Workspace: r.archive.TeamName, Run: r.ref.Run, Status: string(r.row.Status), Reason: r.row.Reason,
		RequestedBy: who(r.row.RequestedBy), RequestedAt: r.row.RequestedAt, ApprovedBy: who(r.row.ApprovedBy), ApprovedAt: r.row.ApprovedAt, ApprovedHow: r.row.ApprovedHow, Accepted: r.row.Accepts,
		ComparedAt: r.row.ProvenAt, FinishedAt: r.row.FinishedAt, RestorableUntil: r.row.Began().Add(workflows.RestorableFor), Collection: r.iconik.CollectionURL(r.archive.CollectionID),
		Totals: custody.CertificateTotals{Deleted: p.Counts.Deleted, DeletedBytes: p.Counts.DeletedBytes, Left: p.Counts.Left + p.Counts.Proven + p.Counts.Ready, LeftBytes: p.Counts.LeftBytes + p.Counts.ProvenBytes + p.Counts.ReadyBytes}}, err
}

// certified reads the files of a run, deleted ones first.
func (r *run) certified(ctx context.Context) iter.Seq2[custody.CertificateFile, error] {
	return func(yield func(custody.CertificateFile, error) bool) {
		for _, state := range []ledger.ReclaimFileState{ledger.ReclaimDeleted, ledger.ReclaimLeft, ledger.ReclaimIntends, ledger.ReclaimProven, ledger.ReclaimReady} {
			for after := int64(0); ; {
				files, err := r.ledger.ReclaimFiles(ctx, r.ref.Run, state, after, 500)
				if err != nil {
					yield(custody.CertificateFile{}, err)
					return
				}
				for _, f := range files {
					after = f.Seq
					if it, _, err := r.ledger.Item(ctx, f.SourceID); !yield(certified(f, it), err) {
						return
					}
				}
				if len(files) == 0 {
					break
				}
			}
		}
	}
}

func certified(f ledger.ReclaimFile, it ledger.Item) custody.CertificateFile {
	out := custody.CertificateFile{State: string(ledger.ReclaimLeft), Reason: f.Reason, Path: f.Path, Version: f.Version, Versions: it.Versions, SourceID: f.SourceID, Size: f.Size, Checksum: "xxh64:" + f.Checksum,
		AssetID: f.AssetID, FileID: f.FileID, Comments: f.Comments, Proof: f.Proof}
	if !f.ProvenAt.IsZero() {
		out.ProvenAt = &f.ProvenAt
	}
	switch f.State {
	case ledger.ReclaimDeleted:
		out.State, out.DeletedAt = string(ledger.ReclaimDeleted), &f.DeletedAt
	case ledger.ReclaimLeft:
	case ledger.ReclaimIntends:
		out.Reason = "its deletion was started, and the outcome is unknown: check in Frame.io"
	default:
		out.Reason = "the run ended before this file"
	}
	if f.Checksum == "" {
		out.Checksum = ""
	}
	return out
}

// certificateAsset finds or creates the asset of this run's certificate.
func (r *run) certificateAsset(ctx context.Context) (asset, version string, err error) {
	keeper := &acls.Keeper{Readers: &readers.Readers{Frameio: r.frameio, Iconik: r.iconik, Archive: r.cfg.Archive}, Tenant: r.tenant, Ledger: r.ledger, Project: r.ref.Archive, Log: r.steps.Log,
		Changed: func(context.Context) error { return nil },
		Audit: func(ctx context.Context, action, text string) error {
			return r.audit(ctx, ledger.AuditEntry{Action: action, ObjectKind: "archive", ObjectID: r.ref.Archive, Detail: ledger.AuditText(text)})
		}}
	place, err := keeper.PutReport(ctx)
	if err != nil {
		return "", "", err
	}
	access, err := keeper.New(ctx, place, place == "")
	if err != nil {
		return "", "", err
	}
	key := fmt.Sprintf("%s:%d", r.ref.Archive, r.ref.Run)
	external := mapping.ExternalID("deletion", key)
	asset, made, err := r.once(ctx, tenant.Creation{Kind: linkCertificate, SourceID: key, Parent: r.archive.CollectionID, IndexLag: r.cfg.Iconik.SettleTime,
		Find: func(ctx context.Context) (string, error) {
			found, err := r.iconik.Search.ByExternalID(ctx, "assets", external)
			return tenant.FirstID(found, err, func(o iconik.Object) (string, bool) { return o.ID, !o.Deleted() })
		},
		Make: func(ctx context.Context) (string, error) {
			a, err := r.iconik.Assets.Create(ctx, iconik.AssetRequest{Title: "Deletion certificate — " + mapping.ProjectTitle(r.archive.Name, r.cfg.Archive.TriggerSuffix), Type: "ASSET", ExternalID: external, CollectionID: r.archive.CollectionID, Access: access})
			if err != nil {
				return "", err
			}
			return a.ID, nil
		}})
	if err == nil {
		err = keeper.SecureReaders(ctx, acls.Object{Type: acls.Assets, ID: asset, Place: place, Name: "the deletion certificate"}, made)
	}
	if err != nil {
		return "", "", err
	}
	a, err := r.iconik.Assets.Get(ctx, asset, false)
	if err != nil {
		return "", "", err
	}
	current, ok := a.CurrentVersion()
	if !ok {
		return "", "", fmt.Errorf("iconik shows no version of it")
	}
	return asset, current.ID, nil
}

func (r *run) once(ctx context.Context, c tenant.Creation) (string, bool, error) {
	c.Owner = r.ref.Archive
	return r.tenant.CreateOnce(ctx, c)
}

// store uploads a form as its format's file, unless an earlier attempt has.
func (r *run) store(ctx context.Context, it ledger.Item, format string, body []byte) error {
	files := r.steps.uploads.Of(r.tenant)
	rec := upload.Record{Key: it.SourceID, Format: format, Size: it.Size, Under: []string{"Frame.io", r.archive.TeamName, r.archive.Name}}
	rec, err := files.Ensure(ctx, r.once, it, rec)
	if err != nil {
		return err
	}
	if have, err := r.iconik.Files.File(ctx, it.AssetID, rec.FileID, iconik.FileOptions{}); err != nil || have.Status == "CLOSED" {
		return err
	}
	if rec, it.UploadID, err = files.Open(ctx, r.once, it, rec); err != nil {
		return err
	}
	it.FileID = rec.FileID
	return files.Fill(ctx, r.steps.Engine, it, body)
}
