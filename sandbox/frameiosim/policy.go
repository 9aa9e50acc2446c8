package frameiosim

// Policy is what an account's plan and its administrators allow of shares.
type Policy struct {
	SecureOnly  bool   // "Require Secure Shares"
	NoSecure    bool   // the plan has no secure shares
	Passphrase  bool   // every share has one; where none is given, it is made
	Downloads   string // "": allowed; "off": silently not; "refused"
	NoWatermark string // why a watermark is refused; empty: it is not
	Forensic    bool   // the account has the add-on
	DRM         bool
}

// refuse says what is wrong with a request for a share, and where.
func (p Policy) refuse(in map[string]any) (detail, pointer string) {
	switch {
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
