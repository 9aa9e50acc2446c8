package verify

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/english"
)

// Keys returns a signer's key as the trusted keys, or nil if it is not Ed25519.
func Keys(public crypto.PublicKey) []ed25519.PublicKey {
	key, ok := public.(ed25519.PublicKey)
	if !ok {
		return nil
	}
	return []ed25519.PublicKey{key}
}

// certificate checks a deletion certificate's totals against its rows, each deletion against its proof, and the deleted files against
// the stored ones.
func (r *Result) certificate(body []byte, o Options) error {
	var d struct {
		custody.Certificate
		Files []custody.CertificateFile `json:"files"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		r.wrong("it cannot be read as a deletion certificate: %v", err)
		return nil
	}
	r.of(named{ID: d.Tenant}, "project", named{d.Project, d.Name}, d.Run, d.FinishedAt)
	var counted custody.CertificateTotals
	for _, f := range d.Files {
		if f.State != "deleted" {
			counted.Left, counted.LeftBytes = counted.Left+1, counted.LeftBytes+f.Size
			continue
		}
		counted.Deleted, counted.DeletedBytes = counted.Deleted+1, counted.DeletedBytes+f.Size
		switch {
		case f.ProvenAt == nil || f.DeletedAt == nil || f.Proof == "" || f.Checksum == "":
			r.wrong("%s was deleted, and the certificate does not say how it was proven", f.Path)
		case f.DeletedAt.Before(*f.ProvenAt) || f.DeletedAt.Before(d.ApprovedAt):
			r.wrong("%s was deleted before it was proven and approved", f.Path)
		}
	}
	if counted != d.Totals {
		r.wrong("totals: it says %d deleted (%d bytes) and %d left (%d bytes), and lists %d (%d) and %d (%d)",
			d.Totals.Deleted, d.Totals.DeletedBytes, d.Totals.Left, d.Totals.LeftBytes, counted.Deleted, counted.DeletedBytes, counted.Left, counted.LeftBytes)
	} else {
		r.ok("its totals match its %s: %d deleted, %d left", english.Count(len(d.Files), "row"), counted.Deleted, counted.Left)
	}
	if d.ApprovedBy == "" || d.ApprovedAt.IsZero() {
		r.wrong("nobody approved the deletion")
	}
	if o.Store == "" {
		r.warn("the stored files were not read: use --store to say where they are")
		return nil
	}
	return r.stored(o.Store, "the archive's hash list", func(file func(kept)) {
		for _, f := range d.Files {
			if f.State == "deleted" {
				file(kept{f.Path, f.SourceID, f.Versions, f.Size, f.Checksum})
			}
		}
	})
}
