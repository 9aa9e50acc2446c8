package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/setup"
)

// vendors are fresh simulators of both vendors, with a configuration for them.
type vendors struct {
	frameio *frameiosim.Sim
	iconik  *iconiksim.Sim
	config  string
	ledger  string
}

func newVendors(t *testing.T) *vendors {
	t.Helper()
	v := &vendors{}
	var err error
	v.frameio, err = frameiosim.New(frameiosim.Options{Token: "token", Generation: "v4", ClientID: "client", ClientSecret: "client-secret-of-the-manual"})
	require.NoError(t, err)
	v.frameio.AddTeam("Harbour Films")
	v.iconik, err = iconiksim.New(iconiksim.Options{AppID: "5c1d4b6e-0f0e-11ef-9c1a-0242ac120002", Token: "iconik-token-of-the-manual", IndexDelay: -1})
	require.NoError(t, err)
	v.iconik.AddGroup("Editors")
	fio, ick := httptest.NewServer(v.frameio.Handler()), httptest.NewServer(v.iconik.Handler())
	t.Cleanup(fio.Close)
	t.Cleanup(ick.Close)
	dir := t.TempDir()
	v.config, v.ledger = filepath.Join(dir, "framebridge.yaml"), "sqlite:"+filepath.Join(dir, "l.db")
	require.NoError(t, os.WriteFile(v.config, fmt.Appendf(nil, `
http: {listen: "127.0.0.1:0", public_url: "http://127.0.0.1:1"}
temporal: {address: "127.0.0.1:1"}
ledger: {dsn: %q, encryption_key: "a key of 16 characters or more"}
tenants:
  %s:
    name: Marketing
    api_key: an-api-key-of-the-manual-0123456789
    frameio: {generation: v4, base_url: %q, workspace: "Harbour Films", ims: {token_url: "%s/ims/token/v3", client_id: client, client_secret: client-secret-of-the-manual}}
    iconik: {base_url: %q, app_id: 5c1d4b6e-0f0e-11ef-9c1a-0242ac120002, auth_token: iconik-token-of-the-manual}
`, v.ledger, tenantA, fio.URL, fio.URL, ick.URL), 0o600))
	return v
}

// run runs the starter with a command line. It returns the output and the exit code.
func (v *vendors) run(t *testing.T, in string, args ...string) (string, int) {
	t.Helper()
	cmd := command()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetIn(strings.NewReader(in))
	cmd.SetArgs(append(args, "--config", v.config, "--log-level", "error"))
	if err := run(t.Context(), cmd); err != nil {
		return out.String() + err.Error(), exitCode(err)
	}
	return out.String(), 0
}

var (
	commandBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	word         = regexp.MustCompile(`"[^"]*"|\S+`)
)

// Every command block of the manual that is marked as shell runs, in order, against fresh simulators.
func TestTheManualsCommandsWork(t *testing.T) {
	raw, err := os.ReadFile("../docs/admin.md")
	require.NoError(t, err)
	v := newVendors(t)
	ran := 0
	for _, block := range commandBlock.FindAllStringSubmatch(string(raw), -1) {
		for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
			line, _, _ = strings.Cut(line, "  #")
			words := word.FindAllString(line, -1)
			require.NotEmpty(t, words)
			require.Equal(t, "starter", words[0], "only the starter's commands are run: %s", line)
			var args []string
			for _, w := range words[1:] {
				args = append(args, strings.Trim(w, `"`))
			}
			out, code := v.run(t, "", args...)
			ran++
			if args[0] == "doctor" { // neither Temporal nor a starter is running here
				assert.Contains(t, []int{1, 2}, code, "%s: %s", line, out)
				assert.Contains(t, out, "temporal.reachable", line)
				continue
			}
			assert.Equal(t, 0, code, "%s: %s", line, out)
			for _, secret := range []string{"client-secret-of-the-manual", "iconik-token-of-the-manual", "an-api-key-of-the-manual"} {
				assert.NotContains(t, out, secret)
			}
		}
	}
	assert.GreaterOrEqual(t, ran, 7)
	assert.Empty(t, v.frameio.Hooks(), "the last of them take everything away")
	assert.Empty(t, v.iconik.Docs("custom_actions"))
}

func TestSetupOnTheCommandLine(t *testing.T) {
	v := newVendors(t)
	out, code := v.run(t, "", "setup")
	assert.Equal(t, exitUsage, code, "nobody says yes")
	assert.Contains(t, out, "+ create   webhook Framebridge archive")
	assert.Empty(t, v.frameio.Hooks())

	out, code = v.run(t, "1\ny\n", "setup")
	assert.Equal(t, 0, code, out)
	assert.Contains(t, out, "iconik groups")
	assert.Len(t, v.frameio.Hooks(), 2)
	assert.Len(t, v.iconik.Docs("acls"), 13)
	out, code = v.run(t, "", "setup")
	assert.Equal(t, 0, code, out)
	assert.Contains(t, out, "Nothing to change")

	out, code = v.run(t, "", "setup", "--json", "--yes")
	assert.Equal(t, 0, code)
	assert.Contains(t, out, `"op": "keep"`)
	book, err := ledger.Open(t.Context(), v.ledger, ledger.WithKey("a key of 16 characters or more"))
	require.NoError(t, err)
	defer book.Close()
	r, err := setup.Load(t.Context(), book.Tenant(tenantA))
	require.NoError(t, err)
	for _, secret := range append(r.FrameioSecrets(), r.ActionSecret) {
		assert.NotContains(t, out, secret)
	}

	out, code = v.run(t, "", "setup", "--workspace", "Harbor Films", "--yes")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, out, "Harbour Films (")
	_, code = v.run(t, "", "setup", "--tenant", "nobody", "--yes")
	assert.Equal(t, exitUsage, code)
	out, code = v.run(t, "y\n", "setup", "--remove")
	assert.Equal(t, 0, code, out)
	assert.Empty(t, v.frameio.Hooks())
}

var (
	anyBlock = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	starting = regexp.MustCompile(`(?:^|[\s/])starter ((?:[a-z-]).*)$`)
)

// Every starter command in a code block of any page exists, with its flags and number of arguments.
func TestTheManualsCommandsExist(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	seen := 0
	for _, page := range append(pages, "../README.md") {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, block := range anyBlock.FindAllStringSubmatch(string(raw), -1) {
			if block[1] != "" && block[1] != "sh" {
				continue
			}
			for line := range strings.Lines(block[2]) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
				m := starting.FindStringSubmatch(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "&")))
				if m == nil || strings.Contains(line, "install -m") || strings.HasPrefix(line, "go build") {
					continue
				}
				text, _, _ := strings.Cut(m[1], " >")
				var args []string
				for _, w := range word.FindAllString(text, -1) {
					args = append(args, strings.Trim(w, `"`))
				}
				seen++
				cmd, rest, err := command().Find(args)
				if !assert.NoError(t, err, "%s: %s", page, line) || cmd.Name() == "completion" || cmd.Name() == "starter" {
					assert.Contains(t, []string{"completion"}, args[0], "%s: %s", page, line)
					continue
				}
				assert.NoError(t, cmd.ParseFlags(rest), "%s: %s", page, line)
				assert.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), "%s: %s", page, line)
			}
		}
	}
	assert.Greater(t, seen, 20)
}

// routesOf returns the routes that a row of the manual's table names. What follows "/" replaces the last part of the route before,
// and what follows "." its extension.
func routesOf(row string) (out []string) {
	last := ""
	for _, m := range inCode.FindAllStringSubmatch(row, -1) {
		_, path, isRoute := strings.Cut(m[1], " /")
		switch {
		case isRoute:
			last, _, _ = strings.Cut("/"+path, "?")
			last, _, _ = strings.Cut(last, " ")
		case last != "" && strings.HasPrefix(m[1], "/"):
			last = last[:strings.LastIndex(last, "/")] + m[1]
		case last != "" && strings.HasPrefix(m[1], "."):
			last = strings.TrimSuffix(last, filepath.Ext(last)) + m[1]
		default:
			continue
		}
		out = append(out, last)
	}
	return out
}

var inCode = regexp.MustCompile("`([^`]+)`")

// The manual names every route for programs. The routes for Frame.io and iconik are set up by the starter.
func TestTheManualNamesEveryRoute(t *testing.T) {
	manual, err := os.ReadFile("../docs/admin.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(manual), "\n## The API\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	var named []string
	for row := range strings.Lines(table) {
		if cells := strings.Split(row, "|"); len(cells) == 4 {
			named = append(named, routesOf(cells[1])...)
		}
	}
	raw, err := os.ReadFile("api/openapi.json")
	require.NoError(t, err)
	var described struct{ Paths map[string]any }
	require.NoError(t, json.Unmarshal(raw, &described))
	var patterns []*regexp.Regexp
	for path := range described.Paths {
		path, ours := strings.CutPrefix(path, routes.Prefix)
		if !ours || strings.Contains(path, "/webhooks/") || strings.Contains(path, "/actions/") {
			continue
		}
		like := regexp.MustCompile("^" + regexp.MustCompile(`\\\{(report|file|format)\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[a-z_-]+(\.[a-z]+)?`) + "$")
		patterns = append(patterns, like)
		assert.True(t, slices.ContainsFunc(named, like.MatchString), "the manual does not name %s", path)
	}
	for _, path := range named {
		assert.True(t, slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(path) }), "there is no %s", path)
	}
	assert.Greater(t, len(named), 30)
}
