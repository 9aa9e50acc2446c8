package main

import (
	"context"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/api"
	"github.com/framebridge/framebridge/telemetry"
	"github.com/framebridge/framebridge/temporalclient"
)

func serveCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "serve",
		Short:   "Serve the HTTP API: webhooks, iconik actions, status and control",
		Example: "  starter serve --config framebridge.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(syscall.SIGHUP) // would end a starter that waits for its ledger; later it reloads the configuration
			ctx := cmd.Context()
			var tell *telemetry.Telemetry
			s, done, err := prepare(ctx, o, func(ctx context.Context, cfg *config.Config, log *slog.Logger) (client.Client, error) {
				var err error
				if tell, err = telemetry.Open(ctx, cfg.Telemetry, "starter", log); err != nil {
					return nil, err
				}
				return temporalclient.Lazy(cfg.Temporal, log, temporalclient.Watch{Meters: tell.Meters, Tracers: tell.Tracers})
			})
			if tell != nil {
				defer func() { _ = tell.Close(ctx) }()
			}
			if err != nil {
				return err
			}
			defer done()
			s.Actor = ledger.Actor{Kind: ledger.ActorAPI}
			server := api.New(s.Service)
			server.Metrics, server.Tracers = tell.Registry, tell.Tracers
			return server.Serve(ctx)
		},
	}
}
