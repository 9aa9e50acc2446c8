// Package redact keeps secrets out of what is shown or kept: texts, errors and logs.
package redact

import "regexp"

// Hidden replaces a secret.
const Hidden = "***"

// What must never be printed: bearer and developer tokens, JWTs, and the query of any URL, because it may contain signatures and
// upload IDs.
var scrubs = []struct {
	find    *regexp.Regexp
	replace string
}{
	{regexp.MustCompile(`(https?://[^\s"'<>?\\]+)\?[^\s"'<>]+`), "$1?…"},
	{regexp.MustCompile(`(https?://)[^\s/@"']+:[^\s/@"']+@`), "$1"},
	{regexp.MustCompile(`/l/[A-Za-z0-9_-]{60,}`), "/l/" + Hidden}, // a signed link
	{regexp.MustCompile(`fio-u-[A-Za-z0-9_=-]+`), Hidden},
	{regexp.MustCompile(`(?i)\bbearer\s+[A-Za-z0-9._~+/=-]+`), "Bearer " + Hidden},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`), Hidden},
	{regexp.MustCompile(`(?i)\b(X-Amz-Signature|Signature|sig|upload_?id|key|token|password)=[^\s&"']+`), "$1=" + Hidden},
}

// Scrub hides the secrets in a text that will be shown or stored: those of the configuration (see Know) and whatever looks like one.
func Scrub(text string) string {
	text = hideKnown(text)
	for _, s := range scrubs {
		text = s.find.ReplaceAllString(text, s.replace)
	}
	return text
}
