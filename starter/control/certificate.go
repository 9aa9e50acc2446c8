package control

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/custody"
)

const mostCertificate = 1 << 30 // bytes; one file's row is less than a kilobyte

// ErrNoCertificate is returned if no deletion has ended, or if its certificate is no longer in iconik.
var ErrNoCertificate = errors.New("there is no deletion certificate")

// Certificate opens, from iconik, a file of the certificate of the archive's last deletion that has one, as it was signed and
// stored. The file must be one of custody.CertificateFiles. The caller must close it.
func (s *Service) Certificate(ctx context.Context, t *config.Tenant, archive, file string) (io.ReadCloser, error) {
	row, known, err := s.Ledger.Tenant(t.ID).Archive(archive).Certified(ctx)
	switch {
	case err != nil:
		return nil, errors.Join(ErrUnavailable, err)
	case !known || !slices.Contains(custody.CertificateFiles, file):
		return nil, ErrNoCertificate
	}
	media, err := s.Iconik(t)
	if err != nil {
		return nil, err
	}
	body, err := media.OpenStored(ctx, row.Certificate, file, mostCertificate)
	switch {
	case rest.ClassOf(err) == rest.NotFound:
		return nil, ErrNoCertificate
	case err != nil:
		return nil, errors.Join(ErrUnavailable, err)
	}
	return body, nil
}
