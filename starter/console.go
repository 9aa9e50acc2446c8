package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/signin"
)

func consoleCommand(o *options) *cobra.Command {
	role, out := string(config.RoleAdmin), ""
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Print a one-time link to the console",
		Long: `console prints a link to the console. It works once, within 5 minutes, and signs you in under your account name on this machine.
Use it to get started, on sites without an OpenID Connect provider, or while the provider is down. Without --tenant you see all
tenants.`,
		Example: "  starter console\n  starter console --tenant Acme --role viewer\n  starter console --sign-out edith@example.com",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, done, err := prepare(cmd.Context(), o, lazily)
			if err != nil {
				return err
			}
			defer done()
			tenants := s.Config().Tenants
			if o.tenant != "" {
				t, err := pickTenant(s.Config(), o.tenant)
				if err != nil {
					return usage(err)
				}
				tenants = map[string]*config.Tenant{t.ID: t}
			}
			if out != "" {
				return s.signOut(cmd.Context(), cmd.OutOrStdout(), tenants, out)
			}
			return s.printConsoleLink(cmd.Context(), cmd.OutOrStdout(), tenants, config.Role(role))
		},
	}
	cmd.Flags().StringVar(&role, "role", role, "viewer, editor, operator or admin")
	cmd.Flags().StringVar(&out, "sign-out", "", "instead, end all of a person's sessions, by name or e-mail address")
	return cmd
}

func (s *service) printConsoleLink(ctx context.Context, out io.Writer, tenants map[string]*config.Tenant, role config.Role) error {
	if !role.Covers(config.RoleViewer) {
		return usage(errors.New("--role must be viewer, editor, operator or admin"))
	}
	roles := map[string]config.Role{}
	for id := range tenants {
		roles[id] = role
	}
	name := s.Actor.Name
	address, err := signin.OneTimeLink(ctx, s.Config(), s.Ledger, name, roles, time.Now())
	if err != nil {
		return err
	}
	for id := range tenants {
		_, err := s.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: id, Actor: s.Actor, Action: signin.ActionOneTimeLink, Detail: ledger.AuditText("with the role " + string(role))})
		if err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "Open this link within 5 minutes. It signs you in once, as %s with the role %s:\n\n  %s\n", name, role, address)
	return err
}

// signOut ends all sessions of people with that name or e-mail address.
func (s *service) signOut(ctx context.Context, out io.Writer, tenants map[string]*config.Tenant, who string) error {
	sessions, err := s.Ledger.Sessions(ctx, time.Now())
	if err != nil {
		return err
	}
	ended := map[string]int{}
	for _, one := range sessions {
		if _, done := ended[one.Subject]; done || !strings.EqualFold(one.Name, who) && !strings.EqualFold(one.Email, who) {
			continue
		}
		if ended[one.Subject], err = s.Ledger.EndSessions(ctx, one.Subject); err != nil {
			return err
		}
	}
	if len(ended) == 0 {
		return fmt.Errorf("nobody named %q is signed in", who)
	}
	for id := range tenants {
		_, err := s.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: id, Actor: s.Actor, Action: signin.ActionSignOutOther, ObjectKind: "person", ObjectID: who})
		if err != nil {
			return err
		}
	}
	n := 0
	for _, sessions := range ended {
		n += sessions
	}
	_, err = fmt.Fprintf(out, "Ended %s of %s.\n", english.Count(n, "session"), who)
	return err
}
