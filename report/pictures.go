package report

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/ledger"
)

// PicturesAt is where a report that is served has the pictures of its files, below its own address. A report that is stored
// has none: it would have to hold addresses that let anybody in, or that lead nowhere.
const PicturesAt = "thumbs/"

// Pictures knows of which files of an archive there may be a picture: those that everybody may see who has iconik's default
// access. Whoever reads a report need not be one of a restricted place's readers.
type Pictures struct {
	rows   ledger.ArchiveLedger
	open   map[string]bool // by place, "" for the project; nil where nothing is restricted
	places map[string]string
}

// PicturesOf reads an archive's access for its pictures.
func PicturesOf(ctx context.Context, l ledger.ArchiveLedger) (*Pictures, error) {
	rows, err := l.Access(ctx)
	if err != nil {
		return nil, err
	}
	p := &Pictures{rows: l, places: map[string]string{}}
	for _, row := range rows {
		var r access.Rule
		if row.Part != ledger.AccessRule || json.Unmarshal([]byte(row.Doc), &r) != nil {
			continue // a place whose rule cannot be read is not open
		}
		if p.open == nil {
			p.open = map[string]bool{}
		}
		if p.open[r.Source] = r.Open; r.Kind == access.KindProject {
			p.open[""] = r.Open
		}
	}
	return p, nil
}

// Shows says whether there may be a picture of an item.
func (p *Pictures) Shows(ctx context.Context, it ledger.Item) (bool, error) {
	if it.AssetID == "" || it.VersionID == "" || it.State == ledger.Skipped {
		return false, nil
	}
	if p.open == nil {
		return true, nil
	}
	place, known := p.places[it.FolderID]
	if !known {
		found, ok, err := p.rows.FolderAccess(ctx, it.FolderID)
		if err != nil || !ok {
			return false, err
		}
		place = found
		p.places[it.FolderID] = place
	}
	return p.open[place], nil
}

// address is where a report that is served has an item's picture, "" for none.
func (p *Pictures) address(ctx context.Context, it ledger.Item) string {
	if shows, err := p.Shows(ctx, it); err != nil || !shows {
		return "" // the row says the same without it
	}
	return PicturesAt + url.PathEscape(it.SourceID)
}
