// Command starter is Framebridge's front end. It serves the HTTP API and the console, and its commands start the same workflows.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/version"
)

// commandActor returns the person at the terminal, by account name.
func commandActor() ledger.Actor {
	who := ledger.Actor{Kind: ledger.ActorCommand}
	if u, err := user.Current(); err == nil {
		who.Name = u.Username
	}
	return who
}

// Exit codes, for scripts.
const (
	exitFailed      = 1 // the command failed
	exitUsage       = 2 // usage or configuration error
	exitExceptions  = 3 // the archive ended, but not simply verified
	exitUnreachable = 4 // a vendor, Temporal or the ledger cannot be reached
)

// exitError is an error with an exit code other than exitFailed's.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// asWorker, if set, runs the worker instead, in a binary that contains both programs. See image.go.
var asWorker func()

func main() {
	if asWorker != nil && filepath.Base(os.Args[0]) == "worker" {
		asWorker()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, command())
	if err == nil {
		return
	}
	err = interrupted(ctx, err)
	var coded *exitError
	if !errors.As(err, &coded) || coded.text != "" {
		fmt.Fprintln(os.Stderr, "starter:", redact.Scrub(err.Error()))
	}
	os.Exit(exitCode(err))
}

// run executes a command line. Any error before a command begins is a usage error. A command whose output could not be written has
// failed, whatever it thinks.
func run(ctx context.Context, root *cobra.Command) error {
	out := &output{Writer: root.OutOrStdout()}
	root.SetOut(out)
	began := false
	check := root.PersistentPreRunE
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		began = err == nil
		return err
	}
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !began {
		return usage(fmt.Errorf("%w\nUsage: %s\nMore: %s --help", err, cmd.UseLine(), cmd.CommandPath()))
	}
	if err == nil {
		return out.err
	}
	return err
}

// interrupted returns what a command that a signal has ended says: what the signal cut off is no fault of a vendor's.
func interrupted(ctx context.Context, err error) error {
	var coded *exitError
	if ctx.Err() == nil || errors.As(err, &coded) && coded.code != exitUnreachable {
		return err
	}
	return &exitError{exitFailed, "interrupted"}
}

// output remembers the first error of writing.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// subcommand checks the arguments of a command that only groups others.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2 // edit distance in letters
	text := fmt.Sprintf("%s has no command %q", cmd.CommandPath(), args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, ", ") + "?"
	}
	return errors.New(text)
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// exitCode returns the code that tells scripts what kind of failure it was.
func exitCode(err error) int {
	var coded *exitError
	var problems *config.Problems
	var vendor *rest.Error
	switch {
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &problems), errors.Is(err, config.ErrNoFile):
		return exitUsage
	case errors.Is(err, control.ErrUnavailable), errors.Is(err, temporalclient.ErrUnreachable), errors.Is(err, ledger.ErrUnavailable), errors.As(err, &vendor) && vendor.Class == rest.Retryable:
		return exitUnreachable
	}
	return exitFailed
}

type options struct {
	config, logFormat, logLevel, tenant string
}

func command() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:               "starter",
		Short:             "Framebridge's HTTP API and command line",
		Long:              "starter serves Framebridge's HTTP API, and starts, plans and controls archives from the command line.",
		Version:           version.Get().String(),
		PersistentPreRunE: func(*cobra.Command, []string) error { return redact.CheckLog(o.logFormat, o.logLevel) },
		Args:              subcommand,
		RunE:              showHelp,
		SilenceUsage:      true,
		SilenceErrors:     true,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&o.config, "config", config.DefaultPath(), "configuration file (also FRAMEBRIDGE_CONFIG)")
	flags.StringVar(&o.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&o.tenant, "tenant", "", "tenant ID or name; not needed if there is only one")
	root.SetHelpTemplate(root.HelpTemplate() + "\n" + config.KeysHelp())
	root.AddCommand(serveCommand(o), archiveCommand(o), planCommand(o), statusCommand(o), retryCommand(o), cancelCommand(o), loginCommand(o), consoleCommand(o), auditCommand(o))
	root.AddCommand(notifyCommand(o))
	root.AddCommand(projectsCommand(o), archivesCommand(o), reviewsCommand(o), reviewCommand(o), migrateCommand(o), mirrorCommand(o), reclaimCommand(o), eraseCommand(o))
	root.AddCommand(setupCommand(o), doctorCommand(o), configCommand(o), versionCommand(), verifyCommand(), manCommand())
	completeTenants(root, o)
	completeProjects(root, o)
	return root
}

// service is what the commands use.
type service struct{ *control.Service }

// lazily connects to Temporal only when the connection is first used.
func lazily(_ context.Context, cfg *config.Config, log *slog.Logger) (client.Client, error) {
	return temporalclient.Lazy(cfg.Temporal, log, temporalclient.Watch{})
}

func dialed(ctx context.Context, cfg *config.Config, log *slog.Logger) (client.Client, error) {
	return temporalclient.Dial(ctx, cfg.Temporal, log)
}

// connect connects to everything that a command needs. The caller must call the returned function.
func connect(ctx context.Context, o *options) (*service, func(), error) {
	s, done, err := prepare(ctx, o, dialed)
	if err == nil {
		s.UseSearchAttributes(temporalclient.RegisterSearchAttributes(ctx, s.Temporal, s.Config().Temporal.Namespace, s.Log))
	}
	return s, done, err
}

func prepare(ctx context.Context, o *options, dial func(context.Context, *config.Config, *slog.Logger) (client.Client, error)) (*service, func(), error) {
	live, err := config.Open(o.config)
	if err != nil {
		return nil, nil, err
	}
	cfg := live.Now()
	log := redact.NewLogger(os.Stderr, o.logFormat, o.logLevel)
	slog.SetDefault(log)
	cfg.LogWarnings(log)
	l, err := ledger.Open(ctx, cfg.Ledger.DSN.Reveal(), ledger.WithKey(cfg.Ledger.EncryptionKey.RevealAll()...))
	if err != nil {
		return nil, nil, fmt.Errorf("ledger.dsn: %w", err)
	}
	l.LogIfNew(log)
	tc, err := dial(ctx, cfg, log)
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	s := &service{control.New(live, o.config, commandActor(), l, tc, log)}
	return s, func() { tc.Close(); l.Close() }, nil
}

// pickTenant returns the tenant that a command is for, by ID, by name, or because it is the only one.
func pickTenant(cfg *config.Config, name string) (*config.Tenant, error) {
	if t, ok := cfg.Tenant(name); ok {
		return t, nil
	}
	if name == "" && len(cfg.Tenants) == 1 {
		for _, t := range cfg.Tenants {
			return t, nil
		}
	}
	var named []*config.Tenant
	var all []string
	for _, t := range cfg.Tenants {
		all = append(all, fmt.Sprintf("%s (%s)", t.ID, t.Name))
		if name != "" && t.Name == name {
			named = append(named, t)
		}
	}
	slices.Sort(all)
	switch {
	case len(named) == 1:
		return named[0], nil
	case len(named) > 1:
		return nil, fmt.Errorf("%s are named %q: choose one by its ID: %s", english.Count(len(named), "tenant"), name, strings.Join(all, ", "))
	case name == "":
		return nil, fmt.Errorf("several tenants are configured: choose one with --tenant: %s", strings.Join(all, ", "))
	}
	return nil, fmt.Errorf("no tenant %q in the configuration; it has %s", name, strings.Join(all, ", "))
}
