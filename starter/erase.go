package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger/people"
	"github.com/framebridge/framebridge/starter/api"
	"github.com/framebridge/framebridge/starter/control"
)

func eraseCommand(o *options) *cobra.Command {
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "erase ADDRESS",
		Short: "Permanently erase a person from Framebridge's ledger",
		Long: `erase replaces a person's e-mail address, and the names next to it, with a pseudonym in everything that Framebridge has stored
for a tenant: archives, files, folders, reviews, comments and the audit log, which can still be verified and records the erasure.
It cannot be undone. It refuses to erase a reviewer of an open review, or whoever asked for or approved a deletion in Frame.io that is
under way.

It does not touch what Frame.io and iconik hold, but lists it so that you can deal with it there.`,
		Example: "  starter erase rita@client.example --yes",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !api.IsAddress(args[0]) {
				return errors.New("erase takes one e-mail address")
			}
			return nil
		},
		RunE: withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			if !yes {
				return usage(errors.New("this cannot be undone: add --yes to confirm"))
			}
			done, err := s.Erase(ctx, t, args[0])
			if errors.Is(err, people.ErrInUse) {
				return &exitError{exitFailed, err.Error() + ": stop it, or wait until it ends"}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(out, done)
			}
			return printErasure(out, done)
		}),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "confirm the erasure")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printErasure(out io.Writer, done control.ErasureView) error {
	fmt.Fprintf(out, "Erased, as %s: %s in the audit log\n", done.Pseudonym, english.Count(done.Entries, "entry"))
	for _, table := range slices.Sorted(maps.Keys(done.Rows)) {
		fmt.Fprintf(out, "  %-18s %s\n", table, english.Count(done.Rows[table], "row"))
	}
	fmt.Fprintln(out, "\nStill held by the vendors, not touched:")
	for _, held := range done.StillHeld {
		fmt.Fprintln(out, "  "+held)
	}
	_, err := fmt.Fprintln(out, "  iconik: archived comments name their authors, collections name who created the folder, and earlier reports name who asked for the archive: search for the address there\n  Frame.io: the person's comments, uploads and invitations: ask Frame.io, or delete them there")
	return err
}
