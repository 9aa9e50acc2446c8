package main

import (
	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/api"
)

func serveCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "serve",
		Short:   "Serve the HTTP API: webhooks, iconik actions, status and control",
		Example: "  starter serve --config framebridge.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, done, err := prepare(cmd.Context(), o, lazily)
			if err != nil {
				return err
			}
			defer done()
			s.Actor = ledger.Actor{Kind: ledger.ActorAPI}
			return api.New(s.Service).Serve(cmd.Context())
		},
	}
}
