package archive

import (
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// compareGone names the folders that Frame.io has no more and that something is still in in iconik, with their files.
func (a *archive) compareGone(ctx context.Context, me string) error {
	if err := a.places().ClearFolders(ctx); err != nil {
		return err
	}
	gone, err := a.ledger.GoneFolders(ctx)
	if err != nil {
		return err
	}
	for _, k := range gone {
		failure := ledger.Failure{Kind: ledger.FailedComparison, SourceID: k.SourceID, Place: "A folder that Frame.io no longer has", URL: a.iconik.CollectionURL(k.TargetID)}
		if _, err := a.objects.TryOr(ctx, failure, func() error { return a.compareGoneFolder(ctx, k, me) }); err != nil {
			return fmt.Errorf("verifying the collection of a folder that Frame.io no longer has: %w", err)
		}
	}
	return nil
}

func (a *archive) compareGoneFolder(ctx context.Context, k ledger.Link, me string) error {
	is, err := a.iconik.Collections.Get(ctx, k.TargetID)
	if iconik.Gone(is, err) {
		return nil
	}
	if err != nil || is.ExternalID != mapping.ExternalID("folder", k.SourceID) {
		return err
	}
	// The rule of a restricted folder goes with it, and the report is for all who may read the rest.
	hidden, err := a.access.OfGonePlace(ctx, acls.Object{Type: acls.Collections, ID: k.TargetID})
	if err != nil {
		return err
	}
	title := is.Title
	if hidden {
		title = "a folder that was restricted"
	} else if err := a.verifyContents(ctx, k.TargetID, me); err != nil {
		return err
	}
	if _, freed, err := a.ledger.Certified(ctx); err != nil || freed { // whoever has deleted the files may delete what held them
		return err
	}
	where, err := a.goneTo(ctx, k.SourceID)
	if err != nil {
		return err
	}
	return a.findings.Set(ctx, comparing.Place{Object: k.SourceID, Part: comparing.PartCollection, Path: title, URL: a.iconik.CollectionURL(k.TargetID)},
		[]ledger.Difference{{Kind: ledger.DifferenceExtra, Property: "folder", Frameio: where, Iconik: title}})
}

// goneTo says what became of something that a project of Frame.io has no more.
func (a *archive) goneTo(ctx context.Context, source string) (string, error) {
	_, err := a.frameio.Asset(ctx, source)
	if err == nil {
		return "no longer in this project", nil
	}
	if rest.IsNotFound(err) {
		return "deleted", nil
	}
	return "", err
}

// compareVersions compares the order of an asset's versions, and which is the current one, with its items, oldest first. Versions whose
// files Frame.io has no more are named as that, unless the files were deleted on purpose.
func (a *archive) compareVersions(ctx context.Context, asset *iconik.Asset, items []ledger.Item) ([]ledger.Difference, error) {
	var extra []ledger.Difference
	gone := map[string]bool{}
	for _, v := range asset.Versions {
		if v.Deleted() || slices.ContainsFunc(items, func(it ledger.Item) bool { return it.VersionID == v.ID }) {
			continue
		}
		link, known, err := a.tenant.Ledger.LinkByTarget(ctx, ledger.LinkVersion, v.ID)
		if err != nil {
			return nil, err
		}
		if !known {
			continue
		}
		was, known, err := a.ledger.Item(ctx, link.SourceID)
		if err != nil {
			return nil, err
		}
		if !known || was.Seq > 0 || was.VersionID != v.ID {
			continue
		}
		gone[v.ID] = true
		if freed, err := a.ledger.Reclaimed(ctx, was.SourceID); err != nil {
			return nil, err
		} else if freed {
			continue
		}
		where, err := a.goneTo(ctx, was.SourceID)
		if err != nil {
			return nil, err
		}
		extra = append(extra, ledger.Difference{Kind: ledger.DifferenceExtra, Property: "version", Name: was.Name, Frameio: where, Iconik: versionName(v)})
	}
	return append(comparing.Versions(asset, items, gone), extra...), nil
}

func versionName(v iconik.Version) string {
	if v.VersionNumber == nil {
		return "still there"
	}
	return fmt.Sprintf("version %d", *v.VersionNumber)
}
