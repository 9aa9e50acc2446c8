package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

func configChecks() []Definition {
	return []Definition{
		{ID: "config.valid", Meaning: "Framebridge does not start with this configuration.", Do: "Fix each key listed; `starter config check` repeats only this check.",
			run: func(_ context.Context, x *exam) finding {
				var p *config.Problems
				switch {
				case errors.As(x.ConfigErr, &p):
					return fail("%s", strings.Join(p.List, "; "))
				case x.ConfigErr != nil:
					return fail("%v", x.ConfigErr)
				}
				return ok("%s is valid, with %s", x.Path, english.Count(len(x.Config.Tenants), "tenant"))
			}},
		{ID: "config.warnings", Meaning: "The configuration works but should be improved.", Do: "Change each key listed.",
			needs: []string{"config.valid"}, run: func(_ context.Context, x *exam) finding {
				if len(x.Config.Warnings) > 0 {
					return warn("%s", strings.Join(x.Config.Warnings, "; "))
				}
				return ok("none")
			}},
		{ID: "config.permissions", Meaning: "Other users of this machine can read the secrets in the configuration.", Do: "Run chmod 600 on the file, or keep secrets out of it with ${NAME} and file:PATH.",
			needs: []string{"config.valid"}, run: func(_ context.Context, x *exam) finding {
				info, err := os.Stat(x.Path)
				switch {
				case errors.Is(err, fs.ErrNotExist):
					return skip("there is no file; everything comes from the environment")
				case err != nil:
					return warn("%v", err)
				case runtime.GOOS == "windows":
					return skip("permissions are not checked on Windows")
				case info.Mode().Perm()&0o044 != 0:
					return warn("%s has mode %04o", x.Path, info.Mode().Perm())
				}
				return ok("%s has mode %04o", x.Path, info.Mode().Perm())
			}},
		{ID: "public_url.form", Meaning: "Frame.io and iconik cannot reach an address that works only on this machine, and Frame.io requires HTTPS.", Do: "Set http.public_url to the https:// address at which the internet can reach the starter.",
			needs: []string{"config.valid"}, run: func(_ context.Context, x *exam) finding {
				u, err := url.Parse(x.Config.HTTP.PublicURL)
				switch {
				case err != nil || u.Host == "":
					return fail("http.public_url is not a URL")
				case isLoopback(u.Hostname()):
					return warn("%s is on this machine", x.Config.HTTP.PublicURL)
				case u.Scheme != "https":
					return fail("%s is not https", x.Config.HTTP.PublicURL)
				}
				return ok("%s", x.Config.HTTP.PublicURL)
			}},
		{ID: "public_url.reachable", Meaning: "Webhooks and clicks do not arrive: archives do not start automatically, and the buttons in iconik do nothing.", Do: "Start `starter serve`, and let the proxy pass /api/v1/services/frameio to it. If only outside callers can reach the address, see frameio.webhooks and iconik.actions.healthy.",
			needs: []string{"config.valid"}, run: reachable},
		{ID: "auth.oidc", Meaning: "Nobody can sign in to the console through the provider.", Do: "Check that auth.oidc.issuer matches the provider's exactly, and that this machine can reach it. Until then, `starter console` prints a link that signs you in.",
			needs: []string{"config.valid"}, run: provider},
	}
}

// provider reads the OpenID Connect provider's discovery document, which must name the issuer exactly as the configuration does.
func provider(ctx context.Context, x *exam) finding {
	issuer := x.Config.Auth.OIDC.Issuer
	if issuer == "" {
		return skip("no provider is configured; people sign in with a link from `starter console`")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return fail("auth.oidc.issuer is not a URL")
	}
	resp, err := x.http.Do(req)
	if err != nil {
		return fail("no response at %s: %s", issuer, cause(err))
	}
	defer resp.Body.Close()
	var says struct {
		Issuer string `json:"issuer"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&says); err != nil || resp.StatusCode != http.StatusOK {
		return fail("%s responds with %s, unlike an OpenID Connect provider", issuer, resp.Status)
	}
	if says.Issuer != issuer {
		return fail("the provider calls itself %q, auth.oidc.issuer is %q", says.Issuer, issuer)
	}
	return ok("%s responds", issuer)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// reachable calls a route that requires a key. Only a starter rejects the call in that form.
func reachable(ctx context.Context, x *exam) finding {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, x.Base+"/archives", nil)
	if err != nil {
		return fail("http.public_url is not a URL")
	}
	resp, err := x.http.Do(req)
	if err != nil {
		why := "no response at " + x.Config.HTTP.PublicURL + ": " + cause(err)
		if isLoopback(req.URL.Hostname()) {
			return fail("%s", why)
		}
		return warn("%s, from this machine", why)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
		return fail("%s responds with %s, unlike a starter", x.Base, resp.Status)
	}
	return ok("a starter responds at %s", x.Config.HTTP.PublicURL)
}

// cause returns why a request failed, without its URL.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err) {
		return "no response in time"
	}
	return redact.Scrub(err.Error())
}

func ledgerChecks() []Definition {
	return []Definition{
		{ID: "ledger.reachable", Meaning: "Archives and reviews do not run, and webhooks get status 503.", Do: "Check ledger.dsn, whether the database is running, and whether its user can connect; for SQLite, whether the folder is writable.",
			needs: []string{"config.valid"}, run: func(ctx context.Context, x *exam) finding {
				switch {
				case errors.Is(x.LedgerErr, ledger.ErrTooNew):
					return ok("it responds")
				case x.LedgerErr != nil:
					return fail("%v", x.LedgerErr)
				}
				if err := x.Ledger.Ping(ctx); err != nil && !errors.Is(err, ledger.ErrUnwritable) {
					return fail("%v", err)
				}
				return ok("it responds")
			}},
		{ID: "ledger.schema", Meaning: "This program is older than the ledger and must not touch it.", Do: "Run the newer release again, or go back to a backup of the ledger from before the upgrade.",
			needs: []string{"ledger.reachable"}, run: func(_ context.Context, x *exam) finding {
				if errors.Is(x.LedgerErr, ledger.ErrTooNew) {
					return fail("%v", x.LedgerErr)
				}
				return ok("its tables match this release")
			}},
		{ID: "ledger.writable", Meaning: "Archives and reviews wait, and webhooks get status 503. Nothing is lost: everything continues once the ledger can be written.", Do: "SQLite: free space on its disk, check that the folder and the file belong to the programs' user, and look for another process that has locked it. PostgreSQL: check whether it is a standby or read-only.",
			needs: []string{"ledger.schema"}, run: func(ctx context.Context, x *exam) finding {
				if err := x.Ledger.Ping(ctx); err != nil {
					return fail("%v", err)
				}
				return ok("it can be written")
			}},
		{ID: "ledger.mode", Meaning: "SQLite serves one machine: workers on other machines would each have their own ledger and repeat its work.", Do: "Switch to PostgreSQL (ledger.dsn) before you add a second machine.",
			needs: []string{"ledger.schema"}, run: func(ctx context.Context, x *exam) finding {
				if !strings.HasPrefix(x.Config.Ledger.DSN.Reveal(), "sqlite:") {
					return ok("PostgreSQL")
				}
				if hosts := workerHosts(ctx, x); len(hosts) > 1 {
					return fail("SQLite, but workers run on %s: %s", english.Count(len(hosts), "machine"), strings.Join(hosts, ", "))
				}
				return ok("SQLite, for one machine")
			}},
		{ID: "ledger.key", Meaning: "Framebridge cannot store webhook secrets, Adobe sign-ins or review passphrases, an interrupted upload starts over, and links in e-mails lead to the console, where people must sign in.", Do: "Set ledger.encryption_key to a secret of 16 characters or more, the same for every program.",
			needs: []string{"ledger.schema"}, run: func(_ context.Context, x *exam) finding {
				if !x.Ledger.CanKeepTokens() {
					return warn("ledger.encryption_key is not set")
				}
				return ok("ledger.encryption_key is set")
			}},
		{ID: "ledger.key_fits", Meaning: "Framebridge cannot read what it stored encrypted: it refuses webhooks that setup created, and the Adobe sign-in is lost.", Do: "Put the old key back (ledger.encryption_key takes a list during rotation), or run `starter login` and `starter setup` again.",
			needs: []string{"ledger.schema"}, run: func(ctx context.Context, x *exam) finding {
				if !x.Ledger.CanKeepTokens() {
					return skip("skipped: it depends on ledger.key")
				}
				kept, unreadable, err := x.Ledger.Sealed(ctx)
				switch {
				case err != nil:
					return fail("%v", err)
				case unreadable > 0:
					return fail("the configured key cannot decrypt %d of %d values", unreadable, kept)
				}
				return ok("the key decrypts all %d values", kept)
			}},
	}
}

func mailChecks() []Definition {
	at := func(stage mail.Stage, before ...mail.Stage) func(context.Context, *exam) finding {
		return func(ctx context.Context, x *exam) finding {
			dsn := x.Config.Mail.SMTPURL.Reveal()
			if dsn == "" {
				if stage == mail.StageServer {
					return warn("mail.smtp_url is not set: nobody gets e-mail")
				}
				return skip("mail.smtp_url is not set")
			}
			m, err := mail.Open(x.Config.Mail)
			if err != nil {
				return fail("%v", err)
			}
			failed, err := m.Check(ctx)
			if err != nil && failed == stage {
				return fail("%s", cause(err))
			}
			for _, b := range before {
				if err != nil && failed == b {
					return skip("skipped: it depends on mail.%s", b)
				}
			}
			if stage == mail.StageSender {
				return ok("it accepts %s as the sender", x.Config.Mail.From)
			}
			return ok("the server accepts the sign-in")
		}
	}
	return []Definition{
		{ID: "mail.server", Meaning: "Nobody gets e-mail when an archive ends or needs attention.", Do: "Check the host, port and scheme (smtp:// or smtps://) in mail.smtp_url, and whether this machine trusts the server's certificate.",
			needs: []string{"config.valid"}, run: at(mail.StageServer)},
		{ID: "mail.login", Meaning: "The mail server rejects every message.", Do: "Check the user and password in mail.smtp_url; special characters must be percent-encoded.",
			needs: []string{"mail.server"}, run: at(mail.StageLogin, mail.StageServer)},
		{ID: "mail.sender", Meaning: "The mail server rejects e-mail from this address.", Do: "Set mail.from to an address that this user may send from.",
			needs: []string{"mail.login"}, run: at(mail.StageSender, mail.StageServer, mail.StageLogin)},
	}
}

// skew compares a vendor's clock, from its Date header, with this machine's.
func skew(ctx context.Context, x *exam, address string) finding {
	now, date, err := dateOf(ctx, x, address)
	if err != nil || date.IsZero() {
		return skip("the response has no time")
	}
	d := now.Sub(date)
	apart, way := english.Duration(d.Abs()), "fast"
	if d < 0 {
		way = "slow"
	}
	switch {
	case d.Abs() > 4*time.Minute:
		return fail("this machine's clock is %s %s", apart, way)
	case d.Abs() > time.Minute:
		return warn("this machine's clock is %s %s", apart, way)
	}
	return ok("%s apart", apart)
}

func dateOf(ctx context.Context, x *exam, address string) (now, date time.Time, err error) {
	resp, err := knock(ctx, x, address)
	if err != nil {
		return now, date, err
	}
	date, _ = http.ParseTime(resp.Header.Get("Date"))
	return x.Now(), date, nil
}

// knock sends a request without credentials. Any response below 500 means that the server is up.
func knock(ctx context.Context, x *exam, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the base URL is not a URL")
	}
	resp, err := x.http.Do(req)
	if err != nil {
		return nil, errors.New(cause(err))
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode >= 500 {
		return nil, fmt.Errorf("it responds with %s", resp.Status)
	}
	return resp, nil
}
