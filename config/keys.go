package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// KeyDoc describes one key. Default is text as in a file; "[]" and "{}" stand for an empty list and map.
type KeyDoc struct{ Key, Default, What string }

const tenantPrefix = "tenants.<id>."

// Keys returns all keys with their defaults, in the order of the file.
func Keys() []KeyDoc {
	return append(append([]KeyDoc{}, generalKeys...), tenantKeys...)
}

var generalKeys = []KeyDoc{
	{"http.listen", "127.0.0.1:8080", "address the starter listens on"},
	{"http.internal_listen", "", "address of `/healthz`, `/readyz`, `/metrics` and `/openapi.json`; empty: they stay on `http.listen`"},
	{"http.public_url", "http://127.0.0.1:8080", "URL at which Frame.io and iconik reach the starter"},
	{"temporal.address", "127.0.0.1:7233", "Temporal's frontend"},
	{"temporal.namespace", "default", "Temporal namespace"},
	{"temporal.task_queue", "framebridge", "task queue; transfers use this name plus `-transfers`"},
	{"temporal.api_key", "", "API key for Temporal Cloud (turns on TLS)"},
	{"temporal.tls", "false", "connect to Temporal with TLS: `true`, or the keys below"},
	{"temporal.tls.ca", "", "certificate authority that signed the server's certificate (a PEM file or its text); empty: the system's authorities"},
	{"temporal.tls.cert", "", "client certificate (a PEM file or its text)"},
	{"temporal.tls.key", "", "private key of the client certificate (a PEM file or its text)"},
	{"temporal.tls.server_name", "", "name in the server's certificate, if it differs from the address"},
	{"temporal.ui_url", "http://127.0.0.1:8233", "Temporal's Web UI, for links; empty: no links"},
	{"temporal.codec.keys", "[]", "secrets that encrypt what Temporal stores: the first encrypts, all decrypt; empty: off"},
	{"ledger.dsn", "sqlite:framebridge.db", "sqlite:FILE or postgres://…"},
	{"ledger.encryption_key", "", "secret of 16 characters or more; required to store anything encrypted; a list during rotation, the new one first"},
	{"worker.listen", "127.0.0.1:8081", "health and metrics of the worker"},
	{"transfer.files_in_flight", "32", "files that one worker moves at once, 1 to 256"},
	{"transfer.parts_in_flight", "8", "parts of one file in flight at once, 1 to 64"},
	{"transfer.part_size", "16MiB", "smallest part size of a multipart upload, 5MiB to 512MiB"},
	{"transfer.memory", "256MiB", "memory for all transfers of one worker"},
	{"transfer.bandwidth", "0", "bytes per second for one worker; 0: no limit"},
	{"transfer.allowed_networks", "[]", "private networks (10.1.0.0/16, …) where your storages are"},
	{"mail.smtp_url", "", "smtp://[user:password@]host:port or smtps://…; empty: no e-mail"},
	{"mail.from", "framebridge@localhost", "sender's address"},
	{"mail.hello", "", "host name sent to the mail server (EHLO); empty: this machine's"},
	{"mail.tls", "auto", "auto (where the server offers it), required or off; smtps:// is always encrypted"},
	{"mail.ca", "", "certificate authority that signed the mail server's certificate (a PEM file or its text), in addition to the system's authorities"},
	{"mail.auth", "auto", "auto, plain, login, xoauth2 (the password is the access token) or cram-md5"},
	{"notify.allowed_networks", "[]", "private networks (10.1.0.0/16, …) where receivers of your webhooks are"},
	{"report.signing_key", "", "Ed25519 key that signs reports (PKCS#8 PEM, or the seed in base64 or hex); a list during rotation, the new one first"},
	{"prices.currency", "USD", "currency of the prices, for the plan of a migration"},
	{"prices.storage", "{}", "storage classes and their price per GiB and month: `{Standard: 0.023, \"Deep Archive\": 0.001}`"},
	{"prices.egress", "0", "price of reading 1 GiB from Frame.io or through your network; 0: none"},
	{"prices.transcode", "0", "price of 1 minute of video or audio that iconik transcodes; 0: none"},
	{"auth.oidc.issuer", "", "OpenID Connect provider for the console; empty: none"},
	{"auth.oidc.client_id", "", "client ID at the provider"},
	{"auth.oidc.client_secret", "", "client secret at the provider"},
	{"auth.oidc.groups_claim", "groups", "claim with a person's groups"},
	{"telemetry.otlp.endpoint", "", "OpenTelemetry collector for metrics and traces: https://collector.example.com:4318 (with grpc, port 4317); empty: off"},
	{"telemetry.otlp.protocol", "http/protobuf", "http/protobuf or grpc"},
	{"telemetry.otlp.headers", "{}", "headers for the collector, each a secret: `{Authorization: \"Bearer …\"}`"},
	{"telemetry.otlp.ca", "", "certificate authority that signed the collector's certificate (a PEM file or its text), in addition to the system's authorities"},
	{"telemetry.otlp.traces_percent", "100", "percentage of traces to send; 0: metrics only"},
	{"telemetry.otlp.interval", "1m", "how often metrics are sent"},
}

var tenantKeys = []KeyDoc{
	{tenantPrefix + "name", "", "name for people"},
	{tenantPrefix + "api_key", "", "bearer token for the status and control routes, with administrator rights; a list during rotation"},
	{tenantPrefix + "api_keys", "[]", "additional keys, each `{name, key, role, expires}`; role is viewer, editor, operator or admin; `expires` is a date"},
	{tenantPrefix + "roles", "{}", "groups of the OpenID provider by role: `{operator: [post-production], admin: []}`"},
	{tenantPrefix + "frameio.generation", "v4", "v4, or legacy for the API that Frame.io supports until December 1, 2026; required if only a developer token is set"},
	{tenantPrefix + "frameio.base_url", "https://api.frame.io", "Frame.io's API"},
	{tenantPrefix + "frameio.token", "", "developer token"},
	{tenantPrefix + "frameio.account_id", "", "v4: account; empty: discovered"},
	{tenantPrefix + "frameio.workspace", "", "workspace (v4) or team (legacy) for reviews, by ID or name"},
	{tenantPrefix + "frameio.service_client", "", "v4: client that Frame.io support set up for a developer token in an account managed in Adobe's Admin Console"},
	{tenantPrefix + "frameio.ims.token_url", "https://ims-na1.adobelogin.com/ims/token/v3", "v4: Adobe's token endpoint"},
	{tenantPrefix + "frameio.ims.client_id", "", "v4: client ID"},
	{tenantPrefix + "frameio.ims.client_secret", "", "v4: client secret"},
	{tenantPrefix + "frameio.ims.refresh_token", "", "v4: refresh token"},
	{tenantPrefix + "frameio.webhook_secrets", "[]", "secrets of Frame.io's webhooks; several during rotation"},
	{tenantPrefix + "frameio.credentials", "[]", "v4: additional users of the account to read with, each with the keys of `frameio` that differ; off by default: ask Frame.io first"},
	{tenantPrefix + "iconik.base_url", "https://app.iconik.io", "iconik"},
	{tenantPrefix + "iconik.app_id", "", "App-ID of the application token"},
	{tenantPrefix + "iconik.auth_token", "", "application token"},
	{tenantPrefix + "iconik.credentials", "[]", "additional application tokens of the same user, each `{app_id, auth_token}`; off by default: ask iconik first"},
	{tenantPrefix + "iconik.storage_id", "", "storage for originals; empty: the one iconik matches for FILES"},
	{tenantPrefix + "iconik.action_secret", "", "header X-Framebridge-Secret of custom actions and webhooks; a list during rotation"},
	{tenantPrefix + "iconik.settle_time", "30s", "how long iconik's search may lag behind a write"},
	{tenantPrefix + "iconik.drawing.frame", "normalised", "coordinates of drawings: normalised or pixels"},
	{tenantPrefix + "iconik.drawing.width", "0", "width of the pixel frame"},
	{tenantPrefix + "iconik.drawing.height", "0", "height of the pixel frame"},
	{tenantPrefix + "archive.root_collection", "Archive from Frame.io Media", "root collection in iconik"},
	{tenantPrefix + "archive.trigger_suffix", "Archived", "last word of a project's name that starts its archive"},
	{tenantPrefix + "archive.trigger_inactive", "false", "v4: also archive a project when it is set to inactive, whatever its name"},
	{tenantPrefix + "archive.max_file_size", "50GiB", "largest file to archive"},
	{tenantPrefix + "archive.missing_original", "wait", "file without original: wait, proxy or fail"},
	{tenantPrefix + "archive.wait_interval", "15m", "how often to check again while waiting"},
	{tenantPrefix + "archive.items_in_parallel", "4", "items copied at once, 1 to 64"},
	{tenantPrefix + "archive.projects_in_parallel", "1", "projects that a migration archives at once unless it says otherwise, 1 to 64; archives outside a migration run one at a time"},
	{tenantPrefix + "archive.access", "source", "who can read the archive in iconik: source (restricted projects, folders and private collections by their people only; the rest by iconik's default), closed (administrators) or iconik_default"},
	{tenantPrefix + "archive.groups", "{}", "Frame.io groups and the iconik groups they map to: `{\"Frame.io group\": \"iconik group\"}`"},
	{tenantPrefix + "archive.fields", "{}", "custom fields of Frame.io to fields of iconik: `{\"Frame.io name\": \"iconik_field\"}`; others get fields of their own"},
	{tenantPrefix + "archive.comment_count", "hint", "V4's comment count: hint (sets the order of reading), trust (files with a count of 0 are not read, and the report says so) or ignore"},
	{tenantPrefix + "archive.comments_again", "all", "v4: comments that a mirror's runs and a migration's second round read: all (of every file), or counted (of files that had comments or for which Frame.io counts some; the report says so)"},
	{tenantPrefix + "archive.on_difference", "report", "what to do about values changed in iconik: report, or restore Frame.io's value"},
	{tenantPrefix + "archive.reclaim", "off", "off, or allowed: `starter reclaim` may delete verified files in Frame.io"},
	{tenantPrefix + "archive.reclaim_grace", "168h", "how long files stay in Frame.io after the last archive run that changed something"},
	{tenantPrefix + "archive.reclaim_bytes", "read", "how a reclaim proves the stored bytes: read (all of them are read back), or store (skipped where the store's ETag is the same as at the last full read)"},
	{tenantPrefix + "archive.fixity_sample", "0", "percent of the archived bytes that are read back and hashed each month; 0: none"},
	{tenantPrefix + "archive.notify", "[]", "e-mail addresses to notify about every archive"},
	{tenantPrefix + "review.project", "iconik Reviews", "Frame.io project for reviews"},
	{tenantPrefix + "review.watermark", "required", "required, preferred or off"},
	{tenantPrefix + "review.access", "auto", "who may open a review's link: public, secure (only its reviewers) or auto (public where the account allows it)"},
	{tenantPrefix + "review.forensic_watermark", "off", "v4, where the account has the add-on: off, form (a field of the form asks for it) or always"},
	{tenantPrefix + "review.drm", "off", "v4, where the account has the add-on: off, form or always"},
	{tenantPrefix + "review.asset_lifecycle", "0s", "how long until Frame.io deletes uploads (the workspace's asset lifecycle, which its API does not show): reviews that last longer get a warning; 0s: never"},
	{tenantPrefix + "review.decisions", "both", "both: an approval in iconik sets the file's status in Frame.io, too; to_iconik: what is decided in iconik stays there"},
	{tenantPrefix + "review.status_options", "{}", "options of the account's Status field and the decisions they map to: `{\"Final\": approved, \"Rework\": changes requested}`; also none"},
	{tenantPrefix + "review.poll_interval", "1m", "how often Framebridge polls for comments"},
	{tenantPrefix + "review.retention", "720h", "how long the media stays in Frame.io after the review expires"},
	{tenantPrefix + "review.warn_before", "72h", "how long before the deletion a warning is e-mailed"},
	{tenantPrefix + "review.lasts", "336h", "how long a review stays open if the form has no expiry"},
	{tenantPrefix + "review.longest", "8760h", "longest time a review can stay open"},
	{tenantPrefix + "review.proxy_wait", "30m", "how long to wait for iconik to create a proxy"},
	{tenantPrefix + "review.watermark_attested", "false", "you confirm that the Frame.io account's policy forces a watermark, for servers whose API does not show it (v4)"},
	{tenantPrefix + "review.notify", "[]", "e-mail addresses to notify about every review"},
	{tenantPrefix + "personal_data.retention", "0s", "how long people are named in the ledger after an archive or review has ended, and in the audit log; 0s: forever"},
	{tenantPrefix + "notify.slack_url", "", "Slack incoming webhook for the tenant's events"},
	{tenantPrefix + "notify.slack_events", "[]", "events that go to Slack; empty: `notify.events`"},
	{tenantPrefix + "notify.teams_url", "", "URL of a Teams workflow for the tenant's events"},
	{tenantPrefix + "notify.teams_events", "[]", "events that go to Teams; empty: `notify.events`"},
	{tenantPrefix + "notify.webhook.url", "", "URL that receives the tenant's events as signed JSON"},
	{tenantPrefix + "notify.webhook.secret", "", "secret of 16 characters or more that signs them; a list during rotation"},
	{tenantPrefix + "notify.webhook.events", "[]", "events that go to the webhook; empty: `notify.events`"},
	{tenantPrefix + "notify.mail_events", "[]", "events that are mailed; empty: those that need action or mark the end of something"},
	{tenantPrefix + "notify.mail_digest", "off", "`hourly` or `daily`: mails that nobody is waiting for are collected and sent as one"},
	{tenantPrefix + "notify.mail_digest_at", "08:00 UTC", "when a daily digest is sent: a time and a time zone"},
	{tenantPrefix + "notify.events", "[]", "events that go to Slack, Teams and the webhook: names, `archive.*`, `urgent`; empty: all"},
}

// freeKeys are the maps whose keys the user chooses. These keep their case.
var freeKeys = map[string]bool{"archive.groups": true, "archive.fields": true, "review.status_options": true, "prices.storage": true}

// takesSecrets reports whether a key takes secrets as a list, always or during rotation.
func takesSecrets(key string) bool {
	at := reflect.TypeFor[Config]()
	for name := range strings.SplitSeq(key, ".") {
		if at.Kind() == reflect.Map {
			at = at.Elem()
			if at.Kind() == reflect.Pointer {
				at = at.Elem()
			}
			continue
		}
		if at.Kind() != reflect.Struct {
			return false
		}
		fields := reflect.VisibleFields(at)
		i := slices.IndexFunc(fields, func(f reflect.StructField) bool { return f.Tag.Get("yaml") == name })
		if i < 0 {
			return false
		}
		at = fields[i].Type
	}
	return at == reflect.TypeFor[Secrets]() || at == reflect.TypeFor[[]Secret]()
}

// KeysHelp returns the part of --help about the configuration.
func KeysHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, `Configuration is one YAML file, with tenants.d/*.yaml next to it. Each key can also be set in the environment: http.listen is
%s_HTTP_LISTEN, a tenant's api_key is %s_TENANTS_<ID WITH _>_API_KEY; write lists and maps there as in YAML.
A value ${NAME} is taken from the environment, file:PATH from a file.

Keys:
`, envPrefix, envPrefix)
	for _, k := range Keys() {
		fmt.Fprintf(&b, "  %-42s %s", k.Key, strings.ReplaceAll(k.What, "`", ""))
		if k.Default != "" {
			fmt.Fprintf(&b, " (default %s)", k.Default)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
