package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/redact"
)

const someTenant = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"

const least = `
tenants:
  ` + someTenant + `:
    name: Marketing
    api_key: the-tenants-api-key
    frameio: {generation: legacy, token: fio-u-secret, webhook_secrets: [the-first-hook-secret, the-second-hook-secret]}
    iconik: {app_id: an-app, auth_token: an-auth-token}
`

func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "framebridge.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return Load(file)
}

func TestTheLeastConfigurationGetsTheDefaults(t *testing.T) {
	c, err := load(t, least)
	require.NoError(t, err)
	tenant, ok := c.Tenant(someTenant)
	require.True(t, ok)
	assert.Equal(t, "127.0.0.1:8080", c.HTTP.Listen)
	assert.Equal(t, Bytes(50<<30), tenant.Archive.MaxFileSize)
	assert.Equal(t, 15*time.Minute, tenant.Archive.WaitInterval)
	assert.Equal(t, "Archived", tenant.Archive.TriggerSuffix)
	assert.Equal(t, []Secret{"the-first-hook-secret", "the-second-hook-secret"}, tenant.Frameio.WebhookSecrets)
}

func TestTheEnvironmentWins(t *testing.T) {
	t.Setenv("FRAMEBRIDGE_HTTP_LISTEN", "0.0.0.0:9999")
	t.Setenv("FRAMEBRIDGE_TENANTS_0419E0C5_6FED_4B66_BF0F_F8A99D44BCD0_ARCHIVE_ITEMS_IN_PARALLEL", "7")
	t.Setenv("SOME_TOKEN", "from-the-environment")
	c, err := load(t, least+"    archive: {notify: [\"a@example.com\"]}\nledger: {encryption_key: \"${SOME_TOKEN}\"}\n")
	require.NoError(t, err)
	assert.Equal(t, "0.0.0.0:9999", c.HTTP.Listen)
	assert.Equal(t, 7, c.Tenants[someTenant].Archive.ItemsInParallel)
	assert.Equal(t, "from-the-environment", c.Ledger.EncryptionKey.Reveal())
}

func TestSecretsComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key"), []byte("sixteen characters and more\n"), 0o600))
	file := filepath.Join(dir, "f.yaml")
	require.NoError(t, os.WriteFile(file, []byte(least+"ledger: {encryption_key: \"file:key\"}\n"), 0o600))
	c, err := Load(file)
	require.NoError(t, err)
	assert.Equal(t, "sixteen characters and more", c.Ledger.EncryptionKey.Reveal())
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	_, err := load(t, `
http: {listen: nowhere, public_url: "ftp://x", surprise: 1}
ledger: {dsn: "mysql:x", encryption_key: short}
transfer: {files_in_flight: 500, parts_in_flight: 100, part_size: 1KiB, memory: lots}
tenants:
  marketing:
    frameio: {generation: v3, webhook_secrets: ["${NOT_SET_ANYWHERE}"]}
    archive: {missing_original: maybe, wait_interval: 5, notify: [nobody]}
`)
	var p *Problems
	require.True(t, errors.As(err, &p), "%v", err)
	text := p.Error()
	for _, want := range []string{
		"http.listen: \"nowhere\" is not host:port", "http.public_url", "http.surprise: unknown key", "ledger.dsn", "ledger.encryption_key",
		"transfer.files_in_flight: 500 is not between 1 and 256", "transfer.parts_in_flight: 100 is not between 1 and 64", "memory", "\"lots\" is not a size", "tenants.marketing: a tenant's key must be a UUID",
		"tenants.marketing.api_key: is missing", "frameio.generation: \"v3\" is not one of legacy, v4", "NOT_SET_ANYWHERE is not set",
		"missing_original: \"maybe\"", "\"5\" is not a duration", "\"nobody\" is not an e-mail", "iconik.app_id: is missing", "iconik.auth_token: is missing",
	} {
		assert.Contains(t, text, want)
	}
}

func TestValuesOfTheWrongKindAreToldByTheirKeys(t *testing.T) {
	_, err := load(t, `
http: {listen: "127.0.0.1:port", public_url: [a, b]}
temporal: {tls: perhaps, api_key: {a: a-secret}}
ledger: {dsn: "mysql://sam:a-secret@db/x", encryption_key: [a-secret]}
transfer: 5
mail: {smtp_url: "http://sam:a-secret@mail"}
tenants:
  `+someTenant+`:
    api_key: {x: a-secret}
    nam: x
    frameio: {token: true, ims: a-secret, base_url: "https://sam:a-secret@"}
    iconik: {auth_token: [a-secret], app_id: "${NOT_SET_ANYWHERE}", drawing: {widht: 3}}
    archive: {notify: {a: b}, trigger_inactive: maybe}
  11111111-2222-4333-8444-555555555555: a-secret
`)
	var p *Problems
	require.ErrorAs(t, err, &p)
	const tenant = "tenants." + someTenant
	for key, times := range map[string]int{
		"http.listen": 1, "http.public_url": 1, "temporal.tls": 1, "temporal.api_key": 1, "ledger.dsn": 1, "ledger.encryption_key": 1, "transfer": 1, "mail.smtp_url": 1,
		tenant + ".api_key": 1, tenant + ".nam": 1, tenant + ".frameio.token": 1, tenant + ".frameio.ims": 1, tenant + ".frameio.base_url": 1,
		tenant + ".iconik.auth_token": 1, tenant + ".iconik.app_id": 1, tenant + ".iconik.drawing.widht": 1, tenant + ".archive.notify": 1, tenant + ".archive.trigger_inactive": 1,
		"tenants.11111111-2222-4333-8444-555555555555": 1, "tenants": 0, "transfer.part_size": 0,
	} {
		found := 0
		for _, line := range p.List {
			if strings.HasPrefix(line, key+": ") {
				found++
			}
		}
		assert.Equal(t, times, found, "%s in\n%s", key, p)
	}
	assert.NotContains(t, redact.Scrub(p.Error()), "a-secret")
	_, err = load(t, "a-secret")
	assert.Error(t, err)
	assert.NotContains(t, err.Error(), "a-secr")
}

func TestTheLedgerIsNamedSoThatItCanBeOpened(t *testing.T) {
	for dsn, want := range map[string]string{
		"sqlite:": "needs a file name", "framebridge.db": "must begin with", "postgres://sam:a-secret with@db:5432/x": "is not a URL", "postgres://sam:a#secret@db:5432/x": "is not a URL", "postgres://sam:a@secret@db:5432/x": "is not a URL",
		"postgres://sam:a-s%40cret@db/x?sslmode=disable": "", "postgresql:///x?host=/run/postgresql": "", "sqlite:/var/lib/framebridge.db": "",
	} {
		_, err := load(t, least+"ledger: {dsn: '"+dsn+"'}\n")
		if want == "" {
			assert.NoError(t, err, dsn)
			continue
		}
		assert.ErrorContains(t, err, "ledger.dsn: "+want)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestTheLedgersNameMayBeAMountedSecret(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dsn"), []byte("postgres://sam:x@db/x\n"), 0o600))
	file := filepath.Join(dir, "f.yaml")
	require.NoError(t, os.WriteFile(file, []byte(least+"ledger: {dsn: \"file:dsn\"}\n"), 0o600))
	c, err := Load(file)
	require.NoError(t, err)
	assert.Equal(t, "postgres://sam:x@db/x", c.Ledger.DSN.Reveal())
}

// What would fail at the first call or mail is reported at the start.
func TestWhatIsMissingOrCannotWorkIsToldAtTheStart(t *testing.T) {
	const frameio = "tenants." + someTenant + ".frameio"
	v4 := func(rest string) string {
		return strings.Replace(least, "frameio: {generation: legacy, ", "frameio: {generation: v4, "+rest+", ", 1)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"client without its secret":    {v4("ims: {client_id: c}"), frameio + ".ims.client_secret: is missing"},
		"no place to sign in":          {v4("ims: {client_id: c, client_secret: s, token_url: x}"), frameio + ".ims.token_url: "},
		"refresh token without a key":  {v4("ims: {client_id: c, client_secret: s, refresh_token: r}"), "ledger.encryption_key: is missing"},
		"all of them":                  {v4("ims: {client_id: c, client_secret: s, refresh_token: r}") + "ledger: {encryption_key: sixteen characters}\n", ""},
		"service account":              {v4("ims: {client_id: c, client_secret: s}"), ""},
		"no mail server":               {least + "mail: {smtp_url: 'smtp://'}\n", "mail.smtp_url: needs a server name"},
		"no URL":                       {least + "mail: {smtp_url: 'smtp://sam:a#secret@mail'}\n", "mail.smtp_url: is not a URL"},
		"no sender":                    {least + "mail: {smtp_url: 'smtp://h', from: '@'}\n", "mail.from: \"@\" is not an e-mail address"},
		"sender with a name":           {least + "mail: {smtp_url: 'smtp://h', from: 'Framebridge <f@example.com>'}\n", ""},
		"nobody's address, archives":   {least + "    archive: {notify: ['@']}\n", "archive.notify: \"@\" is not an e-mail address"},
		"two addresses in one, review": {least + "    review: {notify: ['a@example.com; b@example.com']}\n", "review.notify: \""},
		"no generation":                {strings.Replace(least, "generation: legacy", "generation: ''", 1), frameio + ".generation: is missing"},
		"a password in an address":     {least + "http: {public_url: 'ftp://sam:secret@h'}\n", "http.public_url: must be an http(s) URL without user and password"},
		"a user in an address":         {v4("base_url: 'https://sam:secret@h'"), frameio + ".base_url: must be an http(s) URL without user and password"},
		"a query in an address":        {least + "http: {public_url: 'https://h/?a=b'}\n", "http.public_url: must not contain ? or #"},
		"no port of an address":        {least + "temporal: {ui_url: 'https://h:99999'}\n", "temporal.ui_url: \"https://h:99999\" is not an http(s) URL"},
		"no port of the mail server":   {least + "mail: {smtp_url: 'smtp://sam:secret@h:99999'}\n", "mail.smtp_url: has an invalid port: it must be from 1 to 65535"},
		"no port of the ledger":        {least + "ledger: {dsn: 'postgres://sam:secret@h:99999/d'}\n", "ledger.dsn: has an invalid port: it must be from 1 to 65535"},
		"port 0 of the mail server":    {least + "mail: {smtp_url: 'smtp://h:0'}\n", "mail.smtp_url: has an invalid port: it must be from 1 to 65535"},
		"a variable in a password":     {least + "ledger: {dsn: 'postgres://sam:${PW}@h/d'}\n", "ledger.dsn: contains a reference to the environment among other text"},
		"a variable in a secret":       {strings.Replace(least, "token: fio-u-secret", "token: 'fio-${PW}'", 1), frameio + ".token: contains a reference to the environment among other text"},
		"two words as App-ID":          {strings.Replace(least, "app_id: an-app", `app_id: "an\napp"`, 1), ".iconik.app_id: must be one word of printable ASCII"},
		"a collection without a name":  {least + "    archive: {root_collection: ' '}\n", ".archive.root_collection: is missing"},
		"a project without a name":     {least + "    review: {project: ''}\n", ".review.project: is missing"},
		"no YAML":                      {least + "http: [\n", "framebridge.yaml: yaml: line"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.text)
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			var p *Problems
			require.ErrorAs(t, err, &p)
			assert.Len(t, p.List, 1)
			assert.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "secret@")
		})
	}
}

func TestATenantMayStandInTheEnvironmentAlone(t *testing.T) {
	for key, value := range map[string]string{"API_KEY": "key-of-another-tenant", "FRAMEIO_GENERATION": "v4", "FRAMEIO_TOKEN": "t", "ICONIK_APP_ID": "a", "ICONIK_AUTH_TOKEN": "${SOME_TOKEN}", "ARCHIVE_NOTIFY": "a@example.com,b@example.com"} {
		t.Setenv("FRAMEBRIDGE_TENANTS_11111111_2222_4333_8444_55555555555A_"+key, value)
	}
	t.Setenv("SOME_TOKEN", "from-the-environment")
	c, err := load(t, least)
	require.NoError(t, err)
	tenant, ok := c.Tenant("11111111-2222-4333-8444-55555555555A")
	require.True(t, ok)
	assert.Equal(t, "from-the-environment", tenant.Iconik.AuthToken.Reveal())
	assert.Equal(t, []string{"a@example.com", "b@example.com"}, tenant.Archive.Notify)
	c, err = load(t, "")
	require.NoError(t, err)
	assert.Len(t, c.Tenants, 1)
}

// A mistyped key must not count as unset. A tenant's variable cannot be anything but a key.
func TestAVariableOfATenantThatIsNoKeyIsRefused(t *testing.T) {
	const of = "FRAMEBRIDGE_TENANTS_0419E0C5_6FED_4B66_BF0F_F8A99D44BCD0_"
	t.Setenv(of+"FRAMEOI_TOKEN", "mistyped-secret")
	_, err := load(t, least)
	require.ErrorContains(t, err, "environment "+of+"FRAMEOI_TOKEN: unknown key; did you mean "+of+"FRAMEIO_TOKEN?")
	assert.NotContains(t, err.Error(), "mistyped-secret")
	_, err = load(t, strings.Replace(least, "fio-u-secret", "'${"+of+"FRAMEOI_TOKEN}'", 1))
	require.NoError(t, err, "a value comes from it")
	t.Setenv("FRAMEBRIDGE_HTTP_PORT", "tcp://10.0.0.1:80")
	_, err = load(t, strings.Replace(least, "fio-u-secret", "'${"+of+"FRAMEOI_TOKEN}'", 1))
	require.NoError(t, err, "Kubernetes sets such variables, by the names of services")
}

func TestAStandardTimeBeyondTheLongestWarns(t *testing.T) {
	c, err := load(t, least+"    review: {longest: 168h}\n")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(c.Warnings, "\n"), "review.lasts: is longer than review.longest: reviews without an expiry end after 168h0m0s")
}

// TestEveryKeyIsTakenFromTheEnvironment sets each key to an invalid value, or to one that can only come from the environment.
func TestEveryKeyIsTakenFromTheEnvironment(t *testing.T) {
	for _, k := range Keys() {
		t.Run(k.Key, func(t *testing.T) {
			key := strings.Replace(k.Key, "<id>", someTenant, 1)
			t.Setenv("FRAMEBRIDGE_"+strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key)), "${NOT_SET_ANYWHERE}")
			_, err := load(t, least)
			assert.ErrorContains(t, err, key+": the environment variable NOT_SET_ANYWHERE is not set")
		})
	}
}

func TestTwoTenantsCannotShareAKey(t *testing.T) {
	_, err := load(t, least+`  11111111-2222-4333-8444-555555555555:
    api_key: the-tenants-api-key
    frameio: {generation: legacy, token: x}
    iconik: {app_id: y, auth_token: z}
`)
	assert.ErrorContains(t, err, "is also used by tenant")
}

func TestAMissingFileSaysWhatToDo(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	assert.ErrorContains(t, err, "--config")
}

func TestEveryKeyIsRead(t *testing.T) {
	c, err := load(t, least)
	require.NoError(t, err)
	_ = c
	for _, k := range Keys() {
		assert.NotEmpty(t, k.What, k.Key)
		assert.Contains(t, KeysHelp(), k.Key)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c, err := load(t, least+"ledger: {dsn: \"postgres://sam:pg-secret@db/x\"}\nmail: {smtp_url: \"smtp://sam:mail-secret@h:25\"}\n")
	require.NoError(t, err)
	tenant := c.Tenants[someTenant]
	raw, err := json.Marshal(c)
	require.NoError(t, err)
	var logged bytes.Buffer
	log := redact.NewLogger(&logged, "json", "debug")
	log.Info("token is fio-u-secret", "token", tenant.Frameio.Token, "error", errors.New("GET https://store.example/k?X-Amz-Signature=feed: bearer abcdef"))
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %v %+v %#v", tenant, tenant, tenant, tenant.Frameio.Token, c, c, c), string(raw), logged.String()} {
		for _, secret := range []string{"fio-u-secret", "an-auth-token", "the-tenants-api-key", "pg-secret", "mail-secret", "feed", "abcdef", "the-second-hook-secret"} {
			assert.NotContains(t, text, secret)
		}
	}
	assert.Contains(t, logged.String(), "https://store.example/k?…")
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"16MiB": 16 << 20, "50GiB": 50 << 30, "1.5GB": 1500000000, "0": 0, "123": 123, " 5 kb ": 5000, "2TiB": 2 << 40, "7B": 7} {
		got, err := ParseBytes(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-1", "x", "9999999999TiB", "NaN", "1e400"} {
		_, err := ParseBytes(text)
		assert.Error(t, err, text)
	}
}
