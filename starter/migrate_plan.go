package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/plan/account"
)

func migrateCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Archive the projects of a whole account as one job", Args: subcommand, RunE: showHelp}
	cmd.AddCommand(migratePlanCommand(o))
	cmd.AddCommand(migrationCommands(o)...)
	return cmd
}

func migratePlanCommand(o *options) *cobra.Command {
	var asJSON bool
	var take account.Selection
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what a migration would do; change nothing",
		Long: `plan reads the selected projects of a Frame.io account and adds up what their archives would copy, what would block them, who will
see what, what cannot be brought over, the time that the vendors' rate limits and the bandwidth require, and the cost at the
configured prices. It writes nothing on either side. Without flags, it reads every project that the sign-in has access to.`,
		Example: "  starter migrate plan --status inactive --older-than 2025-01-01\n  starter migrate plan --workspace \"Harbour Films\" --name \"Salt*\" --json",
		Args:    cobra.NoArgs,
	}
	selectionFlags(cmd.Flags(), &take)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		last := time.Now()
		progress := func(done, of int) {
			if time.Since(last) >= planSilence && done < of {
				last = time.Now()
				fmt.Fprintf(cmd.ErrOrStderr(), "read %d of %d projects\n", done, of)
			}
		}
		return withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
			made, err := s.PlanAccount(ctx, t, take, progress)
			switch {
			case err != nil:
				return badField(reach(err))
			case asJSON:
				return printJSON(out, made)
			}
			return printAccountPlan(out, made)
		})(cmd, args)
	}
	return cmd
}
