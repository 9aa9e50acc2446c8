package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

func loginCommand(o *options) *cobra.Command {
	var redirect string
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in to Frame.io V4 as a person, with Adobe's OAuth web app",
		Long: `login prints the address where you sign in to Adobe, waits for the code, and stores the tokens encrypted in the ledger for
the worker and the starter. You need it once, and again if the tokens are not used for 14 days. Service accounts
(server-to-server) need no login.

The redirect URL must be one of the credential's. If it is on localhost, login receives the code from the browser;
otherwise paste the address where the browser ends up.`,
		Example: "  starter login --tenant 0419e0c5-… --redirect http://localhost:8765/callback",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return login(cmd.Context(), o, redirect, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&redirect, "redirect", "http://localhost:8765/callback", "redirect URL of the credential")
	return cmd
}

func login(ctx context.Context, o *options, redirect string, in io.Reader, out io.Writer) error {
	cfg, err := config.Load(o.config)
	if err != nil {
		return err
	}
	t, err := pickTenant(cfg, o.tenant)
	if err != nil {
		return usage(err)
	}
	if t.Frameio.IMS.ClientID == "" {
		return usage(fmt.Errorf("tenants.%s.frameio.ims.client_id is missing: create an OAuth web app credential in Adobe's Developer Console", t.ID))
	}
	l, err := ledger.Open(ctx, cfg.Ledger.DSN.Reveal(), ledger.WithKey(cfg.Ledger.EncryptionKey.RevealAll()...))
	if err != nil {
		return fmt.Errorf("ledger.dsn: %w", err)
	}
	defer l.Close()
	if !l.CanKeepTokens() {
		return ledger.ErrNoKey
	}
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return err
	}
	state := hex.EncodeToString(b[:])
	address, err := open.SignInURL(t, redirect, state)
	if err != nil {
		return err
	}
	code, err := waitForCode(ctx, redirect, state, in, func() {
		fmt.Fprintf(out, "Open this in a browser and sign in:\n\n  %s\n\nThen come back, or paste the address where the browser ends up:\n", address)
	})
	if err != nil {
		return err
	}
	if err := open.SignIn(ctx, t, l.Tenant(t.ID), code, redirect); err != nil {
		return err
	}
	p, err := open.Platform(t, l.Tenant(t.ID), nil)
	if err != nil {
		return err
	}
	me, err := p.Me(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Signed in as %s <%s>.\n", me.Name, me.Email)
	return nil
}

// waitForCode returns the code that the browser delivers, if the redirect URL points to this machine, or that is pasted. It
// calls ready once it is waiting.
func waitForCode(ctx context.Context, redirect, state string, in io.Reader, ready func()) (string, error) {
	type answer struct {
		code string
		err  error
	}
	answers := make(chan answer, 2)
	take := func(q url.Values) answer {
		switch {
		case q.Get("state") != state:
			return answer{err: errors.New("the response belongs to a different sign-in: start over")}
		case q.Get("code") == "":
			return answer{err: errors.New("Adobe rejected the sign-in: " + cmp.Or(q.Get("error_description"), q.Get("error"), "the response has no code"))}
		}
		return answer{code: q.Get("code")}
	}
	u, err := url.Parse(redirect)
	if err != nil || u.Host == "" {
		return "", errors.New("--redirect is not a URL")
	}
	if u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1") {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", u.Host)
		if err != nil {
			return "", fmt.Errorf("--redirect: %w", err)
		}
		server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := take(r.URL.Query())
			text := "Signed in. You can close this page."
			if a.err != nil {
				text = a.err.Error()
			}
			fmt.Fprintln(w, text)
			answers <- a
		})}
		defer func() { // let the browser receive its page first
			within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_ = server.Shutdown(within)
		}()
		go func() { _ = server.Serve(l) }()
	}
	ready()
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		if text := strings.TrimSpace(line); text != "" {
			if pasted, perr := url.Parse(text); perr == nil {
				answers <- take(pasted.Query())
			}
		} else if err != nil && u.Scheme != "http" {
			answers <- answer{err: errors.New("no address was pasted")}
		}
	}()
	select {
	case a := <-answers:
		return a.code, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
