package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/starter/control"
)

func notifyCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "notify", Short: "Test a tenant's notifications", Args: subcommand, RunE: showHelp}
	cmd.AddCommand(notifyTestCommand(o))
	return cmd
}

func notifyTestCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "test", Short: "Send a test to Slack, Teams, the webhook and by mail, and show how each responded",
		Long: `test sends one message from this machine to each channel of a tenant, whatever its list of events says. Workers send real events,
from the machines they run on.

Exit code: 0 every configured channel accepted it, 1 one did not, or none is configured.`,
		Example: "  starter notify test --tenant Acme", Args: cobra.NoArgs,
		RunE: withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
			all, err := s.TestNotifications(ctx, t)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(out, map[string]any{"channels": all})
			} else {
				err = printTests(out, all)
			}
			is := func(status string) func(control.ChannelTest) bool {
				return func(c control.ChannelTest) bool { return c.Status == status }
			}
			switch {
			case err != nil:
				return err
			case slices.ContainsFunc(all, is("failed")):
				return &exitError{code: exitFailed}
			case !slices.ContainsFunc(all, is("delivered")):
				return &exitError{exitFailed, "no channel is configured: see tenants.<id>.notify and archive.notify in the configuration"}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the responses as JSON")
	return cmd
}

func printTests(out io.Writer, all []control.ChannelTest) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Channel, c.Status, c.Detail)
	}
	return w.Flush()
}
