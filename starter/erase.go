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
		Short: "Take a person out of Framebridge's ledger for good",
		Long: `erase replaces a person's e-mail address, and the names next to it, with a pseudonym in everything that Framebridge has stored
of a tenant: archives, files, folders, reviews, comments and the audit log, which stays provable and gets an entry about it. It cannot be
undone. A reviewer of an open review is refused, and who asked for or approved a deletion in Frame.io that is under way.

What Frame.io and iconik hold is not touched; it is listed, so that you can deal with it there.`,
		Example: "  starter erase rita@client.example --yes",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !api.IsAddress(args[0]) {
				return errors.New("erase takes one e-mail address")
			}
			return nil
		},
		RunE: withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, args []string) error {
			if !yes {
				return usage(errors.New("this cannot be undone: add --yes"))
			}
			done, err := s.Erase(ctx, t, args[0])
			if errors.Is(err, people.ErrInUse) {
				return &exitError{exitFailed, err.Error() + ": stop it, or wait for its end"}
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
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printErasure(out io.Writer, done control.ErasureView) error {
	fmt.Fprintf(out, "Erased, as %s: %s in the audit log\n", done.Pseudonym, english.Count(done.Entries, "entry"))
	for _, table := range slices.Sorted(maps.Keys(done.Rows)) {
		fmt.Fprintf(out, "  %-18s %s\n", table, english.Count(done.Rows[table], "row"))
	}
	fmt.Fprintln(out, "\nStill held by the vendors, and not touched:")
	for _, held := range done.StillHeld {
		fmt.Fprintln(out, "  "+held)
	}
	_, err := fmt.Fprintln(out, "  iconik: comments that were archived name their authors, collections who made the folder, earlier reports who asked: search there for the address\n  Frame.io: comments, uploads and invitations of the person: ask Frame.io, or delete them there")
	return err
}
