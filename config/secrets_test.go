package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const tenantKey = "tenants." + someTenant

// with adds keys to the first tenant.
func with(keys string) string { return least + keys }

func TestAValueLosesTheLineBreaksAtItsEnd(t *testing.T) {
	for name, value := range map[string]string{"echo": "an-auth-token\n", "windows": "an-auth-token\r\n", "byte order mark": "\uFEFFan-auth-token\n\n"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TOK", value)
			c, err := load(t, strings.Replace(least, "auth_token: an-auth-token", `auth_token: "${TOK}"`, 1))
			require.NoError(t, err)
			assert.Equal(t, "an-auth-token", c.Tenants[someTenant].Iconik.AuthToken.Reveal())

			t.Setenv(envName(tenantKey+".iconik.auth_token"), value)
			c, err = load(t, least)
			require.NoError(t, err)
			assert.Equal(t, "an-auth-token", c.Tenants[someTenant].Iconik.AuthToken.Reveal())

			file := filepath.Join(t.TempDir(), "token")
			require.NoError(t, os.WriteFile(file, []byte(value), 0o600))
			t.Setenv(envName(tenantKey+".iconik.auth_token"), "file:"+file)
			c, err = load(t, least)
			require.NoError(t, err)
			assert.Equal(t, "an-auth-token", c.Tenants[someTenant].Iconik.AuthToken.Reveal())
		})
	}
	t.Setenv("TOK", "an-auth\ntoken")
	_, err := load(t, strings.Replace(least, "auth_token: an-auth-token", `auth_token: "${TOK}"`, 1))
	assert.ErrorContains(t, err, tenantKey+".iconik.auth_token: contains a line break")
	assert.NotContains(t, err.Error(), "an-auth")
}

func TestANumberWithoutQuotesIsNoSecret(t *testing.T) {
	for _, number := range []string{"0123456701234567", "00012345", "0x1F2E3D4C5B6A7988", "0b1010", "12_345", "+12345", "1e10", ".inf", "2027", "true"} {
		for _, key := range []string{"api_key: ", "frameio: {generation: legacy, token: ", "ledger: "} {
			text := strings.Replace(least, "api_key: the-tenants-api-key", "api_key: "+number, 1)
			want := tenantKey + ".api_key: must be text: put it in quotes"
			switch {
			case strings.HasPrefix(key, "frameio"):
				text, want = strings.Replace(least, "token: fio-u-secret", "token: "+number, 1), tenantKey+".frameio.token: must be text: put it in quotes"
			case strings.HasPrefix(key, "ledger"):
				text, want = least+"ledger: {encryption_key: ["+number+"]}\n", "ledger.encryption_key.0: must be text: put it in quotes"
			}
			_, err := load(t, text)
			assert.ErrorContains(t, err, want, number)
		}
	}
	c, err := load(t, strings.NewReplacer("name: Marketing", "name: 0012", "app_id: an-app", "app_id: 0x10", "api_key: the-tenants-api-key", `api_key: "0123456701234567"`).Replace(least))
	require.NoError(t, err)
	assert.Equal(t, "0012", c.Tenants[someTenant].Name, "what is no secret is taken as it is written")
	assert.Equal(t, "0x10", c.Tenants[someTenant].Iconik.AppID)
	assert.Equal(t, "0123456701234567", c.Tenants[someTenant].APIKey.Reveal())
}

func TestAPasswordThatTearsItsAddressApartIsRefusedAndNotPrinted(t *testing.T) {
	for _, rest := range []string{
		"svc:/secretpw@127.0.0.1:1/fb", "svc:4711/secretpw@127.0.0.1:1/fb", "svc:#secretpw@db/fb", "svc:a#secretpw@db/fb", "svc:?secretpw@db/fb", "svc:4711?secretpw@db/fb",
		"svc:a@b/secretpw@db/fb", "svc:a@b?secretpw@db/fb", "svc:a@b#secretpw@db/fb", "svc:%secretpw@db/fb", "svc:secretpw with@db/fb", ":/secretpw@db/fb",
	} {
		for key, text := range map[string]string{
			"ledger.dsn": "ledger: {dsn: '" + "postgres://" + rest + "'}\n", "mail.smtp_url": "mail: {smtp_url: '" + "smtp://" + strings.TrimSuffix(rest, "/fb") + "'}\n",
		} {
			_, err := load(t, least+text)
			if assert.ErrorContains(t, err, key+": is not a URL: percent-encode special characters in its password", rest) {
				assert.NotContains(t, err.Error(), "secretpw")
			}
		}
	}
	for _, dsn := range []string{"postgres://svc:a%2Fb%40c%23d%3Fe@db:5432/fb?sslmode=disable", "postgres://db/fb?user=svc&password=a%40b", "postgres://svc@db/fb", "postgres://[::1]:5432/fb"} {
		c, err := load(t, least+"ledger: {dsn: '"+dsn+"'}\n")
		require.NoError(t, err, dsn)
		assert.Equal(t, dsn, c.Ledger.DSN.Reveal())
	}
}

func TestSecretsThatCanBeGuessedAreRefused(t *testing.T) {
	c, err := load(t, least+"    archive: {access: iconik_default}\n")
	require.NoError(t, err)
	assert.Empty(t, c.Warnings)
	for text, want := range map[string]string{
		strings.Replace(least, "the-tenants-api-key", "fifteen-letters", 1):                           ".api_key: must have at least 16 characters",
		with("    api_keys: [{name: a, key: fifteen-letters, role: viewer}]\n"):                       ".api_keys.0.key: must have at least 16 characters",
		with("    notify: {webhook: {url: 'https://x.example', secret: fifteen-letters}}\n"):          ".notify.webhook.secret: must have at least 16 characters",
		strings.Replace(least, "auth_token: an", "action_secret: fifteen-letters, auth_token: an", 1): ".iconik.action_secret: must have at least 16 characters",
	} {
		_, err := load(t, text)
		assert.ErrorContains(t, err, tenantKey+want)
		assert.NotContains(t, err.Error(), "fifteen")
	}
	c, err = load(t, strings.Replace(least, "the-second-hook-secret", "fifteen-letters", 1))
	require.NoError(t, err, "Frame.io chooses it")
	assert.Contains(t, strings.Join(c.Warnings, "\n"), tenantKey+".frameio.webhook_secrets.1: has only 15 characters")
	_, err = load(t, with("temporal: {codec: {keys: [long enough for anything, short]}}\n"))
	assert.ErrorContains(t, err, "temporal.codec.keys.1: must have at least 16 characters")
}

// A header loses white space around a value, so nobody could present such a secret. Encryption keys include all of it.
func TestWhiteSpaceAroundASecret(t *testing.T) {
	for _, secret := range []string{"the-tenants-api-key ", " the-tenants-api-key", "the-tenants-api-key\\u00a0", "the-tenants-api-key \\n"} {
		_, err := load(t, strings.Replace(least, "api_key: the-tenants-api-key", `api_key: "`+secret+`"`, 1))
		assert.ErrorContains(t, err, tenantKey+".api_key: begins or ends with white space: remove it", "%q", secret)
		assert.NotContains(t, err.Error(), "the-tenants")
	}
	t.Setenv(envName(tenantKey+".iconik.action_secret"), "the-action-secret \n")
	_, err := load(t, least)
	assert.ErrorContains(t, err, tenantKey+".iconik.action_secret: begins or ends with white space")
	t.Setenv(envName(tenantKey+".iconik.action_secret"), "the action secret")
	c, err := load(t, least+"ledger: {encryption_key: \"the encryption key \"}\ntemporal: {codec: {keys: [\" the key of Temporal\"]}}\n")
	require.NoError(t, err)
	assert.Equal(t, "the encryption key ", c.Ledger.EncryptionKey.Reveal())
	assert.Equal(t, []string{"ledger.encryption_key: begins or ends with white space, which is part of the secret",
		"temporal.codec.keys.0: begins or ends with white space, which is part of the secret"}, slices.Sorted(slices.Values(c.Warnings)))
}

// In the environment, a secret may begin and end with brackets. A list of secrets is quoted.
func TestBracketsInTheEnvironmentBelongToTheSecret(t *testing.T) {
	for key, read := range map[string]func(*Config) []string{
		tenantKey + ".api_key":                 func(c *Config) []string { return c.Tenants[someTenant].APIKey.RevealAll() },
		tenantKey + ".iconik.action_secret":    func(c *Config) []string { return c.Tenants[someTenant].Iconik.ActionSecret.RevealAll() },
		tenantKey + ".iconik.auth_token":       func(c *Config) []string { return []string{c.Tenants[someTenant].Iconik.AuthToken.Reveal()} },
		"ledger.encryption_key":                func(c *Config) []string { return c.Ledger.EncryptionKey.RevealAll() },
		"temporal.codec.keys":                  func(c *Config) []string { return Secrets(c.Temporal.Codec.Keys).RevealAll() },
		tenantKey + ".frameio.webhook_secrets": func(c *Config) []string { return Secrets(c.Tenants[someTenant].Frameio.WebhookSecrets).RevealAll() },
	} {
		for text, want := range map[string][]string{
			"[a-secret-in-brackets]": {"[a-secret-in-brackets]"}, "[not-closed-anywhere": {"[not-closed-anywhere"}, "[]] odd secret [[]": {"[]] odd secret [[]"},
			`["the-first-of-two", "the-second-of-two"]`: {"the-first-of-two", "the-second-of-two"}, `["${ONE_OF_THEM}"]`: {"from-the-environment"},
			"[the-first-of-two, the-second-of-two]": nil,
		} {
			t.Setenv("ONE_OF_THEM", "from-the-environment")
			t.Setenv(envName(key), text)
			c, err := load(t, least)
			switch single := strings.HasSuffix(key, "auth_token"); {
			case single:
				require.NoError(t, err)
				assert.Equal(t, []string{text}, read(c), "the brackets are the secret's own")
			case want == nil:
				assert.ErrorContains(t, err, key+": may be a list or one secret in brackets")
				assert.NotContains(t, err.Error(), "the-first")
			default:
				require.NoError(t, err, key+" "+text)
				assert.Equal(t, want, read(c))
			}
		}
		t.Setenv(envName(key), "")
		require.NoError(t, os.Unsetenv(envName(key)))
	}
}

func TestBinaryIsDecodedAndUnknownTagsAreRefused(t *testing.T) {
	c, err := load(t, strings.Replace(least, "api_key: the-tenants-api-key", "api_key: !!binary dGhlLXNlY3JldC1pbi1iYXNlNjQ=", 1))
	require.NoError(t, err)
	assert.Equal(t, "the-secret-in-base64", c.Tenants[someTenant].APIKey.Reveal())
	for text, want := range map[string]string{"!!binary '?'": "must be text in base64", "!!binary /w==": "must be text in base64", "!secret the-tenants-api-key": "a value has an unknown tag"} {
		_, err := load(t, strings.Replace(least, "api_key: the-tenants-api-key", "api_key: "+text, 1))
		assert.ErrorContains(t, err, want)
	}
	c, err = load(t, strings.Replace(least, "api_key: the-tenants-api-key", "api_key: !!str 0123456701234567", 1))
	require.NoError(t, err)
	assert.Equal(t, "0123456701234567", c.Tenants[someTenant].APIKey.Reveal())
}

// The database driver separates settings only at &. Settings separated by ; are rejected, and never shown.
func TestAPasswordAmongTheSettingsOfAnAddress(t *testing.T) {
	for _, query := range []string{"user=svc;password=secretpw", "sslmode=disable;password=secretpw&x=y", "password=secretpw;"} {
		_, err := load(t, least+"ledger: {dsn: 'postgres://db/fb?"+query+"'}\n")
		assert.ErrorContains(t, err, "ledger.dsn: is not a URL")
		assert.NotContains(t, err.Error(), "secretpw")
	}
	for dsn, want := range map[string][]string{
		"postgres://db/fb?user=svc;password=se%63ret": {"se%63ret", "secret"}, "postgres://db/fb?PassWord=a%26b;x=y": {"a%26b", "a&b"}, "postgres://db/fb?sslpassword=one&sslkey=two": {"one", "two"},
		"postgres://db/fb?p%61ssword=three": {"three"}, "postgres://db/fb?sslmode=disable": nil,
	} {
		assert.ElementsMatch(t, want, distinct(secretForms(dsn)), dsn)
	}
}

func distinct(all []string) []string { return slices.Compact(slices.Sorted(slices.Values(all))) }

func TestNoTwoTenantsShareASecretThatLetsIn(t *testing.T) {
	other := func(api, hook, action string) string {
		return `  11111111-2222-4333-8444-555555555555:
    api_key: ` + api + `
    frameio: {generation: legacy, token: fio-u-secret, webhook_secrets: [` + hook + `]}
    iconik: {app_id: an-app, auth_token: an-auth-token, action_secret: ` + action + `}
`
	}
	_, err := load(t, least+other("yet-another-api-key", "another-hook-secret", "another-action-secret"))
	require.NoError(t, err, "the vendors' own tokens may be the same: two tenants of one account")
	for text, want := range map[string]string{
		other("the-tenants-api-key", "another-hook-secret", "another-action-secret"):   "api_key",
		other("yet-another-api-key", "the-first-hook-secret", "another-action-secret"): "webhook_secrets",
		other("yet-another-api-key", "another-hook-secret", "the-tenants-api-key"): "iconik.action_secret: is also used by tenant " + someTenant +
			" (" + tenantKey + ".api_key)",
	} {
		_, err := load(t, least+text)
		assert.ErrorContains(t, err, "is also used by tenant")
		assert.ErrorContains(t, err, want)
	}
	_, err = load(t, with("    api_keys: [{name: a, key: the-same-key-of-two, role: viewer}, {name: b, key: the-same-key-of-two, role: admin}]\n"))
	assert.ErrorContains(t, err, ".api_keys.1.key: is the same as "+tenantKey+".api_keys.0.key")
}

func TestSecretsAreRotatedByLists(t *testing.T) {
	t.Setenv("NEW", "the new encryption key\n")
	text := strings.NewReplacer("api_key: the-tenants-api-key", "api_key: [the-newer-api-key, the-tenants-api-key]",
		"app_id: an-app", "action_secret: [the-new-action-secret, the-old-action-secret], app_id: an-app").Replace(least)
	c, err := load(t, text+"ledger: {encryption_key: [\"${NEW}\", the old encryption key]}\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"the new encryption key", "the old encryption key"}, c.Ledger.EncryptionKey.RevealAll())
	assert.Equal(t, "the new encryption key", c.Ledger.EncryptionKey.Reveal())
	tenant := c.Tenants[someTenant]
	assert.True(t, tenant.Iconik.ActionSecret.Contains("the-old-action-secret"))
	assert.False(t, tenant.Iconik.ActionSecret.Contains(""))
	for given, ok := range map[string]bool{"the-tenants-api-key": true, "the-newer-api-key": true, "the-": false, "": false} {
		_, key, found := c.FindKey(given, time.Now())
		assert.Equal(t, ok, found, given)
		assert.Equal(t, ok, key.Role.Covers(RoleAdmin), given)
	}

	t.Setenv("FRAMEBRIDGE_LEDGER_ENCRYPTION_KEY", `["of the environment, new", "of the environment, old"]`)
	c, err = load(t, text)
	require.NoError(t, err)
	assert.Equal(t, []string{"of the environment, new", "of the environment, old"}, c.Ledger.EncryptionKey.RevealAll())
	t.Setenv("FRAMEBRIDGE_LEDGER_ENCRYPTION_KEY", "one, with a comma in it")
	c, err = load(t, text)
	require.NoError(t, err)
	assert.Equal(t, []string{"one, with a comma in it"}, c.Ledger.EncryptionKey.RevealAll())
}

func TestAPIKeysHaveRolesAndEnd(t *testing.T) {
	c, err := load(t, with(`    api_keys:
      - {name: edit-suite, key: the key of the edit suite, role: editor, expires: 2027-06-30}
      - {name: wall, key: the key of the wall monitor, role: viewer}
    roles: {operator: [post-production], admin: []}
`))
	require.NoError(t, err)
	last := time.Date(2027, 6, 30, 23, 0, 0, 0, time.UTC)
	tenant, key, ok := c.FindKey("the key of the edit suite", last)
	require.True(t, ok)
	assert.Equal(t, someTenant, tenant.ID)
	assert.Equal(t, "edit-suite", key.Name)
	assert.True(t, key.Role.Covers(RoleViewer) && key.Role.Covers(RoleEditor))
	assert.False(t, key.Role.Covers(RoleOperator))
	_, _, ok = c.FindKey("the key of the edit suite", last.Add(time.Hour))
	assert.False(t, ok, "it has expired")
	_, _, ok = c.FindKey("the key of the wall monitor", last.AddDate(50, 0, 0))
	assert.True(t, ok)
	assert.False(t, Role("").Covers(""))

	_, err = load(t, with(`    api_keys: [{key: the key of nobody at all, role: owner, expires: soon}, {name: b, key: another key altogether}]
    roles: {owner: [all]}
`))
	for _, want := range []string{".api_keys.0.name: is missing", `.api_keys.0.role: "owner" is not one of`, `.api_keys.0.expires: "soon" is not a date`, ".api_keys.1.role: is missing", ".roles.owner: is not one of"} {
		assert.ErrorContains(t, err, tenantKey+want)
	}
}

func TestTemporalsTLSIsASwitchOrKeys(t *testing.T) {
	cert, key := selfSigned(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), []byte(cert), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), []byte(key), 0o600))
	file := filepath.Join(dir, "f.yaml")
	read := func(temporal string) (*Config, error) {
		require.NoError(t, os.WriteFile(file, []byte(least+"temporal: "+temporal+"\n"), 0o600))
		return Load(file)
	}
	for text, on := range map[string]bool{"{tls: true}": true, "{tls: false}": false, "{}": false, "{tls: {}}": false, "{tls: {ca: ca.pem}}": true, "{tls: {server_name: x}}": true} {
		c, err := read(text)
		require.NoError(t, err, text)
		assert.Equal(t, on, c.Temporal.TLS.Enabled, text)
		secure, err := c.Temporal.TLS.ClientConfig()
		require.NoError(t, err)
		assert.Equal(t, on, secure != nil, text)
	}
	c, err := read(`{tls: {ca: ca.pem, cert: "file:ca.pem", key: key.pem, server_name: temporal.internal}}`)
	require.NoError(t, err)
	secure, err := c.Temporal.TLS.ClientConfig()
	require.NoError(t, err)
	assert.Equal(t, "temporal.internal", secure.ServerName)
	assert.Len(t, secure.Certificates, 1)
	assert.NotNil(t, secure.RootCAs)

	t.Setenv("FRAMEBRIDGE_TEMPORAL_TLS_SERVER_NAME", "from.the.environment")
	c, err = read("{tls: false}")
	require.NoError(t, err)
	assert.Equal(t, TLS{Enabled: true, ServerName: "from.the.environment"}, c.Temporal.TLS)

	for text, want := range map[string]string{
		"{tls: {cert: ca.pem}}": "temporal.tls.key: is missing", "{tls: {key: key.pem}}": "temporal.tls.cert: is missing", "{tls: {ca: none.pem}}": "temporal.tls.ca: is neither PEM nor a readable file",
		"{tls: {ca: key.pem}}": "temporal.tls.ca: contains no certificate", "{tls: {cert: ca.pem, key: ca.pem}}": "temporal.tls.cert: certificate and key do not match", "{tls: perhaps}": "temporal.tls: \"perhaps\" is neither true nor false",
	} {
		_, err := read(text)
		assert.ErrorContains(t, err, want)
	}
}

func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

func TestReportsAreSignedByEd25519(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	for _, text := range []string{"file:" + file, base64.StdEncoding.EncodeToString(private.Seed())} {
		c, err := load(t, least+"report: {signing_key: '"+text+"'}\n")
		require.NoError(t, err)
		keys, err := c.Report.SigningKeys()
		require.NoError(t, err)
		require.Len(t, keys, 1)
		assert.Equal(t, public, keys[0].Public())
	}
	_, err = load(t, least+"report: {signing_key: nothing of the kind}\n")
	assert.ErrorContains(t, err, "report.signing_key: is not an Ed25519 key")
	c, err := load(t, least)
	require.NoError(t, err)
	keys, err := c.Report.SigningKeys()
	assert.NoError(t, err)
	assert.Empty(t, keys)
}

func TestTheSecretValuesAreAllThatMustNotBeShown(t *testing.T) {
	c, err := load(t, least+`ledger: {dsn: "postgres://sam:pg%2Fsecret@db/x", encryption_key: [the encryption key, the older encryption key]}
mail: {smtp_url: "smtp://sam:mail-secret@h:25"}
`)
	require.NoError(t, err)
	all := c.SecretValues()
	for _, want := range []string{"pg/secret", "pg%2Fsecret", "mail-secret", "the encryption key", "the older encryption key", "the-tenants-api-key", "fio-u-secret", "the-second-hook-secret", "an-auth-token"} {
		assert.Contains(t, all, want)
	}
	for _, not := range []string{"sam", "an-app", "", "x"} {
		assert.NotContains(t, all, not)
	}
}
