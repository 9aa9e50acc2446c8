// Package gone reports what is left in iconik of folders, files and versions that Frame.io no longer has. It deletes nothing but the empty
// collections of folders.
package gone

import (
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/placing"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// Leftovers finds what is left over of one archive.
type Leftovers struct {
	Frameio  frameio.Reader
	Iconik   *iconik.Client
	Tenant   ledger.TenantLedger
	Rows     ledger.ArchiveLedger
	Objects  isolate.Objects
	Access   *acls.Keeper
	Findings *comparing.Findings
	Places   placing.Places
	// Contents compares what is in a folder's collection, and reports the files there that Frame.io no longer has.
	Contents func(ctx context.Context, collection string) error
}

// Folders reports the folders that Frame.io no longer has and that still hold something in iconik, with their files.
func (l Leftovers) Folders(ctx context.Context) error {
	if err := l.Places.ClearFolders(ctx); err != nil {
		return err
	}
	gone, err := l.Rows.GoneFolders(ctx)
	if err != nil {
		return err
	}
	for _, k := range gone {
		failure := ledger.Failure{Kind: ledger.FailedComparison, SourceID: k.SourceID, Place: "A folder that Frame.io no longer has", URL: l.Iconik.CollectionURL(k.TargetID)}
		if _, err := l.Objects.TryOr(ctx, failure, func() error { return l.folder(ctx, k) }); err != nil {
			return fmt.Errorf("verifying the collection of a folder that Frame.io no longer has: %w", err)
		}
	}
	return nil
}

func (l Leftovers) folder(ctx context.Context, k ledger.Link) error {
	is, err := l.Iconik.Collections.Get(ctx, k.TargetID)
	if iconik.Gone(is, err) {
		return nil
	}
	if err != nil || is.ExternalID != mapping.ExternalID("folder", k.SourceID) {
		return err
	}
	// A restricted folder's rule is gone with it, and everybody who may read the rest may read the report.
	hidden, err := l.Access.OfGonePlace(ctx, acls.Object{Type: acls.Collections, ID: k.TargetID})
	if err != nil {
		return err
	}
	title := is.Title
	if hidden {
		title = "a folder that was restricted"
	} else if err := l.Contents(ctx, k.TargetID); err != nil {
		return err
	}
	if _, freed, err := l.Rows.Certified(ctx); err != nil || freed { // people delete folders after their files were freed
		return err
	}
	where, err := l.Where(ctx, k.SourceID)
	if err != nil {
		return err
	}
	return l.Findings.Set(ctx, comparing.Place{Object: k.SourceID, Part: comparing.PartCollection, Path: title, URL: l.Iconik.CollectionURL(k.TargetID)},
		[]ledger.Difference{{Kind: ledger.DifferenceExtra, Property: "folder", Frameio: where, Iconik: title}})
}

// Where returns, in words, what became of an object that a Frame.io project no longer has.
func (l Leftovers) Where(ctx context.Context, source string) (string, error) {
	_, err := l.Frameio.Asset(ctx, source)
	if err == nil {
		return "no longer in this project", nil
	}
	if rest.IsNotFound(err) {
		return "deleted", nil
	}
	return "", err
}

// Versions compares the order of an asset's versions, and which one is current, with its items, oldest first. It also returns the versions
// whose files Frame.io no longer has, unless a reclaim deleted them.
func (l Leftovers) Versions(ctx context.Context, asset *iconik.Asset, items []ledger.Item) ([]ledger.Difference, error) {
	var extra []ledger.Difference
	gone := map[string]bool{}
	for _, v := range asset.Versions {
		if v.Deleted() || slices.ContainsFunc(items, func(it ledger.Item) bool { return it.VersionID == v.ID }) {
			continue
		}
		link, known, err := l.Tenant.LinkByTarget(ctx, ledger.LinkVersion, v.ID)
		if err != nil {
			return nil, err
		}
		if !known {
			continue
		}
		was, known, err := l.Rows.Item(ctx, link.SourceID)
		if err != nil {
			return nil, err
		}
		if !known || was.Seq > 0 || was.VersionID != v.ID {
			continue
		}
		gone[v.ID] = true
		if freed, err := l.Rows.Reclaimed(ctx, was.SourceID); err != nil {
			return nil, err
		} else if freed {
			continue
		}
		where, err := l.Where(ctx, was.SourceID)
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
