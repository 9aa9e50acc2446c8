package report

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/ledger"
)

// PicturesAt is where a served report has the pictures of its files, relative to its own URL. A stored report has none: their URLs
// would either grant access to anybody or lead nowhere.
const PicturesAt = "thumbs/"

// Pictures knows which files of an archive may be shown as pictures: those that everybody with iconik's default access may see.
// People who read a report need not be readers of a restricted place.
type Pictures struct {
	rows   ledger.ArchiveLedger
	open   map[string]bool // by place, "" for the project; nil if nothing is restricted
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
			continue // a place with an unreadable rule is not open
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

// Shows reports whether a picture of an item may be shown.
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

// address returns the relative URL of an item's picture in a served report, or "" if there is none.
func (p *Pictures) address(ctx context.Context, it ledger.Item) string {
	if shows, err := p.Shows(ctx, it); err != nil || !shows {
		return "" // the row is complete without it
	}
	return PicturesAt + url.PathEscape(it.SourceID)
}
