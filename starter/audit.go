package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

const auditPage = 1000 // most entries in memory at once

func auditCommand(o *options) *cobra.Command {
	var filter ledger.AuditFilter
	var after int64
	var asJSON, verify bool
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who did what, when and from where",
		Long: `audit prints the tenant's audit log, oldest first. With --json it prints one entry per line, each with its hash, so that an
extract can be verified. With --verify it checks the whole log against its hashes instead.`,
		Example: "  starter audit --review r-8f2c\n  starter audit --after 1200 --json >> audit.jsonl\n  starter audit --verify",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withTenant(o, fromLedger, func(ctx context.Context, out io.Writer, s *service, t *config.Tenant, _ []string) error {
				if verify {
					return verifyAudit(ctx, out, s.Ledger.Tenant(t.ID), asJSON)
				}
				return printAudit(ctx, out, s.Ledger.Tenant(t.ID), filter, after, asJSON)
			})(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&filter.Archive, "archive", "", "only entries about an archive, by its ID")
	flags.StringVar(&filter.Review, "review", "", "only entries about a review, by its ID")
	flags.StringVar(&filter.Actor, "actor", "", "only what a person, key or address did")
	flags.StringVar(&filter.Action, "action", "", "only one action, such as stop or refused")
	flags.StringVar(&filter.Text, "text", "", "only entries that contain this text")
	flags.Int64Var(&after, "after", 0, "only entries after this number")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object per line; with --verify, one in all")
	flags.BoolVar(&verify, "verify", false, "check the log against its hashes")
	return cmd
}

func verifyAudit(ctx context.Context, out io.Writer, l ledger.TenantLedger, asJSON bool) error {
	p, err := l.ProveAudit(ctx)
	changed := errors.Is(err, ledger.ErrChain)
	if asJSON && (err == nil || changed) {
		answer := map[string]any{"unchanged": !changed, "entries": p.Entries, "erased": append([]int64{}, p.Erased...)}
		if changed {
			answer = map[string]any{"unchanged": false, "reason": err.Error()}
		}
		if perr := printJSON(out, answer); perr != nil {
			return perr
		}
	}
	if changed {
		return &exitError{exitFailed, err.Error()}
	}
	if asJSON {
		return err
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "The audit log is unchanged: %s.\n", english.Count(p.Entries, "entry"))
	}
	if err == nil && len(p.Erased) > 0 {
		_, err = fmt.Fprintf(out, "Personal data was erased from: %s. Only an extract from before the erasure shows what they said.\n", p.Erased)
	}
	return err
}

func printAudit(ctx context.Context, out io.Writer, l ledger.TenantLedger, filter ledger.AuditFilter, after int64, asJSON bool) error {
	filter.WithErasures = asJSON // so that the output can be verified by itself
	lines := json.NewEncoder(out)
	for {
		entries, err := l.AuditPage(ctx, filter, after, auditPage)
		if err != nil {
			return err
		}
		for _, e := range entries {
			after = e.Seq
			if asJSON {
				err = lines.Encode(e)
			} else {
				_, err = fmt.Fprintln(out, auditLine(e))
			}
			if err != nil {
				return err
			}
		}
		if len(entries) < auditPage {
			return nil
		}
	}
}

// auditLine formats an entry for people.
func auditLine(e ledger.AuditEntry) string {
	who := cmp.Or(e.Actor.Name, e.Actor.Key, e.Actor.Kind)
	if e.Actor.Address != "" {
		who += " from " + e.Actor.Address
	}
	line := fmt.Sprintf("%d  %s  %s: %s", e.Seq, e.At.Local().Format("2006-01-02 15:04:05"), who, e.Action)
	if e.ObjectID != "" {
		line += " " + strings.TrimSpace(e.ObjectKind+" "+e.ObjectID)
	}
	var detail struct {
		Text string `json:"text"`
	}
	_ = json.Unmarshal(e.Detail, &detail) // a detail without a text does not fit on a line
	for _, text := range []string{e.Reason, detail.Text} {
		if text != "" {
			line += ": " + firstLine(text)
		}
	}
	return strings.Map(func(r rune) rune { // text from outside must not control a terminal
		if unicode.IsControl(r) {
			return '�'
		}
		return r
	}, line)
}
