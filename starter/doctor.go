package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/setup"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/version"
)

func doctorCommand(o *options) *cobra.Command {
	var asJSON, everything bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the installation and say how to fix what is wrong",
		Long: `doctor checks the configuration, Temporal, the ledger, the mail server, and each tenant's setup in Frame.io and iconik.
It needs neither a project nor a worker, and changes nothing. The administrator's manual explains each check by its ID.
Without --tenant it checks all tenants.

Exit code: 0 all checks passed, 1 warnings, 2 errors.`,
		Example: "  starter doctor\n  starter doctor --tenant Acme --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := examineAll(cmd.Context(), o)
			if err != nil {
				return &exitError{exitUsage, err.Error()}
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				err = printReport(cmd.OutOrStdout(), report, everything)
			}
			if err == nil && report.ExitCode() != 0 {
				err = &exitError{code: report.ExitCode()}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the checks as JSON")
	cmd.Flags().BoolVar(&everything, "all", false, "also print checks that passed")
	return cmd
}

// examineAll opens everything that can be opened. The doctor reports what cannot.
func examineAll(ctx context.Context, o *options) (doctor.Report, error) {
	subject := &doctor.Subject{Path: o.config, Open: control.OpenForDoctor(nil)}
	cfg, err := config.Load(o.config)
	if err != nil {
		subject.ConfigErr = err
		return doctor.Run(ctx, subject), nil
	}
	subject.Config, subject.Base = cfg, cfg.HTTP.PublicURL+routes.Prefix
	subject.Chosen, subject.Version = control.Chosen(o.config), version.Get().String()
	if subject.Tenants, err = tenantsOf(cfg, o.tenant); err != nil {
		return doctor.Report{}, err
	}
	l, err := ledger.Open(ctx, cfg.Ledger.DSN.Reveal(), ledger.WithKey(cfg.Ledger.EncryptionKey.RevealAll()...))
	if err != nil {
		subject.LedgerErr = err
	} else {
		defer l.Close()
		subject.Ledger, subject.SignedIn, subject.Open = l, control.SignedIn(l), control.OpenForDoctor(l)
	}
	quiet := slog.New(slog.DiscardHandler)
	if tc, err := temporalclient.Lazy(cfg.Temporal, quiet, temporalclient.Watch{}); err == nil {
		defer tc.Close()
		subject.Temporal = tc
	}
	return doctor.Run(ctx, subject), nil
}

func tenantsOf(cfg *config.Config, name string) ([]*config.Tenant, error) {
	if name != "" {
		t, err := pickTenant(cfg, name)
		return []*config.Tenant{t}, err
	}
	var all []*config.Tenant
	for _, id := range slices.Sorted(maps.Keys(cfg.Tenants)) {
		all = append(all, cfg.Tenants[id])
	}
	return all, nil
}

var statusSigns = map[doctor.Status]string{doctor.OK: "ok", doctor.Warn: "WARN", doctor.Fail: "FAIL", doctor.Skipped: "-"}

// printReport prints the problems in full and counts the rest.
func printReport(out io.Writer, r doctor.Report, everything bool) error {
	var b strings.Builder
	counts := map[doctor.Status]int{}
	tenant := ""
	for _, c := range r.Checks {
		counts[c.Status]++
		if !everything && (c.Status == doctor.OK || c.Status == doctor.Skipped) {
			continue
		}
		if c.Tenant != tenant {
			tenant = c.Tenant
			fmt.Fprintf(&b, "\nTenant %s\n", tenant)
		}
		fmt.Fprintf(&b, "%-4s  %s: %s\n", statusSigns[c.Status], c.ID, c.Seen)
		if c.Meaning != "" {
			fmt.Fprintf(&b, "      %s\n      → %s\n", c.Meaning, c.Do)
		}
	}
	fmt.Fprintf(&b, "\n%s: %d ok, %s, %d failed, %d skipped\n", english.Count(len(r.Checks), "check"), counts[doctor.OK], english.Count(counts[doctor.Warn], "warning"), counts[doctor.Fail], counts[doctor.Skipped])
	_, err := io.WriteString(out, b.String())
	return err
}

// usage marks an error as one of usage or configuration.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err.Error()}
}

// reach gives an error the exit code that tells scripts who is at fault.
func reach(err error) error {
	var coded *exitError
	var e *rest.Error
	switch {
	case err == nil, errors.As(err, &coded):
		return err
	case errors.Is(err, setup.ErrChoice):
		return usage(err)
	case errors.As(err, &e) && e.Class == rest.Retryable:
		return &exitError{exitUnreachable, redact.Scrub(err.Error())}
	}
	return err
}
