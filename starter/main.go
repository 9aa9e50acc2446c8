// Command starter is Framebridge's front: the HTTP API that Frame.io, iconik and people call, and the command line that
// starts the same workflows.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// Exit codes, for scripts.
const (
	exitFailed     = 1 // could not be done
	exitExceptions = 3 // the archive ended, but not as plain verified
)

// exitError carries an exit code that is not the plain failure's.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := command().ExecuteContext(ctx)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "starter:", config.Scrub(err.Error()))
	var coded *exitError
	if errors.As(err, &coded) {
		os.Exit(coded.code)
	}
	os.Exit(exitFailed)
}

type options struct {
	config, logFormat, logLevel, tenant string
}

func command() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:           "starter",
		Short:         "Framebridge's HTTP API and command line",
		Long:          "starter serves Framebridge's HTTP API, and starts, plans and controls archives from the command line.\n\n" + config.KeysHelp(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&o.config, "config", config.DefaultPath(), "configuration file (also FRAMEBRIDGE_CONFIG)")
	flags.StringVar(&o.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&o.tenant, "tenant", "", "tenant id or name; not needed when there is only one")
	root.AddCommand(serveCommand(o), archiveCommand(o), planCommand(o), statusCommand(o), retryCommand(o), cancelCommand(o), loginCommand(o))
	return root
}

// open connects to what every command needs. The caller closes it.
func open(ctx context.Context, o *options) (*service, func(), error) {
	cfg, err := config.Load(o.config)
	if err != nil {
		return nil, nil, err
	}
	log := config.NewLogger(os.Stderr, o.logFormat, o.logLevel)
	slog.SetDefault(log)
	book, err := ledger.Open(ctx, cfg.Ledger.DSN.Reveal(), ledger.WithKey(cfg.Ledger.EncryptionKey.Reveal()))
	if err != nil {
		return nil, nil, fmt.Errorf("ledger.dsn: %w", err)
	}
	tc, err := activities.DialTemporal(ctx, cfg.Temporal, log)
	if err != nil {
		book.Close()
		return nil, nil, err
	}
	s := &service{cfg: cfg, ledger: book, temporal: tc, log: log, platforms: map[string]frameio.Platform{}}
	s.attributes = activities.RegisterSearchAttributes(ctx, tc, cfg.Temporal.Namespace, log)
	return s, func() { tc.Close(); book.Close() }, nil
}

// pickTenant finds the tenant that a command is for.
func pickTenant(cfg *config.Config, name string) (*config.Tenant, error) {
	if t, ok := cfg.Tenant(name); ok {
		return t, nil
	}
	if name == "" && len(cfg.Tenants) == 1 {
		for _, t := range cfg.Tenants {
			return t, nil
		}
	}
	for _, t := range cfg.Tenants {
		if name != "" && t.Name == name {
			return t, nil
		}
	}
	if name == "" {
		return nil, errors.New("several tenants are configured: say which with --tenant")
	}
	return nil, fmt.Errorf("no tenant %q in the configuration", name)
}
