// Package process implements the worker program. It is not package main so that one binary can contain both worker and starter.
package process

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/version"
)

// Main runs the worker with this process's arguments. It exits with status 1 on error.
func Main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", redact.Scrub(err.Error()))
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:     "worker",
		Short:   "Run Framebridge's workflows and activities",
		Version: version.Get().String(),
		Long: `worker runs Framebridge's workflows and activities. Start as many as you like, on as many machines, against the
same Temporal cluster and the same ledger. On SIGTERM it shuts down cleanly within 30 seconds: another worker continues
each transfer from its last finished part.

` + config.KeysHelp(),
		Example:       "  worker --config framebridge.yaml\n  worker --config framebridge.yaml --log-format json --log-level debug",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		PreRunE:       func(*cobra.Command, []string) error { return redact.CheckLog(o.logFormat, o.logLevel) },
		RunE:          func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.config, "config", config.DefaultPath(), "configuration file (also FRAMEBRIDGE_CONFIG)")
	cmd.Flags().StringVar(&o.logFormat, "log-format", "text", "text or json")
	cmd.Flags().StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}
