package report

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

// Source is what a report says that is not in the archive's ledger: whose archive it is, and where a person finds more.
type Source struct {
	TenantName  string
	IconikURL   string // of the tenant's iconik
	WorkflowURL string
	ConsoleURL  string             // of the archive, for people who sign in
	SigningKey  ed25519.PrivateKey // nil: the report stays unsigned
	// Pictures shows pictures of the files. Set it only for a report that is served next to PicturesAt.
	Pictures bool
	// HidesPrivate leaves out people's private collections. Set it for copies that everyone who sees the project may read.
	HidesPrivate bool
}

// Open reads an archive's report from the ledger. It returns nil if the archive is unknown. Rendering streams the items.
func Open(ctx context.Context, l ledger.ArchiveLedger, s Source) (*Report, error) {
	row, ok, err := l.Get(ctx)
	if err != nil || !ok {
		return nil, err
	}
	row.Reason = redact.Scrub(row.Reason)
	totals, err := l.Totals(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := notCarried(ctx, l)
	if err != nil {
		return nil, err
	}
	differences, err := l.Differences(ctx, mostNotCarried)
	if err != nil {
		return nil, err
	}
	failures, err := failed(ctx, l)
	if err != nil {
		return nil, err
	}
	generations, err := keptGenerations(ctx, l, row.ID)
	if err != nil {
		return nil, err
	}
	access, err := ReadAccess(ctx, l)
	if err == nil && access != nil {
		err = access.locate(ctx, l, row, s.IconikURL)
	}
	if err != nil {
		return nil, err
	}
	hidden := Hidden{}
	if s.HidesPrivate {
		if hidden, err = hiddenOf(ctx, l, access); err != nil {
			return nil, err
		}
		access = hidden.access(access)
		differences = slices.DeleteFunc(differences, func(d ledger.Difference) bool { return hidden.ids[d.Object] })
		failures = slices.DeleteFunc(failures, func(f ledger.Failure) bool { return hidden.ids[f.SourceID] })
		rows = slices.DeleteFunc(rows, func(n NotCarried) bool { return hidden.ids[n.Object] })
	}
	var picture func(ledger.Item) string
	if s.Pictures {
		pictures, err := PicturesOf(ctx, l)
		if err != nil {
			return nil, err
		}
		picture = func(it ledger.Item) string { return pictures.address(ctx, it) }
	}
	return &Report{
		picture: picture,
		Hidden:  hidden, Archive: row, Access: access, Generations: generations, NotCarried: rows, Differences: differences, Failures: failures, SigningKey: s.SigningKey, Totals: totals, Tenant: s.TenantName, GeneratedAt: time.Now().UTC(),
		Links: Links{Frameio: row.ProjectURL, Iconik: s.IconikURL + "/collection/" + row.CollectionID, Temporal: s.WorkflowURL, Console: s.ConsoleURL, IconikAssets: s.IconikURL + "/asset/"},
		Items: func(yield func(ledger.Item, error) bool) {
			for it, err := range l.AllItems(ctx) {
				it.Reason, it.Note = redact.Scrub(it.Reason), redact.Scrub(it.Note)
				if !yield(it, err) {
					return
				}
			}
		},
	}, nil
}

const mostNotCarried = 100_000 // most rows of a report, and most differences

func notCarried(ctx context.Context, l ledger.ArchiveLedger) ([]NotCarried, error) {
	rows, err := l.NotCarried(ctx, mostNotCarried)
	out := make([]NotCarried, len(rows))
	pages := map[string]string{} // of files in Frame.io
	for i, n := range rows {
		out[i] = NotCarried{Kind: n.Kind, Name: n.Name, Place: n.Place, Size: n.Size, Reason: n.Reason, URL: n.URL, Object: n.Object}
		if n.URL != "" {
			continue
		}
		if _, asked := pages[n.Object]; !asked {
			it, _, err := l.Item(ctx, n.Object)
			if err != nil {
				return nil, err
			}
			pages[n.Object] = FrameioURL(it)
		}
		out[i].URL = pages[n.Object]
	}
	return out, err
}

// failed returns the failed objects that are not files.
func failed(ctx context.Context, l ledger.ArchiveLedger) ([]ledger.Failure, error) {
	var out []ledger.Failure
	for f, err := range l.AllFailures(ctx) {
		if err != nil {
			return nil, err
		}
		f.Reason = redact.Scrub(f.Reason)
		out = append(out, f)
	}
	return out, nil
}

// FormLink is the kind of the links that record which forms of a run's report are stored. The hash list's link contains its generation.
const FormLink ledger.LinkKind = "report form"

// FormKey identifies a form of a run's report.
func FormKey(archive string, run int, format string) string {
	return fmt.Sprintf("report:%s:%d:%s", archive, run, format)
}

// MHLFormat is the hash list's format in iconik.
const MHLFormat = "MHL"

// HasChain reports whether an archive's runs have kept hash lists, and so have a chain.
func HasChain(ctx context.Context, l ledger.ArchiveLedger, archive string) (bool, error) {
	generations, err := keptGenerations(ctx, l, archive)
	return len(generations) > 0, err
}

// newestHashList returns the generation of the last run that kept a hash list, or nil if none has.
func newestHashList(ctx context.Context, l ledger.ArchiveLedger, archive string) (*Generation, error) {
	generations, err := keptGenerations(ctx, l, archive)
	if err != nil || len(generations) == 0 {
		return nil, err
	}
	return &generations[len(generations)-1], nil
}

func keptGenerations(ctx context.Context, l ledger.ArchiveLedger, archive string) ([]Generation, error) {
	var out []Generation
	for k, err := range l.AllLinks(ctx, FormLink) {
		if err != nil {
			return nil, err
		}
		var run int
		if _, err := fmt.Sscanf(strings.TrimPrefix(k.SourceID, "report:"+archive+":"), "%d:"+MHLFormat, &run); err != nil || k.SourceID != FormKey(archive, run, MHLFormat) {
			continue
		}
		if g, ok := ParseGeneration(k.Hash, run); ok {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b Generation) int { return a.Number - b.Number })
	return out, nil
}
