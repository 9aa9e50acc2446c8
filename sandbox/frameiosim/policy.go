package frameiosim

import (
	"strings"
	"unicode/utf8"
)

// Policy is what an account's plan and administrators allow for shares.
type Policy struct {
	SecureOnly  bool   // "Require Secure Shares"
	NoSecure    bool   // the plan has no secure shares
	Passphrase  bool   // every share has one; if none is given, it is made up
	Downloads   string // "": allowed; "off": silently disabled; "refused"
	NoWatermark string // why a watermark is refused; "" if it is not
	Forensic    bool   // the account has the add-on
	DRM         bool
}

// refuse returns what is wrong with a request for a share and where, or "".
func (p Policy) refuse(in map[string]any) (detail, pointer string) {
	name, isNamed := in["name"].(string)
	passphrase, _ := in["passphrase"].(string)
	switch {
	case isNamed && (strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > 175 || strings.ContainsAny(name, "\r\n")):
		return "Invalid value for name", "/data/name"
	case utf8.RuneCountInString(passphrase) > 255:
		return "Invalid value for passphrase", "/data/passphrase"
	case in["access"] != nil && in["access"] != "public" && in["access"] != "secure":
		return "Invalid value for enum", "/data/access"
	case p.SecureOnly && in["access"] == "public":
		return "Public shares are not allowed by your account's security settings", "/data/access"
	case p.NoSecure && in["access"] == "secure":
		return "Secure sharing is not part of your plan", "/data/access"
	case p.Downloads == "refused" && in["downloading_enabled"] == true:
		return "Downloads are disabled by your account's security settings", "/data/downloading_enabled"
	case p.NoWatermark != "" && in["watermark_enabled"] == true:
		return p.NoWatermark, "/data/watermark_enabled"
	case !p.Forensic && in["forensic_watermark_enabled"] == true:
		return "Forensic watermarking is not enabled for this account", "/data/forensic_watermark_enabled"
	case !p.DRM && in["drm_enabled"] == true:
		return "DRM is not enabled for this account", "/data/drm_enabled"
	}
	return "", ""
}
